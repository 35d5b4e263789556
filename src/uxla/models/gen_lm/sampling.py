"""Which of the best candidates takes the place of a mask (§2.2: S)."""

from __future__ import annotations

from bisect import bisect_right
from hashlib import blake2b
from itertools import accumulate

from torch import Tensor

Choice = tuple[list[int], list[float]]
"""The top candidates of a query, best first, and their cumulative probabilities."""


def choices(best: Tensor, columns: Tensor) -> list[Choice]:
    """The choice of each query, from its logits and their columns: here the device's work must be done."""
    shares = best.double().softmax(-1).tolist()  # summed up here: on a GPU cumsum is not deterministic
    return [(own, list(accumulate(share))) for own, share in zip(columns.tolist(), shares, strict=True)]


def drawn(choice: Choice, seed: int, step: int) -> int:
    """The column that the sample's seed takes for its replacement number `step`."""
    columns, cumulative = choice
    rank = bisect_right(cumulative, uniform(seed, step))
    return columns[min(rank, len(columns) - 1)]  # the last sum may fall short of 1 by a rounding


def uniform(seed: int, step: int) -> float:
    """A number in [0, 1) that depends on the sample's seed and the replacement's number alone."""
    return int.from_bytes(blake2b(f"{seed}:{step}".encode(), digest_size=6).digest(), "big") / 2**48
