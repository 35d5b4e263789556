"""Drawing from data sets: the balanced mix of a training (§2.4, Eq. 2), and a sample to judge a model by."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from uxla.records import Corpus, Ints, concatenate
from uxla.seeds import generator

MOST_JUDGED = 8192
"""A model is judged by at most so many examples of a corpus."""


def sampling_probabilities(
    sizes: Sequence[int], alpha: float, shares: Sequence[float | None] = ()
) -> npt.NDArray[np.float64]:
    """(N,) the probability of drawing from each data set: p_i ∝ (n_i / Σn)^α (Eq. 2); an empty set has none.

    `shares` are the probabilities of sets that have one of their own, None for the others, which divide the rest.
    """
    counts = np.asarray(sizes, dtype=np.float64)
    if counts.sum() == 0:
        raise ValueError("all data sets are empty: there is nothing to draw from")
    weights = np.where(counts > 0, (counts / counts.sum()) ** alpha, 0.0)
    own = np.zeros(len(counts))
    for i, share in enumerate(shares):
        if share is not None and counts[i]:
            own[i], weights[i] = share, 0.0
    if not own.any():
        return np.asarray(weights / weights.sum())
    rest = weights.sum()
    return np.asarray(own + weights / rest * (1.0 - own.sum()) if rest else own / own.sum())


def balanced_mix(
    corpora: Sequence[Corpus],
    *,
    alpha: float,
    rng: np.random.Generator,
    draws: int | None = None,
    shares: Sequence[float | None] = (),
) -> tuple[Corpus, list[int]]:
    """The examples of one training in the order of training, and how many came from each data set.

    Each of `draws` (default: Σ n_i, one epoch) picks a data set by Eq. 2, then the next example of that set's
    shuffled stream; an exhausted stream is shuffled again and starts over. `alpha` of 1 draws in proportion to the
    sizes, of 0 from all sets alike. A set with a share of its own in `shares` (None: none) is drawn with that
    probability. All have the same label names: ValueError where they differ, and where all sets are empty.

    >>> import numpy as np
    >>> large, small = uxla.read(["a"] * 90), uxla.read(["b"] * 10)
    >>> mix, counts = balanced_mix([large, small], alpha=0.0, rng=np.random.default_rng(0))
    >>> len(mix), 35 < counts[1] < 65
    (100, True)
    """
    sizes = [len(corpus) for corpus in corpora]
    rows, counts = _drawn(sizes, sum(sizes) if draws is None else draws, alpha, rng, shares)
    return concatenate("mix", corpora).take(rows), counts


def judging_sample(corpus: Corpus, seed: int) -> Corpus:
    """At most 8,192 examples of `corpus`, drawn without replacement, in its order."""
    if len(corpus) <= MOST_JUDGED:
        return corpus
    rows = generator(seed, "looked at", corpus.name).choice(len(corpus), MOST_JUDGED, replace=False)
    return corpus.take(np.sort(rows))


def _drawn(
    sizes: Sequence[int], draws: int, alpha: float, rng: np.random.Generator, shares: Sequence[float | None]
) -> tuple[Ints, list[int]]:
    """The rows (draws,) of the data sets laid end to end, and how many of each."""
    which = rng.choice(len(sizes), size=draws, p=sampling_probabilities(sizes, alpha, shares))
    counts = np.bincount(which, minlength=len(sizes)).tolist()
    rows: Ints = np.empty(draws, dtype=np.int64)
    start = 0
    for i, (size, count) in enumerate(zip(sizes, counts, strict=True)):
        rows[which == i] = start + _stream(size, count, rng)
        start += size
    return rows, counts


def _stream(size: int, length: int, rng: np.random.Generator) -> Ints:
    """The first `length` indices of an endless stream of fresh permutations of `range(size)`."""
    stream: Ints = np.empty(length, dtype=np.int64)
    for start in range(0, length, max(size, 1)):
        stream[start : start + size] = rng.permutation(size)[: length - start]
    return stream
