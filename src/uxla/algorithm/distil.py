"""Stage 1 of distillation (§2.3): which pseudo-labelled examples one model is trusted on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from uxla.errors import ConfigError
from uxla.records import IGNORED, Bools, Corpus, Ints, Predictions

Select = Callable[[Predictions, Corpus], Bools]
"""From the predictions of one model on a corpus of N examples to (N,) bool, the ones it is trusted on."""

Feature = Callable[[Corpus], npt.NDArray[np.float64]]
"""Something that may tell good examples from noisy ones, beside the loss (App. C): a corpus -> (N,) numbers."""

_FALLEN = 0.25
"""A model has collapsed if it gives less than this share of the rarer labels that it gave before."""

_FITTED = 1_000_000
"""The mixture is fitted to at most so many losses; more of them change nothing."""

_TOGETHER = 1 << 16
"""Examples looked at together: a bound on memory which no result depends on."""


def confidence(predictions: Predictions) -> npt.NDArray[np.float64]:
    """(N,) each example's mean, over its rows, of the highest class probability.

    With one row a word this is the paper's p* for tagging, with one row a sentence its p* for sentence tasks (§2.3).
    """
    return example_means(lambda rows: predictions.best[rows].astype(np.float64), predictions.offsets)


def loss(predictions: Predictions) -> npt.NDArray[np.float64]:
    """(N,) each example's mean cross-entropy against the model's own pseudo labels, in nats (§2.3, App. C)."""
    floor = np.finfo(np.float32).tiny  # the best of C probabilities is at least 1/C, so this never binds
    best = predictions.best
    return example_means(lambda rows: -np.log(np.maximum(best[rows].astype(np.float64), floor)), predictions.offsets)


@dataclass(frozen=True)
class MostConfident:
    """Distillation by model confidence: the top floor(share · N), ties in corpus order.

    With `per_class` the share is taken within each predicted class, so that no class dies out; that needs one row
    an example (sentence tasks).

    >>> import numpy as np
    >>> sure = np.array([[0.9, 0.1], [0.6, 0.4]], dtype=np.float32)
    >>> found = uxla.Predictions(sure, np.array([0, 1, 2]))
    >>> MostConfident(0.5)(found, uxla.read(["a", "b"])).tolist()
    [True, False]
    """

    share: float
    per_class: bool = False

    def __call__(self, predictions: Predictions, corpus: Corpus) -> Bools:
        """Bool (N,): the examples selected. ConfigError for `per_class` where a row is a word."""
        scores = confidence(predictions)
        if not self.per_class:
            return most_confident(scores, self.share)
        if len(predictions.pseudo_labels) != len(predictions):
            raise ConfigError("per_class: needs one label an example, and words have one each; leave it out")
        chosen = np.zeros(len(scores), dtype=np.bool_)
        for label in np.unique(predictions.pseudo_labels):
            members = np.flatnonzero(predictions.pseudo_labels == label)
            chosen[members[most_confident(scores[members], self.share)]] = True
        return chosen


@dataclass(frozen=True)
class CleanCluster:
    """Distillation by clustering: posterior of the low-loss component of a two-component Gaussian mixture (App. C).

    Selected are the examples whose posterior exceeds `threshold`, and every example whose loss is below the clean
    mean: with unequal variances the wider component wins at *both* ends, so that without the second rule the very
    lowest losses can come out as noise. Where the losses have no spread there are no clusters, and all are selected.
    The mixture is fitted to a million examples at most, drawn with a fixed seed: its few parameters ask for no more.

    With `features` the mixture is over them too, each given unit scale and left out where it has no spread; the
    clean component is still that of the lower loss, and only the posterior decides, since no mean orders examples.
    A feature is a function of a corpus, or a name that a run knows: `length` (in characters), `fluency` (under its
    vicinity model).

    >>> import numpy as np
    >>> best = np.array([0.99, 0.98, 0.97, 0.55, 0.52, 0.51], dtype=np.float32)
    >>> found = uxla.Predictions(np.stack([best, 1 - best], axis=1), np.arange(7))
    >>> CleanCluster(0.5)(found, uxla.read(list("abcdef"))).tolist()
    [True, True, True, False, False, False]
    """

    threshold: float
    features: tuple[Feature | str, ...] = ()

    def knowing(self, known: Mapping[str, Feature]) -> CleanCluster:
        """The same with functions in place of the names that are `known`."""
        return replace(self, features=tuple(known.get(f, f) if isinstance(f, str) else f for f in self.features))

    def __call__(self, predictions: Predictions, corpus: Corpus) -> Bools:
        """Bool (N,): the examples selected. ConfigError for a feature that nobody knows."""
        from sklearn.mixture import GaussianMixture  # late: it takes a second, and few runs cluster

        losses = loss(predictions)
        if len(np.unique(losses)) < 3:
            return np.ones(len(losses), dtype=np.bool_)
        columns = [losses]
        for feature in self.features:
            if isinstance(feature, str):
                raise ConfigError(f"features: nothing is known of {feature!r}; give a function of a corpus")
            columns.append(feature(corpus))
        spread = [column / column.std() for column in columns if column.std() > 0]
        features = np.stack(spread, axis=1)  # scikit-learn's variance floor is absolute: give it unit scale
        mixture = GaussianMixture(n_components=2, covariance_type="full", random_state=0, n_init=3)
        mixture.fit(_sample(features))
        clean = int(mixture.means_[:, 0].argmin())
        alone = features.shape[1] == 1
        chosen = (features[:, 0] <= mixture.means_[clean, 0]) & alone
        for block in _blocks(len(chosen)):
            chosen[block] |= mixture.predict_proba(features[block])[:, clean] > self.threshold
        return np.asarray(chosen)


def length(corpus: Corpus) -> npt.NDArray[np.float64]:
    """(N,) the characters of each example's texts (App. C): characters, since some scripts have no words to count."""
    sizes = np.empty(len(corpus))
    for block, batch in zip(_blocks(len(corpus)), corpus.parts(_TOGETHER), strict=False):
        sizes[block] = [sum(map(len, example.segments)) for example in batch]
    return sizes


def majority_share(labels: npt.NDArray[np.integer]) -> float:
    """The share of the most frequent label: near 1 when a model has collapsed to one label."""
    labels = labels[labels != IGNORED]
    return float(np.bincount(labels).max() / len(labels)) if len(labels) else 0.0


def has_collapsed(labels: Ints, limit: float, earlier: Callable[[], Ints], at_home: Callable[[], Ints]) -> bool:
    """Whether a model has collapsed: its `labels` of a corpus are nearly one only, by a share above `limit`, and not
    because the corpus is so.

    A corpus with few entities is told from a collapse by three things: the model gives no other label at all, it has
    fallen far behind its `earlier` labels, or its labels of the source, `at_home`, where others are known to stand, are
    so too. Both are asked for only where they are needed.
    """
    if majority_share(labels) <= limit:
        return False
    return has_fallen(labels, earlier()) or majority_share(at_home()) > limit


def has_fallen(labels: Ints, earlier: Ints) -> bool:
    """Whether labels beside the most frequent one have become rare: none at all, or under a quarter of the share that
    they had among the same model's `earlier` labels of the same examples."""
    others = 1.0 - majority_share(labels)
    return others == 0.0 or others < _FALLEN * (1.0 - majority_share(earlier))


def most_confident(scores: npt.NDArray[np.float64], share: float) -> Bools:
    """Bool (N,): the top floor(share · N) of the scores, ties in their order (§2.3)."""
    count = int(np.floor(share * len(scores) + 1e-9))  # 0.29 * 100 is 28.999…
    chosen = np.zeros(len(scores), dtype=np.bool_)
    chosen[np.argsort(-scores, kind="stable")[:count]] = True
    return chosen


def _sample(features: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """(n, F) all of the features (N, F), or the part that is enough to fit a mixture to."""
    if len(features) <= _FITTED:
        return features
    return features[np.random.default_rng(0).choice(len(features), _FITTED, replace=False)]


def example_means(of_rows: Callable[[slice], npt.NDArray[np.float64]], offsets: Ints) -> npt.NDArray[np.float64]:
    """(N,) the mean of each example's rows: summed per example, so that neighbours cannot leak through rounding.

    `of_rows` gives the values of some rows: never of all, since there may be twenty for each of ten million examples.
    """
    counts = np.diff(offsets)
    if len(counts) and counts.min() == 0:
        raise ValueError("an example without rows: every sentence needs at least one word")
    sums = np.empty(len(counts))
    for block in _blocks(len(counts)):
        ends = offsets[block.start : block.stop + 1]
        sums[block] = np.add.reduceat(of_rows(slice(ends[0], ends[-1])), ends[:-1] - ends[0])
    return np.asarray(sums / counts)


def _blocks(n: int) -> Iterator[slice]:
    return (slice(start, min(start + _TOGETHER, n)) for start in range(0, n, _TOGETHER))
