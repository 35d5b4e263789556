"""The rows of a CoNLL file: lines cut into cells, cells gathered into sentences, and nothing interpreted."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from uxla.data.files import refuse_inner_cr, split_lines
from uxla.data.layout import Layout
from uxla.errors import DataError

DOCSTART = "-DOCSTART-"
_CELL = re.compile("[^ ]+")


@dataclass(frozen=True, eq=False)
class Rows:
    """Words and label cells by sentence, as they stand; `labels` is None in a file without the label column.

    `first_lines` has the line, from 1, of each sentence's first word; the other words follow line by line.
    """

    columns: int
    sentences: list[list[str]]
    labels: list[list[str]] | None
    first_lines: list[int]


def cells_of(line: str, token_column: int) -> list[str]:
    """The cells of a line; empty for a line that only separates: blank, or the start of a document.

    Cut at TABs if there is one, else at runs of ASCII spaces: never `str.split()`, which would also cut at NBSP and
    U+3000 inside a word.
    """
    body = line.rstrip("\r\n")
    if "\t" in body:
        cells = body.split("\t") if body.strip("\t ") else []
    else:
        cells = [cell for cell in body.split(" ") if cell]
    if DOCSTART in body and -len(cells) <= token_column < len(cells) and cells[token_column] == DOCSTART:
        return []
    return cells


def with_label(line: str, label: str, column: int | None) -> str:
    """The line with another label, all else kept; `column` None appends one, after a TAB, to a line of one word."""
    body = line.rstrip("\r\n")
    end = line[len(body) :]
    if column is None:
        return f"{body.strip(' ')}\t{label}{end}"
    if "\t" in body:
        cells = body.split("\t")
        cells[column] = label
        return "\t".join(cells) + end
    start, stop = [match.span() for match in _CELL.finditer(body)][column]
    return f"{body[:start]}{label}{body[stop:]}{end}"


def parse_rows(text: str, *, path: Path, layout: Layout) -> Rows:
    """The rows of `text`. DataError, with the line, for uneven columns, a word that is none, or a CR within a line."""
    refuse_inner_cr(text, file=path)
    shape: _Shape | None = None
    sentences: list[list[str]] = []
    labels: list[list[str]] = []
    first_lines: list[int] = []
    inside = False
    for number, line in enumerate(split_lines(text), start=1):
        cells = cells_of(line, layout.token_column)
        if not cells:
            inside = False
            continue
        shape = shape or _shape(cells, number, path, layout)
        word = cells[shape.token] if len(cells) == shape.columns else ""
        if not word or " " in word:
            raise _fault(cells, shape, path, number)
        if not inside:
            sentences.append([])
            labels.append([])
            first_lines.append(number)
            inside = True
        # interned: a corpus repeats its words, so each costs a pointer instead of a string
        sentences[-1].append(sys.intern(word))
        if shape.label is not None:
            labels[-1].append(sys.intern(cells[shape.label]))
    if shape is None:
        raise DataError("no sentence; expected one word a line, and a blank line between sentences", file=path)
    return Rows(shape.columns, sentences, None if shape.label is None else labels, first_lines)


class _Shape(NamedTuple):
    """What the first word's line settles for the whole file; columns counted from 0."""

    line: int
    columns: int
    token: int
    label: int | None


def _shape(cells: list[str], line: int, path: Path, layout: Layout) -> _Shape:
    columns = range(len(cells))
    if layout.token_column not in range(-len(cells), len(cells)):
        got = f"token_column {layout.token_column}, but the line has {_count(cells)}"
        raise DataError(f"{got}; set token_column (0 is the first)", file=path, line=line)
    token = columns[layout.token_column]
    label = columns[layout.label_column] if layout.label_column in range(-len(cells), len(cells)) else None
    return _Shape(line, len(cells), token, None if label == token else label)


def _fault(cells: list[str], shape: _Shape, path: Path, line: int) -> DataError:
    if len(cells) != shape.columns:
        message = f"{_count(cells)}, expected {shape.columns} as on line {shape.line}"
        remedy = "cut columns by one TAB, or by spaces; for sentences as raw text set format: text"
    else:
        message = f"column {shape.token} is {cells[shape.token]!r}, expected a word without spaces"
        remedy = "write the space as U+00A0, or as two lines, or set token_column"
    return DataError(f"{message}; {remedy}", file=path, line=line)


def _count(cells: list[str]) -> str:
    return "1 column" if len(cells) == 1 else f"{len(cells)} columns"
