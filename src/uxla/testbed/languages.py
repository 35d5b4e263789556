"""The languages of a world and how they differ: word order, adpositions, case, shared words, share of the text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from uxla.errors import ConfigError


@dataclass(frozen=True)
class Language:
    """One realisation of the grammar of concepts. Shares are in [0, 1] and relative to the source language."""

    name: str
    cognates: float
    """Share of the concepts whose word is spelt as in the source."""
    names_shared: float
    """Share of the proper names, and of the affixes that shape them, that are formed as in the source."""
    text_share: float
    """Share of the masked language model's pretraining sentences."""
    verb_last: bool = False
    postpositions: bool = False
    case_marks: bool = False
    """Objects carry a suffix of their own, proper names too."""
    unspaced: bool = False
    """Written in Thai letters without spaces between words, and without inflection; what is shared stays in Latin."""

    def text(self, words: Sequence[str]) -> str:
        """The words as one writes them: between spaces, or, if `unspaced`, those in its own letters without."""
        if not self.unspaced:
            return " ".join(words)
        runs = groupby(words, key=str.isascii)
        return " ".join((" " if latin else "").join(run) for latin, run in runs)


SOURCE = Language("source", cognates=1.0, names_shared=1.0, text_share=0.35)
NEAR = Language("near", cognates=0.30, names_shared=0.05, text_share=0.20, case_marks=True)
FAR = Language(
    "far",
    cognates=0.07,
    names_shared=0.6,
    text_share=0.38,
    verb_last=True,
    postpositions=True,
    case_marks=True,
)
LOW = replace(FAR, name="low", names_shared=0.4, text_share=0.10)
JOINED = Language("joined", cognates=0.10, names_shared=0.4, text_share=0.20, unspaced=True)

LANGUAGES = {language.name: language for language in (SOURCE, NEAR, FAR, LOW, JOINED)}
TARGETS = ("near", "far", "low", "joined")


def language_named(name: str) -> Language:
    """The language called `name`; a `ConfigError` when there is none."""
    if name not in LANGUAGES:
        raise ConfigError(f"unknown testbed language {name!r}, expected one of {', '.join(LANGUAGES)}")
    return LANGUAGES[name]
