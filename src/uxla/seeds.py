"""Random generators keyed by their purpose, never by batch, worker or order, so that draws are the same anywhere."""

from __future__ import annotations

import hashlib

import numpy as np


def derive(seed: int, *parts: object) -> int:
    """A 63-bit seed that depends on `seed` and on every part (by its `repr`), the same on every machine."""
    digest = hashlib.blake2b(repr((seed, *parts)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


def generator(seed: int, *parts: object) -> np.random.Generator:
    """A generator keyed by `derive(seed, *parts)`."""
    return np.random.Generator(np.random.PCG64(derive(seed, *parts)))
