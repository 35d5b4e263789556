"""Lines that are plainly something else than words: rows cut at commas, markup, what only looks blank."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from uxla.data.odd import INVISIBLE
from uxla.data.schemes import are_labels
from uxla.errors import DataError, setting

_CUTS = ",;|"
_CLOSED = re.compile(r"</\w+>")


def is_invisible(cells: Sequence[str]) -> bool:
    """Whether a line has nothing that can be seen, though it is not blank."""
    return not cells[0][:1].isprintable() and all(INVISIBLE.fullmatch(cell) for cell in cells if cell)


def refuse_one_column(rows: Sequence[Sequence[str]], path: Path, line: int) -> None:
    """DataError if the only column of a file holds rows cut at commas, or the lines are those of markup."""
    if any(len(cells) > 1 for cells in rows):
        return
    words = [cells[0] for cells in rows]
    for cut in _CUTS:
        split = [word.split(cut) for word in words]
        last = [cells[-1] for cells in split]  # in the first row perhaps a name
        if {len(cells) for cells in split} != {1} and (are_labels(last) or are_labels(last[1:])):
            message = f"columns between {cut!r}; cut them by TABs, or for a table set {setting('format', 'csv')}"
            raise DataError(message, file=path, line=line)
    closed = next((word for word in words if _CLOSED.fullmatch(word)), None)
    if closed is not None and any(word.startswith(f"<{closed[2:-1]}") for word in words):
        raise DataError(f"{closed!r} looks like markup; leave such lines out, or empty them", file=path, line=line)
