"""Other labels in the lines of a CoNLL file, all else as it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from uxla.data.conll.cells import BRACKETS, cells_of, cells_with, filled, with_cell
from uxla.data.conll.layout import ConllLayout
from uxla.data.labels.schemes import Scheme, from_iob2
from uxla.errors import DataError


@dataclass(frozen=True)
class Relabeller:
    """Writes labels in `scheme` into lines of a file that has the layout `before`, where `layout` has them."""

    path: Path
    before: ConllLayout
    layout: ConllLayout
    scheme: Scheme

    def __call__(self, tags: Sequence[str], numbers: Sequence[int], lines: list[str], first: int = 1) -> None:
        """Write the tags of a sentence, IOB2, into `lines`, where the numbers of the words' lines and of the `first` of
        the lines count from 1. A line whose label stays the same is not touched.

        DataError for a label with a space where columns are cut at spaces.
        """
        layout, before = self.layout, self.before
        places = [number - first for number in numbers]
        rows = [cells_of(lines[place]) for place in places]
        is_new = layout.columns > before.columns or layout.filled > before.filled
        columns = [filled(cells) if is_new and layout.uneven else layout.label or 0 for cells in rows]
        old = [cells[column] if column < len(cells) else "" for cells, column in zip(rows, columns, strict=True)]
        new = cells_with(self.labels(tags), old, layout.style)
        for place, column, cell, label in zip(places, columns, old, new, strict=True):
            if cell.strip() == label:
                continue
            if " " in label and "\t" not in lines[place]:
                message = f"label {label!r} has a space, and columns are cut at spaces; cut them by TABs"
                raise DataError(message, file=self.path, line=place + first)
            lines[place] = with_cell(lines[place], label, column)

    def labels(self, tags: Sequence[str]) -> list[str]:
        """The labels of a sentence as they are written."""
        return list(tags) if self.layout.style == BRACKETS else from_iob2(tags, self.scheme)
