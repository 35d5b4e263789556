"""Differences between methods or runs on the same test sentences: paired, over seeds, with their uncertainty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit  # type: ignore[import-untyped]
from scipy.stats import bootstrap  # type: ignore[import-untyped]

from uxla.errors import ArtifactError
from uxla.records import Ints
from uxla.report.folder import RunFolder
from uxla.report.scoring import counts, f1, score

Floats = npt.NDArray[np.float64]

RESAMPLES = 2000

SEEDS_VARY = 3
"""With at least so many seeds, intervals include the differences between seeds."""


@dataclass(frozen=True)
class Difference:
    """A score minus another in percentage points, with the bounds of its 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def sign(self) -> int:
        """1 or -1 where the interval is clear of zero, else 0."""
        return int(self.low > 0) - int(self.high < 0)


@dataclass(frozen=True, eq=False)
class Counted:
    """A run's test set of one target: a number that identifies its texts and gold labels, and by method the counts
    (N, 3) of the labels that its three models give together."""

    identity: int
    counts: Mapping[str, Ints]


def counted(run: RunFolder) -> dict[str, Counted]:
    """The test sets of a run by target. ArtifactError where a file is damaged."""
    found, spans = {}, run.results["task"] == "ner"
    for target in run.targets:
        test = run.test_set(target)
        if test is not None:
            identity = hash((tuple(map(tuple, test.segments)), test.gold.tobytes()))
            found[target] = Counted(identity, {method: counts(test, method, spans=spans) for method in test.labels})
    return found


class Pair(NamedTuple):
    """Counts (N, 3) of two methods on the same N examples; `identity` is that of the examples."""

    one: Ints
    other: Ints
    identity: int


def pair(one: Counted | None, method: str, other: Counted | None, other_method: str) -> list[Pair]:
    """The counts of a method and of another, perhaps of another run; empty where one is missing or the tests differ."""
    if one is None or other is None or one.identity != other.identity:
        return []
    if method not in one.counts or other_method not in other.counts:
        return []
    return [Pair(one.counts[method], other.counts[other_method], one.identity)]


def difference(pairs: Sequence[Pair]) -> Difference | None:
    """The mean over seeds of `score(one) - score(other)`, a pair a seed, with its 95 % interval.

    From `SEEDS_VARY` seeds on the interval is about other seeds and other examples, with fewer, or where all seeds
    differ by the same, about other examples only. None without pairs or for fewer than two examples.
    """
    if not pairs or len(pairs[0].one) < 2:
        return None
    if len({len(found.one) for found in pairs}) > 1:
        sizes = ", ".join(str(len(found.one)) for found in pairs)
        message = f"test sets of {sizes} examples at different seeds, expected one size; did the data change meanwhile?"
        raise ArtifactError(f"{message} run again with --fresh")
    gains = np.array([score(found.one) - score(found.other) for found in pairs])
    over_seeds = len(pairs) >= SEEDS_VARY and np.ptp(gains) > 1e-9  # in points: what is more than rounding
    low, high = _over_seeds(pairs, gains) if over_seeds else _over_examples(pairs)
    return Difference(float(gains.mean()), low, high)


def _over_seeds(pairs: Sequence[Pair], gains: Floats) -> tuple[float, float]:
    """Student's t over the seeds' differences, wider where seeds share their examples.

    The squared standard error has two parts, as in a two-way layout of seeds and examples with random effects: the
    seeds' variance / S, and what the examples have in common at different seeds, which that variance cannot show. The
    degrees of freedom are the harmonic mean of those of the parts, weighted by their size: S - 1 where each seed has
    examples of its own. Satterthwaite's, which squares the weights, holds 93 % with three seeds (bench/coverage.py).
    """
    parts = np.array([gains.var(ddof=1) / len(pairs), max(_in_common(pairs), 0.0)])
    freedom = parts.sum() / (parts / [len(pairs) - 1, len(pairs[0].one) - 1]).sum()
    half = stdtrit(freedom, 0.975) * np.sqrt(parts.sum())
    return float(gains.mean() - half), float(gains.mean() + half)


def _in_common(pairs: Sequence[Pair]) -> float:
    """The mean covariance of two seeds' differences that is due to shared examples; 0 if they share none."""
    found, size = 0.0, len(pairs[0].one)
    for identity in {pair.identity for pair in pairs}:
        moves = np.array([_moves(pair.one) - _moves(pair.other) for pair in pairs if pair.identity == identity])
        found += float((moves.sum(axis=0) ** 2).sum() - (moves**2).sum())
    return found * size / (size - 1) / (len(pairs) * (len(pairs) - 1))


def _moves(found: Ints) -> Floats:
    """(N, 3) -> (N): by how much each example moves the score of all, to first order; they sum to 0."""
    sums = found.sum(axis=0)
    return np.asarray((200.0 * found[:, 2] - f1(sums) * (found[:, 0] + found[:, 1])) / max(sums[0] + sums[1], 1))


def _over_examples(pairs: Sequence[Pair]) -> tuple[float, float]:
    """Paired percentile bootstrap over the examples: drawn once for seeds that all share them, else for each seed."""
    both = np.stack([np.stack([found.one, found.other], axis=1) for found in pairs])  # (seeds, N, 2, 3)
    seeds, size = both.shape[:2]
    shared = len({found.identity for found in pairs}) == 1

    def statistic(*drawn: Ints, axis: int = -1) -> Floats:
        found = [f1(both[i, drawn[0 if shared else i]].sum(axis=-3)) for i in range(seeds)]
        return np.asarray(np.mean([one[..., 0] - one[..., 1] for one in found], axis=0))

    samples = (np.arange(size),) * (1 if shared else seeds)
    options: dict[str, Any] = {"method": "percentile", "n_resamples": RESAMPLES, "batch": 50, "rng": 0}
    interval = bootstrap(samples, statistic, vectorized=True, **options).confidence_interval
    return float(interval.low), float(interval.high)
