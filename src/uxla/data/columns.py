"""Which column of a table is what: asked for by name or number, or found by the names such columns usually have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

from uxla.errors import ConfigError, DataError

Shape = Literal["tagging", "single", "pair"]
"""What one example is: words with a tag each, one text, or two texts; the latter two with one label."""

TEXTS: dict[Shape, tuple[str, ...]] = {"tagging": ("tokens",), "single": ("text",), "pair": ("first", "second")}
"""The roles a column can have, in the order in which a file without a header has them."""
LABEL: dict[Shape, str] = {"tagging": "tags", "single": "label", "pair": "label"}

_USUAL: dict[Shape, tuple[tuple[str, ...], ...]] = {
    "tagging": (("tokens",), ("words",), ("text",)),
    "single": (("text",), ("sentence",)),
    "pair": (("first", "second"), ("premise", "hypothesis"), ("sentence1", "sentence2"), ("text1", "text2")),
}
_USUAL_LABEL: dict[Shape, tuple[str, ...]] = {
    "tagging": ("ner_tags", "tags", "labels"),
    "single": ("label", "category", "labels"),
    "pair": ("label", "gold_label"),
}


def place_columns(
    names: Sequence[str],
    *,
    shape: Shape,
    columns: Mapping[str, str | int] | None,
    named: bool,
    labelled: bool | None,
    path: Path,
    line: int | None = 1,
) -> dict[str, int]:
    """The position of each role's column among `names`, the label's only if `labelled`, or None and there is one.

    A role that `columns` leaves out is found by its usual names, or by its place where the file has no header (`named`
    False). DataError for a column that is not there, ConfigError for a role that is none.
    """
    check_roles(shape, columns)
    asked = columns or {}
    roles = (*TEXTS[shape], *(() if labelled is False else (LABEL[shape],)))
    if shape == "pair" and len(names) < 2:
        raise DataError(f"1 column, expected two texts{_there(names)}", file=path, line=line)
    usual = _usual(names, shape) if named else {role: str(i) for i, role in enumerate((*TEXTS[shape], LABEL[shape]))}
    places: dict[str, int] = {}
    for role in roles:
        wanted = asked.get(role, usual.get(role))
        if labelled is None and role not in asked and role == LABEL[shape] and wanted not in names:
            continue
        if wanted is None:
            remedy = f"name it (columns: {{{role}: NAME}})" + (", or set header: false" if named else "")
            raise DataError(f"no column known as {role}{_there(names)}; {remedy}", file=path, line=line)
        places[role] = _position(wanted, names, role, path, line)
    return places


def check_roles(shape: Shape, columns: Mapping[str, str | int] | None) -> None:
    """ConfigError if `columns` names a role that `shape` does not have."""
    roles = (*TEXTS[shape], LABEL[shape])
    for role in columns or {}:
        if role not in roles:
            raise ConfigError(f"columns: got {role!r}{_close(role, roles)}, expected {', '.join(roles)}")


def _usual(names: Sequence[str], shape: Shape) -> dict[str, str]:
    found = next((texts for texts in _USUAL[shape] if set(texts) <= set(names)), ())
    label = next((name for name in _USUAL_LABEL[shape] if name in names), None)
    return dict(zip(TEXTS[shape], found, strict=False)) | ({} if label is None else {LABEL[shape]: label})


def _position(wanted: str | int, names: Sequence[str], role: str, path: Path, line: int | None) -> int:
    if isinstance(wanted, int) and -len(names) <= wanted < len(names):
        return range(len(names))[wanted]
    if list(names).count(str(wanted)) > 1:
        raise DataError(
            f"two columns are called {wanted!r}; rename one, or set columns to a number", file=path, line=line
        )
    if wanted in names:
        return list(names).index(str(wanted))
    close = _close(wanted, names) if isinstance(wanted, str) else ""
    raise DataError(f"no column {wanted!r} for {role}{close}{_there(names)}; set columns", file=path, line=line)


def _close(word: str, among: Sequence[str]) -> str:
    close = get_close_matches(word, among, n=1)
    return f" (did you mean {_flat(close[0])}?)" if close else ""


def _there(names: Sequence[str]) -> str:
    flat = map(_flat, names[:12])
    shown = ", ".join(name if len(name) < 40 else f"{name[:37]}..." for name in flat)
    return f"; the columns are {shown}" + (", ..." if len(names) > 12 else "")


def _flat(name: str) -> str:
    """The name on one line: a header with an unclosed quote has lines in it."""
    return " ".join(name.split())


def parse_columns(text: str) -> dict[str, str | int]:
    """What `--columns` says, as `text=2` or `first=premise,second=hypothesis`: the column of each role, by name or
    number. Raises `ConfigError`."""
    named: dict[str, str | int] = {}
    for part in text.split(","):
        role, _, column = part.partition("=")
        if not role or not column:
            expected = "expected ROLE=COLUMN, as text=2 or first=premise,second=hypothesis"
            raise ConfigError(f"--columns: got {part!r}, {expected}")
        named[role] = int(column) if column.isdecimal() and len(column) < 10 else column
    return named
