"""Models' labels, and the units that a score counts: entities, or whole examples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from uxla.decoding import decode
from uxla.records import Bools, Floats, Ints, Predictions, Reals


@dataclass(frozen=True, eq=False)
class Answers:
    """What a model says of examples: class probabilities (R, C), and the labels (R,) that are scored."""

    probs: Floats
    labels: Ints
    offsets: Ints

    @classmethod
    def of(cls, table: Predictions, tags: Sequence[str] | None) -> Answers:
        """The labels that a person gets of the predictions; `tags` are the label names for tagging."""
        return cls(table.probs, decode(table, tags), table.offsets)

    def __len__(self) -> int:
        """How many examples there are."""
        return len(self.offsets) - 1

    def part(self, kept: Bools) -> Answers:
        """The rows that are `kept` (R,)."""
        offsets = np.concatenate([[0], np.cumsum(kept)])[self.offsets]
        return Answers(self.probs[kept], self.labels[kept], offsets)


@dataclass(frozen=True)
class ScoredUnits:
    """What a score counts: entities, or whole examples; `start` to before `stop` are rows, all (U,)."""

    start: Ints
    stop: Ints
    label: Ints
    sentence: Ints

    @property
    def keys(self) -> Ints:
        """Equal for equal units: where, how long and what, of 2^20 lengths and labels at most."""
        return (self.start << 40) | ((self.stop - self.start) << 20) | self.label


def scored_units(labels: Ints, offsets: Ints, tags: Sequence[str] | None) -> ScoredUnits:
    """The entities as they are scored, or without `tags` each row."""
    if tags is None:
        rows = np.arange(len(labels))
        return ScoredUnits(rows, rows + 1, labels, rows)
    kinds = sorted({tag[2:] for tag in tags})
    kind = np.array([kinds.index(tag[2:]) for tag in tags])[labels]
    letter = np.array(["OBI".index(tag[0]) for tag in tags])[labels]
    goes_on = np.zeros(len(labels) + 1, dtype=np.bool_)
    goes_on[1:-1] = (letter[1:] == 2) & (kind[1:] == kind[:-1]) & (letter[:-1] > 0)
    goes_on[offsets] = False
    start, ends = np.flatnonzero((letter > 0) & ~goes_on[:-1]), np.flatnonzero(~goes_on)
    stop = ends[np.searchsorted(ends, start, side="right")]
    return ScoredUnits(start, stop, kind[start], np.searchsorted(offsets, start, side="right") - 1)


def agreement_f1(ours: Answers, theirs: Answers, weights: Reals, tags: Sequence[str] | None) -> Reals:
    """(W,) the score of one model's labels with another's as gold, for each weighting (W, N) of the examples."""
    a, b = (scored_units(answers.labels, answers.offsets, tags) for answers in (ours, theirs))
    both, n = a.sentence[np.isin(a.keys, b.keys)], len(ours)
    return f1(*(weights @ np.stack([np.bincount(units, minlength=n) for units in (both, a.sentence, b.sentence)]).T).T)


def f1(correct: Reals | int, predicted: Reals | int, gold: Reals | int) -> Reals:
    """F1 in percent; for units that are whole examples their accuracy. 0 where there are none."""
    return np.asarray(200.0 * np.asarray(correct) / np.maximum(np.asarray(predicted) + gold, 1e-9))
