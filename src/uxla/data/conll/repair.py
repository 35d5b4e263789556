"""A copy of a CoNLL file whose labels keep to their scheme."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Unpack

from uxla.data.checks.statistics import Finding
from uxla.data.conll.file import ConllFile, read_conll
from uxla.data.labels.schemes import OUTSIDE, Scheme, are_bare, is_label, opened
from uxla.data.options import ReadKeywords, ReadOptions
from uxla.data.spans.file import open_spans
from uxla.errors import DataError


@dataclass(frozen=True)
class Repair:
    """Every label that was changed, with its line, and the scheme that the file now follows."""

    path: str
    scheme: Scheme
    changes: tuple[Finding, ...]


def fix_scheme(path: Path | str, out: Path | str, **how: Unpack[ReadKeywords]) -> Repair:
    """Write the file to `out` with every label that breaks its scheme replaced by the one that fits.

    Everything else stays as it was, down to blanks and line ends.

    An entity ends where its type or its marks say so, and whatever continues nothing begins one, as conlleval reads it:
    a stray I becomes B, and in BIOES the last word E or S. Types without a letter before them (PER) become IOB2, words
    of one type beside each other one entity. DataError for a label that is none of its scheme, which only a person can
    mend, and where `out` is the file itself. The keywords are the fields of `ReadOptions`.
    """
    path, out = Path(path), Path(out)
    if out.exists() and out.samefile(path):
        raise DataError("would be overwritten; write the repaired copy to another file", file=path)
    if open_spans(path, "tagging", ReadOptions(**how)) is not None:
        raise DataError("character spans have no scheme to break, nothing to repair", file=path)
    file = read_conll(path, **how)
    before = file.parsed.labels
    if before is None:
        raise DataError("no column of labels, nothing to repair; set label_column", file=path)
    found = set(chain.from_iterable(before))
    lettered = before
    if OUTSIDE in found and are_bare(found - {OUTSIDE}):  # `opened` makes B- of the first word of each entity
        lettered = [[label if label == OUTSIDE else f"I-{label}" for label in row] for row in before]
    for i, row in enumerate(lettered):
        _refuse_others(row, file, i)
    fixed = file.with_tags([opened(row, file.scheme) for row in lettered])
    after = fixed.parsed.labels or []
    changes = tuple(
        Finding(file.line_of(i, word), f"{old} -> {new}")
        for i, rows in enumerate(zip(before, after, strict=True))
        for word, (old, new) in enumerate(zip(*rows, strict=True))
        if old != new
    )
    fixed.write(out)
    return Repair(str(out), file.scheme, changes)


def _refuse_others(row: Sequence[str], file: ConllFile, sentence: int) -> None:
    for word, label in enumerate(row):
        if not is_label(label, file.scheme):
            message = f"label {label!r} is not in {file.scheme}; correct it by hand"
            raise DataError(message, file=file.path, line=file.line_of(sentence, word))
