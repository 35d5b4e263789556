"""Two sentences that entail, contradict or say the same: one short clause, and another made of it by an edit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import combinations

from uxla.testbed.concepts import (
    COMMON_NOUNS,
    FRAMES,
    OPPOSITE_SYNONYMS,
    OPPOSITES,
    SYNONYMS,
    Frame,
    concepts_of,
    general_concept,
)
from uxla.testbed.draws import Draws
from uxla.testbed.grammar import Clause, Phrase, Speaker
from uxla.testbed.lexicon import Name, fresh_name

Pair = tuple[Clause, Clause]
Details = Mapping[str, str | Phrase]
"""What a clause can do without, by its place: `time`, `quality` (of the object), or an adposition with its phrase."""

NLI = ("entailment", "neutral", "contradiction")

_NAMED = 0.5  # phrases that are names; the others are common nouns
_NEGATED = 0.15
_GENERAL = 0.2  # hypotheses whose object is a word for the whole class
_MORE = 0.5  # premises with one more detail
_SYNONYM = 0.3
_PASSIVE = 0.2
_ELSEWHERE = 0.7  # neutral premises that say something else of the same subject; the others have another detail


def nli_pair(speaker: Speaker, label: str) -> Pair:
    """A premise and a hypothesis of which the label (one of `NLI`) holds.

    The hypothesis is drawn first and in the same way for each label, and the premise is as long for each, and as often
    negated: neither tells the label alone.
    """
    hypothesis = _draw_statement(speaker)
    if label == "contradiction":
        premise = _contrary(speaker, hypothesis)
    elif label == "neutral":
        premise = _unrelated(speaker, hypothesis)
    else:
        premise = hypothesis
    if not premise.negated and speaker.draws.chance(_MORE):
        premise = _with_more(speaker, premise, set(hypothesis.details))
    if speaker.draws.chance(_SYNONYM):
        premise = replace(premise, verb=_synonym(speaker.draws, premise.verb))
    shown = replace(hypothesis, object=_generalised(hypothesis, speaker.topic)) if hypothesis.general else hypothesis
    return _clause(premise, speaker.draws), _clause(shown, speaker.draws)


@dataclass(frozen=True)
class _Statement:
    frame: Frame
    kinds: tuple[str, str]
    verb: str
    subject: Phrase
    object: Phrase
    details: Details
    past: bool
    negated: bool
    general: bool
    """Whether the hypothesis has a word for the whole class in its object's place."""


def _draw_statement(speaker: Speaker) -> _Statement:
    draws = speaker.draws
    frame = draws.pick([frame for frame in FRAMES if frame.verb in OPPOSITES])
    kinds = draws.weighted(frame.subject), draws.weighted(frame.object)
    subject = _short_phrase(speaker, kinds[0])
    object_ = _short_phrase(speaker, kinds[1], unlike=(subject,))
    general = draws.chance(_GENERAL)
    negated = not general and draws.chance(_NEGATED)
    verb = speaker.verb(frame) if draws.chance(0.5) else _opposite(draws, frame.verb)
    said = _Statement(frame, kinds, verb, subject, object_, {}, draws.chance(0.6), negated, general)
    return _with_more(speaker, said, set())


def _with_more(speaker: Speaker, said: _Statement, taken: set[str]) -> _Statement:
    """The same with a detail at a place neither used nor in `taken`."""
    places = ["time", "quality", *(f"{word} {kind}" for word, kind in said.frame.adjuncts)]
    if isinstance(said.object.head, Name):
        places.remove("quality")
    place = speaker.draws.pick([place for place in places if place not in {*said.details, *taken}])
    return replace(said, details={**said.details, place: _detail(speaker, place)})


def _detail(speaker: Speaker, place: str) -> str | Phrase:
    return speaker.concept(place) if place in ("time", "quality") else _short_phrase(speaker, place.split()[1])


def _unrelated(speaker: Speaker, hypothesis: _Statement) -> _Statement:
    """The premise says something else of the same subject, or the same with another detail, at its place or another."""
    if speaker.draws.chance(_ELSEWHERE):
        return replace(_draw_elsewhere(speaker, hypothesis), subject=hypothesis.subject, negated=hypothesis.negated)
    ((place, detail),) = hypothesis.details.items()
    without = replace(hypothesis, details={})
    if speaker.draws.chance(0.5):
        return _with_more(speaker, without, {place})
    new = detail
    while _head(new) in (_head(detail), _contrary_quality(detail)):
        new = _detail(speaker, place)
    return replace(without, details={place: new})


def _draw_elsewhere(speaker: Speaker, said: _Statement) -> _Statement:
    """A statement of another frame, into which the subject of `said` fits."""
    while True:
        other = _draw_statement(speaker)
        if other.frame != said.frame and other.kinds[0] == said.kinds[0] and other.object.head != said.subject.head:
            return other


def _contrary(speaker: Speaker, hypothesis: _Statement) -> _Statement:
    """A premise under which the hypothesis cannot hold."""
    draws, said = speaker.draws, hypothesis
    if said.negated:
        return replace(said, negated=False)
    if not said.general and draws.chance(_NEGATED / (1 - _NEGATED - _GENERAL)):
        return replace(said, negated=True)
    ways = (
        ["verb"]
        if said.general
        else ["verb", "verb", "verb", "object", *(["roles"] if said.kinds[0] == said.kinds[1] else [])]
    )
    way = draws.pick(ways)
    if way == "roles":
        return replace(said, subject=said.object, object=said.subject)
    if way == "object":
        return replace(said, object=_other_object(speaker, said))
    opposite = said.verb.split(".")[0] == said.frame.verb
    return replace(said, verb=_opposite(draws, said.frame.verb) if opposite else speaker.verb(said.frame))


def _clause(said: _Statement, draws: Draws) -> Clause:
    details = dict(said.details)
    quality, time = details.pop("quality", None), details.pop("time", None)
    assert not isinstance(quality, Phrase)
    assert not isinstance(time, Phrase)
    adjuncts = [(place.split()[0], phrase) for place, phrase in details.items() if isinstance(phrase, Phrase)]
    object_ = replace(said.object, quality=quality)
    past, first = said.past, draws.chance(0.5)
    return Clause(
        said.subject, said.verb, object_, tuple(draws.shuffled(adjuncts)), time, first, past, negated=said.negated
    )


def _generalised(said: _Statement, topic: int) -> Phrase:
    class_ = COMMON_NOUNS.get(said.kinds[1], said.kinds[1])
    return Phrase(general_concept(class_, topic), "a")


def _short_phrase(speaker: Speaker, kind: str, *, unlike: tuple[Phrase, ...] = ()) -> Phrase:
    """A name of one word (most are well known), or a common noun with its determiner; other heads than `unlike`."""
    while True:
        phrase = _any_phrase(speaker, kind)
        if phrase.head not in [other.head for other in unlike]:
            return phrase


def _any_phrase(speaker: Speaker, kind: str) -> Phrase:
    draws = speaker.draws
    if kind != "thing" and draws.chance(_NAMED):
        if draws.chance(0.7):
            return Phrase(draws.pick(speaker.known[kind]))
        return Phrase(replace(fresh_name(draws, kind, speaker.topic), pattern=draws.pick(("X", "S"))))
    return Phrase(speaker.concept(COMMON_NOUNS.get(kind, kind)), draws.pick(("the", "a")))


def _other_object(speaker: Speaker, said: _Statement) -> Phrase:
    """Another name for a name, another common noun for a common noun."""
    named = isinstance(said.object.head, Name)
    while True:
        other = _short_phrase(speaker, said.kinds[1], unlike=(said.subject, said.object))
        if isinstance(other.head, Name) == named:
            return replace(other, determiner=said.object.determiner)


def _head(detail: str | Phrase) -> str | Name:
    return detail.head if isinstance(detail, Phrase) else detail


def _contrary_quality(detail: str | Phrase) -> str | None:
    """General qualities come in pairs of contraries: not used as a contradiction, but no neutral exchange either."""
    general = concepts_of("quality", None)
    return general[general.index(detail) ^ 1] if isinstance(detail, str) and detail in general else None


def _opposite(draws: Draws, verb: str) -> str:
    return f"{OPPOSITES[verb]}.{draws.below(OPPOSITE_SYNONYMS)}"


def _synonym(draws: Draws, verb: str) -> str:
    group = verb.split(".")[0]
    return f"{group}.{draws.below(OPPOSITE_SYNONYMS if group in OPPOSITES.values() else SYNONYMS)}"


def paraphrase_pair(speaker: Speaker, label: str) -> Pair:
    """Two clauses with the same words, up to voice, order and synonyms: with label `1` they say the same.

    With label `0` two phrases of the same kind have changed places in the second. Both clauses are well formed, and
    voice and order are drawn for each by itself: neither a clause nor the bag of words of both tells the label.
    """
    first, swaps = _draw_exchangeable(speaker)
    second = first if label == "1" else _exchanged(first, *speaker.draws.pick(swaps))
    return _restyled(first, speaker.draws), _restyled(second, speaker.draws)


def _draw_exchangeable(speaker: Speaker) -> tuple[Clause, list[tuple[int, int]]]:
    """A clause, and the pairs of its places (subject, object, adjuncts) with different phrases of one kind."""
    draws = speaker.draws
    while True:
        frame = draws.pick(FRAMES[1:])
        kinds = [draws.weighted(frame.subject), draws.weighted(frame.object)]
        adjuncts = draws.shuffled(frame.adjuncts)[: draws.below(2) + 1]
        kinds += [kind for _, kind in adjuncts]
        phrases = [_short_phrase(speaker, kind) for kind in kinds]
        places = combinations(range(len(phrases)), 2)
        swaps = [(a, b) for a, b in places if kinds[a] == kinds[b] and phrases[a].head != phrases[b].head]
        if swaps:
            time = speaker.concept("time") if draws.chance(0.3) else None
            words = tuple((word, phrase) for (word, _), phrase in zip(adjuncts, phrases[2:], strict=True))
            past = draws.chance(0.6)
            return Clause(phrases[0], speaker.verb(frame), phrases[1], words, time, past=past), swaps


def _exchanged(clause: Clause, one: int, other: int) -> Clause:
    assert isinstance(clause.object, Phrase)
    phrases = [clause.subject, clause.object, *(phrase for _, phrase in clause.adjuncts)]
    phrases[one], phrases[other] = phrases[other], phrases[one]
    words = [word for word, _ in clause.adjuncts]
    return replace(clause, subject=phrases[0], object=phrases[1], adjuncts=tuple(zip(words, phrases[2:], strict=True)))


def _restyled(clause: Clause, draws: Draws) -> Clause:
    """The same said otherwise: voice, place of time and adjuncts, a synonym of the verb."""
    return replace(
        clause,
        verb=_synonym(draws, clause.verb) if draws.chance(_SYNONYM) else clause.verb,
        adjuncts=tuple(draws.shuffled(clause.adjuncts)),
        time_first=draws.chance(0.5),
        passive=draws.chance(_PASSIVE),
    )
