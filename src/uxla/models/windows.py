"""What an encoder reads: windows over the pieces of examples, all of them in a few arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

import numpy as np
from safetensors.numpy import load_file, save_file

from uxla.models.ragged import Ragged, ranges, side_by_side
from uxla.records import Ints


@dataclass(frozen=True, eq=False)
class Windows:
    """W inputs of an encoder, and the rows of predictions that each is responsible for (R in all).

    `ids` are piece ids with special tokens; `positions` are the places in them whose outputs are the rows
    `first_row`, `first_row + 1`, …. Each row of the examples belongs to exactly one window. `types` are BERT's segment
    numbers, None where all are 0; `cut` (W,) counts the pieces that did not fit.
    """

    ids: Ragged
    positions: Ragged
    first_row: Ints
    types: Ragged | None
    cut: Ints

    @classmethod
    def of(cls, ids: Ragged, positions: Ragged, types: Ragged | None = None, cut: Ints | None = None) -> Windows:
        """Windows in the order of their rows."""
        return cls(ids, positions, positions.starts, types, np.zeros_like(ids.lengths) if cut is None else cut)

    @classmethod
    def read(cls, file: Path) -> Windows:
        """What `write` wrote, in the order of their rows."""
        arrays = load_file(file)
        lengths, counts, cut = (arrays[name].astype(np.int64) for name in ("lengths", "counts", "cut"))
        types = Ragged(arrays["types"], lengths) if "types" in arrays else None
        positions = Ragged(arrays["positions"].astype(np.int64), counts)
        return cls.of(Ragged(arrays["ids"], lengths), positions, types, cut)

    def write(self, file: Path) -> None:
        """Write a file of safetensors, each array in the smallest type that holds its numbers."""
        arrays = {
            "ids": self.ids.values,
            "lengths": self.ids.lengths,
            "positions": self.positions.values,
            "counts": self.positions.lengths,
            "cut": self.cut,
        }
        arrays |= {} if self.types is None else {"types": self.types.values}
        save_file({name: a.astype(np.min_scalar_type(int(a.max(initial=0)))) for name, a in arrays.items()}, file)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def lengths(self) -> Ints:
        """(W,) the pieces of each window, special ones included."""
        return self.ids.lengths

    @property
    def rows(self) -> Ints:
        """(R,) the number of the row at each position."""
        return ranges(self.first_row, self.positions.lengths)

    def take(self, indices: Ints) -> Windows:
        """The windows of these numbers, in that order."""
        types = None if self.types is None else self.types.take(indices)
        return Windows(
            self.ids.take(indices), self.positions.take(indices), self.first_row[indices], types, self.cut[indices]
        )


class Frame(NamedTuple):
    """The special tokens around one or two texts: `ids` has None where a text goes, `types` the segment numbers."""

    ids: tuple[int | None, ...]
    types: tuple[int, ...]

    @property
    def size(self) -> int:
        """How many special tokens there are."""
        return sum(i is not None for i in self.ids)

    def around(self, texts: Sequence[Ragged]) -> tuple[Ragged, Ragged | None]:
        """The ids of windows with these `texts` (one or two, W rows each) in their places, and the segment numbers."""
        rest, ones = iter(texts), np.ones_like(texts[0].lengths)
        dtype = texts[0].values.dtype
        parts = [next(rest) if i is None else Ragged(np.full(len(ones), i, dtype), ones) for i in self.ids]
        if not any(self.types):
            return side_by_side(parts), None
        pairs = zip(self.types, parts, strict=True)
        kinds = [Ragged(np.full(len(part.values), kind, np.uint8), part.lengths) for kind, part in pairs]
        return side_by_side(parts), side_by_side(kinds)


def longest_first(lengths: Sequence[int], budget: int) -> list[int]:
    """How many pieces each segment keeps so that all fit: the longest gives way first, down to the others' length."""
    kept = list(lengths)
    while sum(kept) > budget:
        longest = max(kept)
        tallest = [i for i, length in enumerate(kept) if length == longest]
        below = max([length for length in kept if length < longest], default=0)
        excess = sum(kept) - budget
        level = max(below, longest - max(1, excess // len(tallest)))
        for i in tallest:
            kept[i] -= min(longest - level, sum(kept) - budget)
    return kept


Place = tuple[int, int, int, int]
"""The words start:stop that a window covers, and those home:home_stop whose rows it is responsible for."""


def cut_sentences(lengths: Ints, counts: Ints, budget: int, overlap: int) -> Ints:
    """(W, 4) the places of the windows of all sentences, whose words are numbered through.

    `counts` (N,) are the words of each sentence, `lengths` (K,) the pieces of each word.
    """
    last, edges = np.cumsum(counts), np.cumsum(np.concatenate([[0], lengths]))
    first = last - counts
    whole = np.stack([first, last, first, last], axis=1)
    found, done = list[Ints](), 0
    for i in np.flatnonzero(edges[last] - edges[first] > budget).tolist():
        places = cut_sentence(lengths[first[i] : last[i]].tolist(), budget, overlap)
        found += [whole[done:i], first[i] + np.array(places)]
        done = i + 1
    return np.concatenate([*found, whole[done:]])


def cut_sentence(lengths: Sequence[int], budget: int, overlap: int) -> list[Place]:
    """The places of the windows over words with `lengths` pieces each.

    A window has at most `budget` pieces; neighbours share up to `overlap` pieces, and each word has its home in exactly
    one window, the one where it is farther from the edge. They share fewer where a long word comes next, so that it
    stands in the following window too: each window is the home of at least one word. No word has more than `budget`
    pieces.
    """
    ends = list(accumulate(lengths, initial=0))
    if ends[-1] <= budget:
        return [(0, len(lengths), 0, len(lengths))]
    found: list[Place] = []
    start = home = 0
    while True:
        stop = start + 1
        while stop < len(lengths) and ends[stop + 1] - ends[start] <= budget:
            stop += 1
        if stop == len(lengths):
            return [*found, (start, stop, home, stop)]
        following = stop
        while (
            following > start + 1
            and ends[stop] - ends[following - 1] <= overlap
            and ends[stop + 1] - ends[following - 1] <= budget
        ):
            following -= 1
        border = (following + stop + 1) // 2
        found.append((start, stop, home, border))
        start, home = following, border
