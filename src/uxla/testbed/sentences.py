"""Tasks about whole sentences: how an example of a label is drawn, and what the columns of its file are called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from uxla.errors import ConfigError
from uxla.testbed.concepts import TOPICS
from uxla.testbed.draws import Draws
from uxla.testbed.grammar import Scenes, Sentence, sentence_about, speaker
from uxla.testbed.pairs import NLI, Pair, nli_pair, paraphrase_pair

TOPIC_NAMES = ("sport", "politics", "trade", "science", "travel", "health", "culture", "weather")
"""What the topics are called; their words mean nothing, so the names are only names."""

_SCRAMBLED = 0.8


@dataclass(frozen=True)
class SentenceTask:
    """A task with one label for one text or two."""

    name: str
    columns: tuple[str, ...]
    """The header of its files: the texts' columns, and `label`."""
    labels: tuple[str, ...]
    draw: Callable[[Draws, Scenes, str], tuple[Sentence, ...]]
    """The texts of an example with the label given."""


def _topic(draws: Draws, scenes: Scenes, label: str) -> tuple[Sentence, ...]:
    return (sentence_about(TOPIC_NAMES.index(label), draws, scenes),)


def _nli(draws: Draws, scenes: Scenes, label: str) -> tuple[Sentence, ...]:
    return _sentences(nli_pair(speaker(draws, scenes, draws.below(TOPICS)), label))


def _paraphrase(draws: Draws, scenes: Scenes, label: str) -> tuple[Sentence, ...]:
    """Not a paraphrase: mostly, one of the two has its words in a wrong order; else two phrases changed places."""
    who = speaker(draws, scenes, draws.below(TOPICS))
    if label == "1" or not draws.chance(_SCRAMBLED):
        return _sentences(paraphrase_pair(who, label))
    texts = list(_sentences(paraphrase_pair(who, "1")))
    which = draws.below(2)
    texts[which] = replace(texts[which], scramble=draws.below(2**53))
    return tuple(texts)


def _sentences(pair: Pair) -> tuple[Sentence, ...]:
    return tuple(Sentence((clause,), "and") for clause in pair)


SENTENCE_TASKS = {
    task.name: task
    for task in (
        SentenceTask("nli", ("premise", "hypothesis", "label"), NLI, _nli),
        SentenceTask("paraphrase", ("sentence1", "sentence2", "label"), ("0", "1"), _paraphrase),
        SentenceTask("topic", ("text", "label"), TOPIC_NAMES, _topic),
    )
}


def sentence_task(name: str) -> SentenceTask:
    """The task called `name`; a `ConfigError` when there is none."""
    if name not in SENTENCE_TASKS:
        raise ConfigError(f"unknown testbed task {name!r}, expected one of ner, {', '.join(SENTENCE_TASKS)}")
    return SENTENCE_TASKS[name]
