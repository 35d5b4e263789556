"""Sections made in Python, and the options that commands make of them."""

from typing import Annotated, Literal

import pytest
import typer
from typer.testing import CliRunner

from uxla.cli.options import Options, with_options
from uxla.config.compute import LMSource
from uxla.config.method import MaskedLMVicinity
from uxla.errors import ConfigError, assignment, setting, spelled_as
from uxla.models.lm.settings import LMShape, NewModelRecipe, Recipe
from uxla.schema import Section, key


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: MaskedLMVicinity(share=30), "share: got 30, expected at most 1 (share of"),
        (lambda: MaskedLMVicinity(copies=0), "copies: got 0, expected a number of at least 1"),
        (lambda: MaskedLMVicinity(top=True), "top: got True, expected a whole number"),
        (lambda: MaskedLMVicinity(shar=0.3), "shar: no such setting; did you mean share?"),
        (lambda: Recipe(epochs=1.0, max_steps=3), "epochs: epochs=1 and max_steps=3 exclude each other"),
        (lambda: LMShape(hidden=30), "hidden: got 30, expected a multiple of heads = 4"),
    ],
)
def test_a_section_that_makes_no_sense_is_one_line(make, said):
    with pytest.raises(ConfigError) as caught:
        make()
    assert str(caught.value).startswith(said)


def test_on_the_command_line_the_option_is_named():
    with spelled_as("options"), pytest.raises(ConfigError, match=r"^--min-word-chars: got 0, expected at least 1"):
        MaskedLMVicinity(min_word_chars=0)


def test_a_training_without_a_length_has_one():
    assert (Recipe().epochs, Recipe().max_steps) == (1.0, None)
    assert (NewModelRecipe().epochs, NewModelRecipe().max_steps) == (None, 10_000)
    assert Recipe(max_steps=7).draws(100) == 7 * 16
    assert Recipe(epochs=2.0).draws(100) == 200


@pytest.mark.parametrize(("given", "segments", "copies"), [(None, 1, (3,)), (None, 2, (2, 2)), (4, 2, (4, 4))])
def test_one_number_of_copies_is_for_each_sentence(given, segments, copies):
    assert MaskedLMVicinity(copies=given).copies_of(segments) == copies


class Toy(Section):
    """A section with a key of each kind."""

    name: str = key("whose it is")
    size: int = key("how large; null: none", 3, ge=1)
    kind: Literal["a", "b"] = key("`a` or `b`", "a")
    loud: bool = key("say it", False)
    copies: int | tuple[int, int] = key("how many", 1)


@pytest.fixture
def toy():
    """A command with the options of `Toy` but one; what it was given."""
    given, app = [], typer.Typer()

    @app.command()
    @with_options
    def command(
        toy: Annotated[Toy, Options(without=("kind",), arguments=("name",), defaults={"size": 5})], more: int = 0
    ) -> None:
        """A toy."""
        given.append((toy, more))

    def run(*words):
        with spelled_as("options"):
            result = CliRunner().invoke(app, words)
        return result if result.exception or "--help" in words else given[-1]

    return run


def test_keys_are_options_with_their_defaults_and_others_beside_them(toy):
    assert toy("Ann") == (Toy(name="Ann", size=5), 0)
    words = ("Ann", "--size", "2", "--loud", "--copies", "1,2", "--more", "4")
    assert toy(*words) == (Toy(name="Ann", size=2, loud=True, copies=(1, 2)), 4)


def test_help_has_the_meaning_of_each_key(toy):
    shown = toy("--help").stdout
    assert "Whose it is." in shown
    assert "How large; at least 1." in shown
    assert "--kind" not in shown


def test_a_value_out_of_range_names_the_option(toy):
    assert "--size: got 0, expected at least 1 (how large" in str(toy("Ann", "--size", "0").exception)


def test_a_masked_lm_is_asked_for_with_what_all_models_are():
    lm = LMSource(model="testbed", precision="bf16", trust_remote_code=True)
    assert (lm.runtime(64).precision, lm.runtime(64).max_length, lm.safety.remote_code) == ("bf16", 64, True)
    assert lm.name != "testbed"


@pytest.mark.parametrize(
    ("spelling", "forms"),
    [
        (
            "python",
            ["encoding='cp1252'", "header=False", "columns={'text': 'NAME'}", "tag_names=['O', 'B-PER']", "comment"],
        ),
        ("yaml", ["encoding: cp1252", "header: false", "columns: {text: NAME}", "tag_names: [O, B-PER]", "comment"]),
        ("options", ["--encoding cp1252", "--no-header", "--columns text=NAME", "--tag-names O,B-PER", "--comment"]),
    ],
)
def test_a_remedy_is_written_as_its_reader_writes_settings(spelling, forms):
    with spelled_as(spelling):
        values = [
            ("encoding", "cp1252"),
            ("header", False),
            ("columns", {"text": "NAME"}),
            ("tag_names", ["O", "B-PER"]),
        ]
        assert [*(setting(*pair) for pair in values), setting("comment")] == forms
        model = assignment("precision", "fp32")
    assert model == {"python": "precision='fp32'", "yaml": "precision=fp32", "options": "--precision fp32"}[spelling]
