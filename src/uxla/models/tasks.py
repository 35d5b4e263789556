"""All that differs between tasks: how text becomes input, which outputs are predictions, and how those are scored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

import numpy as np
import pyarrow.compute as pc
import torch
from transformers import AutoModelForSequenceClassification, AutoModelForTokenClassification

from uxla.decoding import decode
from uxla.metrics import accuracy, macro_f1, span_f1
from uxla.models.ragged import Ragged, ranges
from uxla.models.windows import Frame, Windows, cut_sentences, longest_first
from uxla.models.word_tokenizer import Split, WordTokenizer
from uxla.records import IGNORED, Corpus, Ints, Predictions

_CONTEXT = 4  # neighbouring windows of a long sentence share a quarter of their length


class Task(Protocol):
    """What a training and a prediction ask of a task."""

    @property
    def auto_class(self) -> Any:
        """The Auto class of the model."""

    @property
    def segments(self) -> int:
        """How many texts an example has."""

    def encode(self, corpus: Corpus, tokenizer: WordTokenizer, max_length: int) -> Windows:
        """The windows of all examples, in their order; every row belongs to exactly one of them."""

    def rows(self, corpus: Corpus) -> Ints:
        """(N,) how many rows of predictions each example has."""

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

    def encode(self, corpus: Corpus, tokenizer: WordTokenizer, max_length: int) -> Windows:
        """One window a sentence, or several that overlap where it is longer than `max_length` pieces."""
        budget = max_length - tokenizer.special_count
        sentences = Split.of(corpus.texts)
        words = tokenizer.words(sentences.words).cut(budget).take(sentences.numbers)
        places = cut_sentences(words.lengths, sentences.counts, budget, budget // _CONTEXT)
        start, stop, home, home_stop = places.T
        covered, sizes = ranges(start, stop - start), stop - start
        words = words.take(covered)
        bodies = words.grouped(sizes)
        ids, _ = tokenizer.frame.around([bodies])
        at = words.starts - np.repeat(bodies.starts, sizes) + len(tokenizer.prefix)
        at_home = (covered >= np.repeat(home, sizes)) & (covered < np.repeat(home_stop, sizes))
        return Windows.of(ids, Ragged(at[at_home], home_stop - home))

    def rows(self, corpus: Corpus) -> Ints:
        """One row a word."""
        return np.asarray(pc.count_substring(corpus.texts, " "), dtype=np.int64) + 1

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

    def encode(self, corpus: Corpus, tokenizer: WordTokenizer, max_length: int) -> Windows:
        """One window a text; a text or pair that is too long loses pieces at the end of its longest segment."""
        frame, texts = _frame(tokenizer, self.segments), tokenizer.texts(corpus.texts)
        lengths, budget = texts.lengths.reshape(-1, self.segments), max_length - frame.size
        kept = lengths.copy()
        for i in np.flatnonzero(lengths.sum(axis=1) > budget).tolist():
            kept[i] = longest_first(lengths[i].tolist(), budget)
        texts = texts.cut(kept.ravel())
        numbers = np.arange(len(texts)).reshape(-1, self.segments)
        ids, types = frame.around([texts.take(column) for column in numbers.T])
        rows = np.arange(len(kept)) * 0
        return Windows.of(ids, Ragged(rows, rows + 1), types, (lengths - kept).sum(axis=1))

    def rows(self, corpus: Corpus) -> Ints:
        """One row a text."""
        return np.ones(len(corpus), dtype=np.int64)

    def logits(self, output: torch.Tensor, batch: torch.Tensor, position: torch.Tensor) -> torch.Tensor:
        """`output` is (B, C)."""
        return output[batch]

    def decode(self, predictions: Predictions, label_names: Sequence[str]) -> Ints:
        """The most probable label of each example."""
        return decode(predictions, None)

    def score(self, corpus: Corpus, predictions: Predictions) -> dict[str, float]:
        """`accuracy`, and `macro_f1` over the classes that occur in gold or predicted labels."""
        known = corpus.gold_labels != IGNORED
        gold = corpus.gold_labels[known].tolist()
        labels = self.decode(predictions, corpus.label_names)[known].tolist()
        return {"accuracy": accuracy(gold, labels), "macro_f1": macro_f1(gold, labels)}


TASKS: dict[str, Callable[[], Task]] = {
    "ner": Tagging,
    "nli": lambda: SentenceTask(2),
    "paraphrase": lambda: SentenceTask(2),
    "classification": lambda: SentenceTask(1),
}


@cache
def _frame(tokenizer: WordTokenizer, segments: int) -> Frame:
    """The special tokens around `segments` texts, and the segment number at each place."""
    sample = tokenizer.backend.encode(*["a"] * segments)
    ids: list[int | None] = []
    types: list[int] = []
    before: int | None = None
    for i, kind, text in zip(sample.ids, sample.type_ids, sample.sequence_ids, strict=True):
        if text is None or text != before:  # a special token, or the first piece of a text
            ids.append(i if text is None else None)
            types.append(kind if tokenizer.segment_numbers else 0)
        before = text
    return Frame(tuple(ids), tuple(types))
