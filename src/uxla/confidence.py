"""How sure an answer is: confidences as probabilities, by Platt's scaling, and how far they are from the truth."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from uxla.records import Reals

_BINS = 10
_SMALLEST = 1e-6
FITTED_ON = 20
"""A scaling is fitted on so many answers at least; fewer show nothing."""


class Scaling(NamedTuple):
    """A confidence p becomes σ(scale · logit p + shift) (Platt 1999); scale 1 and shift 0 leave it as it is."""

    scale: float = 1.0
    shift: float = 0.0

    def __call__(self, confidence: Reals) -> Reals:
        """(N,) the calibrated confidences."""
        if self == Scaling():
            return confidence
        return np.asarray(1 / (1 + np.exp(-(self.scale * _logit(confidence) + self.shift))))


def fitted(confidence: Reals, right: Reals) -> Scaling | None:
    """The scaling that is most likely for answers of these confidences (N,) of which these are `right` (1 or 0).

    As Platt has it, right and wrong answers count as nearly sure only, so that it stays finite where all are right.
    Where surer answers are less often right, all get the share of right ones: no scaling turns their order round. None
    for fewer than 20 answers.
    """
    from sklearn.linear_model import LogisticRegression  # late: it takes a second

    if len(right) < FITTED_ON:
        return None
    total = right.sum()
    target = np.where(right > 0, (total + 1) / (total + 2), 1 / (len(right) - total + 2))
    inputs = np.tile(_logit(confidence), 2)[:, None]
    classes = np.repeat([1, 0], len(right))
    model = LogisticRegression(C=1e6).fit(inputs, classes, np.concatenate([target, 1 - target]))
    scale, shift = float(model.coef_[0, 0]), float(model.intercept_[0])
    return Scaling(scale, shift) if scale > 0 else Scaling(0.0, float(_logit(target.mean())))


class Reliability(NamedTuple):
    """Per bin of equal width the mean confidence, the share of right answers, and their number."""

    confidence: Reals
    right: Reals
    size: Reals

    @property
    def error(self) -> float:
        """The expected calibration error (ECE), in percent: the mean distance of the two, over all answers."""
        return 100 * float((self.size * abs(self.confidence - self.right)).sum() / max(self.size.sum(), 1))


def reliability(confidence: npt.ArrayLike, right: npt.ArrayLike) -> Reliability:
    """How often answers are right, by their confidence; both are (N,).

    >>> round(reliability([0.95, 0.95, 0.55, 0.55], [1, 1, 1, 0]).error, 1)
    5.0
    """
    sure, hits = np.asarray(confidence, dtype=np.float64), np.asarray(right, dtype=np.float64)
    place = np.minimum((sure * _BINS).astype(np.int64), _BINS - 1)
    size = np.bincount(place, minlength=_BINS).astype(np.float64)
    mean, share = (np.bincount(place, values, _BINS) / np.maximum(size, 1) for values in (sure, hits))
    return Reliability(mean, share, size)


def _logit(confidence: Reals) -> Reals:
    inside = np.clip(confidence, _SMALLEST, 1 - _SMALLEST)
    return np.asarray(np.log(inside / (1 - inside)))
