"""Meanings: sentences as trees of concepts, before any language puts them into words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from uxla.testbed.concepts import (
    COMMON_NOUNS,
    FRAMES,
    SCENES_PER_TOPIC,
    SYNONYMS,
    TOPICS,
    Frame,
    concepts_of,
)
from uxla.testbed.draws import Draws
from uxla.testbed.lexicon import Name, fresh_name


@dataclass(frozen=True)
class Phrase:
    """A noun or a name with its dependents."""

    head: str | Name
    determiner: str | None = None
    quality: str | Name | None = None
    plural: bool = False
    title: str | None = None
    of: Phrase | None = None
    apposition: Phrase | None = None


@dataclass(frozen=True)
class Clause:
    """Who did what; an object that is a clause is what was said."""

    subject: Phrase
    verb: str
    object: Phrase | Clause
    adjuncts: tuple[tuple[str, Phrase], ...] = ()
    time: str | None = None
    time_first: bool = False
    past: bool = True
    passive: bool = False
    negated: bool = False


@dataclass(frozen=True)
class Sentence:
    """One clause, or two that a conjunction joins."""

    clauses: tuple[Clause, ...]
    conjunction: str
    scramble: int | None = None
    """Where it is a number: the words in a wrong order, which the number decides."""


@dataclass(frozen=True)
class Speaker:
    """A generator of sentences: its draws, the topic and scene of the sentence, and the scene's well-known names."""

    draws: Draws
    topic: int
    known: dict[str, tuple[Name, ...]]

    def concept(self, class_: str) -> str:
        """A concept of the class, of the sentence's topic three times in four."""
        of_topic, general = concepts_of(class_, self.topic), concepts_of(class_, None)
        if of_topic and (not general or self.draws.chance(0.75)):
            return self.draws.pick_early(of_topic)
        return self.draws.pick_early(general)

    def name(self, kind: str) -> Name:
        """A name of the kind: well known in this scene, or fresh."""
        if self.draws.chance(0.4):
            return self.draws.pick_early(self.known[kind])
        return fresh_name(self.draws, kind, self.topic)

    def phrase(self, kind: str, *, depth: int = 0) -> Phrase:
        """A phrase that denotes something of the kind, by its name seven times in ten."""
        if kind == "thing":
            return self._common("thing", depth)
        if self.draws.chance(0.7):
            return self._named(kind, depth)
        return self._common(COMMON_NOUNS[kind], depth)

    def _named(self, kind: str, depth: int) -> Phrase:
        name = self.name(kind)
        if kind == "PER" and self.draws.chance(0.3):
            return Phrase(name, title=self.concept("title"))
        if kind == "PER" and depth == 0 and self.draws.chance(0.15):
            return Phrase(name, apposition=self._role_of(depth + 1))
        if kind != "PER" and self.draws.chance(0.3):
            return Phrase(name, title=self.concept(COMMON_NOUNS[kind]))
        return Phrase(name)

    def _role_of(self, depth: int) -> Phrase:
        place = self.draws.pick(("ORG", "LOC"))
        return Phrase(self.concept("role"), "the", of=self.phrase(place, depth=depth))

    def _common(self, class_: str, depth: int) -> Phrase:
        draws = self.draws
        of = None
        if depth == 0 and draws.chance(0.2):
            of = self.phrase(draws.pick(("ORG", "LOC")), depth=depth + 1)
        quality: str | Name | None = None
        if draws.chance(0.12):
            quality = Name("MISC", "X", self.topic, draws.below(2**53))
        elif draws.chance(0.35):
            quality = self.concept("quality")
        return Phrase(self.concept(class_), draws.pick(("the", "a")), quality, draws.chance(0.3), of=of)

    def clause(self, *, embedded: bool = False) -> Clause:
        """A clause; what somebody says is itself a clause, but not twice over."""
        draws = self.draws
        frame = draws.pick(FRAMES[1:] if embedded else FRAMES)
        kind = draws.weighted(frame.object)
        adjuncts = draws.shuffled(frame.adjuncts)[: draws.weighted(((0, 2.0), (1, 3.0), (2, 1.0)))]
        return Clause(
            subject=self.phrase(draws.weighted(frame.subject)),
            verb=self.verb(frame),
            object=self.clause(embedded=True) if kind == "clause" else self.phrase(kind),
            adjuncts=() if kind == "clause" else tuple((word, self.phrase(what)) for word, what in adjuncts),
            time=self.concept("time") if draws.chance(0.3) else None,
            time_first=draws.chance(0.5),
            past=draws.chance(0.6),
        )

    def verb(self, frame: Frame) -> str:
        """One of the frame's synonyms; every topic has its favourite."""
        favourite = self.topic % SYNONYMS
        index = favourite if self.draws.chance(0.5) else self.draws.below(SYNONYMS)
        return f"{frame.verb}.{index}"


Scenes = Sequence[dict[str, tuple[Name, ...]]]
"""The well-known names of each scene by kind, topic after topic."""


def speaker(draws: Draws, scenes: Scenes, topic: int) -> Speaker:
    """Somebody who speaks about one topic, in one of its scenes."""
    return Speaker(draws, topic, scenes[topic * SCENES_PER_TOPIC + draws.below(SCENES_PER_TOPIC)])


def sentence(draws: Draws, scenes: Scenes) -> Sentence:
    """A sentence about one topic and scene, with well-known and fresh names."""
    return sentence_about(draws.below(TOPICS), draws, scenes)


def sentence_about(topic: int, draws: Draws, scenes: Scenes) -> Sentence:
    """The same about a given topic."""
    who = speaker(draws, scenes, topic)
    count = 2 if draws.chance(0.35) else 1
    return Sentence(tuple(who.clause() for _ in range(count)), draws.pick(("and", "while")))
