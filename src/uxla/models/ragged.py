"""Rows of unequal length in one array."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from uxla.records import Ints


@dataclass(frozen=True, eq=False)
class Ragged:
    """N rows of unequal length: `values` (P,) are row after row, `lengths` (N,) int64 says how long each is.

    >>> Ragged.of([[7], [], [8, 9]], np.int64).take(np.array([2, 0])).values
    array([8, 9, 7])
    """

    values: npt.NDArray[Any]
    lengths: Ints

    @classmethod
    def of(cls, rows: Sequence[Sequence[int]], dtype: npt.DTypeLike) -> Ragged:
        """Rows that are lists."""
        lengths = np.fromiter(map(len, rows), np.int64, len(rows))
        return cls(np.fromiter(chain.from_iterable(rows), dtype, int(lengths.sum())), lengths)

    def __len__(self) -> int:
        return len(self.lengths)

    @cached_property
    def starts(self) -> Ints:
        """(N,) where each row begins in `values`."""
        return np.cumsum(self.lengths) - self.lengths

    def tolist(self) -> list[list[int]]:
        """The rows as lists."""
        return [part.tolist() for part in np.split(self.values, self.starts[1:])] if len(self) else []

    def take(self, rows: Ints) -> Ragged:
        """The rows of these numbers, in that order."""
        lengths = self.lengths[rows]
        return Ragged(self.values[ranges(self.starts[rows], lengths)], lengths)

    def cut(self, most: int | Ints) -> Ragged:
        """Of each row the first `most` values, one number for all rows or (N,)."""
        lengths = np.minimum(self.lengths, most)
        return Ragged(self.values[ranges(self.starts, lengths)], lengths)

    def grouped(self, counts: Ints) -> Ragged:
        """So many (M,) consecutive rows each time as one row."""
        return Ragged(self.values, sums(self.lengths, counts))


def sums(values: Ints, counts: Ints) -> Ints:
    """(M,) the sum of so many consecutive values each time."""
    ends = np.concatenate([[0], np.cumsum(values)])
    found: Ints = np.diff(ends[np.concatenate([[0], np.cumsum(counts)])])
    return found


def ranges(starts: Ints, lengths: Ints) -> Ints:
    """The numbers from each start on, so many as its length says, one range after the other."""
    before = np.cumsum(lengths) - lengths
    return np.repeat(starts - before, lengths) + np.arange(lengths.sum())


def stacked(parts: Sequence[Ragged]) -> Ragged:
    """The rows of the first part, then those of the second, and so on."""
    return Ragged(np.concatenate([part.values for part in parts]), np.concatenate([part.lengths for part in parts]))


def side_by_side(parts: Sequence[Ragged]) -> Ragged:
    """Row i is what the parts have in their rows i, one after the other."""
    lengths = np.stack([part.lengths for part in parts])
    whole = lengths.sum(axis=0)
    starts = np.cumsum(whole) - whole + np.cumsum(lengths, axis=0) - lengths
    values = np.empty(int(whole.sum()), dtype=np.result_type(*(part.values for part in parts)))
    for part, start in zip(parts, starts, strict=True):
        values[ranges(start, part.lengths)] = part.values
    return Ragged(values, whole)
