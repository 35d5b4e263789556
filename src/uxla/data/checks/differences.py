"""Differences between two files that should be alike: source and target, or training and test data."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping

import numpy as np

from uxla.data.checks.doubts import Doubt
from uxla.data.checks.statistics import Statistics
from uxla.phrases import listed, seen

UNSPACED = 12
"""If words have more characters than this on average, the text probably has no spaces between words."""
_FEWEST = 20
"""So many punctuation marks are needed to recognise how they are written."""
_APART, _GLUED = 0.9, 0.4
"""The share of marks that stand as words of their own in text that is cut into words, and in text that is not: Urdu of
WikiANN, cut for other scripts, has 0.08, all other real data at hand 0.8 to 1."""
_CASED, _LOWER, _MIXED, _UPPER = 0.5, 0.002, 0.03, 0.9
_CHANCE = 0.001
_SHARED = 0.3
_MARKS = ".,;:!?…。，、！？；：،؛؟।۔။"
_MARK = re.compile(rf"(?=[^{_MARKS}]*+[{_MARKS}])[^\w\s]++")
_INSIDE = re.compile(r".*\w[,;:!?،؛؟！？，；：]")
"""A word with a mark behind it. A full stop may belong to it, as in `e.g.`, unless it ends the text."""
_END = re.compile(rf".*\w[{_MARKS}]")


def differences(here: Statistics, there: Statistics, names: tuple[str, str]) -> Iterator[Doubt]:
    """Doubts about what is written differently in the two files, which are called `names`."""
    if here.shape == "tagging":  # elsewhere nothing depends on words
        yield from _punctuation(here, there, names)
        yield from _spaces(here, there, names)
    yield from _case(here, there, names)


def shared_texts(here: Statistics, there: Statistics, name: str) -> Iterator[Doubt]:
    """A doubt if many texts also stand in the other file, which is called `name`."""
    texts, others = (np.array(portrait.text_keys, dtype=np.int64) for portrait in (here, there))
    share = float(np.isin(texts, others).mean()) if len(texts) else 0.0
    if share >= _SHARED:
        yield Doubt("shared", f"{share:.0%} of its texts also stand in {name}; is it the right file?")


def missing_labels(
    trained: Mapping[str, int], found: Mapping[str, int], names: tuple[str, str], what: str
) -> Iterator[Doubt]:
    """A doubt about labels of the training data that the other file should have by chance, but never has.

    `what` they are: types, or labels; the mappings say how often each occurs.
    """
    total, size = sum(trained.values()), sum(found.values())
    lacking = [
        name
        for name, count in trained.items()
        if not found.get(name) and total and (1 - count / total) ** size < _CHANCE
    ]
    if lacking and size:
        share = sum(trained[name] for name in lacking) / total
        text = f"{names[1]} has no {listed(map(seen, lacking))}, {share:.0%} of the {what} in {names[0]}"
        yield Doubt("labels", f"{text}; does it have another name there?")


def _punctuation(here: Statistics, there: Statistics, names: tuple[str, str]) -> Iterator[Doubt]:
    habits = [_marks_apart(portrait) for portrait in (here, there)]
    told = [name for name, habit in zip(names, habits, strict=True) if habit is not None and habit >= _APART]
    glued = [name for name, habit in zip(names, habits, strict=True) if habit is not None and habit <= _GLUED]
    if told and glued:
        text = (
            f"marks are words of their own in {told[0]} and stand at the end of words in {glued[0]} "
            "('mira ,' and 'mira,'); cut both into words alike"
        )
        yield Doubt("punctuation", text)


def _marks_apart(portrait: Statistics) -> float | None:
    """The share of punctuation marks that are words of their own; None if there are too few marks."""
    apart = _count(portrait.words.counts, _MARK)
    glued = _count(portrait.words.counts, _INSIDE) + _count(portrait.ends, _END) - _count(portrait.ends, _INSIDE)
    return apart / (apart + glued) if apart + glued >= _FEWEST else None


def _spaces(here: Statistics, there: Statistics, names: tuple[str, str]) -> Iterator[Doubt]:
    words = [portrait.words.counts for portrait in (here, there)]
    lengths = [sum(len(word) * each[word] for word in each) / max(1, each.total()) for each in words]
    if min(lengths) <= UNSPACED < max(lengths):
        name = names[lengths.index(max(lengths))]
        text = f"the words of {name} have {max(lengths):.0f} characters on average, the other's {min(lengths):.0f}"
        yield Doubt("spaces", f"{text}; is there a space between all words?")


def _case(here: Statistics, there: Statistics, names: tuple[str, str]) -> Iterator[Doubt]:
    for portrait, other, name in ((here, there, names[0]), (there, here, names[1])):
        mine, others = _capitals(portrait.words.counts), _capitals(other.words.counts)
        if mine is None or others is None:
            continue
        if mine[0] < _LOWER and others[0] > _MIXED:
            yield Doubt("capitals", f"{name} has almost no capital letters, the other one has; write both alike")
        elif mine[1] > _UPPER and others[1] < _CASED:
            yield Doubt("capitals", f"{name} is in capital letters, the other one is not; write both alike")


def _capitals(words: Counter[str]) -> tuple[float, float] | None:
    """The share of words with a capital letter, and of words of two letters or more that are all capitals.

    Only words in scripts with capitals count. None if there are too few of them.
    """
    cased = Counter({word: count for word, count in words.items() if word.lower() != word.upper()})
    if cased.total() < max(500, _CASED * words.total()):
        return None
    capital = sum(count for word, count in cased.items() if word != word.lower())
    longer = sum(count for word, count in cased.items() if len(word) > 1)
    whole = sum(count for word, count in cased.items() if len(word) > 1 and word == word.upper())
    return capital / cased.total(), whole / max(1, longer)


def _count(words: Counter[str], pattern: re.Pattern[str]) -> int:
    return sum(count for word, count in words.items() if pattern.fullmatch(word))
