"""A sentence with units to replace, and how far its replacement has come."""

from __future__ import annotations

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
class RequestState:
    """A request that is being carried out."""

    request: Request
    cells: list[Cell]
    """The sentence as it was."""
    order: list[int]
    """The numbers of the cells to replace, in draw order."""
    ids: list[tuple[int, ...]]
    """The piece ids of each cell, edited in place."""
    chosen: list[str] = field(default_factory=list)
    """What stands in for each unit replaced so far."""

    def result(self) -> str:
        """The text with its replacements; every character outside the units as it was."""
        text = self.request.text
        for (start, stop), surface in sorted(zip(self.request.spans, self.chosen, strict=True), reverse=True):
            text = text[:start] + surface + text[stop:]
        return text
