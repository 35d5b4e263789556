"""What is in a file of sentences, and what about it deserves a second look: plain values, printed by others."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Literal

from uxla.data.conll import ConllFile
from uxla.data.files import decode, read_bytes, split_lines
from uxla.data.load import Format, open_sentences
from uxla.data.rows import Layout
from uxla.data.schemes import Scheme, entity_type, to_iob2, violations

SHOWN_VIOLATIONS = 20

_SPACE = "\u00a0\u202f\u2007\u1680\u2000-\u2006\u2008-\u200a\u205f\u3000"
_ZERO_WIDTH = "\u00ad\u200b\u2060\ufeff"
_JOINER = "\u200c\u200d"
_DIRECTION = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_ODD = {
    "no-break space": re.compile("[\u00a0\u202f\u2007]"),
    "other space": re.compile("[\u1680\u2000-\u2006\u2008-\u200a\u205f\u3000]"),
    "zero-width character": re.compile(f"[{_ZERO_WIDTH}]"),
    "joiner or non-joiner": re.compile(f"[{_JOINER}]"),
    "direction mark": re.compile(f"[{_DIRECTION}]"),
    "control character": re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]"),
    "replacement character": re.compile("\ufffd"),
    "nothing visible": re.compile(f"[{_SPACE}{_ZERO_WIDTH}{_JOINER}{_DIRECTION}\ufe00-\ufe0f]+\\Z"),
}

_BURMESE = re.compile("[\u1000-\u109f]")
# Zawgyi stores what is drawn left of a consonant (U+1031, and its U+103B) before it, and closes syllables with U+1039;
# Unicode stores both after the consonant and follows U+1039 with one.
_ZAWGYI = re.compile(
    "(?<![\u1000-\u102a\u103b-\u103f\u104e\u1050-\u1055\u105a-\u1061\u1065-\u1070\u1075-\u1082])[\u1031\u103b]"
    "|\u1039(?![\u1000-\u102a\u103f\u1050-\u1097])"
)
_ZAWGYI_SHARE = 0.1


@dataclass(frozen=True)
class Finding:
    """One line worth correcting."""

    line: int
    message: str


@dataclass(frozen=True)
class OddWords:
    """How many words have characters of one odd kind, with the line of the first of them."""

    kind: str
    words: int
    line: int


@dataclass(frozen=True)
class CheckReport:
    """A file in figures.

    `columns` and `scheme` are None for raw text, `scheme` also for a file without labels. `entities` counts by type, in
    the sentences without violations. `violations` has the first 20 of `violation_total`. `duplicates` are sentences
    equal to an earlier one. `probable_zawgyi`: Burmese in the old font encoding, which no multilingual model reads.
    """

    path: str
    format: Literal["conll", "text"]
    encoding: str
    sentences: int
    words: int
    longest: int
    columns: int | None
    scheme: Scheme | None
    entities: dict[str, int]
    violations: tuple[Finding, ...]
    violation_total: int
    duplicates: int
    odd_words: tuple[OddWords, ...]
    probable_zawgyi: bool


def check(
    path: Path | str,
    *,
    format: Format = "auto",
    encoding: str = "utf-8",
    token_column: int = 0,
    label_column: int = -1,
    scheme: Scheme | Literal["auto"] = "auto",
) -> CheckReport:
    """The report on one file. DataError only for what keeps the file from being read at all."""
    path = Path(path)
    raw = read_bytes(path)
    layout = Layout(encoding, token_column, label_column, scheme)
    content = open_sentences(raw, path=path, format=format, layout=layout)
    file = content if isinstance(content, ConllFile) else None
    sentences = content.sentences if isinstance(content, ConllFile) else content
    words = Counter(chain.from_iterable(sentences))
    broken, total, entities = ((), 0, {}) if file is None else _labels(file)
    return CheckReport(
        path=str(path),
        format="text" if file is None else "conll",
        encoding=encoding,
        sentences=len(sentences),
        words=words.total(),
        longest=max(map(len, sentences)),
        columns=None if file is None else file.rows.columns,
        scheme=None if file is None or file.rows.labels is None else file.scheme,
        entities=entities,
        violations=broken,
        violation_total=total,
        duplicates=len(sentences) - len(set(map(tuple, sentences))),
        odd_words=tuple(_odd_words(words, decode(raw, encoding, file=path))),
        probable_zawgyi=_is_zawgyi(words),
    )


def _labels(file: ConllFile) -> tuple[tuple[Finding, ...], int, dict[str, int]]:
    """First violations, their total, and entities by type."""
    labels = file.rows.labels or []
    found = list(violations(labels, file.scheme))
    faulty = {fault.sentence for fault in found}
    first = islice(found, SHOWN_VIOLATIONS)
    shown = tuple(Finding(file.line_of(fault.sentence, fault.word), fault.message) for fault in first)
    sound = (row for i, row in enumerate(labels) if i not in faulty)
    tags = chain.from_iterable(to_iob2(row, file.scheme) for row in sound)
    entities = Counter(entity_type(tag) for tag in tags if tag[0] == "B")
    return shown, len(found), dict(sorted(entities.items()))


def _odd_words(words: Counter[str], text: str) -> Iterator[OddWords]:
    for kind, pattern in _ODD.items():
        odd = [word for word in words if pattern.search(word)]
        if odd:
            yield OddWords(kind, sum(words[word] for word in odd), _line_with(odd[0], text))


def _line_with(word: str, text: str) -> int:
    return next(number for number, line in enumerate(split_lines(text), start=1) if word in line)


def _is_zawgyi(words: Counter[str]) -> bool:
    burmese = {word: count for word, count in words.items() if _BURMESE.search(word)}
    signs = sum(count for word, count in burmese.items() if _ZAWGYI.search(word))
    return signs > _ZAWGYI_SHARE * sum(burmese.values())
