"""Sets of tags: from entity types to label names, and from the tags of a file to indices into them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from uxla.data.schemes import OUTSIDE, entity_type
from uxla.errors import ConfigError


def label_names(types: Iterable[str]) -> tuple[str, ...]:
    """The IOB2 label set of `types`: O, then B and I of each type in alphabetical order.

    >>> label_names(["PER", "LOC"])
    ('O', 'B-LOC', 'I-LOC', 'B-PER', 'I-PER')
    """
    return (OUTSIDE, *(f"{letter}-{type_}" for type_ in sorted(set(types)) for letter in "BI"))


def known_types(names: Iterable[str]) -> list[str]:
    """The types of a label set, sorted."""
    return sorted({entity_type(name) for name in names} - {""})


def tag_ids(names: Sequence[str], label_map: Mapping[str, str | None]) -> dict[str, int]:
    """The index into `names` of every IOB2 tag of a type that `names` or `label_map` has; null makes a type O.

    ConfigError for a map onto a type that is not in `names`.
    """
    index = {name: i for i, name in enumerate(names)}
    known = known_types(names)
    ids = {OUTSIDE: index[OUTSIDE]}
    for type_ in {*known, *label_map}:
        new = label_map.get(type_, type_)
        if new is not None and new not in known:
            raise ConfigError(f"labels: {type_} -> {new}, expected one of {', '.join(known)}, or null for O")
        for letter in "BI":
            ids[f"{letter}-{type_}"] = index[OUTSIDE if new is None else f"{letter}-{new}"]
    return ids


_MISSING = frozenset(
    ("", "_", "-", "--", "\u2013", "\u2014", "?", "nan", "none", "null", "na", "n/a", "#n/a", "<na>", "\\n")
)
_CLASS = frozenset(("none", "na"))  # in small letters these are names of classes


def missing(label: str) -> bool:
    """Whether `label` is a usual sign that a value is missing: empty, `_`, `-`, `NaN`, `None`, `null`, `NA` and so on.

    Blanks around it do not count. `none` and `na` in small letters are no signs: people use them as names of a class.

    >>> [missing(label) for label in ("-", " NaN ", "None", "none", "neutral")]
    [True, True, True, False, False]
    """
    label = label.strip()
    return label.lower() in _MISSING and label not in _CLASS


_LONG = 50  # characters
_UNSEEN = "\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
_ODD = (
    ("has a blank in it", re.compile(r"[^\S\x00-\x1f\x85\u2028\u2029]")),
    ("has a character in it that cannot be seen", re.compile(f"[{_UNSEEN}]")),
    ("has a quotation mark in it", re.compile("[\"'`\xab\xbb\u2018-\u201f]")),
    ("has a bracket in it", re.compile(r"[()\[\]{}<>]")),
    ("has a sign in it that names do not have", re.compile(r"[=,;|*\\^~$%@!?#]")),
    ("has no letter", re.compile(r"\A[\W\d_]*\Z")),
)


def odd_type(name: str) -> str | None:
    """What makes it doubtful that `name` was meant as an entity type; None where nothing does.

    >>> odd_type('DATE" E_OFF="5')
    'has a blank in it'
    """
    if len(name) > _LONG:
        return f"is {len(name)} characters long"
    return next((what for what, pattern in _ODD if pattern.search(name)), None)
