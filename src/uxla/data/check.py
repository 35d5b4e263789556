"""What is in a file of sentences, and what about it deserves a second look: plain values, printed by others."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Literal, Unpack

import numpy as np

from uxla.data.assemble import Rows, scheme_of, segments
from uxla.data.columns import Shape
from uxla.data.conll import ConllFile, parse_conll
from uxla.data.files import read_bytes
from uxla.data.hub import HubTable
from uxla.data.layout import How, Layout
from uxla.data.load import open_table
from uxla.data.odd import OddWords, WordCount
from uxla.data.schemes import Scheme, entity_type, to_iob2, violations
from uxla.records import Ints

SHOWN_VIOLATIONS = 20
LONG = 25
"""An overlap of that many characters is hardly chance."""

_WORD = re.compile("[^ \t\r\n]+")
_UNSPACED = 12  # characters a word on average, above which a text is taken for one without spaces between its words


@dataclass(frozen=True)
class Finding:
    """One line worth correcting."""

    line: int
    message: str


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

    `columns` is CoNLL's; it and `scheme` are None for what has none. `length_unit` is words or, where the text hardly
    has spaces, characters; mean, 95th percentile and longest are in it. `entities` counts by type, in the sentences
    without violations; `labels` counts the labels of whole texts. `violations` has the first 20 of `violation_total`.
    `duplicates` are examples equal to an earlier one. `probable_zawgyi`: Burmese in the old font encoding, which no
    multilingual model reads.
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
    scheme: Scheme | None
    entities: dict[str, int]
    labels: dict[str, int]
    violations: tuple[Finding, ...]
    violation_total: int
    duplicates: int
    odd_words: tuple[OddWords, ...]
    probable_zawgyi: bool
    overlap: Overlap | None


def check(
    path: Path | str,
    *,
    shape: Shape = "tagging",
    against: Path | str | None = None,
    **how: Unpack[How],
) -> CheckReport:
    """The report on one file or data set of the Hub, read as `load_corpus` reads it; labels are counted where there are
    any. `against` is another one, read in the same way, to count the examples in both. DataError only for what keeps a
    file from being read at all."""
    layout = Layout(**how)

    def open_(path: Path) -> _Content:
        rows = open_table(path, shape, layout)
        if rows is not None:
            return _table(rows, layout.scheme, "hub" if isinstance(rows, HubTable) else rows.format)
        return _conll(path, layout)

    content = open_(Path(path))
    figures = content.figures()
    in_characters = shape != "tagging" and figures.characters > _UNSPACED * figures.words.counts.total()
    lengths = np.array(figures.characters_each if in_characters else figures.words_each)
    return CheckReport(
        path=str(path),
        format=content.format,
        shape=shape,
        encoding=layout.encoding,
        sentences=len(lengths),
        words=figures.words.counts.total(),
        length_unit="characters" if in_characters else "words",
        mean_length=round(float(lengths.mean()), 1),
        length_95=int(np.percentile(lengths, 95, method="higher")),
        longest=int(lengths.max()),
        columns=content.columns,
        scheme=content.scheme,
        entities=dict(sorted(figures.entities.items())),
        labels=dict(sorted(figures.labels.items())),
        violations=tuple(figures.violations),
        violation_total=figures.violation_total,
        duplicates=len(lengths) - len(np.unique(figures.keys)),
        odd_words=figures.words.odd(),
        probable_zawgyi=figures.words.probable_zawgyi,
        overlap=None if against is None else _overlap(figures, str(against), open_(Path(against)).figures()),
    )


@dataclass(frozen=True)
class _Part:
    """Some examples: their texts, tags or labels if any, and the line of a word."""

    texts: list[list[str]]
    tags: list[list[str]] | None
    labels: list[str] | None
    line_of: Callable[[int, int], int]


@dataclass
class _Figures:
    """What is counted while the parts go by; one number an example, never the example."""

    words: WordCount = field(default_factory=WordCount)
    words_each: list[int] = field(default_factory=list)
    characters_each: list[int] = field(default_factory=list)
    hashes: list[int] = field(default_factory=list)
    entities: Counter[str] = field(default_factory=Counter)
    labels: Counter[str] = field(default_factory=Counter)
    violations: list[Finding] = field(default_factory=list)
    violation_total: int = 0

    @property
    def characters(self) -> int:
        return sum(self.characters_each)

    @property
    def keys(self) -> Ints:
        """(N,) equal for equal texts."""
        return np.array(self.hashes, dtype=np.int64)

    def add(self, part: _Part, scheme: Scheme | None) -> None:
        for i, texts in enumerate(part.texts):
            words = [word for text in texts for word in _WORD.findall(text)]
            self.words.add(words, partial(part.line_of, i))
            self.words_each.append(len(words))
            self.characters_each.append(sum(map(len, texts)))
            self.hashes.append(hash(tuple(texts)))
        self.labels.update(label for label in part.labels or [] if label is not None)
        if part.tags is not None and scheme is not None:
            self._add_tags(part, part.tags, scheme)

    def _add_tags(self, part: _Part, tags: list[list[str]], scheme: Scheme) -> None:
        found = list(violations(tags, scheme))
        self.violation_total += len(found)
        for fault in found[: SHOWN_VIOLATIONS - len(self.violations)]:
            self.violations.append(Finding(part.line_of(fault.sentence, fault.word), fault.message))
        faulty = {fault.sentence for fault in found}
        sound = (to_iob2(row, scheme) for i, row in enumerate(tags) if i not in faulty)
        self.entities.update(entity_type(tag) for tag in chain.from_iterable(sound) if tag[0] == "B")


@dataclass(frozen=True)
class _Content:
    """A file that was opened: what it is, and its examples."""

    format: str
    columns: int | None
    scheme: Scheme | None
    parts: Iterator[_Part]

    def figures(self) -> _Figures:
        figures = _Figures()
        for part in self.parts:
            figures.add(part, self.scheme)
        return figures


def _conll(path: Path, layout: Layout) -> _Content:
    file: ConllFile = parse_conll(read_bytes(path), path=path, layout=layout)
    tags = file.rows.labels
    part = _Part([[" ".join(words)] for words in file.sentences], tags, None, file.line_of)
    return _Content("conll", file.rows.columns, None if tags is None else file.scheme, iter([part]))


def _table(rows: Rows, scheme: Scheme | Literal["auto"], format: str) -> _Content:
    first = next(rows.batches(labelled=None))
    has_tags = "tags" in first.columns
    return _Content(format, None, scheme_of(rows, scheme) if has_tags else None, _table_parts(rows))


def _table_parts(rows: Rows) -> Iterator[_Part]:
    for batch in rows.batches(labelled=None):
        tags, labels = (
            batch.columns[role].to_pylist() if role in batch.columns else None for role in ("tags", "label")
        )
        texts = segments(batch, rows.shape).to_pylist()
        yield _Part(texts, tags, labels, partial(_row_line, batch.lines))


def _row_line(lines: Ints, row: int, word: int) -> int:
    return int(lines[row])


def _overlap(figures: _Figures, path: str, others: _Figures) -> Overlap:
    shared = np.isin(figures.keys, others.keys)
    long = np.array(figures.characters_each) >= LONG
    return Overlap(path, int(shared.sum()), int((shared & long).sum()))
