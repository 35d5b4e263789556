"""The recipe from raw text to a small encoder, and a run with what it made."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from uxla.testbed.world import World

RECIPE = Path(__file__).parents[2] / "recipes" / "small-encoder"
SIZES = {"PIECES": "300", "HIDDEN": "16", "LAYERS": "1", "HEADS": "2", "STEPS": "3", "BATCH": "4", "LENGTH": "64"}


def headings(card):
    return [line for line in card.splitlines() if line.startswith("## ")]


@pytest.mark.slow
def test_raw_text_becomes_an_encoder_with_a_card_that_a_run_can_use(adapt, tiny, tmp_path):
    files = []
    for language, size in (("source", 200), ("near", 100), ("far", 50)):
        rows = World(0).sentences(language, "pretrain", size)
        files.append(tmp_path / f"{language}.txt")
        files[-1].write_text("".join(" ".join(words) + "\n" for words, _ in rows), encoding="utf-8")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python").symlink_to(sys.executable)
    command = f'#!/bin/sh\nexec "{sys.executable}" -c "from uxla.cli.app import main; main()" "$@"\n'
    (tmp_path / "bin/uxla").write_text(command, encoding="utf-8")
    (tmp_path / "bin/uxla").chmod(0o755)
    given = {**os.environ, **SIZES, "PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    encoder = tmp_path / "encoder"
    subprocess.run(["sh", RECIPE / "make.sh", encoder, *files], env=given, check=True, cwd=tmp_path)
    lines = {file.name: len(file.read_text("utf-8").splitlines()) for file in (tmp_path / "encoder-text").iterdir()}
    assert lines["far.txt"] < lines["near.txt"] < lines["source.txt"] < 200
    made = (encoder / "README.md").read_text(encoding="utf-8")
    assert set(headings(made)) <= set(headings((RECIPE / "card.md").read_text(encoding="utf-8")))
    run = adapt(tmp_path / "run", tmp_path / "store", *tiny, f"model={encoder}", "methods=[zero_shot, uxla]")
    assert {"zero_shot", "uxla"} <= set(run.results["targets"]["far"])


@pytest.fixture
def balance():
    spec = importlib.util.spec_from_file_location("balance", RECIPE / "balance.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("text", ["", "\n \n"])
def test_a_file_without_a_sentence_is_refused_by_name(balance, tmp_path, text):
    full, empty = tmp_path / "sw.txt", tmp_path / "hau.txt"
    full.write_text("one\ntwo\n", encoding="utf-8")
    empty.write_text(text, encoding="utf-8")
    with pytest.raises(SystemExit, match=r"hau\.txt: has no sentence; leave it out"):
        balance.main(tmp_path / "out", [full, empty])
    assert not (tmp_path / "out").exists()


def test_text_of_a_language_that_is_no_longer_given_is_not_trained_on(balance, tmp_path):
    files = [tmp_path / name for name in ("sw.txt", "hau.txt")]
    for file in files:
        file.write_text("one\ntwo\n", encoding="utf-8")
    for _ in range(2):  # the same again is the same
        balance.main(tmp_path / "out", files)
    with pytest.raises(SystemExit, match=r"out: has hau\.txt of another try.*remove that folder"):
        balance.main(tmp_path / "out", files[:1])


def test_a_language_with_more_lines_keeps_more_of_them_and_a_smaller_share(balance):
    assert balance.balanced([1000, 32000, 1000]) == [1000, 8000, 1000]  # 32 ** 0.6 = 8
