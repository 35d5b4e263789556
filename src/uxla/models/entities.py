"""From a text to its words, and from their labels back to entities with their places in the text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import regex

from uxla.metrics import spans_in
from uxla.records import Floats

Span = tuple[int, int]
"""Where a word begins and ends in a text: `text[start:end]`, counted in code points."""

_CHUNK = re.compile(r"[^ \t\r\n]+")
_SIGN = r"""[\p{Ps}\p{Pe}\p{Pi}\p{Pf}"'.,;:!?¡¿…。、，；：？！،؛؟।]"""
_SIGNS_AROUND = regex.compile(rf"(?P<before>{_SIGN})*(?P<word>.*?)(?P<after>{_SIGN})*")


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


def word_spans(text: str) -> list[Span]:
    """The places of the words of a running text: what stands between blanks, and each sign around it by itself.

    Signs inside a word stay there, and so do signs that stand alone between blanks.

    >>> text = 'Ana-Li (24) saw "Lima" ...'
    >>> [text[start:end] for start, end in word_spans(text)]
    ['Ana-Li', '(', '24', ')', 'saw', '"', 'Lima', '"', '...']
    """
    return [place for chunk in _CHUNK.finditer(text) for place in _parts(chunk[0], chunk.start())]


def _parts(chunk: str, start: int) -> Iterator[Span]:
    found = _SIGNS_AROUND.fullmatch(chunk)
    assert found is not None
    if not found["word"]:
        yield start, start + len(chunk)
        return
    for place in (*found.spans("before"), found.span("word"), *found.spans("after")):
        yield start + place[0], start + place[1]


def spans_of(words: Sequence[str]) -> list[Span]:
    """The places of words in their sentence, in which one space stands between two of them."""
    ends = np.cumsum([len(word) + 1 for word in words]).tolist()
    return [(end - 1 - len(word), end - 1) for word, end in zip(words, ends, strict=True)]


def entities(text: str, places: Sequence[Span], tags: Sequence[str], probabilities: Floats) -> list[Entity]:
    """The entities of valid IOB2 `tags`, one a word, of the words at `places`; (W,) `probabilities` of the tags."""
    found = []
    for label, first, stop in spans_in(tags, "strict"):
        start, end = places[first][0], places[stop - 1][1]
        found.append(Entity(text[start:end], label, start, end, float(probabilities[first:stop].mean())))
    return found
