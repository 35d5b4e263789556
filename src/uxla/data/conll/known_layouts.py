"""Layouts of CoNLL files that are recognised by their columns, and where words and labels stand in them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

from uxla.data.conll.cells import filled, is_bracket
from uxla.data.labels.schemes import are_labels

NO_WORD = re.compile(r"[0-9]+[-.][0-9]+")
"""Ids in CoNLL-U that belong to no word: a range of words (1-2), an empty node (2.1)."""

CONLL_U = 10
"""The number of columns of CoNLL-U. The last one is MISC."""

_WORD_NAMES = {"word", "words", "token", "tokens", "tok", "form"}
_TAG_NAMES = {"ner", "ner_tag", "ner_tags", "nertag", "ne", "entity", "bio", "iob", "tag", "tags", "label", "labels"}
_OTHER_NAMES = {"pos", "pos_tag", "upos", "xpos", "lemma", "feats", "misc", "chunk"}
_CHUNKS = {"B-NP", "B-VP", "I-NP", "I-VP"}
_ONTONOTES = {"part": 1, "number": 2, "word": 3, "entity": 10}
_NUMBER = re.compile("[0-9]{1,9}")
_LOOKED_AT = 50  # columns


class Line(NamedTuple):
    """A line with its number, from 1, and its cells."""

    number: int
    text: str
    cells: list[str]


Groups = list[list[Line]]
"""The lines of words, by sentence."""


class Places(NamedTuple):
    """The columns of words and labels, negative ones counted from the end, and whether column 0 counts the words."""

    token: int
    label: int
    indexed: bool


def places_of(groups: Groups, names: Sequence[str], asked: tuple[int, int]) -> Places:
    """The columns of words and labels: `asked`, or if that is the default (0, -1) what columns and `names` suggest."""
    token, label = asked
    indexed = is_indexed(groups)
    if token == 0 and is_ontonotes(groups):
        return Places(_ONTONOTES["word"], _ONTONOTES["entity"] if label == -1 else label, False)
    if token == 0 and indexed:
        token = 1
    elif token == 0:
        token = next((i for i, name in enumerate(names) if _name(name) in _WORD_NAMES), token)
    if label == -1:
        named = [i for i, name in enumerate(names) if _name(name) in _TAG_NAMES]
        found = tagged_columns(groups, token) if indexed else named[-1:]
        label = found[0] if found else label
    return Places(token, label, indexed)


def is_header(cells: Sequence[str]) -> bool:
    """Whether the cells are names of columns, among them a usual name for the words."""
    names = {_name(cell) for cell in cells}
    return len(cells) > 1 and bool(names & _WORD_NAMES) and bool(names & (_TAG_NAMES | _OTHER_NAMES))


def _name(cell: str) -> str:
    return cell.lower().replace("-", "_").replace(" ", "_")


def is_ontonotes(groups: Groups) -> bool:
    """Whether the columns are those of CoNLL-2011 and 2012, with entities in brackets."""
    rows = [row.cells for row in chain.from_iterable(groups)]
    if min(map(len, rows)) <= _ONTONOTES["entity"] or not _counts(groups, _ONTONOTES["number"], "0"):
        return False
    return all(row[_ONTONOTES["part"]].isdigit() and is_bracket(row[_ONTONOTES["entity"]]) for row in rows)


def is_indexed(groups: Groups) -> bool:
    """Whether column 0 counts the words of each sentence instead of being the words."""
    rows = [row.cells for row in chain.from_iterable(groups)]
    if min(map(len, rows)) < 2 or not _counts(groups, 0):
        return False
    words = {row[1] for row in rows}
    if len(rows[0]) == 2 and are_labels(words):
        return False
    return len(rows[0]) >= CONLL_U or (len(words) > 1 and max(map(len, groups)) > 1)


def tagged_columns(groups: Groups, token: int) -> list[int]:
    """The columns that hold nothing but labels of one scheme, except the phrase chunks of CoNLL-2003."""
    rows = [row.cells for row in chain.from_iterable(groups) if not NO_WORD.fullmatch(row.cells[0])]
    columns = range(min(_LOOKED_AT, *map(filled, rows))) if rows else range(0)
    cells = {column: {row[column] for row in rows} for column in columns if column != token}
    return [column for column, kinds in cells.items() if are_labels(kinds) and not kinds & _CHUNKS]


def _counts(groups: Groups, column: int, start: str | None = None) -> bool:
    """Whether the column is a counter that goes up by one from word to word."""
    for rows in groups:
        ids = [row.cells[column] for row in rows if not NO_WORD.fullmatch(row.cells[column])]
        first = ids[0] if ids else ""
        if not _NUMBER.fullmatch(first) or start not in (None, first):
            return False
        if ids != [str(int(first) + i) for i in range(len(ids))]:
            return False
    return True
