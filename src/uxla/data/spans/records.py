"""Records of annotation tools (doccano, Label Studio, Prodigy): their text, spans and tokens."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from uxla.data.formats.json import Record, is_whole
from uxla.data.formats.json_places import Keys, value_at
from uxla.data.labels.names import missing
from uxla.data.spans.document import OFFSETS, Document, Span, fitting
from uxla.errors import DataError
from uxla.raw_text import Place, split_words

PREDICTED = "predicted"
"""The key under which `uxla predict` adds spans."""
KEYS = ("spans", "entities", "label", "labels", PREDICTED)
"""The usual keys of spans; those that people annotated come first."""
WORDS = ("tokens", "words")
"""The usual keys of words, whose offsets are not spans."""

_START, _END, _LABEL = ("start", "start_offset"), ("end", "end_offset"), ("label", "labels", "type")
_ELSEWHERE = ("data", "meta")
_BLANKS = re.compile(r"\s+")
_SHOWN = 60


def is_spans(record: Mapping[str, Any]) -> bool | None:
    """Whether a record has character spans; None if it has none, but a place for them."""
    if _is_task(record):
        return True
    if not isinstance(record.get("text"), str):
        return False
    if any(_is_list_of(str, record.get(key)) for key in WORDS):
        return False  # a table, with words
    if _key_of_spans(record) is not None:
        return True
    return None if any(record.get(key) == [] for key in KEYS) else False


def document_of(record: Record, path: Path, *, labelled: bool) -> Document:
    """The text of a record with its words and spans. Unless `labelled`, no label is looked at.

    DataError, with its line, for a record without a text, or with something else in place of spans, and for a span
    whose quoted text is not at its place.
    """
    value = record.value
    if _is_task(value):
        text_at, spans_of = _task_text(value, record, path), _task_spans
    else:
        text_at, spans_of = ("text",), _own_spans
    given = spans_of(record, path) if labelled else None
    text = value.get("text") if text_at == ("text",) else value_at(value, text_at)
    if not isinstance(text, str):
        raise DataError(f"no 'text' with a text in it; {_keys(value)}", file=path, line=record.line)
    _refuse_half_pair(text, path, record.line)
    spans = None if given is None else tuple(_span(entry, path, record.line) for entry in given)
    if spans is not None:
        spans = fitting(spans, text, path, record.line, str(value.get(OFFSETS, "")))
    tokens = None if _is_task(value) else _tokens(value.get("tokens"), text, path, record.line)
    words = split_words(text, together=()) if tokens is None else tokens
    return Document(text, words, spans, path, record.line, text_at=text_at, cut_by_tool=tokens is not None)


def placed(record: Mapping[str, Any]) -> Iterator[tuple[Keys, Span]]:
    """Everything in a record that has a start and an end (spans, tokens and others), each with the path to it.

    Data beside the text and metadata are left out: they have no offsets into the text.
    """
    rest: list[tuple[Keys, Any]] = [((key,), entry) for key, entry in record.items() if key not in _ELSEWHERE]
    while rest:
        at, value = rest.pop()
        if isinstance(value, dict | list) and _is_span(value):
            place: Any = value[:2] if isinstance(value, list) else _place(value)
            quoted = value.get("text") if isinstance(value, dict) else None
            if all(map(is_whole, place)):
                start, end = place
                yield at, Span(start, end, "", quoted if isinstance(quoted, str) else None)
        entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        rest += [((*at, key), entry) for key, entry in entries]


def place_keys(entry: Mapping[str, Any] | list[Any]) -> tuple[str | int, str | int]:
    """The keys of the start and the end of an entry."""
    if isinstance(entry, list):
        return 0, 1
    start, end = (next(key for key in keys if key in entry) for keys in (_START, _END))
    return start, end


def _is_task(value: Mapping[str, Any]) -> bool:
    """Whether this is a task in the JSON format of Label Studio."""
    data = value.get("data")
    return isinstance(data, dict) and any(isinstance(cell, str) for cell in data.values()) and "text" not in value


def _task_text(task: Mapping[str, Any], record: Record, path: Path) -> Keys:
    texts = [key for key, value in task["data"].items() if isinstance(value, str)]
    if "text" not in texts and len(texts) != 1:
        message = f"task {record.number}: no text in its data; expected it as data.text, {_keys(task['data'])}"
        raise DataError(message, file=path, line=record.line)
    return ("data", "text" if "text" in texts else texts[0])


def _task_spans(record: Record, path: Path) -> list[Any] | None:
    """The spans of a task; None if nobody labelled it or it was skipped. Predicted ones count only if there is no place
    for annotated ones."""
    task = record.value
    name = next((name for name in ("annotations", "completions") if name in task), "predictions")
    given = task.get(name)
    answers = given if isinstance(given, list) else []
    found: list[list[Any]] = []
    for answer in answers:
        if isinstance(answer, dict) and not answer.get("was_cancelled") and isinstance(answer.get("result"), list):
            found.append([{**region["value"], **_score(region)} for region in answer["result"] if _is_region(region)])
    several = {tuple(sorted(map(repr, values))) for values in found}
    if len(several) > 1:
        message = f"task {record.number}: {len(found)} annotations that differ; keep the one that holds"
        raise DataError(message, file=path, line=record.line)
    return found[0] if found else None


def _score(region: Mapping[str, Any]) -> dict[str, Any]:
    return {"confidence": region["score"]} if "score" in region else {}


def _is_region(region: Any) -> bool:
    return isinstance(region, dict) and isinstance(region.get("value"), dict) and _place(region["value"]) is not None


def _own_spans(record: Record, path: Path) -> list[Any] | None:
    """The spans of a record; None if nobody labelled it, or if its labels were rejected.

    Predicted spans count only if there is no place for annotated ones.
    """
    value = record.value
    if value.get("answer", "accept") != "accept":
        return None
    key = _key_of_spans(value)
    if key is not None:
        return list(value[key])
    odd = next((key for key in KEYS if isinstance(value.get(key), list) and value[key] and key != PREDICTED), None)
    if odd is not None:
        message = f"{odd!r} has something else than spans; expected [start, end, type], or start, end and label by name"
        raise DataError(message, file=path, line=record.line)
    empty = any(value.get(key) == [] for key in KEYS)
    return [] if empty or "answer" in value else None  # Prodigy leaves out what is empty


def _key_of_spans(value: Mapping[str, Any]) -> str | None:
    """The key of the spans, if a record has any: a usual key, or in JSON-min one of the user's."""
    people = [key for key in KEYS if key in value and key != PREDICTED]
    keys = people if any(isinstance(value[key], list) for key in people) else [*people, PREDICTED]
    own = (key for key in value if key not in (*KEYS, *WORDS) and _is_list_of(dict, value[key]))
    keys += [key for key in own if all("labels" in entry for entry in value[key])]
    lists = (key for key in keys if _is_list_of(object, value.get(key)))
    return next((key for key in lists if all(map(_is_span, value[key]))), None)


def _is_list_of(kind: type, cell: Any) -> bool:
    return isinstance(cell, list) and bool(cell) and all(isinstance(entry, kind) for entry in cell)


def _is_span(entry: Any) -> bool:
    if isinstance(entry, list):
        return len(entry) == 3 and all(map(is_whole, entry[:2])) and isinstance(entry[2], str)
    return isinstance(entry, dict) and _place(entry) is not None


def _place(entry: Mapping[str, Any]) -> tuple[Any, Any] | None:
    start, end = (next((entry[key] for key in keys if key in entry), None) for keys in (_START, _END))
    return None if start is None or end is None else (start, end)


def _span(entry: Any, path: Path, line: int) -> Span:
    if isinstance(entry, list):
        start, end, label = entry
        return Span(start, end, entity_label(label, path, line))
    place: Any = _place(entry)
    start, end = place
    if not is_whole(start) or not is_whole(end):
        message = f"a span from {start!r} to {end!r}; expected offsets into a plain text"
        raise DataError(message, file=path, line=line)
    label, quoted = next((entry[key] for key in _LABEL if key in entry), None), entry.get("text")
    confidence = entry.get("confidence", entry.get("score"))
    return Span(
        *(start, end, entity_label(label, path, line), quoted if isinstance(quoted, str) else None),
        confidence=confidence if isinstance(confidence, int | float) else None,
    )


def entity_label(label: Any, path: Path, line: int) -> str:
    """The label as an entity type, with `_` for blanks, since blanks separate tags."""
    if isinstance(label, list) and len(label) == 1:
        [label] = label
    if isinstance(label, list) and len(label) > 1:
        raise DataError(f"a span has {len(label)} labels; a word has one: keep one", file=path, line=line)
    if not isinstance(label, str) or missing(label):
        raise DataError(f"a span has the label {label!r}; give it one, or leave it out", file=path, line=line)
    _refuse_half_pair(label, path, line)
    return _BLANKS.sub("_", label.strip())


def _refuse_half_pair(text: str, path: Path, line: int) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        message = "half a surrogate pair (\\ud800 to \\udfff) in text or label; write the character itself"
        raise DataError(message, file=path, line=line) from None


def _tokens(given: Any, text: str, path: Path, line: int) -> list[Place] | None:
    """The places of the tokens; None if there are none. DataError if they do not fit the text."""
    if not _is_list_of(dict, given) or not all(map(_place, given)):
        return None
    places: list[Place] = []
    end_before = 0
    for number, token in enumerate(given):
        place: Any = _place(token)
        start, end = place if all(map(is_whole, place)) else (-1, -1)
        if not end_before <= start <= end <= len(text) or text[start:end] != token.get("text", text[start:end]):
            message = f"token {number}, {token.get('text')!r}, is not at {place[0]!r}-{place[1]!r}; correct tokens"
            raise DataError(f"{message}, or leave them out", file=path, line=line)
        _refuse_words_between(text, end_before, start, path, line)
        end_before = end
        # a token of white space is no word, one with a blank in it is two
        places += [(start + match.start(), start + match.end()) for match in re.finditer(r"[^\s]+", text[start:end])]
    _refuse_words_between(text, end_before, len(text), path, line)
    return places


def _refuse_words_between(text: str, start: int, end: int, path: Path, line: int) -> None:
    """DataError if there is a word between two tokens."""
    if start < end and split_words(text[start:end], together=()):
        message = f"{text[start:end].strip()[:_SHOWN]!r} is in no token; correct tokens, or leave them out"
        raise DataError(message, file=path, line=line)


def _keys(value: Mapping[str, Any]) -> str:
    return f"the keys are {', '.join(map(str, list(value)[:12]))}"
