"""What goes through `uxla predict`: rows that come in, with all that stands around them, and how they are written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from uxla.models.mentions import Answer
from uxla.raw_text import Place


class Raw(NamedTuple):
    """A part of a text file: `body` is a row without its line end, nothing in a blank line; all three together are
    what stands in the file. Of a JSON array `value` is the object; `header` says that it has the columns' names."""

    line: int
    before: str
    body: str
    after: str
    value: Any = None
    header: bool = False


class Row(NamedTuple):
    """A row: what is labelled of it (words, or the one or two parts of a text; nothing in a blank line), its first
    line, and its record (cells in order, or by name; none if it has only what stands around rows).

    `text` is a running text that has its words at `places`. `raw` is all of the file from the row before to this one,
    each part with the number of the answer that goes beside it: 0, in a table with a row a word that of the word.
    """

    parts: Sequence[str]
    line: int
    record: Any = None
    raw: Sequence[tuple[Raw, int | None]] = ()
    text: str = ""
    places: Sequence[Place] = ()


Write = Callable[[Sequence[Row], Sequence[Answer]], None]
"""A function that writes some rows, the next ones, with their answers."""
