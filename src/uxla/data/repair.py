"""A copy of a CoNLL file whose labels keep to their scheme."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from uxla.data.conll import read_conll
from uxla.data.figures import Finding
from uxla.data.files import write_bytes
from uxla.data.schemes import Scheme, is_label, opened
from uxla.errors import DataError


@dataclass(frozen=True)
class Repair:
    """What was changed: every label, with its line; the scheme that the file was held to."""

    path: str
    scheme: Scheme
    changes: tuple[Finding, ...]


def fix_scheme(
    path: Path | str,
    out: Path | str,
    *,
    encoding: str = "utf-8",
    token_column: int = 0,
    label_column: int = -1,
    scheme: Scheme | Literal["auto"] = "auto",
) -> Repair:
    """Write the file to `out`, each label that cannot stand where it is replaced by the one that can; all else, down to
    blanks and line ends, as it was.

    An entity ends where its type or its marks say so, and whatever continues nothing begins one, as conlleval reads it:
    a stray I becomes B, and in BIOES the last word E or S. DataError for a label that is none of its scheme, which only
    a person can mend, and where `out` is the file itself.
    """
    path, out = Path(path), Path(out)
    if out.exists() and out.samefile(path):
        raise DataError("would be overwritten; write the repaired copy to another file", file=path)
    options: dict[str, int] = {"token_column": token_column, "label_column": label_column}
    file = read_conll(path, encoding=encoding, scheme=scheme, **options)
    before = file.rows.labels
    if before is None:
        raise DataError("no column of labels, nothing to repair; set label_column", file=path)
    for i, row in enumerate(before):
        _refuse_others(row, file.scheme, path, file.line_of(i, 0))
    fixed = file.with_tags([opened(row, file.scheme) for row in before])
    after = fixed.rows.labels or []
    changes = tuple(
        Finding(file.line_of(i, word), f"{old} -> {new}")
        for i, rows in enumerate(zip(before, after, strict=True))
        for word, (old, new) in enumerate(zip(*rows, strict=True))
        if old != new
    )
    write_bytes(out, fixed.raw)
    return Repair(str(out), file.scheme, changes)


def _refuse_others(row: Sequence[str], scheme: Scheme, path: Path, line: int) -> None:
    for word, label in enumerate(row):
        if not is_label(label, scheme):
            raise DataError(f"label {label!r} is not in {scheme}; correct it by hand", file=path, line=line + word)
