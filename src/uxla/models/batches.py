"""Which rows share a forward pass. No choice made here changes a prediction or the gradient of a step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, pairwise
from typing import TypeVar

import numpy as np

from uxla.records import Ints

T = TypeVar("T")


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Consecutive items, `size` at a time; the last list may be shorter."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


def blocks(items: Iterable[T], most: int, first: int = 256) -> Iterator[list[T]]:
    """Consecutive items, few at first, so that something is there soon; then more and more, up to `most` at a time."""
    rest, size = iter(items), first
    while block := list(islice(rest, min(size, most))):
        yield block
        size *= 2


def equal_length(lengths: Ints, tokens: int) -> Iterator[Ints]:
    """The numbers of rows with these lengths, shortest first, in arrays of one length that hold at most `tokens` pieces
    (or one row)."""
    order = np.argsort(lengths, kind="stable")
    edges = np.flatnonzero(np.diff(lengths[order], prepend=-1, append=-1))
    for start, stop in pairwise(edges.tolist()):
        most = max(1, tokens // int(lengths[order[start]]))
        yield from (order[first : min(first + most, stop)] for first in range(start, stop, most))


def cheapest_cuts(lengths: Sequence[int], *, tokens: int, overhead: int) -> list[int]:
    """Where to cut rows of ascending `lengths` into forward passes so that their cost is least.

    A pass costs its padded pieces (rows × longest) plus `overhead`; it holds at most `tokens` padded pieces, or one
    row. The value is the end of each pass: [2, 5] for rows 0–1 and 2–4.
    """
    cost, begin = [0.0] + [float("inf")] * len(lengths), [0] * (len(lengths) + 1)
    for stop, longest in enumerate(lengths, start=1):
        for start in range(max(0, stop - max(1, tokens // longest)), stop):
            total = cost[start] + (stop - start) * longest + overhead
            if total < cost[stop]:
                cost[stop], begin[stop] = total, start
    ends, stop = [], len(lengths)
    while stop:
        ends.append(stop)
        stop = begin[stop]
    return ends[::-1]
