"""From probabilities to answers: entities or the label of a text, how sure each is, and what it would be else."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean
from typing import NamedTuple

import numpy as np

from uxla.confidence import Scaling
from uxla.decoding import decode
from uxla.metrics import spans_in
from uxla.records import Ints, Predictions, Reals

Guess = tuple[str, float]
"""A label and its probability."""

_AS_IT_IS = Scaling()
_OUTSIDE = "O"


class Mention(NamedTuple):
    """What is found in an example: an entity at the words `first:stop`; or the label of a whole text (0:0).

    `second` is the label that would be next, of an entity also `O`.
    """

    first: int
    stop: int
    label: str | None
    confidence: float
    second: Guess = (_OUTSIDE, 0.0)


Answer = list[Mention]
"""All that is found in one example."""


def mentions(found: Predictions, names: Sequence[str], *, words: bool, scaling: Scaling = _AS_IT_IS) -> list[Answer]:
    """What is found in each example: the entities of `words`, in order, or one label.

    A label is as sure as its probability, an entity as the mean over its words of the probability of the word's label;
    `scaling` makes a calibrated confidence of it. What is left to 1 goes to the other types by how likely it is that
    the first word has B of the type, the others I, and that the word behind does not continue it, as if words were
    independent; and to `O` for all words. No second label is surer than the first.
    """
    return _entities(found, names, scaling) if words else _labels(found, names, scaling)


def _labels(found: Predictions, names: Sequence[str], scaling: Scaling) -> list[Answer]:
    labels, options = decode(found, None), found.probs.astype(np.float64)
    sure = zip(*_sure(scaling(options[np.arange(len(labels)), labels]), options, labels), strict=True)
    return [[Mention(0, 0, names[a], p, (names[b], q))] for a, (p, b, q) in zip(labels, sure, strict=True)]


def _entities(found: Predictions, names: Sequence[str], scaling: Scaling) -> list[Answer]:
    labels = decode(found, names)
    tags, of_words = [names[label] for label in labels], found.probs[np.arange(len(labels)), labels].tolist()
    spans = [list(spans_in(tags[start:stop], "strict")) for start, stop in pairwise(found.offsets.tolist())]
    places = [
        (start + a, start + b, stop, label)
        for (start, stop), row in zip(pairwise(found.offsets.tolist()), spans, strict=True)
        for label, a, b in row
    ]
    if not places:
        return [[] for _ in spans]
    types = list(dict.fromkeys(name[2:] for name in names if name[:2] in ("B-", "I-")))
    chosen = np.array([types.index(label) for *_, label in places])
    edges = np.array([place[:3] for place in places])
    own = scaling(np.array([fmean(of_words[first:stop]) for first, stop, *_ in places]))
    sure = zip(*_sure(own, _of_types(found, edges, types, names), chosen), strict=True)
    others = [*types, _OUTSIDE]
    guesses = ((p, (others[second], q)) for p, second, q in sure)
    return [[Mention(first, stop, label, *next(guesses)) for label, first, stop in row] for row in spans]


def _sure(sure: Reals, options: Reals, chosen: Ints) -> tuple[list[float], list[int], list[float]]:
    """How `sure` (N,) the chosen one of each row's options (N, K) is, the next one, and how sure that would be."""
    rows = np.arange(len(options))
    others = options.copy()
    others[rows, chosen] = 0
    second = np.argsort(-others, axis=1, kind="stable")[:, 0]
    left = (1 - sure) * others[rows, second] / np.maximum(others.sum(axis=1), np.finfo(np.float64).tiny)
    return sure.tolist(), second.tolist(), np.minimum(left, sure).tolist()


def _of_types(found: Predictions, edges: Ints, types: Sequence[str], names: Sequence[str]) -> Reals:
    """(N, K + 1) how sure it is that the words are an entity of each type, and last, that they are none.

    `edges` (N, 3) are the first row of each entity, the row behind it, and the row behind its sentence.
    """
    places = {name: i for i, name in enumerate(names)}
    inside = np.array([places.get(f"I-{type_}", len(names)) for type_ in types])
    begin = np.array([places.get(f"B-{type_}", place) for type_, place in zip(types, inside, strict=True)])
    probs = np.pad(found.probs.astype(np.float64), ((0, 1), (0, 1)))  # no label, and the word behind the last: 0
    first, stop, end = edges.T
    behind = np.where(stop < end, stop, len(probs) - 1)
    sure = probs[first[:, None], begin] * (1 - probs[behind[:, None], inside])
    outside = probs[first, places[_OUTSIDE]]
    for step in range(1, int((stop - first).max())):
        longer = first + step < stop
        sure[longer] *= probs[(first + step)[longer, None], inside]
        outside[longer] *= probs[(first + step)[longer], places[_OUTSIDE]]
    return np.column_stack([sure, outside])
