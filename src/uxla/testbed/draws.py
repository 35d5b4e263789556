"""Random draws keyed by values, not by order: the same key gives the same stream everywhere."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")
_BLOCK = 32


def key_of(*parts: object) -> int:
    """A 64-bit integer from the text of `parts`: equal for equal parts, in every process (unlike `hash`)."""
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


class Draws:
    """An endless stream of choices from a numpy generator keyed by `parts`, drawn block by block for speed."""

    def __init__(self, *parts: object) -> None:
        self._generator = np.random.default_rng(key_of(*parts))
        self._block: list[float] = []

    def uniform(self) -> float:
        """The next number in [0, 1)."""
        if not self._block:
            self._block = self._generator.random(_BLOCK).tolist()
        return self._block.pop()

    def chance(self, probability: float) -> bool:
        """Whether an event of this probability happens."""
        return self.uniform() < probability

    def below(self, count: int) -> int:
        """A whole number in [0, count)."""
        return int(self.uniform() * count)

    def pick(self, items: Sequence[T]) -> T:
        """One of `items`, all equally likely."""
        return items[self.below(len(items))]

    def pick_early(self, items: Sequence[T]) -> T:
        """One of `items`, the earlier the likelier (density falling linearly to zero)."""
        return items[min(self.below(len(items)), self.below(len(items)))]

    def weighted(self, items: Sequence[tuple[T, float]]) -> T:
        """One of the first entries, as likely as the weight beside it; weights need not sum to one."""
        left = self.uniform() * sum(weight for _, weight in items)
        for item, weight in items:
            left -= weight
            if left < 0:
                return item
        return items[-1][0]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """All of `items` in a random order (Fisher and Yates)."""
        order = list(items)
        for last in range(len(order) - 1, 0, -1):
            other = self.below(last + 1)
            order[last], order[other] = order[other], order[last]
        return order
