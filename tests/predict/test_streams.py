"""`uxla predict` block by block: prompt, in bounded memory, resumed where it was killed."""

import io
import json
import os
import sys
import threading
from contextlib import nullcontext
from select import select

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from uxla.confidence import Scaling
from uxla.errors import DataError
from uxla.models.ensemble import Ensemble
from uxla.models.mentions import Mention
from uxla.predict.files import predict
from uxla.raw_text import Splitter
from uxla.shards import Shard, UnfinishedError


class Counting:
    """Answers each row with how many words it has; counts the rows, and ends after some blocks."""

    fingerprint, scaling = "counting", Scaling()
    split = Splitter(together=("hyphens",))

    def __init__(self, task="classification", blocks=10**9):
        self.task, self.blocks, self.rows = task, blocks, 0

    def answers(self, rows):
        if self.blocks == 0:
            raise KeyboardInterrupt
        self.blocks -= 1
        self.rows += sum(map(bool, rows))
        return [
            [Mention(0, int(self.task == "ner"), f"n{len(parts[0].split())}", 0.123456789)] if parts else []
            for parts in rows
        ]


@pytest.fixture
def labelling(monkeypatch):
    """Labels with an ensemble of the test's own."""

    def run(ensemble, source, out=None, **how):
        monkeypatch.setattr(Ensemble, "load", lambda *_, **__: ensemble)
        predict("run", source, out, **how)
        return ensemble

    return run


@pytest.fixture
def new_store(tmp_path_factory, monkeypatch):
    """From the call on, nothing is found; the store's folder."""

    def made():
        monkeypatch.setenv("UXLA_CACHE", str(folder := tmp_path_factory.mktemp("store")))
        return folder

    return made


@pytest.fixture
def lines(tmp_path):
    """A file of 3,000 lines, every tenth of them blank."""
    file = tmp_path / "x.txt"
    file.write_text("".join("\n" if i % 10 == 9 else "ko " * (i % 7) + "sen\n" for i in range(3000)))
    return file


FORMS = ["jsonl", "tsv", "csv", "parquet"]


@pytest.mark.parametrize("form", FORMS)
def test_a_killed_command_goes_on_and_writes_the_bytes_of_one_that_was_not(form, labelling, lines, tmp_path, new_store):
    once, out = tmp_path / f"once.{form}", tmp_path / f"out.{form}"
    whole = labelling(Counting(), lines, once).rows
    new_store()
    with pytest.raises(KeyboardInterrupt):
        labelling(Counting(blocks=3), lines, out)
    assert not out.exists()
    rest = labelling(Counting(), lines, out).rows
    assert 0 < rest < whole
    assert out.read_bytes() == once.read_bytes()
    assert {file.name for file in tmp_path.iterdir()} == {"x.txt", once.name, out.name}


def test_a_damaged_block_is_labelled_again_and_no_other(labelling, lines, tmp_path, new_store):
    once, out, store = tmp_path / "once.jsonl", tmp_path / "out.jsonl", new_store()
    labelling(Counting(), lines, once)
    sizes = {file.parent: json.loads(file.read_bytes()) for file in store.glob("answers/*/answers.json")}
    place, answers = next((place, found) for place, found in sizes.items() if len(found) == 512)
    (place / "answers.json").write_bytes((place / "answers.json").read_bytes()[:-20])
    assert labelling(Counting(), lines, out).rows == sum(map(bool, answers))
    assert out.read_bytes() == once.read_bytes()


SHARDED = {"jsonl": "jsonl", "txt": "jsonl", "parquet": "parquet", "tsv": "csv", "conll": "conll"}
"""Formats of the input, and of the output."""


@pytest.mark.parametrize("form", SHARDED)
def test_shards_in_any_order_label_each_block_once_and_the_last_writes_the_bytes_of_one_command(
    form, labelling, tmp_path, new_store
):
    source, once, out = tmp_path / f"x.{form}", tmp_path / f"once.{SHARDED[form]}", tmp_path / f"out.{SHARDED[form]}"
    _written(source)
    task = "ner" if form == "conll" else "classification"
    whole = labelling(Counting(task), source, once).rows
    new_store()
    labelled = []
    for number in (2, 3, 2, 1):
        ensemble, shard = Counting(task), Shard(number, 3)
        with pytest.raises(UnfinishedError, match=f"shard {number}/3 is done") if number != 1 else nullcontext():
            labelling(ensemble, source, out, shard=shard)
        labelled.append(ensemble.rows)
        assert out.exists() == (number == 1)
    assert labelled[2] == 0, "it ran twice"
    assert sum(labelled) == whole
    assert out.read_bytes() == once.read_bytes()


def test_a_shard_of_an_empty_file_writes_an_empty_file(labelling, tmp_path):
    (tmp_path / "x.txt").touch()
    labelling(Counting(), tmp_path / "x.txt", tmp_path / "out.txt", shard=Shard(2, 2))
    assert (tmp_path / "out.txt").read_bytes() == b""


def test_a_bad_row_is_told_by_the_shard_that_reads_it_behind_what_it_labelled(labelling, tmp_path):
    file, ensemble = tmp_path / "x.csv", Counting()
    file.write_text("id,text\n" + "1,ko\n" * 20000 + "2\n")
    with pytest.raises(DataError, match=r"x.csv:20002: 1 field, expected 2"):
        labelling(ensemble, file, tmp_path / "out.csv", shard=Shard(1, 2))
    assert 256 + 1024 + 4096 <= ensemble.rows < 20000


def _written(file):
    """3,000 rows in the format of the file's name."""
    texts = ["ko " * (i % 7) + "sen" for i in range(3000)]
    if file.suffix == ".parquet":
        pq.write_table(pa.table({"text": texts}), file)
        return
    row = {".jsonl": '{{"text": "{}"}}\n', ".txt": "{}\n", ".tsv": "1\t{}\n", ".conll": "{} O\n\n"}[file.suffix]
    texts = [text.replace(" ", "-") for text in texts] if file.suffix == ".conll" else texts
    file.write_text(("id\ttext\n" if file.suffix == ".tsv" else "") + "".join(map(row.format, texts)))


@pytest.mark.parametrize(("change", "rows"), [("models", 2700), ("text", 256 + 908)])
def test_answers_of_other_models_or_of_a_block_of_other_text_are_not_taken(change, rows, labelling, lines, tmp_path):
    out = tmp_path / "out.jsonl"
    with pytest.raises(KeyboardInterrupt):
        labelling(Counting(blocks=3), lines, out)
    other = Counting()
    if change == "models":
        other.fingerprint = "others"
    else:
        lines.write_text("sen " + lines.read_text())
    assert labelling(other, lines, out).rows == rows


def test_what_stands_behind_a_change_is_labelled_again_and_what_stands_before_is_not(labelling, lines, tmp_path):
    out = tmp_path / "out.jsonl"
    with pytest.raises(KeyboardInterrupt):
        labelling(Counting(blocks=3), lines, out)
    lines.write_text(lines.read_text() + "one more line\n")
    assert 0 < labelling(Counting(), lines, out).rows < 2701
    assert json.loads(out.read_text().splitlines()[-1])["label"] == "n3"


BAD = {
    "x.csv": ("id,text\n" + "1,ko\n" * 20000 + "2\n", "x.csv:20002: 1 field, expected 2"),
    "x.jsonl": ('{"text": "ko"}\n' * 400000 + "{no\n", "x.jsonl:400001: not JSON"),
    "x.tsv": ("id\ttext\n" + "1\tko\n" * 1000000 + "2\n", "x.tsv:1000002: 1 field, expected 2"),
}


@pytest.mark.parametrize("name", ["x.csv", "x.tsv"])
def test_a_bad_row_is_said_with_its_line_when_what_stands_before_has_been_written(
    name, labelling, tmp_path, capfdbinary
):
    content, said = BAD[name]
    (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=said):
        labelling(Counting(), tmp_path / name)
    written = capfdbinary.readouterr().out.splitlines()
    assert 10_000 < len(written) <= content.count("\n")
    assert written[1].endswith(b"n1%s0.1235" % (b"," if name == "x.csv" else b"\t"))


class Typed:
    """Standard input and output of a command as a person at a terminal has them."""

    def __init__(self, monkeypatch, run):
        read, write = os.pipe()
        self.source, self._keys = os.fdopen(read, "rb"), os.fdopen(write, "wb", buffering=0)
        read, write = os.pipe()
        self._screen, shown = os.fdopen(read, "rb", buffering=0), os.fdopen(write, "wb")
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(shown))
        self._thread = threading.Thread(target=run, args=(self.source,))
        self._thread.start()

    def answer(self, line, answers=1):
        self._keys.write(line)
        return [self._line() for _ in range(answers)]

    def _line(self):
        assert select([self._screen], [], [], 60)[0], "no answer"
        return self._screen.readline()

    def end(self):
        self._keys.close()
        self._thread.join(timeout=60)
        assert not self._thread.is_alive()
        sys.stdout.close()
        with self.source, self._screen:
            return self._screen.read()


def test_each_line_of_raw_text_is_answered_before_the_next_is_typed(labelling, monkeypatch):
    typed = Typed(monkeypatch, lambda source: labelling(Counting(), source))
    for number, words in enumerate(("ko mira", "", "sen"), start=1):
        [found] = map(json.loads, typed.answer(f"{words}\n".encode()))
        assert (found["id"], found["text"]) == ((number, words) if words else (None, ""))
    assert len(typed.answer("a\n\né\n".encode(), answers=3)) == 3
    typed.answer(b"last, without an end", answers=0)
    assert json.loads(typed.end())["text"] == "last, without an end"


def test_each_object_is_answered_before_the_next_is_typed_and_keeps_its_keys(labelling, monkeypatch):
    typed = Typed(monkeypatch, lambda source: labelling(Counting(), source))
    for number in range(3):
        [line] = typed.answer(b'{"id":%d,  "text": "ko"}\n' % number)
        assert line == b'{"id":%d,  "text": "ko", "label": "n1", "confidence": 0.1235}\n' % number
    assert typed.answer(b"\n") == [b"\n"]
    assert typed.end() == b""


def test_words_are_answered_as_soon_as_they_cannot_be_conll(labelling, monkeypatch):
    typed = Typed(monkeypatch, lambda source: labelling(Counting("ner"), source))
    assert json.loads(typed.answer(b"Ana lee\n")[0])["text"] == "Ana lee"
    typed.end()
    typed = Typed(monkeypatch, lambda source: labelling(Counting("ner"), source))
    typed.answer(b"Ana B-PER\n", answers=0)
    rows = typed.answer(b"lee mucho hoy\n", answers=2)
    assert [json.loads(row)["text"] for row in rows] == ["Ana B-PER", "lee mucho hoy"]
    typed.end()


def test_a_later_object_with_a_key_that_is_an_answer_s_is_refused_on_a_stream(labelling, capfdbinary):
    source = io.BytesIO(b'{"text": "ko"}\n{"text": "ko", "label": "x"}\n')
    with pytest.raises(DataError, match=r"^-:2: .*'label'"):
        labelling(Counting(), source)
