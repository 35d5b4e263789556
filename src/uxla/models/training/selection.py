"""Which weights of a training are kept: the last, the best on a development set, or the average of the checkpoints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from statistics import fmean
from typing import Any

import torch

from uxla.choices import Selection
from uxla.models.task_model import TaskModel, predict_each
from uxla.records import Corpus

Weights = dict[str, torch.Tensor]
Facts = dict[str, float]


class CheckpointChoice:
    """Watches a training at its checkpoints (`see`) and sets the module's final weights (`finish`)."""

    @staticmethod
    def of(selection: Selection, module: Any, score: Callable[[], float] | None) -> CheckpointChoice:
        """The choice of a selection mode; `score` is the development score in percent, where the mode needs one."""
        if selection == "last":
            return CheckpointChoice()
        if selection == "average":
            return _Average(module)
        if score is None:
            raise ValueError(f"selection {selection!r} needs a development set")
        return _Best(module, score)

    def see(self, step: int) -> None:
        """A checkpoint: the module's weights after `step` steps."""

    def finish(self) -> dict[str, float]:
        """Load the chosen weights; returns which they are, for the journal."""
        return {}

    def state(self) -> tuple[Weights, Facts]:
        """Everything that `restore` needs to continue in another process."""
        return {}, {}

    def restore(self, weights: Weights, facts: Facts) -> None:
        """Set the state that `state` returned."""


def score_on(model: TaskModel, dev: Corpus | None) -> Callable[[], float] | None:
    """The main score on `dev`, of several heads the mean; None where there is no `dev`."""
    if dev is None:
        return None
    held_out, views = dev, [replace(model, heads=head) for head in model.heads.one_by_one()]

    def score() -> float:
        scores = [model.task.score(held_out, table) for table in predict_each(views, held_out, "scoring a checkpoint")]
        return fmean(next(iter(found.values())) for found in scores)

    return score


class _Best(CheckpointChoice):
    def __init__(self, module: Any, score: Callable[[], float]) -> None:
        self.module, self.score = module, score
        self.best, self.best_step = -1.0, 0
        self.weights: Weights = {}

    def see(self, step: int) -> None:
        score = self.score()
        if score > self.best:
            self.best, self.best_step, self.weights = score, step, _copy(self.module)

    def finish(self) -> dict[str, float]:
        self.module.load_state_dict(self.weights)
        return {"dev": self.best, "best_step": self.best_step}

    def state(self) -> tuple[Weights, Facts]:
        return self.weights, {"best": self.best, "best_step": self.best_step}

    def restore(self, weights: Weights, facts: Facts) -> None:
        self.weights, self.best, self.best_step = weights, facts["best"], int(facts["best_step"])


class _Average(CheckpointChoice):
    def __init__(self, module: Any) -> None:
        self.module, self.count = module, 0
        self.sum: Weights = {}

    def see(self, step: int) -> None:
        now = _copy(self.module)
        self.sum = {name: self.sum[name] + value for name, value in now.items()} if self.sum else now
        self.count += 1

    def finish(self) -> dict[str, float]:
        kinds = {name: value.dtype for name, value in self.module.state_dict().items()}
        self.module.load_state_dict({name: (v / self.count).to(kinds[name]) for name, v in self.sum.items()})
        return {"averaged": self.count}

    def state(self) -> tuple[Weights, Facts]:
        return self.sum, {"count": self.count}

    def restore(self, weights: Weights, facts: Facts) -> None:
        self.sum, self.count = weights, int(facts["count"])


def _copy(module: Any) -> Weights:
    return {name: value.detach().cpu().clone() for name, value in module.state_dict().items()}
