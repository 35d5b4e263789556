"""Scores, in percent: span F1 in its two common readings, accuracy, and what three models amount to (paper §3)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any, Literal

Mode = Literal["strict", "conlleval"]
Tags = Sequence[str]


@dataclass(frozen=True, slots=True)
class SpanCounts:
    """Entities in the gold tags, in the predicted ones, and in both with the same words and type."""

    gold: int
    predicted: int
    correct: int

    @property
    def precision(self) -> float:
        """Correct among predicted, percent; 0 when nothing was predicted."""
        return _percent(self.correct, self.predicted)

    @property
    def recall(self) -> float:
        """Correct among gold, percent; 0 when there is nothing to find."""
        return _percent(self.correct, self.gold)

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall, percent; 0 when both sides are empty."""
        return _percent(2 * self.correct, self.gold + self.predicted)


@dataclass(frozen=True)
class SpanScores:
    """Counts over all entities (micro), and by entity type in alphabetical order."""

    total: SpanCounts
    by_type: dict[str, SpanCounts]


def span_scores(gold: Iterable[Tags], predicted: Iterable[Tags], *, mode: Mode) -> SpanScores:
    """Entities found, in all and by type, in sequences of O, B-TYPE, I-TYPE.

    `strict` is IOB2 to the letter: an I that continues no entity belongs to none (seqeval's `mode="strict"`,
    `scheme=IOB2`). `conlleval` lets such an I begin one, as the CoNLL shared tasks' script and seqeval's default do.
    Predictions must have one tag a word: ValueError otherwise.
    """
    counts: dict[str, Counter[str]] = {"gold": Counter(), "predicted": Counter(), "correct": Counter()}
    for i, (expected, got) in enumerate(zip(gold, predicted, strict=True)):
        if len(expected) != len(got):
            raise ValueError(f"sentence {i}: {len(got)} predicted tags for {len(expected)} words")
        there, found = set(spans_in(expected, mode)), set(spans_in(got, mode))
        for key, spans in (("gold", there), ("predicted", found), ("correct", there & found)):
            counts[key].update(span[0] for span in spans)
    types = sorted(counts["gold"].keys() | counts["predicted"].keys())
    by_type = {t: SpanCounts(**{key: counter[t] for key, counter in counts.items()}) for t in types}
    return SpanScores(SpanCounts(**{key: counter.total() for key, counter in counts.items()}), by_type)


def span_f1(gold: Iterable[Tags], predicted: Iterable[Tags], *, mode: Mode) -> float:
    """Entity micro-F1 in percent. See `span_scores` for what the two modes mean."""
    return span_scores(gold, predicted, mode=mode).total.f1


def spans_in(tags: Tags, mode: Mode) -> Iterator[tuple[str, int, int]]:
    """(type, first word, word after the last) of each entity of one sentence."""
    lenient = mode == "conlleval"
    open_type, start = "", 0
    for i, tag in enumerate(tags):
        if tag == "O":
            if open_type:
                yield open_type, start, i
                open_type = ""
            continue
        letter, type_ = tag[:2], tag[2:]
        if letter not in ("B-", "I-") or not type_:
            raise ValueError(f"tag {tag!r} is not O, B-TYPE or I-TYPE")
        if letter == "I-" and type_ == open_type:
            continue
        if open_type:
            yield open_type, start, i
        open_type, start = (type_, i) if lenient or letter == "B-" else ("", i)
    if open_type:
        yield open_type, start, len(tags)


def accuracy(gold: Sequence[Hashable], predicted: Sequence[Hashable]) -> float:
    """The share of equal entries in percent; 0 for no entries. ValueError if the lengths differ."""
    return _percent(sum(a == b for a, b in zip(gold, predicted, strict=True)), len(gold))


def macro_f1(gold: Sequence[int], predicted: Sequence[int]) -> float:
    """The mean F1, in percent, of the classes that occur in `gold` or `predicted`; 0 for no entries."""
    from sklearn.metrics import f1_score  # late: most runs need spans only

    return 100.0 * float(f1_score(gold, predicted, average="macro", zero_division=0.0)) if len(gold) else 0.0


def _percent(part: int, whole: int) -> float:
    return 100.0 * part / whole if whole else 0.0


@dataclass(frozen=True)
class Score:
    """One method's score on one test set: the mean over its models, their deviation, and each by itself.

    `strict_f1` is the models' mean strict F1, None for tasks without spans; `macro_f1` that of the mean over classes,
    None for tasks with spans.

    >>> Score.of([72.0, 74.0]).mean
    73.0
    """

    mean: float
    sd: float
    models: tuple[float, ...]
    strict_f1: float | None = None
    macro_f1: float | None = None

    @classmethod
    def of(cls, models: Iterable[float], **others: float) -> Score:
        """Mean and sample standard deviation (n - 1; 0 for one model) of `models`; `others` as given. StatisticsError
        where there is no model."""
        values = tuple(float(value) for value in models)
        deviation = stdev(values) if len(values) > 1 else 0.0
        return cls(fmean(values), deviation, values, **others)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Score:
        """The score whose `as_dict` is `values`."""
        return cls(**{**values, "models": tuple(values["models"])})

    def as_dict(self) -> dict[str, float | list[float]]:
        """The form of `results.json`, unrounded: rounding belongs to whoever prints. Without what is None."""
        named: dict[str, float | list[float]] = {"mean": self.mean, "sd": self.sd, "models": list(self.models)}
        others = {"strict_f1": self.strict_f1, "macro_f1": self.macro_f1}
        return named | {name: value for name, value in others.items() if value is not None}
