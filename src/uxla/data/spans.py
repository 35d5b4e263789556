"""Character spans: entities as stretches of a text, and how they become one IOB2 tag a word, and spans again."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NoReturn

from uxla.data.schemes import OUTSIDE, entity_type
from uxla.data.tokens import Place
from uxla.errors import DataError

_BLANKS = re.compile(r"(?:\s|\\n)+")  # Label Studio quotes a line break as two characters, brat as a space
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Span:
    """An entity: `text[start:end]`; `quoted` is what the file repeats of it, if it does."""

    start: int
    end: int
    label: str
    quoted: str | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A text, the places of its words, and the spans in it; None: nobody looked for any.

    `lines` are the first words of its sentences, with the line of the file, from 1, that each begins in.
    """

    text: str
    words: list[Place]
    spans: tuple[Span, ...] | None
    sentences: tuple[tuple[int, int], ...]
    file: Path
    where: str = ""
    """What stands before a message: which record it is, where a line does not tell."""

    def sentence_words(self) -> list[list[str]]:
        """The words of each sentence."""
        words = [self.text[start:end] for start, end in self.words]
        return [words[first:last] for first, last in self._bounds()]

    def sentence_tags(self) -> list[list[str]]:
        """The tags of each sentence's words, in IOB2. DataError for a span that is no row of whole words, and for two
        that share a word."""
        tags = [OUTSIDE] * len(self.words)
        before: Span | None = None
        starts = {first for first, _ in self.sentences}
        for span in sorted(set(self.spans or ()), key=lambda span: (span.start, span.end)):
            first, last = self.span_words(span)
            if before is not None and tags[first] != OUTSIDE:
                self.fail(span, f"crosses {_shown(self, before)}; a word has one label: keep one of the two")
            if starts & set(range(first + 1, last)):
                self.fail(span, "goes on behind a line break, where a sentence ends; cut it in two")
            tags[first:last] = [f"B-{span.label}", *[f"I-{span.label}"] * (last - first - 1)]
            before = span
        return [tags[first:last] for first, last in self._bounds()]

    def span_words(self, span: Span) -> tuple[int, int]:
        """The first word of a span, and one past its last. Blanks at the ends of a span do not count. DataError for a
        span that has no word, or not whole ones."""
        size = len(self.text)
        if span.start > span.end:
            self.fail(span, "ends before it begins; exchange the two")
        if not 0 <= span.start <= span.end <= size:
            self.fail(span, f"lies outside the text of {size} characters; count code points from 0{_doubly(self.text)}")
        first = bisect_right(self.words, span.start, key=lambda place: place[1])
        last = bisect_left(self.words, span.end, key=lambda place: place[0])
        if first >= last:
            self.fail(span, "has no word; leave it out")
        for side, edge, (start, end) in (
            ("begins", span.start, self.words[first]),
            ("ends", span.end, self.words[last - 1]),
        ):
            if start < edge < end:
                word = self.text[start:end]
                remedy = f"move it to {start} or {end}{_doubly(self.text)}"
                self.fail(span, f"{side} inside the word {word[:_SHOWN]!r} ({start}-{end}); {remedy}")
        return first, last

    def fail(self, span: Span, message: str) -> NoReturn:
        """DataError about a span, with its place."""
        before = (line for first, line in reversed(self.sentences) if self._begins(first) <= max(span.start, 0))
        raise DataError(f"{self.where}span {_shown(self, span)} {message}", file=self.file, line=next(before, None))

    def _begins(self, word: int) -> int:
        return self.words[word][0] if word else 0

    def _bounds(self) -> list[tuple[int, int]]:
        return list(pairwise([*(first for first, _ in self.sentences), len(self.words)]))


def spans_of(tags: Sequence[str], words: Sequence[Place]) -> list[Span]:
    """The entities of valid IOB2 tags, one a word, as spans of the text in which the words have these places."""
    spans: list[Span] = []
    for tag, (start, end) in zip(tags, words, strict=True):
        if tag[0] == "B":
            spans.append(Span(start, end, entity_type(tag)))
        elif tag[0] == "I":
            spans[-1] = Span(spans[-1].start, end, spans[-1].label)
    return spans


def in_code_points(text: str, spans: Sequence[Span]) -> tuple[Span, ...] | Span:
    """The spans counted in code points, whatever the tool counted in that wrote them; or the first one that does not
    fit its quoted text, however one counts.

    Browsers count UTF-16 units, and some tools count CR LF as one. What the spans quote of the text decides, of all
    spans of a text alike; where nothing is quoted, it is code points.
    """
    for places in (None, _units(text), _lines(text)):
        counted = [_recounted(span, places) for span in spans]
        if all(_fits(text, span) for span in counted):
            return tuple(counted)
        if places is None:
            wrong = next(span for span in spans if not _fits(text, span))
    return wrong


def _fits(text: str, span: Span) -> bool:
    return span.quoted is None or _flat(text[max(span.start, 0) : span.end]) == _flat(span.quoted)


def _flat(text: str) -> str:
    return _BLANKS.sub(" ", text).strip()


def _recounted(span: Span, places: Sequence[int] | None) -> Span:
    if places is None or not 0 <= span.start <= span.end < len(places):
        return span
    return Span(places[span.start], places[span.end], span.label, span.quoted)


def _units(text: str) -> list[int]:
    """For each UTF-16 unit of the text, and the end, the code point it belongs to."""
    return [i for i, char in enumerate(text) for _ in range(1 + (char > "\uffff"))] + [len(text)]


def _lines(text: str) -> list[int]:
    """For each character of the text, were CR LF one character, its place in the text."""
    return [i for i in range(len(text)) if text[i - 1 : i + 1] != "\r\n"] + [len(text)]


def _doubly(text: str) -> str:
    counted = any(char > "\uffff" for char in text)
    return " (the text has characters that count twice in a browser: were the offsets made there?)" if counted else ""


def _shown(document: Document, span: Span) -> str:
    text = document.text[max(span.start, 0) : max(span.end, 0)]
    shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
    return f"{span.start}-{span.end} {shown!r} ({span.label})"
