"""The only training loop: a loaded model and a mix in, the trained module out."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import fmean

import torch

from uxla import progress, signals
from uxla.models.batches import cheapest_cuts, chunks
from uxla.models.device import grad_scaler, tensor_float32
from uxla.models.memory import memory_errors
from uxla.models.multi_head import hold_other_heads, one_by_one
from uxla.models.task_model import TaskModel
from uxla.models.tasks import Window
from uxla.models.training.checkpoint import (
    Checkpoints,
    generator_tensors,
    optimiser_tensors,
    prefixed,
    restore_generators,
    restore_optimiser,
    under,
)
from uxla.models.training.losses import PendingLoss, penalised_loss
from uxla.models.training.optimiser import Optimisation, adamw, prepare
from uxla.models.training.selection import CheckpointChoice
from uxla.records import IGNORED, Corpus, Example

Labelled = tuple[Window, list[int]]
_OVERHEAD = {"cpu": 2**21, "cuda": 2**29}
"""What a forward and backward pass costs beyond its pieces, in pieces of a model of hidden size 1: a piece's cost grows
with the square of the hidden size, a pass's own cost hardly."""
_CHECKED_TOGETHER = {"cpu": 1, "cuda": 16}
"""Steps whose losses are looked at together: to look is to wait until a GPU has caught up. A checkpoint, of either
kind, is made of checked steps only."""
_TOLD = 50  # the loss that is told is the mean of the last steps'


@dataclass(frozen=True)
class Objective:
    """What a training makes of its examples: rows to learn, and the model's logits (R, C) for the rows of windows."""

    rows: Callable[[list[Example]], list[Labelled]]
    logits: Callable[[list[Window]], torch.Tensor]

    @classmethod
    def of(cls, loaded: TaskModel) -> Objective:
        """The examples' own labels, as the model's task reads them."""

        def rows(examples: list[Example]) -> list[Labelled]:
            found = zip(examples, loaded.encode(examples), strict=True)
            return [(window, _labels(example, window)) for example, windows in found for window in windows]

        return cls(rows, loaded.forward)


def fit(
    loaded: TaskModel,
    mix: Corpus,
    settings: Optimisation,
    *,
    seed: int,
    label: str,
    dev: Corpus | None = None,
    checkpoints: Checkpoints | None = None,
) -> dict[str, float]:
    """Train `loaded.module` in place on `mix`, once through in its order, and return what is worth telling.

    The loss of a step is the mean over its labelled rows (words or sentences), however they are cut into
    forward passes. Selection keeps the weights it names; `source_dev` and `target_dev` need `dev`. With `checkpoints`
    a training that was interrupted goes on behind the last of them, to the same weights. ModelError where memory does
    not suffice or the loss is no number.
    """
    choice = CheckpointChoice.of(settings.selection, loaded.module, _scorer(loaded, dev))
    return train(loaded, mix, settings, Objective.of(loaded), choice, seed=seed, label=label, checkpoints=checkpoints)


def train(
    loaded: TaskModel,
    mix: Corpus,
    settings: Optimisation,
    objective: Objective,
    choice: CheckpointChoice,
    *,
    seed: int,
    label: str,
    checkpoints: Checkpoints | None = None,
) -> dict[str, float]:
    """`fit` for whatever `objective` makes of the examples, and whatever `choice` looks at on the way.

    Both may draw from torch's global generator, which is seeded here, and goes on where it was after an interruption.
    """
    steps = math.ceil(len(mix) / settings.step_size)
    devices = [loaded.device] if loaded.device.type == "cuda" else []
    with signals.held(), torch.random.fork_rng(devices=devices), progress.bar(label, steps) as bar:
        torch.manual_seed(seed)
        training = Training(loaded, settings, steps, label, choice, objective)
        if checkpoints is not None:
            training.resume(checkpoints)
            bar.advance(training.done)
        rest = mix.part(training.done * settings.step_size)
        for examples in chunks(rest, settings.step_size):
            training.step(examples)
            bar.advance()
            if checkpoints is not None and (training.done % checkpoints.every == 0 or signals.pending()):
                training.save(checkpoints)
            if signals.pending():
                break
    return {"steps": steps, "examples": len(mix), **training.finish()}


class Training:
    """One training under way: the module and everything else that its next step depends on."""

    def __init__(
        self,
        loaded: TaskModel,
        settings: Optimisation,
        steps: int,
        label: str,
        choice: CheckpointChoice,
        objective: Objective | None = None,
    ) -> None:
        self.loaded, self.settings, self.label, self.choice = loaded, settings, label, choice
        self.objective, self.steps, self.done = objective or Objective.of(loaded), steps, 0
        prepare(loaded.module, settings)
        self.optimiser = adamw(loaded.module, settings)
        hold_other_heads(loaded.task, loaded.module, self.optimiser)
        self.scaler = grad_scaler(loaded.device, loaded.precision)
        self.unchecked: list[PendingLoss] = []
        self.losses: list[float] = []

    def step(self, examples: list[Example]) -> None:
        """One update of the weights."""
        loaded, settings = self.loaded, self.settings
        place = f"{self.label}, step {self.done + 1}"
        rows = sorted(self.objective.rows(examples), key=lambda row: len(row[0].ids))
        rate = settings.rate(self.done, self.steps)
        loaded.module.train()
        generators = generator_tensors(loaded.device)
        loss = loaded.budget.fit(lambda tokens: self._gradients(rows, tokens, generators), place)
        self.unchecked.append(PendingLoss(place, rate, [example.id for example in examples], loss))
        if len(self.unchecked) >= _CHECKED_TOGETHER[loaded.device.type]:
            self._check()
        with memory_errors(place):  # AdamW's moments are made in the first step
            self._update(rate)
        self.done += 1
        if self.done % settings.evaluate_every == 0 or self.done == self.steps:
            self._check()
            self.choice.see(self.done)

    def _check(self) -> None:
        """Look at the losses of the last steps; ModelError for the first that is no number."""
        for step in self.unchecked:
            self.losses = [*self.losses[1 - _TOLD :], step.checked()]
            progress.measured(self.label, loss=self.losses[-1])
        self.unchecked.clear()

    def _update(self, rate: float) -> None:
        """Clip the gradients and move the weights; in fp16, a step whose gradients are infinite moves nothing."""
        self.scaler.unscale_(self.optimiser)
        torch.nn.utils.clip_grad_norm_(self.loaded.module.parameters(), self.settings.max_grad_norm)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.scaler.step(self.optimiser)
        self.scaler.update()

    def _gradients(self, rows: list[Labelled], tokens: int, generators: dict[str, torch.Tensor]) -> torch.Tensor:
        """Gradients of the step's loss over `rows` in ascending length, whatever an earlier attempt left; the loss.

        Which rows share a forward pass changes no gradient.
        """
        loaded = self.loaded
        self.optimiser.zero_grad(set_to_none=False)  # to free and ask again for a table of 250,000 rows takes longer
        restore_generators(loaded.device, generators)
        count = sum(label != IGNORED for _, labels in rows for label in labels)
        lengths = [len(window.ids) for window, _ in rows]
        overhead = _OVERHEAD[loaded.device.type] // loaded.module.config.hidden_size**2
        ends = cheapest_cuts(lengths, most=self.settings.batch_size, tokens=tokens, overhead=overhead)
        total = torch.zeros((), dtype=torch.float64, device=loaded.device)
        for start, stop in pairwise([0, *ends]):
            logits = self.objective.logits([window for window, _ in rows[start:stop]])
            labels = torch.tensor([label for _, found in rows[start:stop] for label in found], dtype=torch.long)
            loss = penalised_loss(logits, labels, penalty=self.settings.penalty) / max(count, 1)
            with tensor_float32(loaded.precision):
                torch.autograd.backward(self.scaler.scale(loss))
            total += loss.detach()
        return total

    def save(self, checkpoints: Checkpoints) -> None:
        """Leave a checkpoint from which `resume` goes on."""
        self._check()
        weights, kept = self.choice.state()
        tensors = prefixed(
            module=self.loaded.module.state_dict(),
            optimiser=optimiser_tensors(self.optimiser),
            generators=generator_tensors(self.loaded.device),
            choice=weights,
        )
        facts = {"done": self.done, "losses": self.losses, "seen": self.loaded.seen, "kept": kept}
        facts |= {"device": self.loaded.device.type, "scaler": self.scaler.state_dict()}
        checkpoints.save(tensors, facts)

    def resume(self, checkpoints: Checkpoints) -> None:
        """Be where the training was that left the checkpoint, if there is one, on this kind of device."""
        found = checkpoints.load()
        if found is None:
            return
        tensors, facts = found
        before, now = facts.get("device", "cpu"), self.loaded.device.type
        if before != now:  # a training is all of one device or of the other
            progress.note(
                f"{self.label}: begun on {before}, now on {now}, where dropout draws other numbers: starts over"
            )
            return
        with memory_errors(self.label):
            self.loaded.module.load_state_dict(under("module", tensors))
            restore_optimiser(self.optimiser, under("optimiser", tensors))
        restore_generators(self.loaded.device, under("generators", tensors))
        self.choice.restore(under("choice", tensors), facts["kept"])
        self.scaler.load_state_dict(facts["scaler"])
        self.done, self.losses = facts["done"], facts["losses"]
        self.loaded.seen.update(facts["seen"])
        progress.note(f"{self.label}: goes on behind step {self.done} of {self.steps}")

    def finish(self) -> dict[str, float]:
        """Put the selected weights in place; the loss and the selection, for the journal."""
        self._check()
        return {"loss": sum(self.losses) / len(self.losses), **self.choice.finish()}


def _labels(example: Example, window: Window) -> list[int]:
    if example.labels is None:
        raise ValueError(f"example {example.id} has no labels to learn from")
    return list(example.labels[window.first_row : window.first_row + len(window.positions)])


def _scorer(loaded: TaskModel, dev: Corpus | None) -> Callable[[], float] | None:
    if dev is None:
        return None
    held_out, views = dev, [replace(loaded, task=task, seen=Counter()) for task in one_by_one(loaded.task)]

    def score() -> float:
        scores = [view.task.score(held_out, view.predict(held_out, "selection")) for view in views]
        return fmean(next(iter(found.values())) for found in scores)

    return score
