"""The roles of a table's columns: as asked for by name or number, else by the usual names of such columns."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

from uxla.errors import ConfigError, DataError, setting

Shape = Literal["tagging", "single", "pair"]
"""What one example is: words with a tag each, one text with a label, or two texts with a label."""

TEXTS: dict[Shape, tuple[str, ...]] = {"tagging": ("tokens",), "single": ("text",), "pair": ("first", "second")}
"""The roles a column can have, in the order in which a file without a header has them."""
LABEL: dict[Shape, str] = {"tagging": "tags", "single": "label", "pair": "label"}
SENTENCE = "sentence"
"""The role of the column that says which words form a sentence, in a table with one row a word."""
Place = Callable[[Sequence[str], int | None], dict[str, int]]
"""A function from the first row of a table (names or cells) and its line to the position of each role's column."""
TEXT_ROLES = frozenset(role for roles in TEXTS.values() for role in roles)
ROLES = TEXT_ROLES | set(LABEL.values())

_USUAL: dict[Shape, tuple[tuple[str, ...], ...]] = {
    "tagging": (("tokens",), ("words",), ("text",), ("word",), ("token",)),
    "single": (("text",), ("sentence",)),
    "pair": (
        ("first", "second"),
        ("premise", "hypothesis"),
        ("premise", "hypo"),
        ("sentence1", "sentence2"),
        ("text1", "text2"),
        ("question1", "question2"),
    ),
}
_USUAL_LABEL: dict[Shape, tuple[str, ...]] = {
    "tagging": ("ner_tags", "tags", "labels", "tag", "ner_tag", "ner"),
    "single": ("label", "category", "labels"),
    "pair": ("label", "gold_label"),
}
_ONLY_OF_WORDS = {"tokens", "words", "word", "token", "ner_tags", "tags", "tag", "ner_tag", "ner"}
_NUMBER = re.compile(r"-?[0-9]{1,9}")
_USUAL_SENTENCE = ("sentence #", "sentence_id", "sent_id", "sentence_number", "sentence_idx", "sentence id")


def usual_shape(names: Sequence[str], columns: Mapping[str, str | int] | None = None) -> Shape | None:
    """What a row of a table is, by the roles in `columns`, else by the columns' names; None if these do not show it."""
    roles = set(columns or ())
    for shape in ("pair", "tagging", "single"):
        if roles & {*TEXTS[shape], LABEL[shape]} - {"label"}:
            return shape
    known = {name.strip().casefold() for name in names}
    if any(known.issuperset(pair) for pair in _USUAL["pair"]):
        return "pair"
    if known & _ONLY_OF_WORDS:
        return "tagging"
    return "single" if any(known.issuperset(text) for text in _USUAL["single"]) else None


def are_columns(names: Sequence[str]) -> bool:
    """Whether columns with usual names of texts are among the names."""
    known = {name.strip().casefold() for name in names}
    return any(known.issuperset(texts) for shape in _USUAL.values() for texts in shape)


def shape_of(names: Sequence[str], columns: Mapping[str, str | int] | None, path: Path) -> Shape:
    """What `usual_shape` finds. DataError if the names do not show what a row is."""
    found = usual_shape(names, columns)
    if found is None:
        remedy = f"name them ({setting('columns', {'text': 'NAME'})}), or give the task"
        raise DataError(f"no columns known as words, text or a pair{_there(names)}; {remedy}", file=path)
    return found


def place_columns(
    names: Sequence[str],
    *,
    shape: Shape,
    columns: Mapping[str, str | int] | None,
    named: bool,
    labelled: bool | None,
    path: Path,
    line: int | None = 1,
    headed: bool = True,
) -> dict[str, int]:
    """The position of the column of each role; that of the label if `labelled`, or if it is None and there is one.

    A role that `columns` leaves out is found by its usual names among the other columns, or by its place where the file
    has no header (`named` False); `headed` says that the names are those of a header, which a file may lack. DataError
    for a column that is not there or has two roles, ConfigError for a role that is none.
    """
    check_roles(shape, columns)
    texts, label = TEXTS[shape], LABEL[shape]
    if shape == "pair" and len(names) < 2:
        raise DataError(f"1 column, expected two texts{_there(names)}", file=path, line=line)
    asked = columns or {}
    if SENTENCE not in asked and shape == "tagging" and named:
        sentence = next((number for number, name in enumerate(names) if name.casefold() in _USUAL_SENTENCE), None)
        asked = asked if sentence is None or sentence in asked.values() else {**asked, SENTENCE: sentence}
    if labelled is False and label in asked and not _is_there(asked[label], names):
        asked = {role: asked[role] for role in asked if role != label}  # a file without labels
    places = {role: position(wanted, names, role, path, line) for role, wanted in asked.items()}
    _refuse_shared(places, names, path, line)
    open_ = [role for role in (*texts, label) if role not in places and (labelled is not False or role != label)]
    found = _by_name(names, shape, places) if named else _by_place(names, shape, places, open_)
    places |= {role: position(found[role], names, role, path, line) for role in open_ if role in found}
    for role in open_:
        if role not in places and (role != label or labelled):
            remedy = f"name it ({setting('columns', {role: 'NAME'})})" + (
                f", or set {setting('header', False)}" if named and headed else ""
            )
            raise DataError(f"no column known as {role}{_there(names)}; {remedy}", file=path, line=line)
    wanted = (*texts, *(() if labelled is False else (label,)), SENTENCE)
    return {role: places[role] for role in wanted if role in places}


def _refuse_shared(places: Mapping[str, int], names: Sequence[str], path: Path, line: int | None) -> None:
    for role, place in places.items():
        first = next(other for other in places if places[other] == place)
        if first != role:
            message = f"{first} and {role} are both column {names[place]!r}; name two columns"
            raise DataError(message, file=path, line=line)


def check_roles(shape: Shape, columns: Mapping[str, str | int] | None) -> None:
    """ConfigError if `columns` names a role that `shape` does not have."""
    roles = (*TEXTS[shape], LABEL[shape], *((SENTENCE,) if shape == "tagging" else ()))
    for role in columns or {}:
        if role not in roles:
            raise ConfigError(f"columns: got {role!r}{_close(role, roles)}, expected {', '.join(roles)}")


def _by_name(names: Sequence[str], shape: Shape, taken: Mapping[str, int]) -> dict[str, str | int]:
    """The columns with usual names, in upper or lower case, for the roles that are not `taken`.

    Two texts are those of one usual pair, else those that go with the one that was named, else any usual half.
    """
    others = [name for place, name in enumerate(names) if place not in taken.values()]
    free = {name.strip().casefold(): name for name in reversed(others)} | {name: name for name in others}
    usual = [dict(zip(TEXTS[shape], pair, strict=True)) for pair in _USUAL[shape]]
    missing = [role for role in TEXTS[shape] if role not in taken]
    asked = {role: names[taken[role]].casefold() for role in TEXTS[shape] if role in taken}

    def fits(pair: Mapping[str, str]) -> tuple[int, int]:
        return sum(pair[role] in free for role in missing), sum(pair[role] == name for role, name in asked.items())

    pair = max(usual, key=fits)
    halves = [pair, *usual]
    found: dict[str, str | int] = {}
    for role in missing:
        found |= next(({role: free[half[role]]} for half in halves if half[role] in free), {})
    labels = (*_USUAL_LABEL[shape], *(("label",) if SENTENCE in taken else ()))  # a row a word has a label a word
    label = next((free[name] for name in labels if name in free), None)
    return found if label is None else {**found, LABEL[shape]: label}


def are_names(cells: Sequence[str], shape: Shape) -> bool:
    """Whether the cells are usual names of columns, with one for each role."""
    return len(set(cells)) == len(cells) and {*TEXTS[shape], LABEL[shape]} <= _by_name(cells, shape, {}).keys()


def _by_place(
    names: Sequence[str], shape: Shape, taken: Mapping[str, int], open_: Sequence[str]
) -> dict[str, str | int]:
    """Columns by position: texts first, then the label. If one is taken, the others in order if there are enough."""
    usual = {role: place for place, role in enumerate((*TEXTS[shape], LABEL[shape])) if role in open_}
    if not set(usual.values()) & set(taken.values()):
        return {role: place for role, place in usual.items() if place < len(names) or role != LABEL[shape]}
    free = [place for place in range(len(names)) if place not in taken.values()]
    return dict(zip(open_, free, strict=True)) if len(free) == len(open_) else {}


def _is_there(wanted: str | int, names: Sequence[str]) -> bool:
    return wanted in names or (isinstance(wanted, int) and -len(names) <= wanted < len(names))


def position(wanted: str | int, names: Sequence[str], role: str, path: Path, line: int | None) -> int:
    """The position of the column `wanted` by name or number. DataError if it does not exist, or twice."""
    if isinstance(wanted, int) and -len(names) <= wanted < len(names):
        return range(len(names))[wanted]
    if list(names).count(str(wanted)) > 1:
        raise DataError(
            f"two columns are called {wanted!r}; rename one, or set {setting('columns')} to a number",
            file=path,
            line=line,
        )
    if wanted in names:
        return list(names).index(str(wanted))
    trimmed = [name.strip() for name in names]
    if trimmed.count(str(wanted)) == 1:  # blanks around a name, as in `id, text`, are not seen
        return trimmed.index(str(wanted))
    close = _close(wanted, names) if isinstance(wanted, str) else ""
    key = "where" if role == "where" else "columns"
    raise DataError(f"no column {wanted!r} for {role}{close}{_there(names)}; set {setting(key)}", file=path, line=line)


def _close(word: str, among: Sequence[str]) -> str:
    close = get_close_matches(word, among, n=1)
    return f" (did you mean {_flat(close[0])}?)" if close else ""


def _there(names: Sequence[str]) -> str:
    flat = map(_flat, names[:12])
    shown = ", ".join(name if len(name) < 40 else f"{name[:37]}..." for name in flat)
    return f"; the columns are {shown}" + (", ..." if len(names) > 12 else "")


def _flat(name: str) -> str:
    """The name on one line. In a header with an unclosed quote it may have several."""
    return " ".join(name.split())


def parse_columns(text: str) -> dict[str, str | int]:
    """The column of each role, by name or number, from `--columns text=2` or `first=premise,second=hypothesis`.

    ConfigError for another form.
    """
    named: dict[str, str | int] = {}
    for part in text.split(","):
        role, _, column = part.partition("=")
        if not role or not column:
            expected = "expected ROLE=COLUMN, as text=2 or first=premise,second=hypothesis"
            raise ConfigError(f"--columns: got {part!r}, {expected}")
        if role in named:
            raise ConfigError(f"--columns: {role} twice, as {named[role]} and {column}; name one column")
        named[role] = int(column) if _NUMBER.fullmatch(column) else column
    return named


SHAPES: dict[str, Shape] = {"ner": "tagging", "nli": "pair", "paraphrase": "pair", "classification": "single"}
"""What one example of a task is."""
