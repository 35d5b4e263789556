"""The only training loop: a loaded model and a mix in, the trained module out."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

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
from uxla.models.loaded import Loaded
from uxla.models.losses import penalised_loss
from uxla.models.selection import Keeper, Selection
from uxla.models.tasks import Window
from uxla.records import IGNORED, Corpus, Example

Labelled = tuple[Window, list[int]]
_OVERHEAD = {"cpu": 2**21, "cuda": 2**29}
"""What a forward and backward pass costs beyond its pieces, in pieces of a model of hidden size 1: a piece's cost grows
with the square of the hidden size, a pass's own cost hardly."""
_TOLD = 50  # the loss that is told is the mean of the last steps'


@dataclass(frozen=True)
class Optimisation:
    """How one training goes (Table 8). `lr_warmup` is a number of steps (int) or a share of all steps (float)."""

    batch_size: int
    accumulation: int
    learning_rate: float
    lr_warmup: int | float
    weight_decay: float = 0.0
    adam_epsilon: float = 1e-8
    max_grad_norm: float = 1.0
    dropout: float = 0.1
    evaluate_every: int = 50
    selection: Selection = "last"
    penalty: float = 0.0

    @property
    def step_size(self) -> int:
        """Examples in one optimiser step."""
        return self.batch_size * self.accumulation

    def warmup_steps(self, steps: int) -> int:
        """Steps of the learning rate's rise in a training of `steps`."""
        return self.lr_warmup if isinstance(self.lr_warmup, int) else int(self.lr_warmup * steps)


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
        self.optimiser = _adamw(loaded.module, settings)
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
        rate = settings.learning_rate * warm_up_then_decay(self.done, settings.warmup_steps(self.steps), self.steps)
        loaded.module.train()
        generators = generator_tensors(loaded.device)
        loss = loaded.budget.fit(lambda tokens: self._gradients(rows, tokens, generators), place)
        if not math.isfinite(loss):
            raise ModelError(_no_number(place, loss, rate, examples))
        torch.nn.utils.clip_grad_norm_(loaded.module.parameters(), settings.max_grad_norm)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.step()
        self.done += 1
        self.losses = [*self.losses[1 - _TOLD :], loss]
        if self.done % settings.evaluate_every == 0 or self.done == self.steps:
            self.keeper.see(self.done)

    def _gradients(self, rows: list[Labelled], tokens: int, generators: dict[str, torch.Tensor]) -> float:
        """Gradients of the step's loss over `rows` in ascending length, whatever an earlier attempt left; the loss.

        Which rows share a forward pass changes no gradient.
        """
        loaded = self.loaded
        self.optimiser.zero_grad()
        restore_generators(loaded.device, generators)
        count = sum(label != IGNORED for _, labels in rows for label in labels)
        lengths = [len(window.ids) for window, _ in rows]
        overhead = _OVERHEAD[loaded.device.type] // loaded.module.config.hidden_size**2
        ends = cheapest_cuts(lengths, most=self.settings.batch_size, tokens=tokens, overhead=overhead)
        total = 0.0
        for start, stop in pairwise([0, *ends]):
            logits = loaded.forward([window for window, _ in rows[start:stop]])
            labels = torch.tensor([label for _, found in rows[start:stop] for label in found], device=loaded.device)
            loss = penalised_loss(logits, labels, penalty=self.settings.penalty) / max(count, 1)
            torch.autograd.backward(loss)
            total += float(loss.detach())
        return total

    def save(self, checkpoints: Checkpoints) -> None:
        """Leave a checkpoint from which `resume` goes on."""
        weights, kept = self.keeper.state()
        tensors = prefixed(
            module=self.loaded.module.state_dict(),
            optimiser=optimiser_tensors(self.optimiser),
            generators=generator_tensors(self.loaded.device),
            keeper=weights,
        )
        facts = {"done": self.done, "losses": self.losses, "seen": self.loaded.seen, "kept": kept}
        checkpoints.save(tensors, facts)

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
        self.done, self.losses = facts["done"], facts["losses"]
        self.loaded.seen.update(facts["seen"])
        progress.note(f"{self.label}: goes on behind step {self.done} of {self.steps}")

    def finish(self) -> dict[str, float]:
        """Put the selected weights in place; the loss and the selection, for the journal."""
        return {"loss": sum(self.losses) / len(self.losses), **self.keeper.finish()}


def warm_up_then_decay(done: int, warmup: int, steps: int) -> float:
    """The learning rate's factor after `done` steps: linear from 0 to 1, then linear to 0 at the end."""
    return done / warmup if done < warmup else (steps - done) / max(1, steps - warmup)


def _no_number(place: str, loss: float, rate: float, examples: list[Example]) -> str:
    ids = ", ".join(example.id for example in examples[:8]) + (", …" if len(examples) > 8 else "")
    return (
        f"{place}: the loss is {loss}, expected a number; learning rate {rate:.3g}, examples {ids}; "
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


def _adamw(module: Any, settings: Optimisation) -> torch.optim.AdamW:
    """AdamW without weight decay on biases and normalisation weights, which are all the one-dimensional parameters."""
    parameters = [p for p in module.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": settings.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=settings.learning_rate, eps=settings.adam_epsilon, fused=True)
