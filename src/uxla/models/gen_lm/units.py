"""What is masked as one: words, or in scripts without spaces their pieces; and a sentence whose units are replaced."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple, Protocol

import regex

from uxla.choices import Unit
from uxla.models.gen_lm.candidates import Slot, Vocabulary
from uxla.models.gen_lm.places import Place
from uxla.models.word_tokenizer import Token, WordTokenizer
from uxla.writing_systems import CLUSTER, UNSPACED

_WORD = re.compile(r"\S+")
_UNSPACED = regex.compile(f"[{UNSPACED}]")
_LETTER = regex.compile(r"[\p{L}\p{M}]")
_CLUSTER = regex.compile(CLUSTER)
_LOOSE = "\u200b\u200c\u200e\u200f\u00ad\u061c\u2060\ufeff"
"""Invisible characters that stand between units: at the edge of one they stay in the text."""
_CACHE_LIMIT = 2**15
"""Words that are remembered: without spaces they are whole clauses, and seldom come again."""


class Cell(NamedTuple):
    """A stretch of a text that is masked as one, if `start < stop`, or never."""

    start: int
    stop: int
    ids: tuple[int, ...]
    slot: Slot


@dataclass(eq=False, repr=False)
class Cutter:
    """Cuts texts into cells, and remembers the words it has cut into pieces.

    `word`: what lies between white space is one cell. `piece`: a cell is a piece as the tokenizer cuts it, but never
    less than a whole character with its marks (a grapheme cluster): pieces that share one are one cell. `auto`: pieces
    for words in scripts without spaces, for all others the word.
    """

    tokenizer: WordTokenizer
    vocabulary: Vocabulary
    unit: Unit
    _known: dict[str, tuple[Cell, ...]] = field(default_factory=dict)

    def cut(self, texts: Sequence[str]) -> list[list[Cell]]:
        """The cells of each text, left to right, without overlap: together all its pieces in their order."""
        spans = [word_spans(text) for text in texts]
        words = dict.fromkeys(text[a:b] for text, cuts in zip(texts, spans, strict=True) for a, b in cuts)
        cells = self._cells(list(words))
        return [
            [
                Cell(start + cell.start, start + cell.stop, cell.ids, cell.slot)
                for start, stop in cuts
                for cell in cells[text[start:stop]]
            ]
            for text, cuts in zip(texts, spans, strict=True)
        ]

    def _cells(self, words: Sequence[str]) -> dict[str, tuple[Cell, ...]]:
        in_pieces = [word for word in words if self.unit == "piece" or (self.unit == "auto" and unspaced(word))]
        if len(self._known) > _CACHE_LIMIT:
            self._known.clear()
        uncut = [word for word in in_pieces if word not in self._known]
        for word, tokens in zip(uncut, self.tokenizer.encode_with_spans(uncut), strict=True):
            self._known[word] = tuple(self._of_pieces(word, tokens))
        cells = {word: self._known[word] for word in in_pieces}
        whole = [word for word in words if word not in cells]
        encoded = zip(whole, self.tokenizer.encode_words(whole), strict=True)
        return cells | {word: (Cell(0, len(word), ids, "start"),) for word, ids in encoded}

    def _of_pieces(self, word: str, tokens: Sequence[Token]) -> list[Cell]:
        if not tokens:
            return [Cell(0, 0, self.tokenizer.unknown, "start")]
        edges = [0, *(match.end() for match in _CLUSTER.finditer(word))]
        number = [n for n, (start, stop) in enumerate(pairwise(edges)) for _ in range(stop - start)]
        cells: list[Cell] = []
        for group in self._groups(tokens, number):
            start, stop = _visible(word, edges[group.first], edges[group.last])
            slot = self.vocabulary.slots.get(group.ids[0], "inside" if cells else "start")
            usable = slot in self.vocabulary.candidates
            cells.append(Cell(start, stop if usable else start, tuple(group.ids), slot))
        return cells

    def _groups(self, tokens: Sequence[Token], number: Sequence[int]) -> list[_Group]:
        """The pieces in order, those together that share a cluster; `number` is each character's cluster."""
        groups: list[_Group] = []
        for i, start, stop in tokens:
            if stop <= start or i in self.vocabulary.empty:
                groups.append(_Group([i]))
                continue
            ids, first, last = [i], number[start], number[stop - 1] + 1
            while (shared := _last_covering(groups)) is not None and groups[shared].last > first:
                first, last = min(first, groups[shared].first), max(last, groups[shared].last)
                ids = [*(i for group in groups[shared:] for i in group.ids), *ids]
                del groups[shared:]
            groups.append(_Group(ids, first, last))
        return groups


class _Group(NamedTuple):
    """Pieces, and the clusters they cover: first, and one past the last."""

    ids: list[int]
    first: int = 0
    last: int = 0


def _last_covering(groups: Sequence[_Group]) -> int | None:
    return next((n for n in range(len(groups) - 1, -1, -1) if groups[n].last), None)


def word_spans(text: str) -> list[tuple[int, int]]:
    """The character spans of the words: what lies between white space of any kind, which is therefore never touched."""
    return [match.span() for match in _WORD.finditer(text)]


def unspaced(word: str) -> bool:
    """Whether more than half of a word's letters belong to scripts written without spaces between words."""
    return 2 * len(_UNSPACED.findall(word)) > len(_LETTER.findall(word))


def _visible(word: str, start: int, stop: int) -> tuple[int, int]:
    """The span without invisible characters at its edges, or an empty one if nothing is to be seen in it."""
    while start < stop and (word[start] in _LOOSE or unicodedata.category(word[start])[0] == "M"):
        start += 1
    while start < stop and word[stop - 1] in _LOOSE:
        stop -= 1
    seen = any(unicodedata.category(char)[0] != "C" for char in word[start:stop])
    return start, stop if seen else start


class Request(Protocol):
    """What to replace: `algorithm.vicinity.MaskRequest`, by its shape."""

    @property
    def text(self) -> str:
        """The sentence."""

    @property
    def spans(self) -> tuple[tuple[int, int], ...]:
        """The units to replace, as character spans, in draw order."""

    @property
    def seed(self) -> int:
        """Decides which of the top S is taken."""


@dataclass(eq=False)
class RequestState:
    """A request that is being carried out."""

    request: Request
    order: list[int]
    """The numbers of the cells to replace, in draw order."""
    places: list[Place]
    """What may replace each of them."""
    ids: list[tuple[int, ...]]
    """The piece ids of each cell, edited in place."""
    chosen: list[str] = field(default_factory=list)
    """What stands in for each unit replaced so far."""

    def result(self) -> str:
        """The text with its replacements; every character outside the units as it was."""
        text = self.request.text
        for (start, stop), surface in sorted(zip(self.request.spans, self.chosen, strict=True), reverse=True):
            text = text[:start] + surface + text[stop:]
        return text
