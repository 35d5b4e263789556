"""Tables over generated and damaged files: each row is read as it stands, or named; nothing is raised but DataError."""

import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uxla.data.load import load_corpus
from uxla.errors import DataError

TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8).filter(lambda text: not text.isspace())
FIELD = st.text(st.characters(codec="utf-8", exclude_characters="\t\n\r"), min_size=1, max_size=8).filter(
    lambda text: not text.isspace()
)
NAMES = ["first", "second", "label"]
PIECES = [b"\n", b"\t", b"\r", b'"', b",", b"{", b"}", b"\\", b"\x00", b"\xff", b"\\ud800", b"null", b"\n\n", b'""']


def rows_of(cell):
    return st.lists(st.tuples(cell, cell, st.sampled_from(["no", "yes"])), min_size=1, max_size=6)


def tsv(rows, end="\n"):
    return "".join("\t".join(row) + end for row in [NAMES, *rows]).encode()


def comma(rows):
    sink = io.StringIO()
    writer = csv.writer(sink)
    writer.writerows([NAMES, *rows])
    return sink.getvalue().encode()


def jsonl(rows, ascii=True):
    objects = (json.dumps(dict(zip(NAMES, row, strict=True)), ensure_ascii=ascii) for row in rows)
    return "".join(line + "\n" for line in objects).encode()


def load(raw, path):
    path.write_bytes(raw)
    return load_corpus(path, name="t", lang="x", label_names=("no", "yes"), labelled=True, shape="pair")


def told(corpus):
    return [(*example.segments, corpus.label_names[example.labels[0]]) for example in corpus]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("tables")


@given(rows_of(FIELD), st.sampled_from(["\n", "\r\n"]))
@settings(max_examples=60)
def test_what_is_written_as_tsv_is_read_back_character_by_character(folder, rows, end):
    assert told(load(tsv(rows, end), folder / "x.tsv")) == rows


@given(rows_of(TEXT))
@settings(max_examples=60)
def test_what_is_written_as_csv_is_read_back_character_by_character(folder, rows):
    assert told(load(comma(rows), folder / "x.csv")) == rows


@given(rows_of(TEXT), st.booleans())
@settings(max_examples=60)
def test_what_is_written_as_json_lines_is_read_back_character_by_character(folder, rows, ascii):
    assert told(load(jsonl(rows, ascii), folder / "x.jsonl")) == rows


SIGNS = ("", "null", "-", "None")


def rows_in(raw, kind):
    """The rows with a label there must be, counted by other means than the reader's."""
    text = raw.decode().removeprefix("\ufeff")
    filled = [line.rstrip("\r") for line in text.split("\n") if line not in ("", "\r")]
    if kind == "jsonl":
        labels = [json.loads(line)["label"] for line in filled]
    else:
        rows = list(csv.reader(io.StringIO(text, newline=""))) if kind == "csv" else [row.split("\t") for row in filled]
        names, *rows = [row for row in rows if row]
        labels = [row[names.index("label")] for row in rows]
    return sum(label is not None and label.strip(" \t\r\n") not in SIGNS for label in labels)


@pytest.mark.parametrize("kind", ["tsv", "csv", "jsonl"])
@given(rows=rows_of(FIELD), data=st.data())
@settings(max_examples=120)
def test_of_a_damaged_file_every_row_is_read_or_the_file_is_refused_in_one_line(folder, kind, rows, data):
    damaged = bytearray({"tsv": tsv, "csv": comma, "jsonl": jsonl}[kind](rows))
    for _ in range(data.draw(st.integers(1, 3))):
        at, width = data.draw(st.integers(0, len(damaged))), data.draw(st.integers(0, 3))
        damaged[at : at + width] = data.draw(st.one_of(st.binary(max_size=3), st.sampled_from(PIECES)))
    try:
        corpus = load(bytes(damaged), folder / f"damaged.{kind}")
    except DataError as error:
        assert "\n" not in str(error)  # noqa: PT017 (the point is that nothing else is raised)
    else:
        assert len(corpus) == rows_in(bytes(damaged), kind)


@given(
    st.binary(max_size=80),
    st.sampled_from(["tsv", "csv", "jsonl", "parquet", "txt"]),
    st.sampled_from(["utf-8", "latin-1", "utf-16", "ascii"]),
    st.sampled_from(["pair", "single", "tagging"]),
    st.booleans(),
)
@settings(max_examples=120)
def test_random_bytes_raise_nothing_but_a_data_error_of_one_line(folder, raw, suffix, encoding, shape, header):
    path = Path(folder / f"random.{suffix}")
    path.write_bytes(raw)
    try:
        corpus = load_corpus(
            path,
            name="t",
            lang="x",
            label_names=("O",),
            labelled=suffix != "txt",
            shape=shape,
            header=header,
            encoding=encoding,
        )
    except DataError as error:
        assert "\n" not in str(error)  # noqa: PT017
    else:
        assert len(corpus) > 0
