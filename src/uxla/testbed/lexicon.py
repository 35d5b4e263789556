"""The words of each language: sounds, a word for every concept, inflections, and the affixes that shape names."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from uxla.testbed.concepts import (
    CONJUNCTIONS,
    FUNCTION_WORDS,
    KINDS,
    PAIR_WORDS,
    SUFFIXES,
    all_concepts,
    pair_concepts,
)
from uxla.testbed.draws import Draws
from uxla.testbed.languages import Language

_ONSETS = tuple("bdfghklmnprstvzjw")
_CLUSTERS = ("bl", "br", "dr", "fr", "gr", "kl", "kr", "pl", "pr", "sk", "sl", "st", "tr", "sh", "ch")
_VOWELS = ("a", "e", "i", "o", "u", "ai", "ei", "ou")
_CODAS = ("n", "r", "s", "l", "m", "t", "k", "x", "nd", "rt", "sk")
_THAI_ONSETS = tuple("กขคจชดตทนบปผพมยรลวสห")
_THAI_VOWELS = tuple("าะิีุู")
_THAI_CODAS = tuple("กงดนบม")
_NAME_SUFFIXES = {"PER": 3, "LOC": 4, "ORG": 2, "MISC": 2}


@dataclass(frozen=True)
class Sounds:
    """What a syllable may be made of."""

    onsets: tuple[str, ...]
    vowels: tuple[str, ...]
    codas: tuple[str, ...]

    def syllable(self, draws: Draws, *, closed: float) -> str:
        """One syllable; it ends in a consonant with probability `closed`."""
        coda = draws.pick(self.codas) if draws.chance(closed) else ""
        return draws.pick(self.onsets) + draws.pick(self.vowels) + coda

    def word(self, draws: Draws, *, syllables: int) -> str:
        """A word of so many syllables, only the last of them closed, and that half the time."""
        open_ = [self.syllable(draws, closed=0.0) for _ in range(syllables - 1)]
        return "".join(open_) + self.syllable(draws, closed=0.5)


@dataclass(frozen=True)
class Lexicon:
    """The words of one language: `words` by concept, `suffixes` by grammatical use, `name_suffixes` by kind."""

    sounds: Sounds
    words: dict[str, str]
    suffixes: dict[str, str]
    name_suffixes: dict[str, tuple[str, ...]]


def build_lexicons(world: int, languages: Collection[Language]) -> dict[str, Lexicon]:
    """A lexicon for each language by name; the first language is the one the others share words with.

    Two languages have equal words for exactly the share of concepts that `cognates` names; no other word occurs twice.
    """
    lexicons: dict[str, Lexicon] = {}
    taken: set[str] = set()
    source: Lexicon | None = None
    for language in languages:
        lexicons[language.name] = _build(world, language, source, taken)
        source = source or lexicons[language.name]
    for language in languages:  # last, so that tagged sentences have the words they had before there were pairs
        draws, lexicon = Draws("lexicon-pairs", world, language.name), lexicons[language.name]
        theirs = None if lexicon is source else source
        lexicon.words.update(_words(draws, pair_concepts(), lexicon.sounds, language, theirs, taken))
    return lexicons


def _build(world: int, language: Language, source: Lexicon | None, taken: set[str]) -> Lexicon:
    draws = Draws("lexicon", world, language.name)
    sounds = _thai_sounds(draws) if language.unspaced else _latin_sounds(draws)
    words = _words(draws, all_concepts(), sounds, language, source, taken)

    def ending() -> str:
        return draws.pick(sounds.vowels) + draws.pick(sounds.codas)

    suffixes = {use: "" if language.unspaced else _new(ending, taken) for use in SUFFIXES}
    return Lexicon(sounds, words, suffixes, _name_suffixes(draws, sounds, language, source))


def _latin_sounds(draws: Draws) -> Sounds:
    onsets = draws.shuffled(_ONSETS)[:12] + draws.shuffled(_CLUSTERS)[:3]
    return Sounds(tuple(onsets), tuple(draws.shuffled(_VOWELS)[:5]), tuple(draws.shuffled(_CODAS)[:5]))


def _thai_sounds(draws: Draws) -> Sounds:
    return Sounds(tuple(draws.shuffled(_THAI_ONSETS)[:15]), _THAI_VOWELS, _THAI_CODAS)


def _words(
    draws: Draws, concepts: list[str], sounds: Sounds, language: Language, source: Lexicon | None, taken: set[str]
) -> dict[str, str]:
    """A word for each concept: the source's for the share `cognates`, else a new one."""
    short = {*FUNCTION_WORDS, *CONJUNCTIONS, *PAIR_WORDS}
    shared = set(draws.shuffled(concepts)[: round(language.cognates * len(concepts))]) if source else set()
    words: dict[str, str] = {}
    for concept in concepts:
        if source and concept in shared:
            words[concept] = source.words[concept]
        else:
            words[concept] = _new_word(draws, sounds, taken, function=concept in short)
    return words


def _new_word(draws: Draws, sounds: Sounds, taken: set[str], *, function: bool) -> str:
    return _new(lambda: sounds.word(draws, syllables=1 if function else draws.weighted(((2, 4.0), (3, 1.0)))), taken)


def _new(draw: Callable[[], str], taken: set[str]) -> str:
    """The first draw that is not taken; from then on it is."""
    while (word := draw()) in taken:
        pass
    taken.add(word)
    return word


def _name_suffixes(
    draws: Draws, sounds: Sounds, language: Language, source: Lexicon | None
) -> dict[str, tuple[str, ...]]:
    """The endings of names by kind; each is the source's with the probability `names_shared`, if the script is."""
    endings: dict[str, tuple[str, ...]] = {}
    for kind in KINDS:
        own = [sounds.syllable(draws, closed=1.0) for _ in range(_NAME_SUFFIXES[kind])]
        shared = source.name_suffixes[kind] if source and not language.unspaced else own
        endings[kind] = tuple(
            theirs if draws.chance(language.names_shared) else mine for mine, theirs in zip(own, shared, strict=True)
        )
    return endings
