"""Columns that were derived from the text, such as offsets or words, and would not fit another text."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from uxla.data.formats.json import is_whole

_NAME = re.compile(
    r"(?:(?:answer|char|character|span|entity|ent|mention|text)_?)?"
    r"(?:start|begin|end|stop|offset)s?(?:_?(?:offset|char|character|idx|index|pos|position)s?)?"
)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_SPANS = re.compile(r"span|entit|offset|mention|annotation")
_LISTS = re.compile(r"\s*[\[{(].*[\]})]\s*", re.DOTALL)
_LONGEST = 100_000
_NUMBERS = re.compile(r"(?:.*_)?(?:input_ids|token_ids|embeddings?|vectors?)")
_LENGTH = re.compile(r"(?:(?:text|sentence)_?)?(?:length|len)|(?:n|num)_(?:chars?|characters?)|chars?_count")


def offset_column(row: Mapping[str, Any], texts: Collection[str]) -> str | None:
    """The first column, other than those of the texts, with what looks like offsets into a text; None if there is none.

    Offsets are numbers called start, end or offset, or lists of [start, end, ...].

    >>> offset_column({"text": "ko mira", "label": [[3, 7, "PER"]]}, ["text"])
    'label'
    >>> offset_column({"text": "ko mira", "label": 3, "tokens": ["ko", "mira"]}, ["text"])
    """
    others = ((name, cell) for name, cell in row.items() if name not in texts)
    return next((name for name, cell in others if any(_are_offsets(*each) for each in _entries(name, cell))), None)


def copied_column(row: Mapping[str, Any], texts: Mapping[str, str]) -> str | None:
    """The first column of a row, besides its `texts` by their columns, that repeats one of them, whole or as a list of
    words, or that has what was made of it: numbers of its pieces, a vector, its length in characters. None where there
    is none.

    >>> copied_column({"text": "ko mira", "words": ["ko", "mira"]}, {"text": "ko mira"})
    'words'
    """
    several = [text.split() for text in texts.values() if len(text.split()) > 1]
    lengths = {len(text) for text in texts.values()}
    for name, cell in row.items():
        called = _CAMEL.sub("_", name).lower()
        value = _literal(cell, name) if isinstance(cell, str) else cell
        words = value if isinstance(value, list) else value.split() if isinstance(value, str) else []
        numbers = bool(words) and isinstance(words[0], int | float) and _NUMBERS.fullmatch(called)
        length = is_whole(value) and value in lengths and _LENGTH.fullmatch(called)
        if name not in texts and (words in several or numbers or length):
            return name
    return None


def _entries(name: str, cell: Any) -> Iterator[tuple[str, Any]]:
    """A cell and all values within it, each with the name of the nearest key."""
    if isinstance(cell, str):
        cell = _literal(cell, name)
    rest = [(name, cell)]
    while rest:
        key, value = rest.pop()
        yield key, value
        if isinstance(value, dict):
            rest += [(str(inner), entry) for inner, entry in value.items()]
        elif isinstance(value, list | tuple):
            rest += [(key, entry) for entry in value]


def _literal(cell: str, name: str) -> Any:
    """The list or number that a text represents; another text stays as it is."""
    if len(cell) > _LONGEST or not (_LISTS.fullmatch(cell) or cell.isdigit()):
        return cell
    try:
        return ast.literal_eval(cell)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return cell


def _are_offsets(name: str, value: Any) -> bool:
    words = _CAMEL.sub("_", name).lower()
    if isinstance(value, list | tuple) and len(value) >= 2:
        pair = all(is_whole(entry) for entry in value[:2]) and value[0] <= value[1]
        labelled = len(value) > 2 and any(isinstance(entry, str) for entry in value[2:])
        return pair and (labelled or (len(value) == 2 and _SPANS.search(words) is not None))
    return is_whole(value) and _NAME.fullmatch(words) is not None
