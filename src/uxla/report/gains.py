"""Where adaptation helped: the scores of two methods in parts of the test set, and intervals of their difference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from uxla.records import Ints
from uxla.report.folder import TestSet
from uxla.report.paired import Difference, Pair, difference
from uxla.report.scoring import by_class, by_length, counts, score

MOST_CLASSES = 20
"""If there are more classes, those with the most gold entities or examples are shown."""


@dataclass(frozen=True)
class Gain:
    """A part of the test set with `size` gold entities or examples, and the F1 or accuracy of two methods there.

    `difference` is None where less than two examples have any.
    """

    name: str
    size: int
    before: float
    after: float
    difference: Difference | None


@dataclass(frozen=True)
class Gains:
    """Parts of the test set, and the `scale` (lowest, highest) on which a chart shows all of their scores."""

    rows: tuple[Gain, ...]
    scale: tuple[float, float]

    @classmethod
    def of(cls, rows: Sequence[Gain]) -> Gains:
        """Rows with the multiples of ten around their scores and intervals."""
        ends = [end for row in rows for end in (row.before, row.after, *_interval(row))]
        low, high = (min(ends), max(ends)) if ends else (0.0, 0.0)
        return cls(tuple(rows), (max(0.0, 10 * (low // 10)), min(100.0, 10 * (high // 10 + 1))))

    def place(self, score: float) -> float:
        """Where a score stands on the scale, in percent."""
        low, high = self.scale
        return round(100 * (min(max(score, low), high) - low) / (high - low), 2)

    def interval(self, row: Gain) -> tuple[float, float]:
        """The ends of a row's interval on the scale, in percent."""
        low, high = _interval(row) or (row.after, row.after)
        return self.place(low), self.place(high)


def class_gains(test: TestSet, before: str, *, spans: bool) -> Gains:
    """By entity type with `spans`, else by label; the largest gain first."""
    own, other = (by_class(test, method, spans=spans) for method in (test.final, before))
    none = np.zeros((len(test), 3), dtype=np.int64)
    rows = [_gain(name, other.get(name, none), own.get(name, none)) for name in own | other]
    largest = sorted(rows, key=lambda row: -row.size)[:MOST_CLASSES]
    return Gains.of(sorted(largest, key=lambda row: row.before - row.after))


def length_gains(test: TestSet, before: str, *, spans: bool) -> Gains:
    """By length, short to long."""
    own, other = (counts(test, method, spans=spans) for method in (test.final, before))
    return Gains.of([_gain(name, other[i], own[i]) for name, i in by_length(test, spans=spans).items()])


def _gain(name: str, before: Ints, after: Ints) -> Gain:
    concerned = (before + after).any(axis=1)  # the other examples change no score
    found = difference([Pair(after[concerned], before[concerned], 0)])
    return Gain(name, int(after[:, 0].sum() or before[:, 0].sum()), score(before), score(after), found)


def _interval(row: Gain) -> tuple[float, ...]:
    """The interval of the score after, given the one before."""
    return () if row.difference is None else (row.before + row.difference.low, row.before + row.difference.high)
