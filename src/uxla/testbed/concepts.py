"""The inventory of concepts, and the frames that say which kinds of things a verb takes."""

from __future__ import annotations

from dataclasses import dataclass

KINDS = ("PER", "LOC", "ORG", "MISC")
TOPICS = 8
SCENES_PER_TOPIC = 4

CLASSES = {  # class: (concepts of each topic, concepts of all topics)
    "thing": (10, 0),
    "quality": (3, 6),
    "role": (2, 4),
    "title": (1, 3),
    "firm": (2, 3),
    "site": (1, 5),
    "event": (2, 3),
    "firm-name": (1, 4),
    "site-name": (0, 4),
    "event-name": (1, 3),
    "time": (1, 8),
}
FUNCTION_WORDS = ("the", "a", "of", "in", "from", "to", "with", "about", "for", "against", "during")
CONJUNCTIONS = ("and", "while", "that")
SUFFIXES = ("plural", "past", "object")

COMMON_NOUNS = {"PER": "role", "ORG": "firm", "LOC": "site", "MISC": "event"}
"""The class of common nouns that fill the same places as the names of a kind."""

SYNONYMS = 4
"""Verbs of one frame."""

PAIR_WORDS = ("by", "was", "not")
"""Function words that only sentences in pairs use: passive and negation."""

OPPOSITES = {
    "hire": "dismiss",
    "visit": "avoid",
    "buy": "sell",
    "blame": "praise",
    "win": "lose",
    "make": "destroy",
    "join": "leave",
    "meet": "miss",
    "host": "cancel",
    "need": "spare",
    "show": "hide",
}
"""Frames whose verbs have a group of verbs that say the contrary; only sentences in pairs use those."""

OPPOSITE_SYNONYMS = 2

Weights = tuple[tuple[str, float], ...]
"""Kinds of phrases (an entity kind, `thing` or `clause`) with how often each fills a place."""


@dataclass(frozen=True)
class Frame:
    """A group of synonymous verbs: what its subject and object may be, and which adpositions come with it."""

    verb: str
    subject: Weights
    object: Weights
    adjuncts: tuple[tuple[str, str], ...]


_IN = ("in", "LOC")
FRAMES = (
    Frame("say", (("PER", 8), ("ORG", 2)), (("clause", 1),), (_IN, ("about", "thing"))),
    Frame("hire", (("ORG", 1),), (("PER", 1),), (("from", "ORG"), _IN, ("for", "thing"))),
    Frame("visit", (("PER", 1),), (("LOC", 1),), (("with", "PER"), ("during", "MISC"), ("for", "thing"))),
    Frame("buy", (("ORG", 1),), (("ORG", 3), ("thing", 2)), (("from", "ORG"), _IN, ("for", "thing"))),
    Frame("blame", (("PER", 1),), (("ORG", 5), ("PER", 4)), (("about", "thing"), ("during", "MISC"))),
    Frame("win", (("PER", 1), ("ORG", 1)), (("MISC", 1),), (("against", "ORG"), _IN, ("with", "thing"))),
    Frame("make", (("ORG", 1),), (("thing", 1),), (_IN, ("with", "ORG"), ("for", "MISC"))),
    Frame("strike", (("thing", 1),), (("LOC", 1),), (("during", "MISC"), ("from", "LOC"))),
    Frame("join", (("PER", 1),), (("ORG", 1),), (("from", "ORG"), _IN, ("during", "MISC"))),
    Frame("meet", (("PER", 1),), (("PER", 1),), (_IN, ("about", "thing"), ("during", "MISC"))),
    Frame("host", (("LOC", 1),), (("MISC", 1),), (("with", "ORG"), ("about", "thing"))),
    Frame("need", (("LOC", 3), ("ORG", 1)), (("thing", 1),), (("from", "LOC"), ("for", "MISC"))),
    Frame("show", (("PER", 1),), (("thing", 3), ("MISC", 2)), (_IN, ("for", "ORG"), ("to", "PER"))),
    Frame("send", (("ORG", 1), ("PER", 1)), (("thing", 1),), (("to", "LOC"), ("from", "LOC"), ("for", "MISC"))),
    Frame("play", (("ORG", 2), ("PER", 1)), (("ORG", 1),), (_IN, ("during", "MISC"), ("with", "PER"))),
)


def concepts_of(class_: str, topic: int | None) -> list[str]:
    """The concepts of a class that belong to `topic`, or to no topic when it is None."""
    of_topic, general = CLASSES[class_]
    if topic is None:
        return [f"{class_}.{index}" for index in range(general)]
    return [f"{class_}.{topic}.{index}" for index in range(of_topic)]


def general_concept(class_: str, topic: int) -> str:
    """The concept of which all of the class are examples: one for the things of each topic, else one for the class."""
    return f"any-{class_}.{topic}" if class_ == "thing" else f"any-{class_}"


def all_concepts() -> list[str]:
    """Every concept that tagged sentences use, in a fixed order."""
    topical = [name for class_ in CLASSES for topic in (*range(TOPICS), None) for name in concepts_of(class_, topic)]
    verbs = [f"{frame.verb}.{index}" for frame in FRAMES for index in range(SYNONYMS)]
    return [*FUNCTION_WORDS, *CONJUNCTIONS, *topical, *verbs]


def pair_concepts() -> list[str]:
    """Every other concept that has a word: only sentences in pairs use them."""
    verbs = [f"{verb}.{index}" for verb in OPPOSITES.values() for index in range(OPPOSITE_SYNONYMS)]
    general = [
        general_concept(class_, topic) for class_ in ("thing", *COMMON_NOUNS.values()) for topic in range(TOPICS)
    ]
    return [*PAIR_WORDS, *verbs, *dict.fromkeys(general)]
