"""`uxla augment` as a person types it, with the shipped model; as `uxla.augment` gives it."""

import doctest
import json
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

import uxla
from uxla.data.conll.file import read_conll

CONLL = "ko\tX\tO\nmira\tY\tB-PER\nsen\tZ\tI-PER\n\ntal\tX\tO\nru\tY\tB-LOC\n"


def test_a_conll_file_keeps_its_labels_and_reads_like_any_other(invoke, tmp_path):
    (tmp_path / "a.conll").write_text(CONLL)
    done = invoke("augment", "a.conll", "--out", "b.conll", "--model", "testbed", "--originals")
    assert done.exit_code == 0, done.output
    assert "b.conll: 2 sentences read, " in done.stderr
    before, after = read_conll(tmp_path / "a.conll"), read_conll(tmp_path / "b.conll")
    assert len(after.tags) > len(before.tags)
    assert {tuple(tags) for tags in after.tags} == {tuple(tags) for tags in before.tags}


def test_the_command_writes_what_the_function_gives(invoke, tmp_path):
    texts = ["ko mira sen tal", "pogrin  triju", "老磨坊在河边没有人看守"]
    (tmp_path / "a.txt").write_text("\n".join(texts), "utf-8")
    options = ["--share", 0.5, "--copies", 4, "--top", 3, "--seed", 9, "--min-word-chars", 2, "--keep-unchanged"]
    options += ["--match", "case", "--words", "others"]
    assert invoke("augment", "a.txt", "--out", "b.jsonl", "--model", "testbed", *options).exit_code == 0
    rows = [json.loads(line) for line in (tmp_path / "b.jsonl").read_text("utf-8").splitlines()]
    values = {"share": 0.5, "copies": 4, "top": 3, "seed": 9, "min_word_chars": 2, "keep_unchanged": True}
    values |= {"match": "case", "words": "others"}
    samples = uxla.augment(texts, model="testbed", **values)
    assert rows == [{"text": s.text, "parent": s.parent, "changed": list(s.changed[0])} for s in samples]


def test_labels_of_sentences_and_pairs_come_along(invoke, tmp_path):
    (tmp_path / "a.tsv").write_text("label\tp\tq\nyes\tko mira sen\ttal ru\nno\tru\tko ko\n")
    columns = ["--task", "nli", "--columns", "first=p,second=2", "--copies", "2,2", "--keep-unchanged"]
    done = invoke("augment", "a.tsv", "--out", "b.tsv", "--model", "testbed", *columns)
    assert done.exit_code == 0, done.output
    rows = [line.split("\t") for line in (tmp_path / "b.tsv").read_text("utf-8").splitlines()]
    assert rows[0] == ["label", "p", "q", "parent", "changed"]
    assert [(row[0], row[3]) for row in rows[1:]] == [("yes", "0")] * 4 + [("no", "1")] * 4


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["none.conll", "--out", "b.conll", "--model", "testbed"], "none.conll: no such file"),
        (["a.txt", "--out", "a.txt", "--model", "testbed"], "is the input file"),
        (["a.txt", "--out", "b.txt", "--model", "none/at/all"], "none/at/all"),
        (["a.txt", "--out", "b.txt", "--model", "testbed", "--copies", "x"], "--copies: got 'x'"),
        (
            ["a.txt", "--out", "b.txt", "--model", "testbed", "--copies", "2,2"],
            "--copies: got 2,2, expected one number",
        ),
        (["a.txt", "--out", "b.txt", "--model", "testbed", "--share", "30"], "30 % is 0.3"),
        (["a.txt", "--out", "b.tsv", "--model", "testbed", "--columns", "text"], "--columns: got 'text'"),
        (["a.txt", "--out", "b.tsv", "--model", "testbed", "--columns", "text=0"], "a.txt has no columns by name"),
    ],
)
def test_faults_are_one_line_and_exit_2(invoke, tmp_path, arguments, says):
    (tmp_path / "a.txt").write_text("ko mira\n")
    done = invoke("augment", *arguments)
    assert done.exit_code == 2
    [line] = done.stderr.splitlines()
    assert line.startswith("uxla: error: ")
    assert says in line
    assert [each.name for each in tmp_path.iterdir() if each.is_file()] == ["a.txt"]


def test_what_is_left_to_do_is_said(invoke, tmp_path):
    (tmp_path / "a.txt").write_text(" - \n")
    done = invoke("augment", "a.txt", "--out", "b.txt", "--model", "testbed", "--min-word-chars", 5)
    assert done.exit_code == 0
    assert "no sentence has a word that could be replaced" in done.stderr
    assert "--out FILE.tsv also has" in done.stderr
    assert (tmp_path / "b.txt").read_bytes() == b""


@pytest.mark.slow
def test_killed_at_work_it_goes_on_to_the_same_bytes(invoke, command, environment, tmp_path):
    """SIGKILL as soon as the store has its first part; twelve thousand lines are three."""
    few = "".join(f"ko{' mira' * (i % 3)}\n" for i in range(12))  # so that the model has little to do
    (tmp_path / "a.txt").write_text(few * 1000)
    arguments, store = ["augment", "a.txt", "--model", "testbed", "--copies", "1", "--out"], tmp_path / "store"
    settings = {"env": environment(store), "cwd": tmp_path, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([*command, *arguments, "b.tsv"], **settings) as process:
        while process.poll() is None and not list(store.glob("augment/*/meta.json")):
            time.sleep(0.01)
        process.kill()
    made = {path: path.stat().st_ino for path in store.glob("augment/*")}
    assert len(made) in (1, 2)
    assert not (tmp_path / "b.tsv").exists()
    assert invoke(*arguments, "b.tsv", env={"UXLA_CACHE": str(store)}).exit_code == 0
    assert len(list(store.glob("augment/*"))) == 3
    assert all(path.stat().st_ino == number for path, number in made.items())
    assert invoke(*arguments, "c.tsv").exit_code == 0
    assert (tmp_path / "b.tsv").read_bytes() == (tmp_path / "c.tsv").read_bytes()


@pytest.mark.slow
def test_each_signal_of_a_scheduler_ends_it_with_75_and_repeated_it_goes_on_to_the_same_bytes(
    invoke, command, environment, tmp_path
):
    few = "".join(f"ko{' mira' * (i % 3)}\n" for i in range(12))
    (tmp_path / "a.txt").write_text(few * 4000)
    arguments, store = ["augment", "a.txt", "--model", "testbed", "--copies", "1", "--out"], tmp_path / "store"
    settings = {"env": environment(store), "cwd": tmp_path, "stderr": subprocess.PIPE, "text": True}
    made = 0
    for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM):
        with subprocess.Popen([*command, *arguments, "b.tsv"], **settings) as process:
            while process.poll() is None and len(list(store.glob("augment/*/meta.json"))) == made:
                time.sleep(0.01)
            process.send_signal(number)
            said = process.communicate()[1]
        assert process.returncode == 75
        assert said.splitlines()[-1] == "uxla: terminated; repeat the command to resume (without --fresh)"
        before, made = made, len(list(store.glob("augment/*/meta.json")))
        assert before < made < 12
        assert not (tmp_path / "b.tsv").exists()
    assert invoke(*arguments, "b.tsv", env={"UXLA_CACHE": str(store)}).exit_code == 0
    assert len(list(store.glob("augment/*"))) == 12
    assert invoke(*arguments, "c.tsv").exit_code == 0
    assert (tmp_path / "b.tsv").read_bytes() == (tmp_path / "c.tsv").read_bytes()


def test_the_page_about_augment_shows_what_the_code_does(capsys):
    page = (Path(__file__).parents[2] / "docs" / "augment.md").read_text("utf-8")
    [code] = re.findall(r"^```python\n(.*?)^```$", page, flags=re.DOTALL | re.MULTILINE)
    examples = doctest.DocTestParser().get_doctest(code, {}, "docs/augment.md", None, None)
    assert len(examples.examples) == 6
    assert doctest.DocTestRunner().run(examples).failed == 0, capsys.readouterr().out


def test_the_example_of_the_function_holds():
    [example] = doctest.DocTestFinder().find(uxla.augment, "augment", globs={"augment": uxla.augment})
    assert doctest.DocTestRunner().run(example) == (0, 2)
