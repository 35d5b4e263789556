"""A score without gold labels: what the models' confidence and agreement say about them, read against source dev.

A model that was trained on the target's own pseudo-labels is sure of them and agrees with its peers whether they are
right or not. So the confidence and the agreement asked for here are those of *judges*, models that have seen no target
sentence: for each model the two warm-up models of the other seats. docs/estimates.md has the measurements.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property

import numpy as np
from scipy.special import ndtr, ndtri  # type: ignore[import-untyped]

from uxla.algorithm.answers import Answers, ScoredUnits, agreement_f1, f1, scored_units
from uxla.records import IGNORED, Bools, Floats, Ints, Predictions, Reals

WEIGHTS = np.array([0.5, 0.25, 0.25])
"""Of atc, doc and agreement in the score."""
ERROR = 0.3
"""The standard deviation of a score's error on the probit scale, chance in the choice of sentences apart."""
SHARE = 0.8
"""How often the interval is meant to hold the true score. How these three were fitted: docs/log/estimates.md."""
REACH = float(ndtri((1 + SHARE) / 2))
"""How many standard deviations such an interval goes to each side."""
APART = 20.0
"""Estimates that lie farther apart than so many points disagree strongly."""

_ROUNDS, _BINS = 200, 10
_EDGE = 0.005  # the probit of 0 or 1 would be infinite


@dataclass(frozen=True)
class Estimate:
    """An estimated score with its interval, and the three estimates it is the weighted mean of; all in percent.

    The mean is not taken for more than the score on source dev; the three stay as they are.

    >>> Estimate(70.0, 64.0, 76.0, atc=72.0, doc=69.0, agreement=68.0).apart
    4.0
    """

    score: float
    low: float
    high: float
    atc: float
    doc: float
    agreement: float

    @property
    def mean(self) -> float:
        """The weighted mean of the three, whatever the score on source dev: what states are compared by."""
        return float(WEIGHTS @ (self.atc, self.doc, self.agreement))

    @property
    def apart(self) -> float:
        """How far the three estimates lie apart, in points."""
        values = (self.atc, self.doc, self.agreement)
        return max(values) - min(values)

    def as_dict(self) -> dict[str, float]:
        """The form of `results.json`, unrounded."""
        return asdict(self)


@dataclass(frozen=True)
class Labelled:
    """What the models of one state, at least two, say about the source's dev set and about target sentences."""

    source: Sequence[Predictions]
    target: Sequence[Predictions]


def estimate(
    models: Labelled,
    judges: Labelled,
    gold: Ints,
    tags: Sequence[str] | None,
    *,
    before: Estimate | None = None,
    seed: int = 0,
) -> Estimate:
    """The mean score of `models` on the target: entity F1 with `tags` (IOB2 label names), else accuracy.

    `gold` (R,) are the labels of the source's dev set; `judges` are as many models that no target sentence has taught,
    the models themselves where they are such. Each model is read by the judges of the other seats, three ways:
    `atc`, average thresholded confidence (Garg et al. 2022): as many units count as correct as are surer than the
    threshold that would be right on source dev; `doc`, difference of confidences (Guillory et al. 2021): source dev's
    share of correct units less the drop of the mean confidence, by the slope seen within source dev; `agreement`
    (Jiang et al. 2022, Baek et al. 2022): the score of the models against the judges, moved on the probit scale as
    far as source dev's own agreement is from its score. The score is their weighted mean, but no more than that on
    source dev. Its interval is that of a normal error on the probit scale, whose variance is `ERROR`'s and what a
    bootstrap over the target's sentences gives.

    `before` is the judges' own estimate, where `models` were trained from them on target sentences, most likely on
    these, with labels on which the judges had agreed. Such sentences flatter them: of each of the three, half of what
    the training seems to have changed is believed.
    """
    seats = range(len(models.source))
    kept = gold != IGNORED
    source, judged = ([Answers.of(table, tags).part(kept) for table in one.source] for one in (models, judges))
    target, judging = ([Answers.of(table, tags) for table in one.target] for one in (models, judges))
    weights = _weights(len(target[0]), seed)
    found, at_home = [], []
    for i in seats:
        others = [j for j in seats if j != i]
        reader = _Reader(source[i], _mean([judged[j] for j in others]), gold[kept], tags)
        view = _View(target[i], _mean([judging[j] for j in others]), tags)
        agreed = [agreement_f1(source[i], judged[j], np.ones((1, len(source[i]))), tags) for j in others]
        across = [agreement_f1(target[i], judging[j], weights, tags) for j in others]
        found.append(
            [*reader.read(view, weights), _moved(np.mean(across, axis=0), float(np.mean(agreed)), reader.score)]
        )
        at_home.append(reader.score)
    return _combined(np.mean(found, axis=0), before, float(np.mean(at_home)))


def _combined(values: Reals, before: Estimate | None, at_home: float) -> Estimate:
    """From the three estimates (3, 1 + rounds), the first column that of the sentences as they are."""
    three = values[:, 0]
    if before is not None:
        three = (three + np.array([before.atc, before.doc, before.agreement])) / 2
    score = min(float(WEIGHTS @ three), at_home)
    by_chance = probit(WEIGHTS @ values[:, 1:]).std()
    reach = REACH * math.hypot(ERROR, by_chance)
    low, high = (float(100.0 * ndtr(probit(score) + side)) for side in (-reach, reach))
    return Estimate(score, min(low, score), max(high, score), *(float(value) for value in three))


@dataclass(frozen=True)
class _View:
    """A model's answers and how probable the judges, (R, C) the mean of theirs, find them."""

    answers: Answers
    judges: Floats
    tags: Sequence[str] | None

    @cached_property
    def units(self) -> ScoredUnits:
        return scored_units(self.answers.labels, self.answers.offsets, self.tags)

    @cached_property
    def confidence(self) -> Reals:
        """(U,) the mean over a unit's rows of the probability that the judges give to its label."""
        rows = np.arange(len(self.answers.labels))
        ends = np.concatenate([[0.0], np.cumsum(self.judges[rows, self.answers.labels], dtype=np.float64)])
        length = self.units.stop - self.units.start
        return np.asarray((ends[self.units.stop] - ends[self.units.start]) / np.maximum(length, 1))

    @cached_property
    def inside(self) -> Bools:
        """(R,) whether a row belongs to a unit."""
        steps = np.zeros(len(self.answers.labels) + 1, dtype=np.int64)
        np.add.at(steps, self.units.start, 1)
        np.add.at(steps, self.units.stop, -1)
        return np.asarray(np.cumsum(steps)[:-1] > 0)

    @cached_property
    def overlooked(self) -> Reals:
        """(R,) how sure the judges are that the row is part of an entity, where none was predicted; else -1."""
        if self.tags is None:
            return np.full(len(self.inside), -1.0)
        entity = 1.0 - self.judges[:, self.tags.index("O")].astype(np.float64)
        return np.asarray(np.where(self.inside, -1.0, entity))

    def by_sentence(self, chosen: Bools, rows: Bools) -> Reals:
        """(N, 4) of each sentence: its units, those of them `chosen`, their summed confidence, its `rows`."""
        n, sentence = len(self.answers), self.units.sentence
        starts = np.concatenate([[0], np.cumsum(rows)])[self.answers.offsets]
        counts = [np.bincount(sentence, values, n) for values in (np.ones(len(chosen)), chosen, self.confidence)]
        return np.stack([*counts, np.diff(starts)], axis=1)


class _Reader:
    """Source dev, where the labels are known: how precision follows confidence, and how many units are missed."""

    def __init__(self, answers: Answers, judges: Floats, gold: Ints, tags: Sequence[str] | None) -> None:
        self.view = _View(answers, judges, tags)
        truth, units = scored_units(gold, answers.offsets, tags), self.view.units
        self.right = np.isin(units.keys, truth.keys)
        correct, wrong = int(self.right.sum()), int((~self.right).sum())
        covered = np.concatenate([[0], np.cumsum(self.view.inside)])
        touched = int((covered[truth.stop] > covered[truth.start]).sum())
        self.score = float(f1(correct, correct + wrong, len(truth.start)))
        self.precision = correct / max(correct + wrong, 1)
        self.replaced = min((touched - correct) / max(wrong, 1), 1.0)  # gold units a wrong one stands for
        self.surer_than = _threshold(self.view.confidence, correct)
        self.likelier_than = _threshold(self.view.overlooked[~self.view.inside], len(truth.start) - touched)

    @cached_property
    def slope(self) -> float:
        """Gain of precision a unit of confidence, over units sorted by confidence; never below 0."""
        order = np.argsort(self.view.confidence, kind="stable")
        bins = [part for part in np.array_split(order, _BINS) if len(part)]
        x = np.array([self.view.confidence[part].mean() for part in bins])
        y = np.array([self.right[part].mean() for part in bins])
        spread = float(((x - x.mean()) ** 2).sum()) if bins else 0.0
        return max(float(((x - x.mean()) * y).sum()) / spread, 0.0) if spread > 1e-9 else 1.0

    def read(self, view: _View, weights: Reals) -> tuple[Reals, Reals]:
        """(W,) the scores by thresholded confidence and by difference of confidences, a weighting (W, N) each."""
        surer = view.confidence >= self.surer_than
        predicted, sure, confidence, more = (weights @ view.by_sentence(surer, view.overlooked >= self.likelier_than)).T
        at_home = self.view.confidence.mean() if len(self.right) else 0.0
        drop = at_home - confidence / np.maximum(predicted, 1.0)
        by_drop = np.clip(self.precision - self.slope * drop, 0.0, 1.0) * predicted
        atc, doc = (f1(n, predicted, n + self.replaced * (predicted - n) + more) for n in (sure, by_drop))
        return atc, doc


def _moved(agreed: Reals, at_home: float, score: float) -> Reals:
    """The score that lies as far from the source's as the agreement from the source's, on the probit scale."""
    return np.asarray(100.0 * ndtr(probit(agreed) - probit(at_home) + probit(score)))


def probit(score: Reals | float) -> Reals:
    """Scores in percent on the probit scale, where 0 and 100 are taken for half a point less extreme."""
    return np.asarray(ndtri(np.clip(np.asarray(score) / 100.0, _EDGE, 1 - _EDGE)))


def _threshold(values: Reals, count: int) -> float:
    """The value that `count` of them reach; above all of them for none."""
    return float(-np.sort(-values)[min(count, len(values)) - 1]) if count > 0 and len(values) else np.inf


def _weights(n: int, seed: int) -> Reals:
    """(1 + rounds, n): every sentence once, then how often each bootstrap sample has it."""
    drawn = np.random.default_rng(seed).multinomial(n, np.full(n, 1.0 / n), size=_ROUNDS)
    return np.concatenate([np.ones((1, n)), drawn])


def _mean(answers: Sequence[Answers]) -> Floats:
    return np.asarray(np.mean([one.probs for one in answers], axis=0, dtype=np.float32))
