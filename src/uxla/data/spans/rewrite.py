"""Records with character spans and other words: the offsets are moved, and nothing else changes."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from uxla.data.formats.json import is_array
from uxla.data.formats.json_places import Keys, value_at, with_entries, with_values
from uxla.data.spans.document import OFFSETS, Count, Span, in_code_points
from uxla.data.spans.file import Entry, SpanFile
from uxla.data.spans.records import place_keys, placed
from uxla.errors import ConfigError
from uxla.raw_text import Place, split_words


@dataclass(frozen=True)
class Moved:
    """A text with other words, and the new place of each old one."""

    text: str
    old: list[Place]
    new: list[Place]

    def start(self, place: int) -> int:
        """Where something starts now that started at `place`, which is not inside a word."""
        before = bisect_right(self.old, place, key=lambda word: word[1])
        if before < len(self.old) and self.old[before][0] == place:
            return self.new[before][0]
        return self.end(place)

    def end(self, place: int) -> int:
        """Where something ends now that ended at `place`: at the end of the same word."""
        before = bisect_right(self.old, place, key=lambda word: word[1])
        return place + (self.new[before - 1][1] - self.old[before - 1][1] if before else 0)


def moved(text: str, places: list[Place], words: Sequence[str]) -> Moved:
    """The text with `words` at `places`, all that stands between them kept. Where a new word would grow together with
    its neighbour there is a space between them: else a span could end inside a word.

    >>> moved("a b", [(0, 1), (2, 3)], ["long", "b"]).start(2)
    5
    """
    gaps = [end for place in places for end in place]
    between = [text[start:end] for start, end in zip([0, *gaps[1::2]], [*gaps[::2], len(text)], strict=True)]
    for i, (left, right) in enumerate(pairwise(words), start=1):
        unchanged = left + right == text[places[i - 1][0] : places[i][1]]
        if not between[i] and not unchanged and _grow_together(left, right):
            between[i] = " "
    new: list[Place] = []
    at = 0
    for gap, word in zip(between, words, strict=False):
        new.append((at + len(gap), at + len(gap) + len(word)))
        at = new[-1][1]
    whole = "".join(gap + word for gap, word in zip(between, [*words, ""], strict=True))
    return Moved(whole, places, new)


def _grow_together(left: str, right: str) -> bool:
    return any(start < len(left) < end for start, end in split_words(left + right, together=()))


def rewritten(entry: Entry, words: Sequence[str], added: Mapping[str, Any]) -> str:
    """The record's JSON with other words, as many as before, all its offsets and quotes moved along, and with these
    entries at its end. DataError as from `spans_in`."""
    record, document = entry
    change = moved(document.text, document.words, words)
    values: dict[Keys, Any] = {} if change.text == document.text else {document.text_at: change.text}
    spans, count = spans_in(entry)
    counted = count(change.text)
    for keys, span in spans:
        start, end = change.start(span.start), change.end(span.end)
        first, last = place_keys(value_at(record.value, keys))
        values |= {(*keys, first): bisect_left(counted, start), (*keys, last): bisect_left(counted, end)}
        if span.quoted is not None and change.text[start:end] != document.text[span.start : span.end]:
            values[(*keys, "text")] = change.text[start:end]
    return with_entries(with_values(record.raw, values), added)


def spans_in(entry: Entry) -> tuple[list[tuple[Keys, Span]], Count]:
    """All spans and tokens of a record, whoever set them, how one gets to each, and how they were counted.

    DataError for one that could not be moved: one that begins or ends inside a word or outside the text, or quotes
    another.
    """
    record, document = entry
    given = list(placed(record.value))
    found = in_code_points(document.text, [span for _, span in given], str(record.value.get(OFFSETS, "")))
    if isinstance(found, Span):
        document.fail(found, f"quotes {found.quoted!r}; were text or offsets changed?")
    counted, count = found
    for span in counted:
        if (
            document.cuts(span.start)
            or document.cuts(span.end)
            or not 0 <= span.start <= span.end <= len(document.text)
        ):
            document.span_words(span)
    return [(keys, span) for (keys, _), span in zip(given, counted, strict=True)], count


def spans_written_as(file: SpanFile, out: Path) -> str:
    """`array` in `.json`, else `jsonl`: an array stays one, brat, which has two files, becomes what doccano has.
    ConfigError for a name that does not fit."""
    array = not file.is_brat and is_array(file.path, file.encoding)
    expected = (".json",) if array else (".jsonl", ".ndjson", ".json")
    if out.suffix.lower() not in expected:
        message = f"text with character spans is written as JSON; expected a name in {expected[0]}"
        raise ConfigError(f"--out {out}: {message}")
    return "array" if out.suffix.lower() == ".json" else "jsonl"
