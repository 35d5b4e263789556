"""The words of each language: sounds, a word for every concept, inflections, and proper names.

A name is made from a key, so that it has one form in each language. There are too many to memorise.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import lru_cache

from uxla.testbed.concepts import (
    CONJUNCTIONS,
    FUNCTION_WORDS,
    KINDS,
    PAIR_WORDS,
    SCENES_PER_TOPIC,
    SUFFIXES,
    TOPICS,
    all_concepts,
    concepts_of,
    pair_concepts,
)
from uxla.testbed.draws import Draws, key_of
from uxla.testbed.languages import Language

_ONSETS = tuple("bdfghklmnprstvzjw")
_CLUSTERS = ("bl", "br", "dr", "fr", "gr", "kl", "kr", "pl", "pr", "sk", "sl", "st", "tr", "sh", "ch")
_VOWELS = ("a", "e", "i", "o", "u", "ai", "ei", "ou")
_CODAS = ("n", "r", "s", "l", "m", "t", "k", "x", "nd", "rt", "sk")
_THAI_ONSETS = tuple("กขคจชดตทนบปผพมยรลวสห")
_THAI_VOWELS = tuple("าะิีุู")
_THAI_CODAS = tuple("กงดนบม")
_STEMS = 400  # stems that occur in names of every kind
_GIVEN = 120
_KNOWN = {"PER": 3, "ORG": 2, "LOC": 2, "MISC": 2}

# How names of a kind are formed, with weights. G: a given name; S: a stem; X: a stem with the kind's ending; W: a word
# that names of the kind contain; A: three initials; W-of-L: "Bank of" a place.
PATTERNS = {
    "PER": (("G", 2.0), ("GS", 2.0), ("GX", 3.0), ("X", 2.0), ("S", 1.0)),
    "LOC": (("X", 5.0), ("S", 3.0), ("WS", 2.0)),
    "ORG": (("SW", 4.0), ("X", 2.0), ("S", 2.0), ("A", 1.0), ("W-of-L", 1.0)),
    "MISC": (("SW", 4.0), ("X", 3.0), ("S", 2.0)),
}
_WORD_CLASS = {"LOC": "site-name", "ORG": "firm-name", "MISC": "event-name"}
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


@dataclass(frozen=True)
class Name:
    """A proper name before any language spells it: its kind, how it is formed, its topic, and a key for the rest."""

    kind: str
    pattern: str
    topic: int
    key: int


def scene_names(world: int) -> list[dict[str, tuple[Name, ...]]]:
    """The well-known names of each scene by kind: they occur together so often that one gives another away."""
    scenes = []
    for scene in range(TOPICS * SCENES_PER_TOPIC):
        topic, draws = scene // SCENES_PER_TOPIC, Draws("scene", world, scene)
        names = {
            kind: tuple(Name(kind, draws.pick(("X", "S")), topic, draws.below(2**53)) for _ in range(count))
            for kind, count in _KNOWN.items()
        }
        scenes.append(names)
    return scenes


def fresh_name(draws: Draws, kind: str, topic: int) -> Name:
    """A name that most likely nobody has seen before, though its parts may be known."""
    return Name(kind, draws.weighted(PATTERNS[kind]), topic, draws.below(2**53))


def spell(name: Name, language: Language, lexicon: Lexicon, source: Lexicon) -> list[str]:
    """The words of `name` in a language: formed as in the source for a share of all names, else in its own sounds."""
    draws = Draws("name", name.key)
    international = draws.chance(language.names_shared)
    sounds = source if international else lexicon
    parts = ["W", "of", "L"] if name.pattern == "W-of-L" else list(name.pattern)
    words = [_part(part, name, draws, lexicon, sounds) for part in parts]
    return [word[0].upper() + word[1:] for word in words]


def _part(part: str, name: Name, draws: Draws, lexicon: Lexicon, sounds: Lexicon) -> str:
    if part == "of":
        return lexicon.words["of"]
    if part == "W":
        class_ = _WORD_CLASS[name.kind]
        return lexicon.words[draws.pick(concepts_of(class_, name.topic) + concepts_of(class_, None))]
    if part == "G":
        return _pooled("given", draws.pick_early(range(_GIVEN)), sounds.sounds, syllables=2)
    if part == "A":
        return "".join(draws.pick(sounds.sounds.onsets)[0] for _ in range(3)).upper()
    stem = _stem(draws, sounds)
    kind = "LOC" if part == "L" else name.kind
    return stem + draws.pick(sounds.name_suffixes[kind]) if part in "XL" else stem


def _stem(draws: Draws, sounds: Lexicon) -> str:
    if draws.chance(0.5):
        return _pooled("stem", draws.pick_early(range(_STEMS)), sounds.sounds, syllables=1 + draws.below(2))
    return sounds.sounds.word(draws, syllables=1 + draws.below(2))


@lru_cache(maxsize=4096)  # a pool has some hundred words, which most names share
def _pooled(pool: str, index: int, sounds: Sounds, *, syllables: int) -> str:
    key = key_of(pool, index, *sounds.onsets, *sounds.codas)
    return sounds.word(Draws(key), syllables=syllables)
