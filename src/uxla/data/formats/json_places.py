"""Replacing values within a JSON text, and adding entries to it, without changing any other character."""

from __future__ import annotations

import json
import re
from collections.abc import Container, Mapping
from typing import Any

Keys = tuple[str | int, ...]
"""The path to a value: the keys of objects and the positions in arrays."""

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},]|[^\s\[\]{}:,"]+')


def value_at(value: Any, keys: Keys) -> Any:
    """The value at the path `keys`."""
    for key in keys:
        value = value[key]
    return value


def with_values(raw: str, values: Mapping[Keys, Any]) -> str:
    """The JSON text with other values at these paths. A new text is escaped if the old one was.

    >>> with_values('{"a": [1,  2], "b":"x"}', {("a", 1): 30, ("b",): "y"})
    '{"a": [1,  30], "b":"y"}'
    """
    done, parts = 0, []
    for keys, (start, end) in sorted(_places(raw, values).items(), key=lambda found: found[1]):
        parts += [raw[done:start], json.dumps(values[keys], ensure_ascii="\\u" in raw[start:end])]
        done = end
    return "".join([*parts, raw[done:]])


def with_entries(raw: str, entries: Mapping[str, Any]) -> str:
    """The JSON object with these entries added at its end.

    >>> with_entries('{"a": 1 }', {"b": [2]})
    '{"a": 1, "b": [2] }'
    """
    if not entries:
        return raw
    body = raw[:-1].rstrip()
    added = json.dumps(dict(entries), ensure_ascii="\\u" in raw)[1:-1]
    return f"{body}{'' if body == '{' else ', '}{added}{raw[len(body) :]}"


def _places(raw: str, wanted: Container[Keys]) -> dict[Keys, tuple[int, int]]:
    """The start and end of each wanted value in a valid JSON text."""
    found: dict[Keys, tuple[int, int]] = {}
    starts: list[int] = []
    keys: list[str | int | None] = []  # of the value at hand; None: a key comes first
    for match in _TOKEN.finditer(raw):
        token, start = match[0], match.start()
        if token in "[{":
            starts.append(start)
            keys.append(0 if token == "[" else None)
            continue
        if token == ",":
            last = keys[-1]
            keys[-1] = last + 1 if isinstance(last, int) else None
            continue
        if token in "]}":
            keys.pop()
            start = starts.pop()
        elif keys and keys[-1] is None:
            keys[-1] = json.loads(token)
            continue
        if keys and tuple(keys) in wanted:
            found[tuple(key for key in keys if key is not None)] = start, match.end()
    return found
