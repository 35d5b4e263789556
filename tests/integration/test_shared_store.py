"""A run over several machines that share a store gives the bytes of a run on one."""

from collections import Counter

import pytest

TWO = ("methods=[penalty, uxla]", "warmup.epochs=1", "keep_weights=last")


def files(out):
    clocks = {"journal.jsonl", "environment.json"}
    paths = [path for path in out.rglob("*") if path.is_file() and path.name not in clocks]
    return {str(path.relative_to(out)): path.read_bytes() for path in paths}


@pytest.fixture(params=["folder", pytest.param("s3", marks=pytest.mark.slow)])
def url(request, bench, tmp_path, monkeypatch):
    """Where several machines share a store: a folder, or a bucket on a server of S3."""
    if request.param == "folder":
        yield str(tmp_path / "shared")
        return
    monkeypatch.setenv("AWS_ENDPOINT_URL", "")  # what the server sets goes with the test
    with bench("servers").bucket() as address:
        yield address


def test_what_one_machine_did_no_other_does_again_and_all_give_the_same_bytes(url, adapt, tiny, tmp_path, monkeypatch):
    alone = adapt(tmp_path / "alone", tmp_path / "store", *tiny, *TWO)
    monkeypatch.setenv("UXLA_STORE", url)
    first = adapt(tmp_path / "first", tmp_path / "machine 1", *tiny, *TWO, "methods=[penalty]")
    second = adapt(tmp_path / "second", tmp_path / "machine 2", *tiny, *TWO)
    third = adapt(tmp_path / "third", tmp_path / "machine 3", *tiny, *TWO)
    made = Counter(first.misses + second.misses)
    assert set(alone.misses) <= set(made)
    assert max(made.values()) == 1
    assert third.misses == []
    assert files(second.out) == files(third.out) == files(alone.out)
