"""From a text to its words, and from their labels back to entities with their places in the text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean
from typing import NamedTuple

import numpy as np

from uxla.metrics import spans_in
from uxla.raw_text import Place
from uxla.records import Ints, Predictions


@dataclass(frozen=True, slots=True)
class Entity:
    """A named entity in a text: `text == sentence[start:end]`, counted in code points.

    `confidence`, between 0 and 1, is the mean over its words of the probability of the word's label.

    >>> text, found = "Ana viajó a Lima .", Entity("Lima", "LOC", 12, 16, 0.95)
    >>> text[found.start : found.end] == found.text
    True
    """

    text: str
    label: str
    start: int
    end: int
    confidence: float


def spans_of(words: Sequence[str]) -> list[Place]:
    """The places of words in their sentence, in which one space stands between two of them."""
    ends = np.cumsum([len(word) + 1 for word in words]).tolist()
    return [(end - 1 - len(word), end - 1) for word, end in zip(words, ends, strict=True)]


class Mention(NamedTuple):
    """What is found in an example: an entity at the words `first:stop`; or the label of a whole text (0:0)."""

    first: int
    stop: int
    label: str
    confidence: float


Answer = list[Mention]
"""All that is found in one example."""


def mentions(found: Predictions, labels: Ints, names: Sequence[str]) -> Iterator[Answer]:
    """The entities of each sentence, in order: `labels` (R,) are valid IOB2."""
    sure = found.probs[np.arange(len(labels)), labels].tolist()
    tags = [names[label] for label in labels.tolist()]
    for start, stop in pairwise(found.offsets.tolist()):
        spans = spans_in(tags[start:stop], "strict")
        yield [Mention(a, b, label, fmean(sure[start + a : start + b])) for label, a, b in spans]


def entities(text: str, places: Sequence[Place], answer: Answer) -> list[Entity]:
    """The same entities in the text that has words at these places."""
    spans = ((places[found.first][0], places[found.stop - 1][1], found) for found in answer)
    return [Entity(text[start:end], found.label, start, end, found.confidence) for start, end, found in spans]


def tags_of(answer: Answer, words: int) -> list[str]:
    """The same entities as one label a word, in IOB2."""
    tags = ["O"] * words
    for first, stop, label, *_ in answer:
        tags[first:stop] = [f"B-{label}", *[f"I-{label}"] * (stop - first - 1)]
    return tags
