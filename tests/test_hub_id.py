"""What is taken for a repository of the Hub: the Hub's own rules, and no folder here."""

import pytest
from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils import validate_repo_id
from hypothesis import example, given
from hypothesis import strategies as st

from uxla.hub_id import has_hub_form, is_hub_id


def is_valid(name):
    try:
        validate_repo_id(name)
    except HFValidationError:
        return False
    return "/" in name


@given(st.text("aZ9_-./é ", max_size=12) | st.from_regex(r"\A[a-]{94,98}/[a.]{94,98}\Z"))
@example("user/name")
@example("user/a--b")
@example("user/a..b")
@example("user/name.git")
@example("a/b/c")
@example("-user/name")
@example("user/name\n")
def test_the_form_is_the_one_that_the_hub_takes(name):
    assert has_hub_form(name) == is_valid(name)


@pytest.mark.parametrize(("name", "found"), [("models/enc", False), ("user/enc", True), ("enc", False)])
def test_a_folder_here_is_no_repository(name, found, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models" / "enc").mkdir(parents=True)
    assert is_hub_id(name) is found
