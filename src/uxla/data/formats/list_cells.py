"""Lists written as text, as pandas writes them into CSV: `['koru', 'mira']`, `["koru", "mira"]`, NumPy's `['koru'
'mira']`; also of numbers. Nothing in them is run."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from uxla.data.batch import LISTS, TEXTS, Batch, is_list
from uxla.data.columns import TEXT_ROLES
from uxla.errors import setting

_LITERAL = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|-?\d+"""
_ENTRY = re.compile(rf"({_LITERAL})(\s*,\s*|\s+|\Z)", re.DOTALL)
_BRACKETS = r"\A\s*\[(?s:.*)\]\s*\z"
_LOOKED_AT = 200
_REMEDY = "write JSON lines or Parquet"


@dataclass(frozen=True)
class Entry:
    """An entry of a list: its value as text, and where its literal starts and ends in the cell."""

    value: str
    start: int
    end: int


def entries_of(cell: str) -> list[Entry] | None:
    """The entries of the list written in `cell`, separated by commas or by blanks; None if it is not a list."""
    body = cell.strip()[1:-1]
    if cell.strip() != f"[{body}]":
        return None
    at = cell.index("[") + 1 + len(body) - len(body.lstrip())
    end = at + len(body.strip())
    places: list[tuple[int, int]] = []
    separators: set[bool] = set()
    while at < end:
        match = _ENTRY.match(cell, at, end)
        if match is None:
            return None
        places.append(match.span(1))
        at = match.end()
        if at < end:
            separators.add("," in match.group(2))
    values = _values([cell[start:stop] for start, stop in places]) if len(separators) < 2 else None
    if values is None:
        return None
    return [Entry(value, *place) for value, place in zip(values, places, strict=True)]


def values_of(cell: str) -> list[str] | None:
    """The values of the list written in `cell`; None if it is not a list."""
    with suppress(ValueError, RecursionError):
        values = json.loads(cell)
        if isinstance(values, list) and all(type(value) in (str, int) for value in values):
            return [str(value).encode().decode() for value in values]
    entries = entries_of(cell)
    return None if entries is None else [entry.value for entry in entries]


def words_in(cell: Any) -> Any:
    """The words of a list that is written as text; another cell stays as it is."""
    values = values_of(cell) if isinstance(cell, str) else None
    return cell if values is None else values


def replaced(cell: str, words: Sequence[str]) -> str:
    """`cell` with these words as the entries of its list. Nothing else in it changes."""
    pieces, at = [], 0
    for entry, word in zip(entries_of(cell) or (), words, strict=True):
        if word != entry.value:
            literal = json.dumps(word, ensure_ascii=False) if cell[entry.start] == '"' else repr(word)
            pieces += [cell[at : entry.start], literal]
            at = entry.end
    return "".join([*pieces, cell[at:]])


@dataclass
class ListCells:
    """Decides by the first rows whether the cells of words, tags and texts are lists written as text."""

    _listed: dict[str, bool] = field(default_factory=dict, init=False)

    def of(self, batch: Batch) -> Batch:
        """The rows, with lists of words and tags in place of such cells.

        DataError, with the line, for a cell that is no list although the others are, and for lists in place of texts.
        """
        columns = dict(batch.columns)
        for role, column in batch.columns.items():
            if len(column) and (role in LISTS or role in TEXT_ROLES) and not is_list(column.type):
                if role not in self._listed:
                    self._listed[role] = _are_lists(batch, role, column)
                if self._listed[role]:
                    found = [None if cell is None else values_of(cell) for cell in column.to_pylist()]
                    faulty = np.array([values is None for values in found])
                    batch.fail_where(faulty, f"{role} is not a list, although earlier rows have lists; {_REMEDY}")
                    columns[role] = pa.array(found, TEXTS)
        return replace(batch, columns=columns, listed=frozenset(role for role, yes in self._listed.items() if yes))


def _are_lists(batch: Batch, role: str, column: pa.Array) -> bool:
    bracketed = _bracketed(column)
    share = pc.mean(bracketed).as_py() or 0
    if share <= 0.5:
        return False
    cells = column.filter(bracketed)[:_LOOKED_AT].to_pylist()
    readable = share * sum(values_of(cell) is not None for cell in cells) / len(cells)
    if readable > 0.5 and role not in LISTS:
        message = f"{role} has lists written as text; join the words with spaces, or set {setting('columns')}"
        batch.fail_where(bracketed, message)
    if share == 1 and readable <= 0.5 and role in LISTS:
        message = f"{role} has lists written as text in a form that is not read; {_REMEDY}"
        batch.fail_where(bracketed, message)
    return readable > 0.5


def _bracketed(column: pa.Array) -> pa.Array:
    if not any(test(column.type) for test in (pa.types.is_string, pa.types.is_large_string)):
        return pa.array(np.zeros(len(column), dtype=bool))
    return pc.fill_null(pc.match_substring_regex(column, _BRACKETS), False)


def _values(literals: list[str]) -> list[str] | None:
    """The values of the literals; None if one of them is not a literal. All are evaluated together, which is faster."""
    plain = [None if "\\" in each else each[1:-1] if each[0] in "'\"" else each for each in literals]
    escaped = [literal for literal in literals if "\\" in literal]
    read = iter(_python(escaped) or map(_json, escaped))
    values = [next(read) if value is None else value for value in plain]
    return None if any(value is None for value in values) else [str(value) for value in values]


def _python(literals: list[str]) -> list[str] | None:
    joined = ",".join(literals).replace("\n", "\\n").replace("\r", "\\r")
    try:
        values: list[str] = ast.literal_eval(f"[{joined}]")
        "".join(values).encode()
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    return values


def _json(literal: str) -> str | None:
    """The value of a literal that may be escaped as in JSON, which writes some characters as surrogate pairs."""
    try:
        return str(json.loads(literal).encode().decode())
    except ValueError:
        found = _python([literal])
        return found[0] if found else None
