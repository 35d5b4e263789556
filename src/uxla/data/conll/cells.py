"""A line of a CoNLL file: its cells, how to replace one, whether the line is a word, a separator or a comment, and how
a label is written in its cell: plainly, as a bracket of a span (OntoNotes), or under a key in CoNLL-U's MISC."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise

from uxla.data.labels.schemes import OUTSIDE

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


SPACE = "\u00a0\u202f\u2007\u1680\u2000-\u2006\u2008-\u200a\u205f\u3000"
ZERO_WIDTH = "\u00ad\u200b\u2060\ufeff"
JOINER = "\u200c\u200d"
DIRECTION = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
INVISIBLE = re.compile(f"[{SPACE}{ZERO_WIDTH}{JOINER}{DIRECTION}\ufe00-\ufe0f]+")
"""One or more invisible characters."""


def is_invisible(cells: Sequence[str]) -> bool:
    """Whether a line looks blank, but is not."""
    return not cells[0][:1].isprintable() and all(INVISIBLE.fullmatch(cell) for cell in cells if cell)


PLAIN, BRACKETS = "plain", "brackets"
"""Two styles of a label's cell. Any other style is the key under which MISC has the label, as `NER`."""

_NEW_KEY = "NER"
_BRACKETS = re.compile(r"(\([^()*\s]+)*\*?\)+|(\([^()*\s]+)*\*")
_ONE = re.compile(r"\(([^()*\s]+)(\*\)|\)|\*)|\*\)?")
_KEY = re.compile(r"(?<![^|])(NER|Ner|ner|name)=([^|]*)")


def style_of(cells: Collection[str], is_conll_u: bool) -> str:
    """The style in which labels are written in these cells."""
    if cells and all(map(is_bracket, cells)):
        return BRACKETS
    if is_conll_u and all(cell == "_" or "=" in cell for cell in cells):
        return key_of(cells) or _NEW_KEY
    return PLAIN


def key_of(cells: Iterable[str]) -> str | None:
    """The first key under which MISC has a word's label; None if no cell has one."""
    return next((found[1] for cell in cells if (found := _KEY.search(cell))), None)


def labels_in(cells: Sequence[str], style: str) -> list[str]:
    """The labels of a sentence, those in brackets as IOB2.

    A bracket that nests, crosses another or stays open is left as it is, and so is a label of no scheme.
    """
    if style == PLAIN:
        return list(cells)
    if style != BRACKETS:
        return [found[2].strip() if (found := _KEY.search(cell)) else OUTSIDE for cell in cells]
    labels: list[str] = []
    inside = ""
    for cell in cells:
        found = _ONE.fullmatch(cell)
        opens, closes = bool(found and found[1]), cell.endswith(")")
        if found is None or (opens == bool(inside) and (opens or closes)):
            labels.append(cell)
            inside = ""
            continue
        inside = found[1] or inside
        labels.append(f"{'B' if opens else 'I'}-{inside}" if inside else OUTSIDE)
        inside = "" if closes else inside
    if inside:
        labels[-1] = cells[-1]
    return labels


def is_bracket(cell: str) -> bool:
    """Whether the cell opens or closes spans, or has a * for neither."""
    return _BRACKETS.fullmatch(cell) is not None


def cells_with(labels: Sequence[str], cells: Sequence[str], style: str) -> list[str]:
    """The cells of a sentence with other labels (IOB2 if brackets). A cell whose label stays is not changed."""
    if style == PLAIN:
        return list(labels)
    if style != BRACKETS:
        return [_with_key(cell, label, style) for cell, label in zip(cells, labels, strict=True)]
    before, after = (_brackets(each) for each in (labels_in(cells, style), labels))
    return [cell if old == new else new for cell, old, new in zip(cells, before, after, strict=True)]


def _brackets(labels: Sequence[str]) -> list[str]:
    written = []
    for label, following in pairwise([*labels, OUTSIDE]):
        closes = label != OUTSIDE and following != f"I{label[1:]}"
        opening = f"({label[2:]}" if label[0] == "B" else ""
        star = "" if opening and closes else "*"
        written.append(f"{opening}{star}{')' * closes}")
    return written


def _with_key(cell: str, label: str, key: str) -> str:
    if found := _KEY.search(cell):
        return f"{cell[: found.start(2)]}{label}{cell[found.end(2) :]}"
    if label == OUTSIDE:
        return cell
    return f"{key}={label}" if cell in ("_", "") else f"{cell}|{key}={label}"
