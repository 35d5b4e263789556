"""Differences between runs on the same test sentences: paired, over seeds, with their uncertainty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import bootstrap  # type: ignore[import-untyped]

from uxla.errors import ArtifactError
from uxla.records import Ints
from uxla.report.folder import RunFolder
from uxla.report.scoring import RESAMPLES, Difference, counts, f1, score

SEEDS_VARY = 5
"""From so many seeds on an interval speaks of other seeds too; fewer do not tell how much seeds differ."""


@dataclass(frozen=True, eq=False)
class Counted:
    """A run's test set of one target: what tells it from another, and the counts (N, 3) of each method's labels, those
    that its three models give together."""

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
    """Counts (N, 3) of two methods on the same N examples, and what tells these from others."""

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
    """The mean over seeds of `score(one) - score(other)`, a pair a seed.

    95 % interval: paired percentile bootstrap. Where all seeds are scored on the same examples, these are drawn once
    for all of them, since what is odd about them is odd for each; else anew within each seed. From `SEEDS_VARY` seeds
    on the seeds are drawn too. None without pairs or for fewer than two examples.
    """
    if not pairs or len(pairs[0].one) < 2:
        return None
    if len({len(found.one) for found in pairs}) > 1:
        sizes = ", ".join(str(len(found.one)) for found in pairs)
        message = f"test sets of {sizes} examples at different seeds, expected one size; did the data change meanwhile?"
        raise ArtifactError(f"{message} run again with --fresh")
    both = np.stack([np.stack([found.one, found.other], axis=1) for found in pairs])  # (seeds, N, 2, 3)
    seeds, size = both.shape[:2]
    varying, shared = seeds >= SEEDS_VARY, len({found.identity for found in pairs}) == 1

    def statistic(*drawn: Ints, axis: int = -1) -> npt.NDArray[np.float64]:
        gains = []
        for i in range(seeds):
            seed = drawn[0][..., i, None] if varying else i
            found = f1(both[seed, drawn[-1 if shared else i - seeds]].sum(axis=-3))
            gains.append(found[..., 0] - found[..., 1])
        return np.asarray(np.mean(gains, axis=0))

    samples = (np.arange(seeds),) * varying + (np.arange(size),) * (1 if shared else seeds)
    options: dict[str, Any] = {"method": "percentile", "n_resamples": RESAMPLES, "batch": 50, "rng": 0}
    interval = bootstrap(samples, statistic, vectorized=True, **options).confidence_interval
    value = fmean(score(found.one) - score(found.other) for found in pairs)
    return Difference(value, float(interval.low), float(interval.high))
