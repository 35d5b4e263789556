"""What a run's trainings learned, from `trainings` of `results.json`: rows to show, and whether raw text taught."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from uxla.markup import Figure, Row, Table
from uxla.methods.registry import title, trainings_of

Made = Mapping[str, Any]

NOUNS = {"ner": "sentences", "nli": "pairs", "paraphrase": "pairs", "classification": "texts"}
"""What the examples of a task are called."""


def from_target(training: Made) -> list[Mapping[str, Any]]:
    """What a training was given of the target's raw text, and of the virtual sentences around it."""
    return [found for found in training["learned_from"] or () if found["kind"].endswith("target")]


def untaught(trainings: Iterable[Made], target: str, method: str) -> bool:
    """Whether a method was to learn from the target's raw text, and no sentence of it taught any model."""
    given = [
        found["taught"]
        for training in trainings
        if (training["method"], training["target"]) == (method, target)
        for found in from_target(training)
    ]
    return bool(given) and not any(given)


def trainings_table(trainings: Sequence[Made], target: str, task: str) -> Table:
    """The trainings for one target, and those on the source that all targets share: a row a method and epoch, in which
    each model has its figure."""
    own = [training for training in trainings if training["target"] in (None, target)]
    groups = groupby(own, lambda training: (training["method"], training["epoch"]))
    columns = ("epoch", "model", f"target {NOUNS[task]} used", "loss", "source dev")
    return Table(("method",), columns, tuple(_row(method, epoch, list(group)) for (method, epoch), group in groups))


def _row(method: str, epoch: int | None, group: Sequence[Made]) -> Row:
    cells = (
        str(epoch or ""),
        _joined(str(training["model"] or "all") for training in group),
        _joined(_used(training) for training in group),
        _joined("none" if training["loss"] is None else f"{training['loss']:.2f}" for training in group),
        _joined("" if training["dev"] is None else f"{training['dev']:.1f}" for training in group),
    )
    return Row((title(method) if epoch else trainings_of(method),), tuple(map(Figure, cells)))


def _used(training: Made) -> str:
    found = from_target(training)
    return f"{sum(one['taught'] for one in found):,} of {sum(one['of'] for one in found):,}" if found else ""


def _joined(values: Iterable[str]) -> str:
    return " \N{MIDDLE DOT} ".join(value for value in values if value)
