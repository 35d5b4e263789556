"""What is in a file of sentences, and what about it deserves a second look: plain values, printed by others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal, Unpack

import numpy as np

from uxla.data.checks.differences import UNSPACED, differences, missing_labels
from uxla.data.checks.doubts import Doubt, Portrait
from uxla.data.checks.languages import languages
from uxla.data.checks.statistics import Figures, Finding, Part
from uxla.data.checks.suspicious_characters import OddWords
from uxla.data.columns import Shape
from uxla.data.conll.file import ConllFile, parse_conll
from uxla.data.corpus import Rows, scheme_of, segments
from uxla.data.files import read_bytes
from uxla.data.formats.table import Table
from uxla.data.labels.schemes import Scheme
from uxla.data.load import open_table
from uxla.data.options import ReadKeywords, ReadOptions
from uxla.data.spans.file import SpanFile
from uxla.phrases import counted
from uxla.records import Ints

LONG = 25
"""An overlap of that many characters is hardly chance."""


@dataclass(frozen=True)
class Overlap:
    """How many examples of a file also stand, all their text equal, in another; `long` of them have 25 characters or
    more, so that it is hardly chance."""

    path: str
    examples: int
    long: int


@dataclass(frozen=True)
class CheckReport:
    """A file in figures.

    `columns` is CoNLL's; it and `scheme` are None for what has none. `left_out` counts CoNLL's lines that are neither
    words nor blank, by what they are. `length_unit` is words or, where the text hardly has spaces, characters; mean,
    95th percentile and longest are in it. `entities` counts by type, in the sentences without violations; `labels`
    counts the labels of whole texts. `violations` has the first 20 of `violation_total`, `remedy` is for all of them.
    `duplicates` are examples equal to an earlier one. `doubts`: what else deserves a second look in the file, or beside
    the other one.
    """

    path: str
    format: str
    shape: Shape
    encoding: str
    sentences: int
    words: int
    length_unit: Literal["words", "characters"]
    mean_length: float
    length_95: int
    longest: int
    columns: int | None
    left_out: dict[str, int]
    scheme: Scheme | None
    entities: dict[str, int]
    labels: dict[str, int]
    violations: tuple[Finding, ...]
    violation_total: int
    remedy: str
    duplicates: int
    odd_words: tuple[OddWords, ...]
    doubts: tuple[Doubt, ...]
    overlap: Overlap | None


def check(
    path: Path | str,
    *,
    shape: Shape = "tagging",
    against: Path | str | None = None,
    **how: Unpack[ReadKeywords],
) -> CheckReport:
    """The report on one file or data set of the Hub, read as `load_corpus` reads it; labels are counted where there are
    any. `against` is another one, read in the same way: how many examples are in both, and what is done otherwise in
    one than in the other. DataError only for what keeps a file from being read at all."""
    options = ReadOptions(**how)

    def open_(path: Path) -> _Content:
        rows = open_table(path, shape, options)
        if rows is not None:
            return _table(rows, options.scheme, rows.format)
        return _conll(path, options)

    def doubts(figures: Figures, others: Figures | None) -> Iterator[Doubt]:
        yield from figures.doubts()
        table = open_table(Path(path), shape, options)
        if isinstance(table, Table):
            yield from languages(table)
        if isinstance(table, SpanFile):
            yield from _unlabelled(table)
        if others is not None:
            yield from _compared(figures, others, (str(path), str(against)))

    content = open_(Path(path))
    figures = content.figures(shape)
    others = None if against is None else open_(Path(against)).figures(shape)
    in_characters = shape != "tagging" and figures.characters > UNSPACED * figures.words.counts.total()
    lengths = np.array(figures.characters_each if in_characters else figures.words_each)
    return CheckReport(
        path=str(path),
        format=content.format,
        shape=shape,
        encoding=options.encoding,
        sentences=len(lengths),
        words=figures.words.counts.total(),
        length_unit="characters" if in_characters else "words",
        mean_length=round(float(lengths.mean()), 1),
        length_95=int(np.percentile(lengths, 95, method="higher")),
        longest=int(lengths.max()),
        columns=content.columns,
        left_out=content.left_out,
        scheme=content.scheme,
        entities=dict(sorted(figures.entities.items())),
        labels=dict(sorted(figures.labels.items())),
        violations=tuple(figures.violations),
        violation_total=figures.violation_total,
        remedy=content.remedy if figures.violation_total else "",
        duplicates=len(lengths) - len(np.unique(figures.keys)),
        odd_words=figures.words.odd(),
        doubts=tuple(doubts(figures, others)),
        overlap=None if others is None else _overlap(figures, str(against), others),
    )


def _unlabelled(spans: SpanFile) -> Iterator[Doubt]:
    left_out, texts = spans.left_out()
    if 0 < left_out < texts:
        yield Doubt(
            "left out", f"{left_out} of {counted(texts, 'text')} without labels, or with such as were rejected", True
        )


@dataclass(frozen=True)
class _Content:
    """A file that was opened: what it is, and its examples."""

    format: str
    columns: int | None
    scheme: Scheme | None
    parts: Iterator[Part]
    left_out: dict[str, int] = field(default_factory=dict)
    remedy: str = ""

    def figures(self, shape: Shape) -> Figures:
        figures = Figures(Portrait(shape))
        for part in self.parts:
            figures.add(part, self.scheme)
        return figures


def _conll(path: Path, options: ReadOptions) -> _Content:
    file: ConllFile = parse_conll(read_bytes(path), path=path, options=options)
    tags = file.rows.labels
    part = Part([[" ".join(words)] for words in file.sentences], tags, None, file.line_of)
    scheme = None if tags is None else file.scheme
    return _Content("conll", file.rows.columns, scheme, iter([part]), dict(file.rows.left_out), file.remedy)


def _table(rows: Rows, scheme: Scheme | Literal["auto"], format: str) -> _Content:
    first = next(rows.batches(labelled=None))
    has_tags = "tags" in first.columns
    return _Content(format, None, scheme_of(rows, scheme) if has_tags else None, _table_parts(rows))


def _table_parts(rows: Rows) -> Iterator[Part]:
    for batch in rows.batches(labelled=None):
        tags, labels = (
            batch.columns[role].to_pylist() if role in batch.columns else None for role in ("tags", "label")
        )
        texts = segments(batch, rows.shape).to_pylist()
        yield Part(texts, tags, labels, partial(_row_line, batch.lines))


def _row_line(lines: Ints, row: int, word: int) -> int:
    return int(lines[row])


def _overlap(figures: Figures, path: str, others: Figures) -> Overlap:
    shared = np.isin(figures.keys, others.keys)
    long = np.array(figures.characters_each) >= LONG
    return Overlap(path, int(shared.sum()), int((shared & long).sum()))


def _compared(figures: Figures, others: Figures, names: tuple[str, str]) -> Iterator[Doubt]:
    """What is done otherwise in one of two files than in the other, and labels that only one of them has."""
    yield from differences(figures.portrait, others.portrait, names)
    pairs = (("entities", figures.entities, others.entities), ("labels", figures.labels, others.labels))
    for what, mine, theirs in pairs:
        yield from missing_labels(mine, theirs, names, what)
        yield from missing_labels(theirs, mine, (names[1], names[0]), what)
