"""The languages of a world and how they differ: word order, adpositions, case, shared words, share of the text."""

from __future__ import annotations

from dataclasses import dataclass

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
LOW = Language(
    "low",
    cognates=0.07,
    names_shared=0.4,
    text_share=0.07,
    verb_last=True,
    postpositions=True,
    case_marks=True,
)

LANGUAGES = {language.name: language for language in (SOURCE, NEAR, FAR, LOW)}
TARGETS = ("near", "far", "low")


def language_named(name: str) -> Language:
    """The language called `name`; a `ConfigError` when there is none."""
    if name not in LANGUAGES:
        raise ConfigError(f"unknown testbed language {name!r}, expected one of {', '.join(LANGUAGES)}")
    return LANGUAGES[name]
