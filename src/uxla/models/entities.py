"""From a text to its words, and from their labels back to entities with their places in the text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from uxla.models.mentions import Answer, Guess
from uxla.raw_text import Place


@dataclass(frozen=True, slots=True)
class Entity:
    """A named entity in a text: `text == sentence[start:end]`, counted in code points.

    `confidence` is the mean over its words of the probability of the word's label, calibrated on the source's dev set
    if the run had one; `second` is the second-best label (`O`: no entity) with its share of the remaining probability.

    >>> text, found = "Ana viajó a Lima .", Entity("Lima", "LOC", 12, 16, 0.95)
    >>> text[found.start : found.end] == found.text
    True
    """

    text: str
    label: str
    start: int
    end: int
    confidence: float
    second: Guess = ("O", 0.0)


@dataclass(frozen=True, slots=True)
class Label:
    """The label of a text; `confidence` and `second` as for an `Entity`.

    >>> Label("neutral", 0.9, ("contradiction", 0.08)).second[0]
    'contradiction'
    """

    label: str
    confidence: float
    second: Guess


def entities(text: str, places: Sequence[Place], answer: Answer) -> list[Entity]:
    """The same entities in the text that has words at these places."""
    spans = ((places[found.first][0], places[found.stop - 1][1], found) for found in answer)
    return [Entity(text[start:end], str(found.label), start, end, *found[3:]) for start, end, found in spans]


def tags_of(answer: Answer, words: int) -> list[str]:
    """The same entities as one label a word, in IOB2."""
    tags = ["O"] * words
    for first, stop, label, *_ in answer:
        tags[first:stop] = [f"B-{label}", *[f"I-{label}"] * (stop - first - 1)]
    return tags
