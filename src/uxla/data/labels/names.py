"""Names of labels: signs that a label is missing, and what makes a name doubtful as that of a type."""

from __future__ import annotations

import re
import unicodedata

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
_UNSEEN_IN_NAMES = re.compile(f"(?![\u200c\u200d])[{_UNSEEN}]")
_ODD = (
    ("has a blank in it", re.compile(r"[^\S\x00-\x1f\x85\u2028\u2029]")),
    ("has a character in it that cannot be seen", re.compile(f"[{_UNSEEN}]")),
    ("has a quotation mark in it", re.compile("[\"'`\xab\xbb\u2018-\u201f]")),
    ("has a bracket in it", re.compile(r"[()\[\]{}<>]")),
    ("has a sign in it that names do not have", re.compile(r"[=,;|*\\^~$%@!?#]")),
    ("has no letter", re.compile(r"\A[\W\d_]*\Z")),
)


def has_unseen(name: str) -> bool:
    """Whether `name` has an invisible character, as a zero-width space. Joiners, which scripts need, do not count."""
    return _UNSEEN_IN_NAMES.search(name) is not None


def mixed(name: str) -> bool:
    """Whether `name` mixes scripts whose letters look alike, such as a Cyrillic Р in a Latin PER."""
    scripts = {unicodedata.name(char, "").partition(" ")[0] for char in name if char.isalpha()}
    return len(scripts & {"LATIN", "CYRILLIC", "GREEK"}) > 1


def doubtful_type(name: str) -> str | None:
    """Why `name` is probably not an entity type; None if it may well be one.

    >>> doubtful_type('DATE" E_OFF="5')
    'has a blank in it'
    """
    if len(name) > _LONG:
        return f"is {len(name)} characters long"
    return next((what for what, pattern in _ODD if pattern.search(name)), None)
