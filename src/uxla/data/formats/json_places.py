"""Values of a JSON text written anew where they stand, every other character kept."""

from __future__ import annotations

import json
import re
from collections.abc import Container, Mapping
from typing import Any

Keys = tuple[str | int, ...]
"""How to get to a value: key by key, number by number."""

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},]|[^\s\[\]{}:,"]+')


def value_at(value: Any, keys: Keys) -> Any:
    """The value that one gets to by `keys`."""
    for key in keys:
        value = value[key]
    return value


def with_values(raw: str, values: Mapping[Keys, Any]) -> str:
    """The JSON text with these values in place of those that stand there; new text is escaped where the old one was.

    >>> with_values('{"a": [1,  2], "b":"x"}', {("a", 1): 30, ("b",): "y"})
    '{"a": [1,  30], "b":"y"}'
    """
    done, parts = 0, []
    for keys, (start, end) in sorted(_places(raw, values).items(), key=lambda found: found[1]):
        parts += [raw[done:start], json.dumps(values[keys], ensure_ascii="\\u" in raw[start:end])]
        done = end
    return "".join([*parts, raw[done:]])


def with_entries(raw: str, entries: Mapping[str, Any]) -> str:
    """The JSON object with these entries behind its last one.

    >>> with_entries('{"a": 1 }', {"b": [2]})
    '{"a": 1, "b": [2] }'
    """
    if not entries:
        return raw
    body = raw[:-1].rstrip()
    added = json.dumps(dict(entries), ensure_ascii="\\u" in raw)[1:-1]
    return f"{body}{'' if body == '{' else ', '}{added}{raw[len(body) :]}"


def _places(raw: str, wanted: Container[Keys]) -> dict[Keys, tuple[int, int]]:
    """Where the wanted values stand in a valid JSON text."""
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
