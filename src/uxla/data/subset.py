"""Drawing a subset of the examples (paper §3.1: 5 % of the data)."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from uxla.errors import ConfigError
from uxla.records import Ints


def subset(n: int, *, share: float = 1.0, take: int | None = None, seed: int = 0) -> Ints:
    """(m,) ascending indices below `n`: m = floor(share·n), at most `take`, drawn by a seeded shuffle.

    The corpus keeps its order, so that asking for everything changes nothing. With the same seed a smaller subset is
    part of a larger one. Source and target of parallel corpora need different seeds, or they draw the same sentences.
    """
    if not 0 < share <= 1:
        raise ConfigError(f"share: got {share}, expected above 0 and at most 1; 0.05 keeps 5 %")
    if take is not None and take < 1:
        raise ConfigError(f"take: got {take}, expected at least 1; leave it out to keep all")
    size = int(Fraction(str(share)) * n)  # as written: 0.29 of 100 is 29, in floats it is 28
    size = size if take is None else min(size, take)
    if size == n:
        return np.arange(n, dtype=np.int64)
    return np.sort(np.random.default_rng(seed).permutation(n)[:size]).astype(np.int64)
