"""The only training loop: a loaded model and a mix in, the trained module out."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch

from uxla import progress, signals
from uxla.errors import ModelError
from uxla.models.batches import cheapest_cuts, chunks
from uxla.models.checkpoint import (
    Checkpoints,
    generator_tensors,
    optimiser_tensors,
    prefixed,
    restore_generators,
    restore_optimiser,
    under,
)
from uxla.models.device import grad_scaler
from uxla.models.loaded import Loaded
from uxla.models.losses import penalised_loss
from uxla.models.optimiser import Optimisation, adamw, prepare
from uxla.models.selection import Keeper
from uxla.models.tasks import Window
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
class Unchecked:
    """A step whose loss nobody has looked at yet."""

    place: str
    rate: float
    examples: list[Example]
    loss: torch.Tensor


def fit(
    loaded: Loaded,
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
    steps = math.ceil(len(mix) / settings.step_size)
    devices = [loaded.device] if loaded.device.type == "cuda" else []
    with signals.held(), torch.random.fork_rng(devices=devices), progress.bar(label, steps) as bar:
        torch.manual_seed(seed)
        keeper = Keeper.of(settings.selection, loaded.module, _scorer(loaded, dev))
        training = Training(loaded, settings, steps, label, keeper)
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

    def __init__(self, loaded: Loaded, settings: Optimisation, steps: int, label: str, keeper: Keeper) -> None:
        self.loaded, self.settings, self.label, self.keeper = loaded, settings, label, keeper
        self.steps, self.done = steps, 0
        prepare(loaded.module, settings)
        self.optimiser = adamw(loaded.module, settings)
        self.scaler = grad_scaler(loaded.device, loaded.precision)
        self.unchecked: list[Unchecked] = []
        self.losses: list[float] = []

    def step(self, examples: list[Example]) -> None:
        """One update of the weights."""
        loaded, settings = self.loaded, self.settings
        place = f"{self.label}, step {self.done + 1}"
        rows = [
            (window, _labels(example, window))
            for example, found in zip(examples, loaded.encode(examples), strict=True)
            for window in found
        ]
        rows.sort(key=lambda row: len(row[0].ids))
        rate = settings.rate(self.done, self.steps)
        loaded.module.train()
        generators = generator_tensors(loaded.device)
        loss = loaded.budget.fit(lambda tokens: self._gradients(rows, tokens, generators), place)
        self.unchecked.append(Unchecked(place, rate, examples, loss))
        if len(self.unchecked) >= _CHECKED_TOGETHER[loaded.device.type]:
            self._check()
        self._update(rate)
        self.done += 1
        if self.done % settings.evaluate_every == 0 or self.done == self.steps:
            self._check()
            self.keeper.see(self.done)

    def _check(self) -> None:
        """Look at the losses of the last steps; ModelError for the first that is no number."""
        for step in self.unchecked:
            loss = float(step.loss)
            if not math.isfinite(loss):
                raise ModelError(_no_number(step, loss))
            self.losses = [*self.losses[1 - _TOLD :], loss]
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
            logits = loaded.forward([window for window, _ in rows[start:stop]])
            labels = torch.tensor([label for _, found in rows[start:stop] for label in found])
            loss = penalised_loss(logits, labels, penalty=self.settings.penalty) / max(count, 1)
            torch.autograd.backward(self.scaler.scale(loss))
            total += loss.detach()
        return total

    def save(self, checkpoints: Checkpoints) -> None:
        """Leave a checkpoint from which `resume` goes on."""
        self._check()
        weights, kept = self.keeper.state()
        tensors = prefixed(
            module=self.loaded.module.state_dict(),
            optimiser=optimiser_tensors(self.optimiser),
            generators=generator_tensors(self.loaded.device),
            keeper=weights,
        )
        facts = {"done": self.done, "losses": self.losses, "seen": self.loaded.seen, "kept": kept}
        checkpoints.save(tensors, {**facts, "scaler": self.scaler.state_dict()})

    def resume(self, checkpoints: Checkpoints) -> None:
        """Be where the training was that left the checkpoint, if there is one."""
        found = checkpoints.load()
        if found is None:
            return
        tensors, facts = found
        self.loaded.module.load_state_dict(under("module", tensors))
        restore_optimiser(self.optimiser, under("optimiser", tensors))
        restore_generators(self.loaded.device, under("generators", tensors))
        self.keeper.restore(under("keeper", tensors), facts["kept"])
        self.scaler.load_state_dict(facts["scaler"])
        self.done, self.losses = facts["done"], facts["losses"]
        self.loaded.seen.update(facts["seen"])
        progress.note(f"{self.label}: goes on behind step {self.done} of {self.steps}")

    def finish(self) -> dict[str, float]:
        """Put the selected weights in place; the loss and the selection, for the journal."""
        self._check()
        return {"loss": sum(self.losses) / len(self.losses), **self.keeper.finish()}


def _no_number(step: Unchecked, loss: float) -> str:
    ids = ", ".join(example.id for example in step.examples[:8]) + (", …" if len(step.examples) > 8 else "")
    return (
        f"{step.place}: the loss is {loss}, expected a number; learning rate {step.rate:.3g}, examples {ids}; "
        "lower learning_rate or max_grad_norm"
    )


def _labels(example: Example, window: Window) -> list[int]:
    if example.labels is None:
        raise ValueError(f"example {example.id} has no labels to learn from")
    return list(example.labels[window.first_row : window.first_row + len(window.positions)])


def _scorer(loaded: Loaded, dev: Corpus | None) -> Callable[[], float] | None:
    if dev is None:
        return None
    held_out = dev

    def score() -> float:
        scores = loaded.task.score(held_out, loaded.predict(held_out, "selection").labels)
        return next(iter(scores.values()))

    return score
