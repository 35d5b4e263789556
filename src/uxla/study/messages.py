"""What a person is told of each training while a run goes on: a line before it, a line after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from uxla.phrases import enumerated, models, one_label_only
from uxla.report.trainings import WARM_UPS, title

_AGREED = {
    "exact": "on which models {k} and {j} agree",
    "token": "on whose words models {k} and {j} mostly agree",
    "none": "that models {k} and {j} are both sure of, with the labels of model {k}",
    "union": "that model {k} or model {j} is sure of",
    "alone": "of whose labels it is surest",
}


def metric(task: str) -> str:
    """What a score of a task is called."""
    return "F1" if task == "ner" else "accuracy"


def place(training: Mapping[str, Any], epochs: int) -> str:
    """Which training it is, of how many."""
    method, target, model = (training[name] for name in ("method", "target", "model"))
    if training["epoch"] is not None:
        return f"[{title(method)} {target}, epoch {training['epoch']}/{epochs}] model {model}"
    name = f"{purpose(method)}{f' {target}' if target else ''}"
    return f"{name} {model} of 3" if model else f"{name}, warm-up"


def purpose(method: str) -> str:
    """What a training on labels alone is for."""
    return WARM_UPS.get(method) or title(method)


def lesson(training: Mapping[str, Any], epochs: int, *, agreement: str, noun: str) -> str:
    """What a model of Algorithm 1 is about to learn from. `agreement` may be `alone`: its own labels."""
    where, _, model = place(training, epochs).partition("] ")
    k, j = training["peers"] if agreement == "none" else sorted(training["peers"])
    labelled = [found for found in training["learned_from"] if found["kept"] is not None]
    fallen = _fallen(labelled)
    if not any(found["taught"] for found in labelled):
        rest = f"{model} {'stays as it is' if training['steps'] == 0 else 'learns from the source alone'}"
        none = enumerated([_counted(found["of"], found["kind"], noun) for found in labelled])
        if not labelled:
            return f"{where}] {rest}"
        if fallen:
            return f"{where}] nothing is left of {none}, since {one_label_only(fallen)}: {rest}"
        if agreement not in ("exact", "token"):
            return f"{where}] nothing is left of {none}: {rest}"
        return f"{where}] {models([k, j])} agree on none of {none}: {rest}"
    parts = [f"{found['taught']:,} of {_counted(found['of'], found['kind'], noun)}" for found in labelled]
    but = f", and not from data to which {one_label_only(fallen)}" if fallen else ""
    return f"{where}] {model} learns from {enumerated(parts)} {_AGREED[agreement].format(k=k, j=j)}{but}"


def result(training: Mapping[str, Any], epochs: int, *, task: str) -> str:
    """What a training gave: `warm-up 1 of 3: loss 0.10, dev F1 71.2`."""
    dev = "" if training["dev"] is None else f", dev {metric(task)} {training['dev']:.1f}"
    return f"{place(training, epochs)}: loss {training['loss']:.2f}{dev}"


def _fallen(labelled: Sequence[Mapping[str, Any]]) -> list[int]:
    return sorted({number for found in labelled for number in found["collapsed"]})


def _counted(count: int, kind: str, noun: str) -> str:
    return f"{count:,} {kind.replace('_', ' ')} {noun}"
