"""A sentence on its way through the Gen-LM engine, and what of it fits into the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from uxla.models.gen_lm.units import Cell


class Request(Protocol):
    """What to replace: `algorithm.vicinity.MaskRequest`, by its shape."""

    @property
    def text(self) -> str:
        """The sentence."""

    @property
    def spans(self) -> tuple[tuple[int, int], ...]:
        """The units to replace, as character spans, in draw order."""

    @property
    def seed(self) -> int:
        """Decides which of the top S is taken."""


@dataclass(eq=False)
class Row:
    """A sentence on its way."""

    request: Request
    cells: list[Cell]
    """The sentence as it was."""
    order: list[int]
    """Numbers of the cells to replace, in draw order."""
    ids: list[tuple[int, ...]]
    """Piece ids of each cell, edited in place."""
    chosen: list[str] = field(default_factory=list)
    """What stands in for each unit replaced so far."""

    def written(self) -> str:
        """The text with its replacements; every character outside the units as it was."""
        text = self.request.text
        for (start, stop), surface in sorted(zip(self.request.spans, self.chosen, strict=True), reverse=True):
            text = text[:start] + surface + text[stop:]
        return text


def window(lengths: Sequence[int], centre: int, room: int) -> tuple[int, int]:
    """Cells `[first, last)` around cell `centre` whose `lengths` sum to at most `room`, half of it on either side.

    What one side does not need goes to the other.
    """
    left = room - lengths[centre]
    right_need = sum(lengths[centre + 1 :])
    first, used = centre, 0
    while first > 0 and used + lengths[first - 1] <= max(left - right_need, left // 2):
        first -= 1
        used += lengths[first]
    last = centre + 1
    while last < len(lengths) and used + lengths[last] <= left:
        used += lengths[last]
        last += 1
    return first, last
