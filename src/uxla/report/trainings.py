"""What a run's trainings learned, from `trainings` of `results.json`: rows and counts to show, whether text taught."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import fmean
from typing import Any

from uxla.markup import Figure, Row, Table
from uxla.methods.method import Method
from uxla.methods.registry import title, trainings_of

Made = Mapping[str, Any]

NOUNS = {"ner": "sentences", "nli": "pairs", "paraphrase": "pairs", "classification": "texts"}
"""The noun for a task's examples."""


@dataclass(frozen=True)
class Stream:
    """How many examples of one data set are left after each stage of an epoch; means over the epoch's trainings.

    `kept` (by k, by j) is None where labels are gold.
    """

    kind: str
    """`source`, `target`, `virtual_source`, `virtual_target` or `target_labelled`."""
    of: float
    kept: tuple[float, float] | None
    taught: float
    drawn: float


@dataclass(frozen=True)
class EpochFlow:
    """Figure 1 of the paper with a run's counts: what went into an epoch's trainings.

    `skipped` of them had nothing left to learn from. Of the `collapsed` data sets a peer labelled nearly everything
    alike, so that it taught nobody.
    """

    epoch: int
    trainings: int
    skipped: int
    collapsed: tuple[str, ...]
    streams: tuple[Stream, ...]


def flow(trainings: Iterable[Made], target: str, method: str) -> tuple[EpochFlow, ...]:
    """The epochs of a method for `target`."""
    own = [one for one in trainings if (one["method"], one["target"]) == (method, target) and one["learned_from"]]
    return tuple(_epoch(epoch, list(group)) for epoch, group in groupby(own, lambda training: training["epoch"]))


def _epoch(epoch: int, trainings: Sequence[Made]) -> EpochFlow:
    found = [one for training in trainings for one in training["learned_from"]]
    kinds = dict.fromkeys(one["kind"] for one in found)
    skipped = sum(not any(one["drawn"] for one in training["learned_from"]) for training in trainings)
    collapsed = tuple(kind for kind in kinds if any(one["collapsed"] for one in found if one["kind"] == kind))
    streams = tuple(_stream(kind, [one for one in found if one["kind"] == kind]) for kind in kinds)
    return EpochFlow(epoch, len(trainings), skipped, collapsed, streams)


def _stream(kind: str, found: Sequence[Made]) -> Stream:
    of, taught, drawn = (fmean(one[key] for one in found) for key in ("of", "taught", "drawn"))
    kept = None if found[0]["kept"] is None else tuple(fmean(one["kept"][peer] for one in found) for peer in (0, 1))
    return Stream(kind, of, kept, taught, drawn)  # type: ignore[arg-type]


def from_target(training: Made) -> list[Mapping[str, Any]]:
    """What a training was given of the target's raw text, and of the virtual sentences around it."""
    return [found for found in training["learned_from"] or () if found["kind"].endswith("target")]


def taught_nothing(trainings: Iterable[Made], target: str, method: str) -> bool:
    """Whether a method was to learn from the target's raw text, and no sentence of it taught any model."""
    given = [
        found["taught"]
        for training in trainings
        if (training["method"], training["target"]) == (method, target)
        for found in from_target(training)
    ]
    return bool(given) and not any(given)


def trainings_table(trainings: Sequence[Made], target: str, task: str, known: Sequence[Method] = ()) -> Table:
    """The trainings for one target, and those on the source that all targets share: a row a method and epoch, in which
    each model has its figure. `known` are methods that are none of uxla's."""
    own = [training for training in trainings if training["target"] in (None, target)]
    groups = groupby(own, lambda training: (training["method"], training["epoch"]))
    columns = ("epoch", "model", f"target {NOUNS[task]} used", "loss", "source dev")
    rows = [_row(method, epoch, list(group), known) for (method, epoch), group in groups]
    return Table(("method",), columns, tuple(rows))


def _row(method: str, epoch: int | None, group: Sequence[Made], known: Sequence[Method]) -> Row:
    name = title(method, known) if epoch else trainings_of(method, known)
    cells = (
        str(epoch or ""),
        _joined(str(training["model"] or "all") for training in group),
        _used([from_target(training) for training in group]),
        _joined("none" if training["loss"] is None else f"{training['loss']:.2f}" for training in group),
        _joined("" if training["dev"] is None else f"{training['dev']:.1f}" for training in group),
    )
    return Row((name,), tuple(map(Figure, cells)))


def _used(found: Sequence[Sequence[Made]]) -> str:
    """`522 · 490 of 1,000`: the examples that taught each model, of how many."""
    taught, of = ([f"{sum(one[key] for one in given):,}" for given in found if given] for key in ("taught", "of"))
    if len(set(of)) == 1:
        return f"{_joined(taught)} of {of[0]}"
    return _joined(f"{some} of {every}" for some, every in zip(taught, of, strict=True))


def _joined(values: Iterable[str]) -> str:
    return " \N{MIDDLE DOT} ".join(value for value in values if value)
