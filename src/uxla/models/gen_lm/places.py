"""Which candidates may replace a unit: all of its slot, or those that are like it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

import regex

from uxla.choices import Match
from uxla.models.gen_lm.candidates import Candidates, Slot

Place = str
"""A slot (`start`), and in what its candidates are alike (`start letters capital long`)."""

_PURE = regex.compile(r"\p{L}(\P{N}*[\p{L}\p{M}])?|\p{N}(\P{L}*\p{N})?")
"""Letters or digits, and no sign at the edges: neither `A4` nor `end.` stands in for a word, `1.5` for a number."""
_NAMES = {match: count for count, match in enumerate(get_args(Match), start=1)}
_SHORT = 3
"""Characters of a short word: most words of grammar are no longer, most others are."""


@dataclass(frozen=True)
class Places:
    """The candidates of each place, and in what a replacement must be like the unit."""

    candidates: dict[Place, Candidates]
    match: Match

    @classmethod
    def of(cls, slots: Mapping[Slot, Candidates], match: Match) -> Places:
        """The places of the candidates of each slot: the slots themselves, and what `match` distinguishes."""
        found: defaultdict[Place, list[tuple[int, str]]] = defaultdict(list)
        for slot, every in slots.items() if match != "none" else ():
            for piece, surface in zip(every.ids, every.surfaces, strict=True):
                for place in _places(slot, surface, match) if _PURE.fullmatch(surface) else ():
                    found[place].append((piece, surface))
        return cls({place: Candidates(*zip(*pairs, strict=True)) for place, pairs in found.items()} | {**slots}, match)

    def takes(self, unit: str) -> bool:
        """Whether something is like the unit; signs stay as they are."""
        return self.match == "none" or _kind(unit) != "signs"

    def at(self, slot: Slot, unit: str) -> Place:
        """The narrowest place for what replaces `unit` that has a candidate."""
        return next(place for place in _places(slot, unit, self.match) if place in self.candidates)


def slot_of(place: Place) -> Place:
    """The slot that a place is a part of."""
    return place.partition(" ")[0]


def _places(slot: Slot, text: str, match: Match) -> list[Place]:
    """Where `text` belongs, the narrowest place first."""
    names = (slot, _kind(text), _case(text), "long" if len(text) > _SHORT else "short")[: _NAMES[match]]
    return [" ".join(names[:count]) for count in range(len(names), 0, -1)]


def _kind(text: str) -> str:
    if any(map(str.isalpha, text)):
        return "letters"
    return "digits" if any(map(str.isnumeric, text)) else "signs"


def _case(text: str) -> str:
    """The case of the first letter, or of all; digits and scripts without capitals have none."""
    letter = next(filter(str.isalpha, text), "")
    if letter.lower() == letter.upper():
        return "uncased"
    if letter.islower():
        return "lower"
    return "upper" if text.isupper() and sum(map(str.isupper, text)) > 1 else "capital"
