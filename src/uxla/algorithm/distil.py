"""Which pseudo-labelled examples to trust (§2.3): one model's judgement (stage 1), two peers' agreement (stage 2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from sklearn.mixture import GaussianMixture

from uxla.records import IGNORED, Bools, Corpus, Ints, Predictions

Select = Callable[[Predictions, Corpus], Bools]
"""Stage 1: predictions of one model on a corpus of N examples -> bool (N,), the ones it is trusted on."""

Feature = Callable[[Corpus], npt.NDArray[np.float64]]
"""Something that may tell good examples from noisy ones, beside the loss (App. C): a corpus -> (N,) numbers."""

Agreement = Literal["exact", "none", "token", "union"]

_FALLEN = 0.25
"""Of the labels that a model gave before, so few are a collapse."""

_FITTED = 1_000_000
"""Losses the mixture is fitted to: more of them take longer and change nothing."""

_TOGETHER = 1 << 16
"""Examples looked at together: a bound on memory which no result depends on."""


def confidence(predictions: Predictions) -> npt.NDArray[np.float64]:
    """(N,) each example's mean, over its rows, of the highest class probability.

    With one row a word this is the paper's p* for tagging, with one row a sentence its p* for sentence tasks (§2.3).
    """
    return _example_means(lambda rows: predictions.best[rows].astype(np.float64), predictions.offsets)


def loss(predictions: Predictions) -> npt.NDArray[np.float64]:
    """(N,) each example's mean cross-entropy against the model's own pseudo labels, in nats (§2.3, App. C)."""
    floor = np.finfo(np.float32).tiny  # the best of C probabilities is at least 1/C, so this never binds
    best = predictions.best
    return _example_means(lambda rows: -np.log(np.maximum(best[rows].astype(np.float64), floor)), predictions.offsets)


@dataclass(frozen=True)
class MostConfident:
    """Distillation by model confidence: the top floor(share · N), ties in corpus order.

    With `per_class` the share is taken within each predicted class, so that no class dies out; that needs one row
    an example (sentence tasks).
    """

    share: float
    per_class: bool = False

    def __call__(self, predictions: Predictions, corpus: Corpus) -> Bools:
        """Bool (N,): the examples selected."""
        scores = confidence(predictions)
        if not self.per_class:
            return _top(scores, self.share)
        if len(predictions.pseudo_labels) != len(predictions):
            raise ValueError("per-class selection needs one label an example")
        chosen = np.zeros(len(scores), dtype=np.bool_)
        for label in np.unique(predictions.pseudo_labels):
            members = np.flatnonzero(predictions.pseudo_labels == label)
            chosen[members[_top(scores[members], self.share)]] = True
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
    """

    threshold: float
    features: tuple[Feature, ...] = ()

    def __call__(self, predictions: Predictions, corpus: Corpus) -> Bools:
        """Bool (N,): the examples selected."""
        losses = loss(predictions)
        if len(np.unique(losses)) < 3:
            return np.ones(len(losses), dtype=np.bool_)
        columns = [losses, *(feature(corpus) for feature in self.features)]
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


def distil(
    k: Predictions, j: Predictions, selected: tuple[Bools, Bools], how: Agreement = "exact", min_agreed: float = 0.5
) -> tuple[Bools, Bools, Ints]:
    """(chosen (N,), agreed (N,), labels (R,)): both stages for two peers, of which each `selected` some examples.

    Chosen is what both selected and agree on. Not so with `union`, an extension: what either selected is chosen, with
    the labels of that peer, and where both did, of the more confident (of k where they are level).
    """
    if how != "union":
        agreed, labels = agree(k, j, how, min_agreed)
        return selected[0] & selected[1] & agreed, agreed, labels
    surer = confidence(j) > confidence(k)
    of_j = np.repeat(np.where(selected[0] & selected[1], surer, selected[1]), np.diff(k.offsets))
    return selected[0] | selected[1], agree(k, j)[0], np.where(of_j, j.pseudo_labels, k.pseudo_labels)


def agree(
    k: Predictions, j: Predictions, how: Literal["exact", "none", "token"] = "exact", min_agreed: float = 0.5
) -> tuple[Bools, Ints]:
    """Stage 2: (bool (N,), labels (R,)): the examples two peers agree on, and the labels to learn from.

    `exact`: all labels of the example are equal (the paper's AGREEMENT). `none`: no condition, labels of k (φ in
    Table 5). `token`, an extension: labels the peers dispute are set to IGNORED and carry no loss; an example needs
    at least the share `min_agreed` of undisputed labels.
    """
    if how == "none":
        return np.ones(len(k), dtype=np.bool_), k.pseudo_labels
    agreed_share = _example_means(
        lambda rows: (k.pseudo_labels[rows] == j.pseudo_labels[rows]).astype(np.float64), k.offsets
    )
    if how == "exact":
        return agreed_share == 1.0, k.pseudo_labels
    return agreed_share >= min_agreed, np.where(k.pseudo_labels == j.pseudo_labels, k.pseudo_labels, IGNORED)


def majority_share(labels: npt.NDArray[np.integer]) -> float:
    """The share of the most frequent label: near 1 when a model has collapsed to one label."""
    labels = labels[labels != IGNORED]
    return float(np.bincount(labels).max() / len(labels)) if len(labels) else 0.0


def has_fallen(labels: Ints, earlier: Ints) -> bool:
    """Whether labels beside the most frequent one have become rare: none at all, or under a quarter of the share that
    they had among the same model's `earlier` labels of the same examples."""
    others = 1.0 - majority_share(labels)
    return others == 0.0 or others < _FALLEN * (1.0 - majority_share(earlier))


def _top(scores: npt.NDArray[np.float64], share: float) -> Bools:
    count = int(np.floor(share * len(scores) + 1e-9))  # 0.29 * 100 is 28.999…
    chosen = np.zeros(len(scores), dtype=np.bool_)
    chosen[np.argsort(-scores, kind="stable")[:count]] = True
    return chosen


def _sample(features: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """(n, F) all of the features (N, F), or the part that is enough to fit a mixture to."""
    if len(features) <= _FITTED:
        return features
    return features[np.random.default_rng(0).choice(len(features), _FITTED, replace=False)]


def _example_means(of_rows: Callable[[slice], npt.NDArray[np.float64]], offsets: Ints) -> npt.NDArray[np.float64]:
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
