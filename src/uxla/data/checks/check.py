"""`uxla data check`: what a file of sentences contains, and what about it deserves a second look."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Unpack

import numpy as np

from uxla.data.checks.differences import UNSPACED, differences, missing_labels
from uxla.data.checks.doubts import Doubt, doubts, languages, name_doubts
from uxla.data.checks.statistics import Finding, Statistics, SuspiciousWords
from uxla.data.columns import Shape
from uxla.data.conll.file import ConllFile
from uxla.data.corpus import DataSource, shown_signs
from uxla.data.formats.table import Table
from uxla.data.labels.schemes import Scheme
from uxla.data.load import open_data
from uxla.data.options import ReadKeywords, ReadOptions
from uxla.data.spans.file import SpanFile
from uxla.phrases import counted

LONG = 25
"""Two texts of at least so many characters are hardly equal by chance."""


@dataclass(frozen=True)
class Overlap:
    """How many examples of a file also stand in another one with exactly the same text.

    `long` of them have 25 characters or more, so that it is hardly chance.
    """

    path: str
    examples: int
    long: int


@dataclass(frozen=True)
class CheckReport:
    """What a file contains, in figures.

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
    suspicious_words: tuple[SuspiciousWords, ...]
    doubts: tuple[Doubt, ...]
    overlap: Overlap | None


def check(
    path: Path | str,
    *,
    shape: Shape = "tagging",
    against: Path | str | None = None,
    **keywords: Unpack[ReadKeywords],
) -> CheckReport:
    """The report on one file or data set of the Hub, read as `load_corpus` reads it.

    Labels are counted where there are any. `against` is another file, read in the same way: how many examples are in
    both, and what is done otherwise in one than in the other. DataError only for what keeps a file from being read.
    """
    options = ReadOptions(**keywords)
    source = open_data(Path(path), shape, options)
    found, scheme = _counted(source)
    others = None if against is None else _counted(open_data(Path(against), shape, options))[0]
    doubtful, overlap = [*_own_doubts(source, found)], None
    if others is not None:
        doubtful += _compared(found, others, (str(path), str(against)))
        shared = np.isin(found.text_keys, others.text_keys)
        long = np.array(found.character_counts) >= LONG
        overlap = Overlap(str(against), int(shared.sum()), int((shared & long).sum()))
    return CheckReport(
        path=str(path),
        format=source.format,
        shape=shape,
        encoding=options.encoding,
        **_lengths(found),
        words=found.words.counts.total(),
        columns=source.layout.columns if isinstance(source, ConllFile) else None,
        left_out=dict(source.parsed.left_out) if isinstance(source, ConllFile) else {},
        scheme=scheme,
        entities=dict(sorted(found.entities.items())),
        labels=dict(sorted(found.labels.items())),
        violations=tuple(found.violations),
        violation_total=found.violation_total,
        remedy=source.remedy if found.violation_total and isinstance(source, ConllFile) else "",
        suspicious_words=found.words.suspicious(),
        doubts=tuple(doubtful),
        overlap=overlap,
    )


def _counted(source: DataSource) -> tuple[Statistics, Scheme | None]:
    """The statistics of a file, and the scheme of its tags if it has tags."""
    found, scheme = Statistics(source.shape), None
    for batch in source.batches(labelled=None):
        if scheme is None and "tags" in batch.columns:
            scheme = source.scheme
        found.add_batch(batch, scheme)
    return found, scheme


def _lengths(found: Statistics) -> dict[str, Any]:
    """How many examples there are and how long they are, in characters if the text has hardly any spaces."""
    total, words = sum(found.character_counts), found.words.counts.total()
    in_characters = found.shape != "tagging" and total > UNSPACED * words
    lengths = np.array(found.character_counts if in_characters else found.word_counts)
    return {
        "sentences": len(lengths),
        "length_unit": "characters" if in_characters else "words",
        "mean_length": round(float(lengths.mean()), 1),
        "length_95": int(np.percentile(lengths, 95, method="higher")),
        "longest": int(lengths.max()),
        "duplicates": len(lengths) - len(np.unique(found.text_keys)),
    }


def _own_doubts(source: DataSource, found: Statistics) -> Iterator[Doubt]:
    """The doubts about a file that need no other file."""
    yield from doubts(found)
    yield from name_doubts(found.entities, "type")
    yield from name_doubts(found.labels, "label")
    if found.missing_labels:
        rows = counted(found.missing_labels.total(), "row has", "rows have")
        without = f"{rows} none ({shown_signs(found.missing_labels)})"
        yield Doubt("no label", f"{without} and would be left out of labelled data")
    if isinstance(source, Table):
        yield from languages(source)
    if isinstance(source, SpanFile):
        left_out, texts = source.left_out()
        if 0 < left_out < texts:
            text = f"{left_out} of {counted(texts, 'text')} without labels, or with such as were rejected"
            yield Doubt("left out", text, minor=True)


def _compared(found: Statistics, others: Statistics, names: tuple[str, str]) -> Iterator[Doubt]:
    """What differs between two files, and labels that only one of them has."""
    yield from differences(found, others, names)
    pairs = (("entities", found.entities, others.entities), ("labels", found.labels, others.labels))
    for what, mine, theirs in pairs:
        yield from missing_labels(mine, theirs, names, what)
        yield from missing_labels(theirs, mine, (names[1], names[0]), what)
