"""A line of a CoNLL file: its cells, how to replace one, and whether the line is a word, a separator or a comment."""

from __future__ import annotations

import re
from collections.abc import Sequence

_CELL = re.compile("[^ ]+")


def cells_of(line: str) -> list[str]:
    """The cells of a line without the blanks around them. A blank line has none.

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
    """The number of cells without the empty ones at the end."""
    count = len(cells)
    while count and not cells[count - 1]:
        count -= 1
    return count


def with_cell(line: str, text: str, column: int) -> str:
    """The line with `text` as the cell in `column`. Everything else stays, also the blanks around the cell.

    A column behind the last one is added; after the only cell of a line it is added after a TAB.
    """
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
    """The line with the `added` cells before `column`."""
    if "\t" in line or not line[:1]:
        cells = line.split("\t")
        return "\t".join([*cells[:column], *added, *cells[column:]])
    spans = [match.span() for match in _CELL.finditer(line)]
    if len(spans) == 1:
        return "\t".join([line.strip(" "), *added])
    start = spans[column][0] if column < len(spans) else len(line)
    return f"{line[:start]}{' '.join(added)} {line[start:]}" if start < len(line) else f"{line} {' '.join(added)}"


AUTO = "auto"
"""Comments are recognised by their look. Another value is the prefix of every comment; None means no comments."""

_DOCSTART = re.compile("-+DOCSTART-+", re.IGNORECASE)
_DOCUMENT = re.compile(r"#+\s*(begin|end) document\b")
_SURE = re.compile(r"#+\s*([\w.:-]+\s){1,2}=(\s|$)|#+\s+https?://")
_SPACED = re.compile(r"#+([ \t]|\Z)")
_USUAL = re.compile(r"#+\s*(sent_?id|sent-id|sentence|text|newdoc|newpar|id|doc_?id|doc|global\.columns)\b")
_LABEL = re.compile(r"O|[BIESLUM]-\S+|_|-|[(*].*|#|[A-Z]{1,5}|")


def separates(line: str, cells: Sequence[str], token_column: int, comment: str | None) -> bool:
    """Whether the line separates sentences: it is blank, or marks the start or end of a document."""
    if not cells:
        return True
    if "-" in line and any(map(_DOCSTART.fullmatch, (cells[0], *cells[token_column:][:1]))):
        return True
    return comment == AUTO and line.startswith("#") and _DOCUMENT.match(line) is not None


def is_sure(line: str) -> bool:
    """Whether the line can only be a comment: `# key = value`, `# http://…`."""
    return _SURE.match(line) is not None


def is_usual(line: str) -> bool:
    """Whether the line begins with a key that comments often have: `# id …`, `# sent_id …`."""
    return _USUAL.match(line) is not None


def may_be_comment(line: str) -> bool:
    """Whether the line begins like a comment: with # and a blank, or with a usual key. `#koru` is a word."""
    return line.startswith("#") and (_SPACED.match(line) is not None or is_usual(line) or is_sure(line))


def is_label_like(cell: str) -> bool:
    """Whether the cell may be the label or part of speech of the word `#`, or a sign that it has none."""
    return _LABEL.fullmatch(cell) is not None
