"""How a label is written in its cell: plainly, as a bracket of a span (OntoNotes), or under a key in CoNLL-U's MISC."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise

from uxla.data.labels.schemes import OUTSIDE

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
