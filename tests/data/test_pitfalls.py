"""What readers and writers of other tools alter: words as people write them, in every kind of file, both ways."""

import json
from io import StringIO
from itertools import product
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from uxla.data.checks.check import check
from uxla.data.conll.file import conll_lines, read_conll
from uxla.data.load import load_corpus
from uxla.report.data_check import check_table

WORDS = [
    "ﬁn",  # ligature
    "Ａ１",  # full width
    "e\u0301",  # decomposed
    "é",  # composed
    "\u1112\u1161\u11ab",  # Hangul jamo
    "می\u200cروم",  # ZWNJ, Persian
    "क्\u200cष",  # ZWNJ, Indic
    "क्\u200dष",  # ZWJ, Indic
    "👩\u200d🌾",  # ZWJ, emoji
    "علي",  # Arabic yeh
    "علی",  # Farsi yeh
    "كتاب",  # Arabic kaf
    "کتاب",  # keheh, Urdu
    "\ufefb",  # Arabic presentation form
    "שָׁלוֹם",  # Hebrew with points
    "\u200fא",  # direction mark
    "12\u00a0km",  # NBSP
    "雨\u3000下",  # U+3000
    "a\u00adb",  # soft hyphen
    "İSTANBUL",  # upper case
]
TABLES = ("txt", "tsv", "csv", "jsonl", "parquet")
SHAPES = {"tagging": ("tokens",), "single": ("text",), "pair": ("first", "second")}


def written(kind: str, cells: tuple[str, ...], names: tuple[str, ...]) -> bytes:
    """One example in a file of some kind, without a label."""
    if kind == "conll":
        return "".join(f"{word}\n" for word in cells[0].split(" ")).encode()
    if kind == "txt":
        return ("\t".join(cells) + "\n").encode()
    if kind == "jsonl":
        return json.dumps(dict(zip(names, cells, strict=True)), ensure_ascii=False).encode()
    if kind == "parquet":
        sink = pa.BufferOutputStream()
        pq.write_table(pa.table([[cell] for cell in cells], names=list(names)), sink)
        return sink.getvalue().to_pybytes()
    separator = {"tsv": "\t", "csv": ","}[kind]
    return f"{separator.join(names)}\n{separator.join(cells)}\n".encode()


@pytest.mark.parametrize(("kind", "shape"), [("conll", "tagging"), *product(TABLES, SHAPES)])
def test_words_are_read_character_by_character_as_they_were_written(tmp_path, kind, shape):
    names, text = SHAPES[shape], " ".join(WORDS)
    path = tmp_path / f"x.{kind}"
    path.write_bytes(written(kind, (text,) * len(names), names))
    columns = {"columns": {"tokens": "tokens"}} if shape == "tagging" and kind not in ("conll", "txt") else {}
    corpus = load_corpus(path, name="t", lang="x", label_names=("O",), labelled=False, shape=shape, **columns)
    assert [example.segments for example in corpus] == [(text,) * len(names)]
    assert shape != "tagging" or corpus[0].words == WORDS


def test_words_are_written_in_logical_order_and_with_nothing_around_them(tmp_path):
    lines = [f"{word}\tO\n" for word in WORDS]
    assert conll_lines()(WORDS, ["O"] * len(WORDS)) == "".join(lines)
    path = tmp_path / "x.conll"
    path.write_bytes("".join(lines).encode())
    tagged = read_conll(path).with_tags([["B-X"] * len(WORDS)])
    assert tagged.raw.decode() == "".join(lines).replace("\tO\n", "\tB-X\n")


@pytest.mark.parametrize("separator", ["\t", " ", "   "])
def test_every_column_but_the_labels_is_written_back(tmp_path, separator):
    path = tmp_path / "x.conll"
    line = separator.join(["7", "{label}", "علي", "N\u00a0N", "_"]) + "\n"
    path.write_bytes(line.format(label="O").encode())
    file = read_conll(path, token_column=2, label_column=1)
    assert file.with_tags([["B-PER"]]).raw == line.format(label="B-PER").encode()


def test_columns_aligned_by_several_blanks_are_as_many_as_they_look(tmp_path):
    path = tmp_path / "x.conll"
    path.write_bytes("Ana      NNP B-PER\nlee      VB  O\nInés     NNP B-PER  \n".encode())
    file = read_conll(path)
    assert (file.layout.columns, file.parsed.labels) == (3, [["B-PER", "O", "B-PER"]])


def test_a_person_is_warned_of_zawgyi(tmp_path):
    path = tmp_path / "my.txt"
    path.write_text("\u1031\u1014\u1031\u1000\u102c\u1004\u1039\u1038\u101c\u102c\u1038\n", encoding="utf-8")
    assert "the old font encoding that no model has read; convert it to Unicode" in shown(path)
    path.write_text("\u1014\u1031\u1000\u1031\u102c\u1004\u103a\u1038\u101c\u102c\u1038\n", encoding="utf-8")
    assert "Zawgyi" not in shown(path)


def shown(path: Path) -> str:
    console = Console(width=200, record=True, file=StringIO())
    console.print(check_table(check(path)))
    return console.export_text()
