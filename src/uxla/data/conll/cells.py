"""A line of a CoNLL file cut into cells, and one of its cells written anew with all else kept."""

from __future__ import annotations

import re
from collections.abc import Sequence

_CELL = re.compile("[^ ]+")


def cells_of(line: str) -> list[str]:
    """The cells of a line without the blanks around them; none of a line that is blank.

    Cut at TABs if there is one, else at runs of ASCII spaces: never `str.split()`, which would also cut at NBSP and
    U+3000 inside a word.
    """
    body = line.rstrip("\r\n")
    if "\t" in body:
        cells = body.split("\t")
        if " " in body:
            cells = [cell.strip(" ") for cell in cells]
        return cells if any(cells) else []
    return [cell for cell in body.split(" ") if cell]


def filled(cells: Sequence[str]) -> int:
    """How many cells there are up to the last that is not empty."""
    count = len(cells)
    while count and not cells[count - 1]:
        count -= 1
    return count


def with_cell(line: str, text: str, column: int) -> str:
    """The line with another cell in `column`, the blanks around it and all else kept; behind the last one it is added,
    in a line of one cell after a TAB."""
    body = line.rstrip("\r\n")
    end = line[len(body) :]
    if "\t" in body:
        cells = body.split("\t")
        cells += [""] * (column + 1 - len(cells))
        old = cells[column].strip(" ")
        cells[column] = cells[column].replace(old, text, 1) if old else text
        return "\t".join(cells) + end
    spans = [match.span() for match in _CELL.finditer(body)]
    if column >= len(spans):
        return f"{body}{' ' if len(spans) > 1 else chr(9)}{text}{end}"
    start, stop = spans[column]
    return f"{body[:start]}{text}{body[stop:]}{end}"


def with_cells_before(line: str, added: Sequence[str], column: int) -> str:
    """The line with further cells before `column`."""
    if "\t" in line or not line[:1]:
        cells = line.split("\t")
        return "\t".join([*cells[:column], *added, *cells[column:]])
    spans = [match.span() for match in _CELL.finditer(line)]
    if len(spans) == 1:
        return "\t".join([line.strip(" "), *added])
    start = spans[column][0] if column < len(spans) else len(line)
    return f"{line[:start]}{' '.join(added)} {line[start:]}" if start < len(line) else f"{line} {' '.join(added)}"
