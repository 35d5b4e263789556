"""Differences between methods or runs on the same test sentences: paired, over seeds, with their uncertainty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy.special import stdtr, stdtrit  # type: ignore[import-untyped]

from uxla.errors import ArtifactError
from uxla.records import Ints, Reals
from uxla.report.folder import RunFolder
from uxla.report.scoring import counts, f1, score

RESAMPLES = 2000

SEEDS_VARY = 3
"""With at least so many seeds, intervals include the differences between seeds."""


@dataclass(frozen=True)
class Difference:
    """A score minus another in percentage points, with the bounds of its 95 % interval.

    `p` is the two-sided p-value of no difference, None where the interval is over examples alone.
    """

    value: float
    low: float
    high: float
    p: float | None = None

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
    _expect_one_size(pairs, "at different seeds", "did the data change meanwhile? run again with --fresh")
    gains = _gains(pairs)
    if _seeds_vary(gains):
        return _over_seeds(gains, _in_common(pairs), len(pairs[0].one))
    return Difference(float(gains.mean()), *_over_examples(pairs))


def mean_difference(
    tests: Sequence[Sequence[Pair]], *, parallel: bool = False, gains: Reals | None = None
) -> Difference | None:
    """The mean over several test sets of the differences, with its 95 % interval; of one it is `difference`.

    `tests` has the pairs of each test set, all at the same seeds. The interval is about these test sets' languages, not
    about others: over other seeds, which all languages share, and other examples. With `parallel` the test sets are
    one, translated: example i of one is example i of the others. `gains` (tests, seeds) are the differences at each
    seed where they are not those of the pairs; what examples have in common is that of the pairs then. None without
    pairs, or where seeds are missing. ArtifactError for translations of unequal sizes.
    """
    if not tests or len({len(pairs) for pairs in tests}) > 1 or not all(map(difference, tests)):
        return None
    if parallel:
        _expect_one_size([pairs[0] for pairs in tests], "of translations", "keep the same sentences of each language")
    own = np.array([_gains(pairs) for pairs in tests])
    found = own if gains is None else gains
    size, by_seed = len(tests), found.mean(axis=0)
    if _seeds_vary(by_seed):
        common = _in_common_of_translations(tests) if parallel else sum(map(_in_common, tests)) / size**2
        return _over_seeds(by_seed, common, min(len(pairs[0].one) for pairs in tests))
    away = np.abs(np.array([_over_examples(pairs) for pairs in tests]) - own.mean(axis=1, keepdims=True))  # (tests, 2)
    low, high = away.mean(axis=0) if parallel else np.sqrt((away**2).sum(axis=0)) / size
    return Difference(float(found.mean()), float(found.mean() - low), float(found.mean() + high))


def holm(p_values: Sequence[float]) -> list[float]:
    """Each p-value adjusted for all of them (Holm, 1979): at most 0.05 where the family-wise error is held at 5 %.

    >>> holm([0.04, 0.01, 0.03])
    [0.06, 0.03, 0.06]
    """
    order = np.argsort(p_values, kind="stable")
    steps = np.asarray(p_values)[order] * np.arange(len(p_values), 0, -1)
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return [float(value) for value in adjusted]


def _expect_one_size(pairs: Sequence[Pair], which: str, remedy: str) -> None:
    sizes = [len(found.one) for found in pairs]
    if len(set(sizes)) > 1:
        raise ArtifactError(f"test sets of {', '.join(map(str, sizes))} examples {which}, expected one size; {remedy}")


def _gains(pairs: Sequence[Pair]) -> Reals:
    """(S,) the difference at each seed."""
    return np.array([score(found.one) - score(found.other) for found in pairs])


def _seeds_vary(gains: Reals) -> bool:
    return len(gains) >= SEEDS_VARY and bool(np.ptp(gains) > 1e-9)  # in points: what is more than rounding


def _over_seeds(gains: Reals, common: float, size: int) -> Difference:
    """Student's t over the seeds' differences, wider where seeds share their `size` examples.

    The squared standard error has two parts, as in a two-way layout of seeds and examples with random effects: the
    seeds' variance / S, and what the examples have in common at different seeds, which that variance cannot show. The
    degrees of freedom are the harmonic mean of those of the parts, weighted by their size: S - 1 where each seed has
    examples of its own. Satterthwaite's, which squares the weights, holds 93 % with three seeds (bench/coverage.py).
    """
    parts = np.array([gains.var(ddof=1) / len(gains), max(common, 0.0)])
    freedom = parts.sum() / (parts / [len(gains) - 1, size - 1]).sum()
    error, mean = float(np.sqrt(parts.sum())), float(gains.mean())
    half = float(stdtrit(freedom, 0.975)) * error
    return Difference(mean, mean - half, mean + half, p=2 * float(stdtr(freedom, -abs(mean) / error)))


def _in_common(pairs: Sequence[Pair]) -> float:
    """The mean covariance of two seeds' differences that is due to shared examples; 0 if they share none."""
    found, size = 0.0, len(pairs[0].one)
    for identity in dict.fromkeys(pair.identity for pair in pairs):
        found += _crossed(np.array([_moved(pair) for pair in pairs if pair.identity == identity]))
    return found * size / (size - 1) / (len(pairs) * (len(pairs) - 1))


def _in_common_of_translations(tests: Sequence[Sequence[Pair]]) -> float:
    """The same for the mean over test sets that are translations of each other."""
    moves: Reals = np.mean([[_moved(pair) for pair in pairs] for pairs in tests], axis=0)  # (S, N)
    seeds, size = len(tests[0]), len(tests[0][0].one)
    return _crossed(moves) * size / (size - 1) / (seeds * (seeds - 1))


def _crossed(moves: Reals) -> float:
    """(S, N): the sum, over examples and over each two seeds in either order, of the product of their moves."""
    return float((moves.sum(axis=0) ** 2).sum() - (moves**2).sum())


def _moved(pair: Pair) -> Reals:
    """(N,) by how much each example moves the difference."""
    return _moves(pair.one) - _moves(pair.other)


def _moves(found: Ints) -> Reals:
    """(N, 3) -> (N): by how much each example moves the score of all, to first order; they sum to 0."""
    sums = found.sum(axis=0)
    return np.asarray((200.0 * found[:, 2] - f1(sums) * (found[:, 0] + found[:, 1])) / max(sums[0] + sums[1], 1))


def _over_examples(pairs: Sequence[Pair]) -> tuple[float, float]:
    """Paired percentile bootstrap over the examples: drawn once for seeds that all share them, else for each seed."""
    from scipy.stats import bootstrap  # type: ignore[import-untyped]  # late: it takes half a second

    both = np.stack([np.stack([found.one, found.other], axis=1) for found in pairs])  # (seeds, N, 2, 3)
    seeds, size = both.shape[:2]
    shared = len({found.identity for found in pairs}) == 1

    def statistic(*drawn: Ints, axis: int = -1) -> Reals:
        found = [f1(both[i, drawn[0 if shared else i]].sum(axis=-3)) for i in range(seeds)]
        return np.asarray(np.mean([one[..., 0] - one[..., 1] for one in found], axis=0))

    samples = (np.arange(size),) * (1 if shared else seeds)
    options: dict[str, Any] = {"method": "percentile", "n_resamples": RESAMPLES, "batch": 50, "rng": 0}
    interval = bootstrap(samples, statistic, vectorized=True, **options).confidence_interval
    return float(interval.low), float(interval.high)
