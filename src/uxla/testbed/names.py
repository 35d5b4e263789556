"""Proper names: made from a key, so that a name has one form in each language. There are too many to memorise."""

from __future__ import annotations

from dataclasses import dataclass

from uxla.testbed.concepts import SCENES_PER_TOPIC, TOPICS, concepts_of
from uxla.testbed.draws import Draws, key_of
from uxla.testbed.languages import Language
from uxla.testbed.lexicon import Lexicon

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


@dataclass(frozen=True)
class Name:
    """A proper name before any language spells it: its kind, how it is formed, its topic, and a key for the rest."""

    kind: str
    pattern: str
    topic: int
    key: int


def scene_names(world: int) -> list[dict[str, tuple[Name, ...]]]:
    """The well-known names of each scene by kind: they occur together so often that one gives another away."""
    return [_scene(world, scene) for scene in range(TOPICS * SCENES_PER_TOPIC)]


def _scene(world: int, scene: int) -> dict[str, tuple[Name, ...]]:
    topic = scene // SCENES_PER_TOPIC
    draws = Draws("scene", world, scene)
    return {
        kind: tuple(Name(kind, draws.pick(("X", "S")), topic, draws.below(2**53)) for _ in range(count))
        for kind, count in _KNOWN.items()
    }


def fresh_name(draws: Draws, kind: str, topic: int) -> Name:
    """A name that most likely nobody has seen before, though its parts may be known."""
    return Name(kind, draws.weighted(PATTERNS[kind]), topic, draws.below(2**53))


def spell(name: Name, language: Language, lexicon: Lexicon, source: Lexicon) -> list[str]:
    """The words of `name` in a language: formed as in the source for a share of all names, else in its own sounds."""
    draws = Draws("name", name.key)
    international = draws.chance(language.names_shared)
    sounds = source if international else lexicon
    return [_capitalised(_part(part, name, draws, lexicon, sounds)) for part in _parts(name.pattern)]


def _parts(pattern: str) -> list[str]:
    return ["W", "of", "L"] if pattern == "W-of-L" else list(pattern)


def _part(part: str, name: Name, draws: Draws, lexicon: Lexicon, sounds: Lexicon) -> str:
    if part == "of":
        return lexicon.words["of"]
    if part == "W":
        class_ = _WORD_CLASS[name.kind]
        return lexicon.words[draws.pick(concepts_of(class_, name.topic) + concepts_of(class_, None))]
    if part == "G":
        return _pooled("given", draws.pick_early(range(_GIVEN)), sounds, syllables=2)
    if part == "A":
        return "".join(draws.pick(sounds.sounds.onsets)[0] for _ in range(3)).upper()
    stem = _stem(draws, sounds)
    kind = "LOC" if part == "L" else name.kind
    return stem + draws.pick(sounds.name_suffixes[kind]) if part in "XL" else stem


def _stem(draws: Draws, sounds: Lexicon) -> str:
    if draws.chance(0.5):
        return _pooled("stem", draws.pick_early(range(_STEMS)), sounds, syllables=1 + draws.below(2))
    return sounds.sounds.word(draws, syllables=1 + draws.below(2))


def _pooled(pool: str, index: int, sounds: Lexicon, *, syllables: int) -> str:
    key = key_of(pool, index, *sounds.sounds.onsets, *sounds.sounds.codas)
    return sounds.sounds.word(Draws(key), syllables=syllables)


def _capitalised(word: str) -> str:
    return word[0].upper() + word[1:]
