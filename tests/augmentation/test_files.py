"""`uxla augment` with a toy model: every format keeps what it has, labels stay, work is kept, the file comes whole."""

import csv
import json
import os
import re
from contextlib import nullcontext
from datetime import datetime
from unittest.mock import Mock

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from uxla import progress
from uxla.augmentation.files import FileAugmentation
from uxla.config.method import MaskedLMVicinity
from uxla.data.discover import open_rewritable
from uxla.errors import ConfigError, DataError, UxlaError, WriteError
from uxla.shards import Shard, UnfinishedError
from uxla.store.journal import Journal
from uxla.store.locks import vacant
from uxla.store.store import Store


class Toy:
    """A model that puts a star behind every drawn word, and counts what it was asked for."""

    max_length, settled_precision, process = None, "fp32", nullcontext

    def __init__(self, fail_at=None):
        self.filled, self.fail_at = 0, fail_at

    def digest(self):
        return "toy"

    def load(self, settings):
        return self

    def units(self, texts):
        return [[match.span() for match in re.finditer(r"\S+", text)] for text in texts]

    def fill(self, requests):
        if self.filled == self.fail_at:
            raise KeyboardInterrupt
        self.filled += 1
        return [self._starred(request) for request in requests]

    def _starred(self, request):
        text = request.text
        for _, end in sorted(request.spans, reverse=True):
            text = f"{text[:end]}*{text[end:]}"
        return text


@pytest.fixture
def file(tmp_path):
    def write(name, text):
        path = tmp_path / name
        path.write_bytes(text.encode())
        return path

    return write


@pytest.fixture
def augment(tmp_path):
    """Augments a file, each part with a toy of its own choice; returns the report."""

    def run(
        path, out, *, toy=None, originals=False, fresh=False, reading=None, together=4096, seed=0, shard=None, **given
    ):
        store = Store(tmp_path / "store", Journal(out), fresh)
        source, settings = open_rewritable(path, **(reading or {})), MaskedLMVicinity(**given)
        return FileAugmentation(source, out, settings, toy or Toy(), store, seed, originals, together).run(shard)

    return run


@pytest.fixture
def notes():
    listener = Mock()
    with progress.listening(listener):
        lines = []
        listener.note = lines.append
        yield lines


def stars(text):
    return [i for i, word in enumerate(text.split()) if word.endswith("*")]


CELL = st.text(
    st.characters(codec="utf-8", exclude_characters=" \t\r\n\ufeff*", exclude_categories=["C"]), min_size=1
).filter(str.strip)
WORD = CELL.map("k{}".format)  # numbers alone, labels or one value a sentence would be refused as no words
LABELLED = st.tuples(WORD, CELL, st.sampled_from(["O", "B-X", "I-X"]))
ROWS = st.lists(LABELLED, min_size=1, max_size=5, unique_by=lambda row: row[0])


@given(sentences=st.lists(ROWS, min_size=1, max_size=5), blank=st.sampled_from(["\t", " "]), originals=st.booleans())
def test_every_sample_of_a_conll_file_has_its_parents_labels_and_columns(tmp_path_factory, sentences, blank, originals):
    folder = tmp_path_factory.mktemp("conll")
    path, out = folder / "a.conll", folder / "b.conll"
    path.write_bytes("\n".join("".join(blank.join(row) + "\n" for row in rows) for rows in sentences).encode())
    source, store = open_rewritable(path), Store(folder / "store", Journal(out))
    settings = MaskedLMVicinity(copies=2, keep_unchanged=True)
    report = FileAugmentation(source, out, settings, Toy(), store, 0, originals).run()
    samples = [[line.split(blank) for line in row.record] for row in open_rewritable(out).rows()]
    assert len(samples) == report.written + originals * len(sentences) == (2 + originals) * len(sentences)
    for sample in samples:
        parent = sentences[int(sample[0][2])]
        assert [(row[1], row[-1]) for row in sample] == [(row[1], row[-1]) for row in parent]
        assert {row[2] for row in sample} == {sample[0][2]}
        for (word, _, _, changed, _), (old, _, _) in zip(sample, parent, strict=True):
            assert (word != old) == (changed == "1")
            assert word.replace("*", "") == old


def test_a_file_of_words_alone_gets_its_columns_behind_them(file, augment, tmp_path):
    augment(file("a.conll", "ko\r\nmira\r\n"), tmp_path / "b.conll", copies=1, share=1.0)
    assert (tmp_path / "b.conll").read_bytes() == b"ko*\t0\t1\r\nmira*\t0\t1\r\n\r\n"


TABLE = [
    {"id": "7", "text": 'ko,  "mira" \u00a0sen', "label": "x"},
    {"id": "9", "text": "tal\u2028ru ga zu", "label": ""},
]


def expected(rows, changed_as=lambda positions: positions):
    """Whether each written row is the parent's but for the text, which has a star where `changed` says so."""
    parents = [row["parent"] for row in rows]
    assert parents == sorted(parents)
    for row in rows:
        parent = TABLE[int(row["parent"])]
        assert {**row, "text": row["text"].replace("*", "")} == {**parent, **{k: row[k] for k in ("parent", "changed")}}
        assert row["changed"] == changed_as(stars(row["text"]))
    return len(rows)


def joined(positions):
    return " ".join(map(str, positions))


@pytest.mark.parametrize("suffix", [".tsv", ".csv"])
def test_tsv_and_csv_keep_every_column_and_get_two(file, augment, tmp_path, suffix):
    rows = [list(TABLE[0]), *(list(row.values()) for row in TABLE)]
    if suffix == ".tsv":
        path = file("a.tsv", "".join("\t".join(row) + "\n" for row in rows))
    else:
        path = tmp_path / "a.csv"
        with path.open("w", newline="", encoding="utf-8") as stream:
            csv.writer(stream, lineterminator="\n").writerows(rows)
    report = augment(path, tmp_path / "b.tsv", originals=True)
    augment(path, tmp_path / "b.csv", originals=True)
    with (tmp_path / "b.csv").open(newline="", encoding="utf-8") as stream:
        assert expected(list(csv.DictReader(stream)), joined) == report.written + 2
    header, *lines = (tmp_path / "b.tsv").read_text("utf-8").split("\n")[:-1]
    assert expected([dict(zip(header.split("\t"), line.split("\t"), strict=True)) for line in lines], joined) > 2


def test_json_lines_keep_every_value_as_it_was(file, augment, tmp_path):
    odd = {"nested": {"a": [1.5, None, True]}, "big": 2**70, "half": "\ud800", "late": 1}
    lines = [json.dumps({**TABLE[0], **odd}), json.dumps(TABLE[1])]
    augment(file("a.jsonl", "\n".join(lines)), tmp_path / "b.jsonl", copies=1, originals=True)
    rows = [json.loads(line) for line in (tmp_path / "b.jsonl").read_text("utf-8").split("\n")[:-1]]
    assert [{key: row.pop(key) for key in odd} for row in rows[:2]] == [odd, odd]
    assert expected(rows) == 4


def test_parquet_keeps_every_column_with_its_type(augment, tmp_path):
    when = pa.array([datetime(2020, 1, 1), None], pa.timestamp("us", tz="UTC"))
    kind = pa.array(["u", "v"]).dictionary_encode()
    classes = pa.array([[0, 1], []], pa.list_(pa.int8()))
    table = pa.Table.from_pylist(TABLE).append_column("when", when)
    table = table.append_column("kind", kind).append_column("classes", classes)
    pq.write_table(table.replace_schema_metadata({"made": "here"}), tmp_path / "a.parquet")
    augment(tmp_path / "a.parquet", tmp_path / "b.parquet", copies=1)
    written = pq.read_table(tmp_path / "b.parquet")
    assert written.schema.metadata[b"made"] == b"here"
    assert written.drop(["text", "parent", "changed"]) == pq.read_table(tmp_path / "a.parquet").drop(["text"])
    assert expected(written.drop(["when", "kind", "classes"]).to_pylist()) == 2


def test_the_texts_of_a_pair_are_crossed_and_both_have_their_positions(file, augment, tmp_path):
    path = file("a.tsv", "premise\thypothesis\tlabel\nko mira sen\ttal ru\tyes\n")
    augment(path, tmp_path / "b.tsv", copies=(2, 1))
    augment(path, tmp_path / "b.jsonl", copies=(2, 1))
    lines = [line.split("\t") for line in (tmp_path / "b.tsv").read_text().splitlines()[1:]]
    found = [json.loads(line) for line in (tmp_path / "b.jsonl").read_text().splitlines()]
    assert len(lines) == len(found) == 2
    for (first, second, label, parent, changed), row in zip(lines, found, strict=True):
        assert (label, parent) == ("yes", "0")
        assert changed == f"{joined(stars(first))}|{joined(stars(second))}"
        assert row["changed"] == [stars(first), stars(second)]


def test_words_in_a_list_stay_a_list_as_long_as_their_tags(file, augment, tmp_path):
    rows = [{"tokens": ["ko", "12\u00a0km", "sen"], "tags": [0, 1, 2]}]
    augment(file("a.jsonl", json.dumps(rows[0])), tmp_path / "b.jsonl", share=1.0, copies=1)
    [row] = [json.loads(line) for line in (tmp_path / "b.jsonl").read_text("utf-8").splitlines()]
    assert row["tokens"] == ["ko*", "12*\u00a0km*", "sen*"]
    assert (row["tags"], row["changed"]) == ([0, 1, 2], [0, 1, 2])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", '[{"text": "ko mira"},\n {"text": "sen"}]'),
        ("a.jsonl", '{"text": "ko mira"}\r\n{"text": "sen"}\r\n'),
        ("l.json", '{"text": "ko mira"}\n{"text": "sen"}\n'),
        ("a.csv", "text\nko mira\nsen\n"),
        ("a.txt", "ko mira\nsen\n"),
    ],
)
def test_json_is_an_array_and_json_lines_have_an_object_a_line(name, text, file, augment, tmp_path):
    reading = {"shape": "single"}
    wanted = [
        {"text": "ko* mira*", "parent": 0, "changed": [0, 1]},
        {"text": "sen*", "parent": 1, "changed": [0]},
    ]
    augment(file(name, text), tmp_path / "b.json", copies=1, share=1.0, reading=reading)
    assert json.loads((tmp_path / "b.json").read_text()) == wanted
    for out in ("b.jsonl", "b.ndjson"):
        augment(tmp_path / name, tmp_path / out, copies=1, share=1.0, reading=reading)
        assert list(map(json.loads, (tmp_path / out).read_text().splitlines())) == wanted


def test_words_of_an_array_with_a_row_a_word_are_objects_of_an_array(file, augment, tmp_path):
    rows = [{"sentence_id": number, "word": word} for number, word in ((1, "ko"), (1, "mira"), (2, "sen"))]
    augment(file("a.json", json.dumps(rows)), tmp_path / "b.json", copies=1, share=1.0)
    assert [row["word"] for row in json.loads((tmp_path / "b.json").read_text())] == ["ko*", "mira*", "sen*"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", '[{"text": "ko"}, {"text": null}, {}, {"text": "sen"}]'),
        ("a.jsonl", '{"text": "ko"}\n\n{"text": ""}\n{"text": "sen"}\n'),
        ("a.csv", 'text,k\nko,1\n"",\n\nsen,2\n'),
        ("a.txt", "ko\n\n  \nsen\n"),
    ],
)
def test_blank_lines_and_rows_in_which_nothing_stands_are_no_parents(name, text, file, augment, tmp_path):
    out = tmp_path / ("b.jsonl" if "json" in name else "b.csv")
    augment(file(name, text), out, copies=1)
    lines = out.read_text().splitlines()
    rows = map(json.loads, lines) if "json" in name else csv.DictReader(lines)
    assert [int(row["parent"]) for row in rows] == [0, 1]


def test_raw_text_comes_out_as_sentences_alone_unless_a_table_is_asked_for(file, augment, tmp_path):
    path = file("a.txt", " ko  mira\r\n\r\nsen\r\n")
    augment(path, tmp_path / "b.txt", copies=1, share=1.0)
    assert (tmp_path / "b.txt").read_bytes() == b" ko*  mira*\r\nsen*\r\n"
    augment(path, tmp_path / "b.csv", copies=1, share=1.0)
    assert (tmp_path / "b.csv").read_bytes() == b"text,parent,changed\r\n ko*  mira*,0,0 1\r\nsen*,1,0\r\n"


def test_a_table_without_a_header_gets_none(file, augment, tmp_path):
    augment(file("a.tsv", "ko\tx\n"), tmp_path / "b.tsv", copies=1, reading={"header": False})
    assert (tmp_path / "b.tsv").read_text() == "ko*\tx\t0\t0\n"


def test_an_interrupted_augmentation_goes_on_with_the_part_it_was_at(file, augment, tmp_path):
    path, out = file("a.txt", "".join(f"ko mira{' sen' * (i % 3)} {i}\n" for i in range(40))), tmp_path / "b.tsv"
    augment(path, tmp_path / "whole.tsv", toy=Toy(), fresh=True)
    with pytest.raises(KeyboardInterrupt):
        augment(path, out, toy=Toy(fail_at=2), together=10)
    assert not out.exists()
    assert not list(tmp_path.glob(".*"))
    second = Toy()
    report = augment(path, out, toy=second, together=10)
    assert second.filled == 2  # two of four parts were there already
    assert out.read_bytes() == (tmp_path / "whole.tsv").read_bytes()
    assert (report.read, report.drawn) == (40, 120)


def test_other_values_other_samples_and_other_outputs_the_same_work(file, augment, tmp_path):
    path, out = file("a.txt", "ko mira sen tal ru\n"), tmp_path / "b.tsv"
    augment(path, out, copies=1)
    first = out.read_bytes()
    again = Toy()
    augment(path, tmp_path / "c.csv", toy=again, copies=1, originals=True)
    assert again.filled == 0
    for other in ({"seed": 1}, {"share": 0.9}, {"copies": 2}):
        augment(path, out, **{"copies": 1, **other})
        assert out.read_bytes() != first
    augment(path, out, toy=again, copies=1, fresh=True)
    assert again.filled == 1
    assert out.read_bytes() == first


def test_the_report_counts_what_became_of_every_sentence(file, augment, tmp_path):
    report = augment(file("a.txt", "ko\nmira sen\nx\n"), tmp_path / "b.txt", min_word_chars=2)
    # of `ko` three equal samples, of the second two different ones and one again; the third has no long word
    assert (report.read, report.drawn, report.written) == (3, 6, 3)
    assert (report.unchanged, report.duplicates, report.without_units) == (0, 3, 1)
    assert report.line(keep_unchanged=False).startswith("3 sentences read, 3 samples written; 0 unchanged and 3 dup")


@pytest.mark.parametrize(
    ("name", "text", "out", "options", "says"),
    [
        ("a.txt", "ko\n", "a.txt", {}, "is the input file"),
        ("a.txt", "ko\n", "no/b.txt", {}, "no such folder"),
        ("a.txt", "ko\n", "store", {}, "is a folder"),
        ("a.conll", "ko O\n", "b.jsonl", {}, "expected another suffix for CoNLL"),
        ("a.jsonl", '{"text": "ko"}', "b.csv", {}, "expected .jsonl or .txt"),
        ("a.tsv", "text\tparent\nko\t1\n", "b.tsv", {}, "a column 'parent' already"),
        (
            "a.jsonl",
            '{"text": "ko"}\n{"text": "ko", "changed": 1}',
            "b.jsonl",
            {},
            "row 1: there is a column 'changed'",
        ),
        ("a.csv", 'text\n"ko\nmira"\n', "b.tsv", {}, "a TAB or a line break"),
        ("a.txt", "ko\n", "b.txt", {"copies": (2, 2)}, "expected one number"),
        ("a.tsv", "text\tx\nko\ty\nmira\n", "b.tsv", {}, "1 field, expected 2"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line_and_leaves_no_file(
    file, augment, tmp_path, name, text, out, options, says
):
    (tmp_path / "store").mkdir()
    path = file(name, text)
    with pytest.raises(UxlaError, match=re.escape(says)) as raised:
        augment(path, tmp_path / out, **options)
    assert isinstance(raised.value, ConfigError | DataError | WriteError)
    assert "\n" not in str(raised.value)
    assert path.read_text() == text
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted([name, "store"])


def test_a_full_disk_leaves_the_old_file_and_one_line(file, augment, tmp_path, monkeypatch):
    out = tmp_path / "b.txt"
    out.write_text("old")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    path = file("a.txt", "ko\n")
    augment(path, tmp_path / "c.txt")  # the store has the work, so that only the file is left to write
    monkeypatch.setattr("uxla.files.os.fsync", full)
    with pytest.raises(WriteError, match="No space left on device"):
        augment(path, out)
    assert out.read_text() == "old"
    assert not list(tmp_path.glob(".*unfinished"))


FOREIGN = (ConnectionError("the far side does not answer"), FileNotFoundError(2, "No such file", "model.safetensors"))


@pytest.mark.parametrize("fault", FOREIGN, ids=str)
def test_a_fault_of_the_model_is_not_told_as_one_of_the_file_that_is_written(fault, file, augment, tmp_path):
    class Broken(Toy):
        def fill(self, requests):
            raise fault

    with pytest.raises(type(fault)):
        augment(file("a.txt", "ko\n"), tmp_path / "b.txt", toy=Broken())
    assert not (tmp_path / "b.txt").exists()
    assert not list(tmp_path.glob(".*unfinished"))


def test_two_processes_do_not_write_one_file(file, augment, tmp_path):
    with vacant(tmp_path / ".b.txt.lock"), pytest.raises(WriteError, match="another process is writing it"):
        augment(file("a.txt", "ko\n"), tmp_path / "b.txt")
    augment(file("a.txt", "ko\n"), tmp_path / "b.txt")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.txt", "b.txt", "store"]


def test_what_a_killed_process_left_is_written_over(file, augment, tmp_path):
    left = tmp_path / ".b.txt.01234567.unfinished"
    left.write_text("left over, and longer than what is written")
    os.utime(left, (0, 0))
    (tmp_path / ".b.txt.lock").touch()
    augment(file("a.txt", "ko\n"), tmp_path / "b.txt")
    assert (tmp_path / "b.txt").read_text() == "ko*\n"
    assert not list(tmp_path.glob(".*"))


def test_a_table_that_has_such_columns_is_refused_before_any_work(file, augment, tmp_path):
    toy = Toy()
    with pytest.raises(DataError, match="a column 'changed' already"):
        augment(file("a.tsv", "text\tchanged\nko\t1\n"), tmp_path / "b.tsv", toy=toy)
    assert toy.filled == 0


@pytest.mark.parametrize(
    ("more", "task", "named"),
    [
        ('"tokens": ["ko", "mira"], "ner_tags": ["O", "O"]', None, "tokens"),
        ('"tokens": ["ko", "mira"], "ner_tags": ["O", "O"]', "tagging", "text"),
        ('"input_ids": [3, 9]', None, "input_ids"),
        ('"fold": 7', None, None),
    ],
)
def test_a_column_that_was_made_of_the_text_is_named(more, task, named, file, augment, tmp_path, notes):
    path = file("a.jsonl", f'{{"text": "ko mira", {more}}}\n' * 2)
    augment(path, tmp_path / "b.jsonl", copies=1, share=1.0, reading={"shape": task} if task else None)
    said = " ".join(notes)
    assert said.count("was derived from the text") == (named is not None)
    assert named is None or f"a.jsonl: column '{named}' was derived from the text and will not fit" in said


def made_by(augment, path, out, number, of):
    """How often a shard asked the model, and whether it wrote the file."""
    toy = Toy()
    try:
        augment(path, out, toy=toy, together=3, shard=Shard(number, of))
    except UnfinishedError:
        return toy.filled, False
    return toy.filled, True


@pytest.mark.parametrize("order", [(3, 1, 2), (2, 3, 3, 2, 1)])
def test_shards_in_any_order_make_each_part_once_and_the_last_writes_the_bytes_of_one_command(
    order, file, augment, tmp_path
):
    path, out = file("a.txt", "".join(f"ko{' mira' * (i % 3)} sen{i}\n" for i in range(20))), tmp_path / "b.tsv"
    calls = [made_by(augment, path, out, number, 3) for number in order]
    assert [wrote for _, wrote in calls] == [False] * (len(order) - 1) + [True]
    assert sum(filled for filled, _ in calls) == 7, "parts"
    asked = Toy()
    augment(path, tmp_path / "c.tsv", toy=asked, together=3, fresh=True)
    assert asked.filled == 7
    assert out.read_bytes() == (tmp_path / "c.tsv").read_bytes()


def test_a_longer_file_and_another_number_of_shards_find_the_parts_that_there_are(file, augment, tmp_path):
    rows, out = [f"ko{' mira' * (i % 3)} sen{i}\n" for i in range(18)], tmp_path / "b.tsv"
    path = file("a.txt", "".join(rows[:9]))
    assert made_by(augment, path, out, 2, 2) == (1, False)
    path.write_text("".join(rows))
    assert made_by(augment, path, out, 1, 1) == (5, True)
