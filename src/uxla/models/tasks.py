"""All that differs between tasks: how text becomes input, which outputs are predictions, and how those are scored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import accumulate
from typing import Any, Protocol

import torch
from transformers import AutoModelForSequenceClassification, AutoModelForTokenClassification

from uxla.decoding import decode
from uxla.metrics import accuracy, macro_f1, span_f1
from uxla.models.word_tokenizer import WordTokenizer
from uxla.records import IGNORED, Corpus, Example, Ints, Predictions

_CONTEXT = 4  # neighbouring windows of a long sentence share a quarter of their length


@dataclass(frozen=True, slots=True)
class Window:
    """One input of the encoder and the rows of predictions it is responsible for.

    `ids` are token ids with special tokens; `positions` are the places in `ids` whose outputs are the rows
    `first_row`, `first_row + 1`, … of the example. `types` are BERT's segment numbers, empty where all are 0; `cut`
    counts the pieces that did not fit.
    """

    ids: list[int]
    positions: list[int]
    first_row: int
    types: list[int] = field(default_factory=list)
    cut: int = 0


class Task(Protocol):
    """What a training and a prediction ask of a task."""

    @property
    def auto_class(self) -> Any:
        """The Auto class of the model."""

    @property
    def segments(self) -> int:
        """How many texts an example has."""

    def encode(self, example: Example, tokenizer: WordTokenizer, max_length: int) -> list[Window]:
        """The windows of one example; every row belongs to exactly one of them."""

    def rows(self, example: Example) -> int:
        """How many rows of predictions the example has."""

    def logits(self, output: torch.Tensor, batch: torch.Tensor, position: torch.Tensor) -> torch.Tensor:
        """(R, C) the rows' logits, out of the model's logits for the windows `batch` at `position` (R,)."""

    def decode(self, predictions: Predictions, label_names: Sequence[str]) -> Ints:
        """(R,) the labels that are scored, stored and given to a person."""

    def score(self, corpus: Corpus, predictions: Predictions) -> dict[str, float]:
        """Named scores, in percent, of the decoded labels against the corpus' own; the first is the main one."""


@dataclass(frozen=True)
class Tagging:
    """One label a word; the word's first sub-word stands for it, other pieces and special tokens carry none (§2.1)."""

    auto_class: Any = AutoModelForTokenClassification
    segments: int = 1

    def encode(self, example: Example, tokenizer: WordTokenizer, max_length: int) -> list[Window]:
        """One window, or several that overlap where the sentence is longer than `max_length` pieces."""
        words = tokenizer.encode_words(example.words)
        budget = max_length - tokenizer.special_count
        words = [ids[:budget] for ids in words]
        return [
            _window(words, span, tokenizer) for span in windows([len(ids) for ids in words], budget, budget // _CONTEXT)
        ]

    def rows(self, example: Example) -> int:
        """One row a word."""
        return example.segments[0].count(" ") + 1

    def logits(self, output: torch.Tensor, batch: torch.Tensor, position: torch.Tensor) -> torch.Tensor:
        """`output` is (B, L, C)."""
        return output[batch, position]

    def decode(self, predictions: Predictions, label_names: Sequence[str]) -> Ints:
        """The best sequence of each sentence that is valid in IOB2."""
        return decode(predictions, label_names)

    def score(self, corpus: Corpus, predictions: Predictions) -> dict[str, float]:
        """Entity micro-F1: `f1` as conlleval and seqeval's default count, `strict_f1` as strict IOB2 does."""
        labels = self.decode(predictions, corpus.label_names)
        gold, predicted, start = [], [], 0
        for example in corpus:
            assert example.labels is not None
            stop = start + len(example.labels)
            kept = [(g, p) for g, p in zip(example.labels, labels[start:stop], strict=True) if g != IGNORED]
            gold.append([corpus.label_names[g] for g, _ in kept])
            predicted.append([corpus.label_names[p] for _, p in kept])
            start = stop
        f1, strict_f1 = span_f1(gold, predicted, mode="conlleval"), span_f1(gold, predicted, mode="strict")
        return {"f1": f1, "strict_f1": strict_f1}


@dataclass(frozen=True)
class SentenceTask:
    """One label for a sentence (`segments` 1) or a pair of them (2), read off the [CLS] representation (§2.1)."""

    segments: int
    auto_class: Any = AutoModelForSequenceClassification

    def encode(self, example: Example, tokenizer: WordTokenizer, max_length: int) -> list[Window]:
        """One window; a text or pair that is too long loses pieces at the end of its longest segment."""
        parts = [tokenizer.encode_text(segment) for segment in example.segments]
        ids, types = _template(tokenizer, self.segments)
        kept = longest_first([len(part) for part in parts], max_length - sum(i is not None for i in ids))
        places = iter(zip(parts, kept, strict=True))
        all_ids: list[int] = []
        all_types: list[int] = []
        for special, kind in zip(ids, types, strict=True):
            if special is None:
                text, length = next(places)
                part = text[:length]
            else:
                part = (special,)
            all_ids += part
            all_types += [kind] * len(part)
        return [Window(all_ids, [0], 0, all_types if any(types) else [], sum(map(len, parts)) - sum(kept))]

    def rows(self, example: Example) -> int:
        """One."""
        return 1

    def logits(self, output: torch.Tensor, batch: torch.Tensor, position: torch.Tensor) -> torch.Tensor:
        """`output` is (B, C)."""
        return output[batch]

    def decode(self, predictions: Predictions, label_names: Sequence[str]) -> Ints:
        """The most probable label of each example."""
        return decode(predictions, None)

    def score(self, corpus: Corpus, predictions: Predictions) -> dict[str, float]:
        """`accuracy`, and `macro_f1` over the classes that occur in gold or predicted labels."""
        gold = [label for example in corpus for label in example.labels or ()]
        labels = self.decode(predictions, corpus.label_names).tolist()
        return {"accuracy": accuracy(gold, labels), "macro_f1": macro_f1(gold, labels)}


TASKS: dict[str, Callable[[], Task]] = {
    "ner": Tagging,
    "nli": lambda: SentenceTask(2),
    "paraphrase": lambda: SentenceTask(2),
    "classification": lambda: SentenceTask(1),
}


@cache
def _template(tokenizer: WordTokenizer, segments: int) -> tuple[tuple[int | None, ...], tuple[int, ...]]:
    """The special tokens around `segments` texts, None where a text goes, and the segment number at each place."""
    sample = tokenizer.backend.encode(*["a"] * segments)
    ids: list[int | None] = []
    types: list[int] = []
    before: int | None = None
    for i, kind, text in zip(sample.ids, sample.type_ids, sample.sequence_ids, strict=True):
        if text is None or text != before:  # a special token, or the first piece of a text
            ids.append(i if text is None else None)
            types.append(kind if tokenizer.segment_numbers else 0)
        before = text
    return tuple(ids), tuple(types)


def longest_first(lengths: Sequence[int], budget: int) -> list[int]:
    """How many pieces each segment keeps so that all fit: the longest gives way first, down to the others' length."""
    kept = list(lengths)
    while sum(kept) > budget:
        longest = max(kept)
        tallest = [i for i, length in enumerate(kept) if length == longest]
        below = max([length for length in kept if length < longest], default=0)
        excess = sum(kept) - budget
        level = max(below, longest - max(1, excess // len(tallest)))
        for i in tallest:
            kept[i] -= min(longest - level, sum(kept) - budget)
    return kept


def windows(lengths: Sequence[int], budget: int, overlap: int) -> list[tuple[int, int, int, int]]:
    """(start, stop, home, home_stop) of the windows over words with `lengths` pieces each.

    A window covers words start:stop with at most `budget` pieces; neighbours share up to `overlap` pieces, and each
    word has its home in exactly one window, the one where it is farther from the edge. They share fewer where a long
    word comes next, so that it stands in the following window too: each window is the home of at least one word. No
    word has more than `budget` pieces.
    """
    ends = list(accumulate(lengths, initial=0))
    if ends[-1] <= budget:
        return [(0, len(lengths), 0, len(lengths))]
    found: list[tuple[int, int, int, int]] = []
    start = home = 0
    while True:
        stop = start + 1
        while stop < len(lengths) and ends[stop + 1] - ends[start] <= budget:
            stop += 1
        if stop == len(lengths):
            return [*found, (start, stop, home, stop)]
        following = stop
        while (
            following > start + 1
            and ends[stop] - ends[following - 1] <= overlap
            and ends[stop + 1] - ends[following - 1] <= budget
        ):
            following -= 1
        border = (following + stop + 1) // 2
        found.append((start, stop, home, border))
        start, home = following, border


def _window(words: Sequence[Sequence[int]], span: tuple[int, int, int, int], tokenizer: WordTokenizer) -> Window:
    start, stop, home, home_stop = span
    ids = [*tokenizer.prefix]
    positions = []
    for index in range(start, stop):
        if home <= index < home_stop:
            positions.append(len(ids))
        ids += words[index]
    return Window([*ids, *tokenizer.suffix], positions, home)
