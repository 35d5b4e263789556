"""Rows with other texts: what becomes of a table's cells, and what is added to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from uxla.data.formats.list_cells import replaced
from uxla.data.word_rows import rewritten_rows
from uxla.data.writing.lossless import KeptTable, Row
from uxla.errors import DataError

ADDED = ("parent", "changed")
"""The columns a table gets at its end."""


@dataclass(frozen=True, slots=True)
class Rewritten:
    """`row` with other texts, made from row number `parent`; of each text the positions of the words that changed."""

    row: Row
    texts: tuple[str, ...]
    parent: int
    changed: Sequence[Sequence[int]]


class Cells:
    """What a table has of a rewritten row, with what is added: of a sentence with a row a word its rows."""

    def __init__(self, source: KeptTable) -> None:
        self.columns, self.sentence, self._path = source.text_columns(), source.sentence_column(), source.path
        self._numbers = count(1)

    def of(self, new: Rewritten) -> Iterator[dict[str, Any]]:
        """The rows. DataError for one that has what would be added."""
        positions = [list(each) for each in new.changed]
        if isinstance(new.row.record, list):
            words, number = new.texts[0].split(" "), next(self._numbers)
            names = self.columns[0], self.sentence or ""
            rows = rewritten_rows(new.row.record, words, positions[0], names, number)
            for place, row in enumerate(rows):
                yield self._added(row, new.parent, int(place in positions[0]))
            return
        row = dict(new.row.record)
        for place, (column, text) in enumerate(zip(self.columns, new.texts, strict=True)):
            row[column] = _cell(row[column], text, new.row.texts[place])
        yield self._added(row, new.parent, positions if len(positions) > 1 else positions[0])

    def _added(self, row: dict[str, Any], parent: int, changed: Any) -> dict[str, Any]:
        refuse_added(row, self._path, parent)
        return row | dict(zip(ADDED, (parent, changed), strict=True))


def _cell(cell: Any, text: str, before: str) -> Any:
    """The text in place of `before` in its cell, which may be a list of its words, also one written as text."""
    if isinstance(cell, list):
        return text.split(" ")
    return text if cell == before else replaced(cell, text.split(" "))


def refuse_added(names: Iterable[str], path: Path, row: int | None) -> None:
    """DataError if a table, or its row, has a column already that is to be added."""
    for name in set(names).intersection(ADDED):
        where = "" if row is None else f"row {row}: "
        raise DataError(f"{where}there is a column {name!r} already, which augment adds; rename it", file=path)


def as_text(cells: dict[str, Any]) -> list[str]:
    """What `Cells` gives, as the cells of a line of TSV or CSV."""
    *kept, parent, changed = cells.values()
    if isinstance(changed, int):
        return ["" if cell is None else str(cell) for cell in (*kept, parent, changed)]
    nested = changed if changed and isinstance(changed[0], list) else [changed]
    return [*kept, str(parent), "|".join(" ".join(map(str, positions)) for positions in nested)]
