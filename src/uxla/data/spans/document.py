"""Character spans: entities as parts of a text, how they become one IOB2 tag a word, and spans again."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

from uxla.data.formats.json_places import Keys
from uxla.data.labels.schemes import OUTSIDE, entity_type
from uxla.errors import DataError
from uxla.raw_text import Place

_BLANKS = re.compile(r"(?:\s|\\n)+")  # Label Studio quotes a line break as two characters, brat as a space
_SHOWN = 40


OFFSETS, UTF_16 = "offsets", "utf-16"
"""The key of a record that says how its offsets count, and its value for UTF-16 units."""
Count = Callable[[str], Sequence[int]]
"""A way to count characters: from a text to the code point of each counted character, and of the end."""


@dataclass(frozen=True, slots=True)
class Span:
    """An entity: `text[start:end]`. `quoted` is its text as the file repeats it, if it does; `confidence` a model's."""

    start: int
    end: int
    label: str
    quoted: str | None = None
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A text, the places of its words, and its spans, which are None if nobody labelled it.

    It stands in `line` of its file, from 1, and begins at `offset` of the text that the file's offsets count in;
    `text_at` leads to it in its record. `cut_by_tool` says that the record named the words.
    """

    text: str
    words: list[Place]
    spans: tuple[Span, ...] | None
    file: Path
    line: int
    offset: int = 0
    text_at: Keys = ("text",)
    cut_by_tool: bool = False

    def cut(self) -> list[str]:
        """The words."""
        return [self.text[start:end] for start, end in self.words]

    def tags(self) -> list[str]:
        """The tag of each word, in IOB2.

        DataError for a span that does not cover whole words, and for two spans that share a word.
        """
        tags = [OUTSIDE] * len(self.words)
        before: Span | None = None
        for span in sorted(set(self.spans or ()), key=lambda span: (span.start, span.end)):
            first, last = self.span_words(span)
            if before is not None and tags[first] != OUTSIDE:
                self.fail(span, f"crosses {self._shown(before)}; a word has one label: keep one of the two")
            tags[first:last] = [f"B-{span.label}", *[f"I-{span.label}"] * (last - first - 1)]
            before = span
        return tags

    def span_words(self, span: Span) -> tuple[int, int]:
        """The first word of a span, and one past its last. Blanks at the ends of a span do not count.

        DataError for a span without a word, and for one that cuts a word.
        """
        size = len(self.text)
        if span.start > span.end:
            self.fail(span, "ends before it begins; exchange the two")
        if not 0 <= span.start <= span.end <= size:
            self.fail(span, f"lies outside the text of {size} characters; count code points from 0{_doubly(self.text)}")
        first = bisect_right(self.words, span.start, key=lambda place: place[1])
        last = bisect_left(self.words, span.end, key=lambda place: place[0])
        if first >= last:
            self.fail(span, "has no word; leave it out")
        ends = (("begins", span.start, self.words[first]), ("ends", span.end, self.words[last - 1]))
        for side, edge, (start, end) in ends:
            if start < edge < end:
                where = f"{self.text[start:end][:_SHOWN]!r} ({self.offset + start}-{self.offset + end})"
                remedy = f"move it to {self.offset + start} or {self.offset + end}{_doubly(self.text)}"
                self.fail(span, f"{side} inside the word {where}; {remedy}")
        return first, last

    def cuts(self, edge: int) -> bool:
        """Whether an offset lies inside a word."""
        word = bisect_left(self.words, edge, key=lambda place: place[0]) - 1
        return word >= 0 and edge < self.words[word][1]

    def fail(self, span: Span, message: str) -> NoReturn:
        """DataError about a span, with its place."""
        raise DataError(f"span {self._shown(span)} {message}", file=self.file, line=self.line)

    def _shown(self, span: Span) -> str:
        text = self.text[max(span.start, 0) : max(span.end, 0)]
        shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
        return f"{self.offset + span.start}-{self.offset + span.end} {shown!r} ({span.label})"


def spans_of(tags: Sequence[str], words: Sequence[Place]) -> list[Span]:
    """The entities of valid IOB2 tags as spans of the text in which the words have these places."""
    spans: list[Span] = []
    for tag, (start, end) in zip(tags, words, strict=True):
        if tag[0] == "B":
            spans.append(Span(start, end, entity_type(tag)))
        elif tag[0] == "I":
            spans[-1] = Span(spans[-1].start, end, spans[-1].label)
    return spans


def in_code_points(text: str, spans: Sequence[Span], offsets: str = "") -> tuple[tuple[Span, ...], Count] | Span:
    """The spans counted in code points, and how they were counted by the tool that wrote them; or the first one that
    does not fit its quoted text, however one counts.

    Browsers count UTF-16 units, and some tools count CR LF as one. `offsets` says that they are `UTF_16`; else what the
    spans quote of the text decides, of all spans of a text alike; where nothing is quoted, it is code points.
    """
    counts: tuple[Count, ...] = (_units,) if offsets == UTF_16 else (_points, _units, _lines)
    for flat in (str, _flat):  # letter by letter, else whatever blanks stand there
        for count in counts:
            places = count(text)
            inside = (0 <= span.start <= span.end < len(places) for span in spans)
            counted = tuple(
                replace(span, start=places[span.start], end=places[span.end]) if yes else span
                for span, yes in zip(spans, inside, strict=True)
            )
            if all(_fits(text, span, flat) for span in counted):
                return counted, count
    return next((span for span in spans if not _fits(text, span, _flat)), spans[0])


def in_units(text: str, spans: Sequence[Span]) -> list[Span]:
    """The spans counted in UTF-16 units."""
    units = _units(text)
    return [replace(span, start=bisect_left(units, span.start), end=bisect_left(units, span.end)) for span in spans]


def fitting(spans: tuple[Span, ...], text: str, path: Path, line: int | None, offsets: str = "") -> tuple[Span, ...]:
    """The spans in code points. DataError for a span whose quoted text is not at its place."""
    counted = in_code_points(text, spans, offsets)
    if isinstance(counted, Span):
        there = text[max(counted.start, 0) : max(counted.end, 0)]
        message = f"the span {counted.start}-{counted.end} ({counted.label}) quotes {counted.quoted!r}"
        problem = f"but {there!r} stands there; were text or offsets changed?"
        if there == counted.quoted:
            problem = f"which is not at these UTF-16 units, but at these code points; leave out {OFFSETS!r}"
        raise DataError(f"{message}, {problem}", file=path, line=line)
    return counted[0]


def _fits(text: str, span: Span, flat: Callable[[str], str]) -> bool:
    return span.quoted is None or flat(text[max(span.start, 0) : span.end]) == flat(span.quoted)


def _flat(text: str) -> str:
    return _BLANKS.sub(" ", text).strip()


def _points(text: str) -> Sequence[int]:
    """The place of each code point of the text, and of the end."""
    return range(len(text) + 1)


def _units(text: str) -> list[int]:
    """The code point of each UTF-16 unit of the text, and of the end."""
    return [i for i, char in enumerate(text) for _ in range(1 + (char > "\uffff"))] + [len(text)]


def _lines(text: str) -> list[int]:
    """The place of each character of the text, and of the end, if CR LF counts as one character."""
    return [i for i in range(len(text)) if text[i - 1 : i + 1] != "\r\n"] + [len(text)]


def _doubly(text: str) -> str:
    counted = any(char > "\uffff" for char in text)
    return " (the text has characters that count twice in a browser: were the offsets made there?)" if counted else ""
