"""From probabilities to the labels that are scored, stored and shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from uxla.records import Bools, Ints, Predictions, Reals

_ROWS = 2**16
"""So many rows are decoded together, or one sentence that has more."""


def are_tags(names: Sequence[str]) -> bool:
    """Whether these are the labels of words in IOB2: O, and B and I of types.

    >>> are_tags(["O", "B-PER", "I-PER"]), are_tags(["good", "poor"])
    (True, False)
    """
    return "O" in names and all(name[:2] in ("O", "B-", "I-") for name in names)


def decode(predictions: Predictions, tags: Sequence[str] | None) -> Ints:
    """(R,) the most probable labels. With `tags`, the IOB2 label names, of each sentence the sequence of the largest
    sum of log probabilities among those that are valid: no I-TYPE but behind B-TYPE or I-TYPE (Viterbi).

    Without `tags` each row has its most probable label. Ties go to the lower label.
    """
    labels = predictions.pseudo_labels
    if tags is None:
        return labels
    scheme = _Scheme.of(tags)
    broken = np.unique(
        np.searchsorted(predictions.offsets, np.flatnonzero(scheme.orphans(labels, predictions.offsets)), side="right")
    )
    labels = labels.copy()
    for sentences in _together(broken - 1, np.diff(predictions.offsets)):
        _viterbi(predictions, sentences, scheme, labels)
    return labels


@dataclass(frozen=True)
class _Scheme:
    """`inside` (K,) are the labels I-TYPE, `before` (K,) the B-TYPE of the same, or `inside` itself without one;
    `kind` (C,) numbers the types, -1 for O."""

    inside: Ints
    before: Ints
    kind: Ints

    @classmethod
    def of(cls, tags: Sequence[str]) -> _Scheme:
        place = {tag: i for i, tag in enumerate(tags)}
        types = {tag[2:]: i for i, tag in enumerate(tags) if tag[:2] in ("B-", "I-")}
        inside = [i for i, tag in enumerate(tags) if tag.startswith("I-")]
        before = [place.get(f"B-{tags[i][2:]}", i) for i in inside]
        kind = [types[tag[2:]] if tag[:2] in ("B-", "I-") else -1 for tag in tags]
        return cls(np.array(inside, dtype=np.int64), np.array(before, dtype=np.int64), np.array(kind))

    def orphans(self, labels: Ints, offsets: Ints) -> Bools:
        """(R,) where a label I-TYPE stands behind neither B-TYPE nor I-TYPE."""
        kind, follows = self.kind[labels], np.zeros(len(labels), dtype=np.bool_)
        follows[1:] = kind[1:] == kind[:-1]
        follows[offsets[:-1][np.diff(offsets) > 0]] = False
        return np.asarray(np.isin(labels, self.inside) & ~follows)


def _together(sentences: Ints, lengths: Ints) -> Iterator[Ints]:
    """The sentences in groups of about `_ROWS` rows, in each the longest first."""
    ordered = sentences[np.argsort(-lengths[sentences], kind="stable")]
    group = np.cumsum(lengths[ordered]) // _ROWS
    ends = [0, *(np.flatnonzero(np.diff(group)) + 1), len(ordered)]
    return (ordered[start:stop] for start, stop in pairwise(ends) if stop > start)


def _viterbi(predictions: Predictions, sentences: Ints, scheme: _Scheme, labels: Ints) -> None:
    """Write the best valid labels of `sentences`, the longest first, into `labels`: all of them word by word."""
    starts, lengths = predictions.offsets[sentences], np.diff(predictions.offsets)[sentences]
    longest = int(lengths[0])
    going_on = [int(n) for n in len(lengths) - np.searchsorted(lengths[::-1], np.arange(longest), side="right")]
    score = _logs(predictions, starts)
    score[:, scheme.inside] = -np.inf
    came_from = []
    for t in range(1, longest):
        n = going_on[t]
        best, origin = _step(score[:n], scheme)
        score[:n] = best + _logs(predictions, starts[:n] + t)
        came_from.append(origin)
    label = score.argmax(axis=1)
    for t in range(longest - 1, 0, -1):
        n = going_on[t]
        labels[starts[:n] + t] = label[:n]
        label[:n] = came_from[t - 1][np.arange(n), label[:n]]
    labels[starts] = label


def _step(score: Reals, scheme: _Scheme) -> tuple[Reals, npt.NDArray[np.int32]]:
    """(n, C) the best score of a way to each next label, and the label that it comes from."""
    anything = score.argmax(axis=1)
    origin = np.repeat(anything.astype(np.int32)[:, None], score.shape[1], axis=1)
    begun, gone_on = score[:, scheme.before], score[:, scheme.inside]
    origin[:, scheme.inside] = np.where(begun >= gone_on, scheme.before, scheme.inside)
    return np.take_along_axis(score, origin, axis=1), origin


def _logs(predictions: Predictions, rows: Ints) -> Reals:
    probs = predictions.probs[rows]
    return np.log(np.maximum(probs, np.finfo(np.float32).tiny), dtype=np.float64)
