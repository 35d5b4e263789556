"""Differences between runs on the same test sentences: paired, over seeds, with their uncertainty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

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


def pair(one: Counted | None, method: str, other: Counted | None, other_method: str) -> list[tuple[Ints, Ints]]:
    """The counts of a method and of another, perhaps of another run; empty where one is missing or the tests differ."""
    if one is None or other is None or one.identity != other.identity:
        return []
    if method not in one.counts or other_method not in other.counts:
        return []
    return [(one.counts[method], other.counts[other_method])]


def difference(pairs: Sequence[tuple[Ints, Ints]]) -> Difference | None:
    """The mean over seeds of `score(one) - score(other)`, a pair a seed: counts (N, 3) of the same N examples.

    95 % interval: paired percentile bootstrap. The examples are drawn anew within each seed and, from `SEEDS_VARY`
    seeds on, the seeds too, each drawn one with examples of its own. None without pairs or for fewer than two examples.
    """
    if not pairs or len(pairs[0][0]) < 2:
        return None
    if len({len(one) for one, _ in pairs}) > 1:
        sizes = ", ".join(str(len(one)) for one, _ in pairs)
        message = f"test sets of {sizes} examples at different seeds, expected one size; did the data change meanwhile?"
        raise ArtifactError(f"{message} run again with --fresh")
    both = np.stack([np.stack(pair, axis=1) for pair in pairs])  # (seeds, N, 2, 3)
    seeds, size = both.shape[:2]
    varying = seeds >= SEEDS_VARY

    def statistic(*drawn: Ints, axis: int = -1) -> npt.NDArray[np.float64]:
        gains = []
        for i, examples in enumerate(drawn[-seeds:]):
            seed = drawn[0][..., i, None] if varying else i
            found = f1(both[seed, examples].sum(axis=-3))
            gains.append(found[..., 0] - found[..., 1])
        return np.asarray(np.mean(gains, axis=0))

    samples = (np.arange(seeds),) * varying + (np.arange(size),) * seeds
    options: dict[str, Any] = {"method": "percentile", "n_resamples": RESAMPLES, "batch": 50, "rng": 0}
    interval = bootstrap(samples, statistic, vectorized=True, **options).confidence_interval
    value = fmean(score(one) - score(other) for one, other in pairs)
    return Difference(value, float(interval.low), float(interval.high))
