"""`uxla mlm tune` and `pretrain` as a person types them."""

import re
import shlex
from pathlib import Path

import pytest
from transformers import AutoModelForMaskedLM, AutoTokenizer
from typer.main import get_command

from uxla.cli.app import app
from uxla.testbed.world import World

QUICK = ("--max-steps", 3, "--batch-size", 4)


@pytest.fixture
def text(tmp_path):
    """A file of raw text."""
    rows = World(0).sentences("near", "train", 40)
    (tmp_path / "a.txt").write_text("".join(" ".join(words) + "\n" for words, _ in rows), "utf-8")
    return "a.txt"


def test_tune_writes_a_model_and_prints_its_figures(invoke, tmp_path, text):
    done = invoke("mlm", "tune", "testbed", text, "--out", "out", *QUICK)
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("| held-out text | before | after |\n")
    assert "3 steps over 38 sentences (12 drawn); 2 held out" in done.stdout
    assert "written to out" in done.stderr
    assert AutoModelForMaskedLM.from_pretrained(tmp_path / "out").config.vocab_size == 3000


def test_the_command_again_trains_nothing_and_fresh_replaces_the_folder(invoke, tmp_path, text):
    first, second, fresh = (
        invoke("mlm", "tune", "testbed", text, "--out", "out", *QUICK, *more) for more in ((), (), ("--fresh",))
    )
    assert first.stdout == second.stdout == fresh.stdout
    assert "--out out: already has this model" in second.stderr
    assert "has this model already" not in first.stderr + fresh.stderr
    (tmp_path / "out" / "mine.txt").write_text("mine")
    refused = invoke("mlm", "tune", "testbed", text, "--out", "out", *QUICK, "--fresh")
    assert refused.exit_code == 2
    assert "mine.txt is not known to be from `uxla mlm` and would be lost" in refused.stderr


def test_pretrain_makes_the_shape_that_was_asked_for(invoke, tmp_path, text):
    shape = ["--pieces", 300, "--hidden", 16, "--layers", 1, "--heads", 2, "--max-length", 40]
    done = invoke("mlm", "pretrain", text, "--out", "out", *shape, *QUICK, "--masked", 0.3)
    assert done.exit_code == 0, done.output
    config = AutoModelForMaskedLM.from_pretrained(tmp_path / "out").config
    assert (config.hidden_size, config.num_hidden_layers, config.num_attention_heads) == (16, 1, 2)
    assert len(AutoTokenizer.from_pretrained(tmp_path / "out")) == 300
    assert "- masked: 0.3\n" in (tmp_path / "out" / "README.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["tune", "testbed", "none.txt", "--out", "out"], "none.txt: no such file"),
        (["tune", "testbed", "a.txt", "--out", "a.txt"], "was not made by `uxla mlm`"),
        (["tune", "none/at/all", "a.txt", "--out", "out"], "none/at/all"),
        (["tune", "testbed", "a.txt", "--out", "out", "--masked", "15"], "15 % is 0.15"),
        (["tune", "testbed", "a.txt", "--out", "out", "--max-steps", "3", "--epochs", "2"], "exclude each other"),
        (["tune", "testbed", "a.txt", "--out", "no/out"], "no such folder"),
        (["pretrain", "a.txt", "--out", "out", "--hidden", "30"], "a multiple of heads = 4"),
        (["pretrain", "a.txt", "--out", "out", "--pieces", "9"], "--pieces: got 9, expected at least"),
        (["pretrain", "a.txt", "--out", "out", "--columns", "text"], "--columns: got 'text'"),
    ],
)
def test_faults_are_one_line_and_exit_2(invoke, tmp_path, text, arguments, says):
    done = invoke("mlm", *arguments)
    assert done.exit_code == 2
    [line] = done.stderr.splitlines()
    assert line.startswith("uxla: error: ")
    assert says in line
    assert [each.name for each in tmp_path.iterdir() if each.is_file()] == ["a.txt"]
    assert not (tmp_path / "out").exists()


def test_the_commands_of_the_page_are_taken():
    page = (Path(__file__).parents[2] / "docs" / "mlm.md").read_text("utf-8")
    commands = [shlex.split(line)[2:] for line in re.findall(r"^uxla mlm .+$", page, flags=re.MULTILINE)]
    assert {name for name, *_ in commands} == {"tune", "pretrain"}
    for name, *rest in commands:
        get_command(app).get_command(None, "mlm").commands[name].make_context(name, rest)
