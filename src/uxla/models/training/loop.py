"""The only training loop: a model and a mix of examples go in, the trained model comes out."""

from __future__ import annotations

import math
from contextlib import ExitStack
from itertools import pairwise

import numpy as np
import torch

from uxla import progress, signals
from uxla.models.batches import cheapest_cuts
from uxla.models.device import matmul_precision
from uxla.models.memory import memory_errors
from uxla.models.task_model import TaskModel
from uxla.models.training.checkpoint import (
    Checkpoints,
    generator_tensors,
    on_host,
    optimiser_tensors,
    prefixed,
    restore_generators,
    restore_optimiser,
    under,
)
from uxla.models.training.embeddings import LookedUpRows
from uxla.models.training.losses import PendingLoss
from uxla.models.training.objective import Objective
from uxla.models.training.optimiser import adamw, prepare
from uxla.models.training.ranks import ALONE, Ranks
from uxla.models.training.selection import CheckpointChoice, score_on
from uxla.models.training.settings import TrainingSettings
from uxla.models.windows import Windows
from uxla.process_settings import seeded
from uxla.records import IGNORED, Corpus, Ints

_OVERHEAD = {"cpu": (20_000, 1), "cuda": (2**29, 2)}
"""What a forward and backward pass costs beyond its pieces, in pieces: a number over a power of the hidden size. On the
CPU it was measured (52 pieces of a model of 384, 156 of one of 128), on a GPU it is assumed."""
_CHECKED_TOGETHER = {"cpu": 1, "cuda": 16}
"""Steps whose losses are read together: reading one waits until the GPU has caught up. Before any checkpoint, all
losses are read."""
_AVERAGED = 50
"""The reported loss is the mean of the last steps, at most this many."""


def fit(
    model: TaskModel,
    mix: Corpus,
    settings: TrainingSettings,
    *,
    seed: int,
    label: str,
    dev: Corpus | None = None,
    checkpoints: Checkpoints | None = None,
    objective: Objective | None = None,
    choice: CheckpointChoice | None = None,
    ranks: Ranks = ALONE,
) -> dict[str, float]:
    """Train `model.module` in place on `mix`, once through in its order; returns figures for the journal.

    The loss of a step is the mean over its labelled rows (words or sentences), however they are split into forward
    passes. The rows are the examples' own labels, or those of `objective`. Which weights are kept is decided by
    `choice`, else by the settings' `selection`, which may need `dev`. Objective and choice may draw from torch's global
    generator, which is seeded here. With `checkpoints`, an interrupted training resumes at the last one and ends with
    the same weights. `label` names the training, as in "warm-up of model 1 of 3". Each of several `ranks` calls this
    with the same arguments; rank 0 alone has the chosen weights and their figures. ModelError when memory runs out or
    the loss is not a number.
    """
    selection = settings.selection if ranks.rank == 0 else "last"
    choice = choice or CheckpointChoice.of(selection, model.module, score_on(model, dev))
    steps = math.ceil(len(mix) / settings.step_size)
    devices = [model.device] if model.device.type == "cuda" else []
    with (
        signals.postponed(),
        seeded(seed, devices),
        matmul_precision(model.precision),
        progress.bar(label, steps) as bar,
        ExitStack() as at_the_end,
    ):
        training = TrainingLoop(model, settings, steps, label, choice, objective, ranks)
        if checkpoints is not None:
            at_the_end.callback(checkpoints.wait)
            with ranks.rank_0_first():
                training.resume(checkpoints)
            bar.advance(training.done)
        for first in range(training.done * settings.step_size, len(mix), settings.step_size):
            ranks.seed_step(seed, training.done)
            training.step(mix.part(first, first + settings.step_size))
            bar.advance()
            ends = ranks.ends()
            if checkpoints is not None and ranks.rank == 0 and (ends or (training.done < steps and checkpoints.due)):
                training.save(checkpoints)
            if ends:
                if checkpoints is not None:
                    with ranks.rank_0_first():  # when one has left, the others are ended
                        checkpoints.wait()
                break
    if training.done < steps:  # in another thread than the main one no signal has ended it
        raise signals.Terminated
    return {"steps": steps, "examples": len(mix), "tokens_per_batch": model.budget.tokens, **training.finish()}


class TrainingLoop:
    """A training under way: the module and everything else that its next step depends on."""

    def __init__(
        self,
        model: TaskModel,
        settings: TrainingSettings,
        steps: int,
        label: str,
        choice: CheckpointChoice,
        objective: Objective | None = None,
        ranks: Ranks = ALONE,
    ) -> None:
        self.ranks = ranks
        self.model, self.settings, self.label, self.choice = model, settings, label, choice
        self.objective, self.steps, self.done = objective or Objective.of(model), steps, 0
        prepare(model.module, settings)
        self.tables = LookedUpRows.of(model.module)
        self.optimiser = adamw([*model.module.parameters(), *(table.rows for table in self.tables)], settings)
        model.heads.hold_others(model.module, self.optimiser)
        self.scaler = torch.amp.GradScaler(model.device.type, enabled=model.precision == "fp16")
        self.checked_together = _CHECKED_TOGETHER[model.device.type]
        self.pending: list[PendingLoss] = []
        self.losses: list[float] = []
        self.cut = 0
        """Examples so far that were cut to the model's length."""

    def step(self, examples: Corpus) -> None:
        """One update of the weights."""
        model, settings = self.model, self.settings
        where = f"{self.label}, step {self.done + 1}"
        windows, labels = self.objective.rows(examples)
        windows = windows.take(np.argsort(windows.lengths, kind="stable"))
        self.cut += int(np.count_nonzero(windows.cut))
        rate = settings.rate(self.done, self.steps)
        model.module.train()
        generators = generator_tensors(model.device)
        loss = model.budget.fit(lambda tokens: self._gradients(windows, labels, tokens, generators), where)
        with memory_errors(where):
            self._add_up(loss)
        self.pending.append(PendingLoss(where, rate, examples.table["id"].to_pylist(), loss))
        if len(self.pending) >= self.checked_together:
            self._check()
        with memory_errors(where):  # AdamW's moments are made in the first step
            self._update(rate)
        self.done += 1
        if self.done % settings.evaluate_every == 0 or self.done == self.steps:
            self._check()
            for table in self.tables:
                table.put_back()
            self.choice.see(self.done)

    def _check(self) -> None:
        """Read the losses of the last steps; ModelError for the first that is not a number."""
        for loss in self.pending:
            self.losses = [*self.losses[1 - _AVERAGED :], loss.checked()]
            progress.measured(self.label, loss=self.losses[-1])
        self.pending.clear()

    def _add_up(self, loss: torch.Tensor) -> None:
        """Sum the loss and the gradients of a step over the ranks."""
        if self.ranks.count > 1:
            rows = [table.step for table in self.tables]
            gradients = self.ranks.gradients([*self.model.module.parameters(), *rows])
            self.ranks.add_up([loss, *gradients])
        for table in self.tables:
            table.end()

    def _update(self, rate: float) -> None:
        """Clip the gradients and move the weights; in fp16, a step whose gradients are infinite moves nothing."""
        self.scaler.unscale_(self.optimiser)
        trained = [*self.model.module.parameters(), *(table.rows for table in self.tables)]
        torch.nn.utils.clip_grad_norm_(trained, self.settings.max_grad_norm)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.scaler.step(self.optimiser)
        self.scaler.update()

    def _gradients(
        self, windows: Windows, labels: Ints, tokens: int, generators: dict[str, torch.Tensor]
    ) -> torch.Tensor:
        """This rank's part of a step's loss over `windows` in ascending length; its gradients replace what an earlier
        attempt left.

        Which rows share a forward pass changes no gradient.
        """
        model = self.model
        self.optimiser.zero_grad(set_to_none=False)  # to free and ask again for a table of 250,000 rows takes longer
        restore_generators(model.device, generators)
        for table in self.tables:
            table.begin(np.append(windows.ids.values, model.tokenizer.pad), self.optimiser)
        count = int(np.count_nonzero(labels != IGNORED))
        windows, labels = self.ranks.part(windows, labels)
        own, power = _OVERHEAD[model.device.type]
        overhead = own // model.module.config.hidden_size**power
        ends = cheapest_cuts(windows.lengths.tolist(), tokens=tokens, overhead=overhead)
        total = torch.zeros((), dtype=torch.float64, device=model.device)
        for start, stop in pairwise([0, *ends]):
            some = windows.take(np.arange(start, stop))
            gold = torch.from_numpy(labels[some.rows])
            loss = self.objective.loss(self.objective.logits(some), gold, penalty=self.settings.penalty) / max(count, 1)
            torch.autograd.backward(self.scaler.scale(loss))
            total += loss.detach()
        return total

    def save(self, checkpoints: Checkpoints) -> None:
        """Begin to write a checkpoint for `resume`."""
        self._check()
        weights, chosen = self.choice.state()
        moving = prefixed(module=self.model.module.state_dict(), optimiser=optimiser_tensors(self.optimiser))
        for number, table in enumerate(self.tables):
            moving |= prefixed(**{f"table{number}": table.state()})
        still = prefixed(generators=generator_tensors(self.model.device), choice=weights)
        facts = {"done": self.done, "losses": self.losses, "cut": self.cut, "choice": chosen}
        facts |= {
            "device": self.model.device.type,
            "scaler": self.scaler.state_dict(),
            "tokens": self.model.budget.tokens,
        }
        checkpoints.save(on_host(moving) | still, facts)

    def resume(self, checkpoints: Checkpoints) -> None:
        """Continue from the checkpoint, if there is one and it was made on this kind of device."""
        found = checkpoints.load()
        if found is None:
            return
        tensors, facts = found
        before, now = facts["device"], self.model.device.type
        if before != now:  # one training never mixes devices
            why = f"it began on {before} and is now on {now}, where dropout draws other numbers"
            progress.note(f"{self.label} starts over: {why}")
            return
        with memory_errors(self.label):
            self.model.module.load_state_dict(under("module", tensors))
            for number, table in enumerate(self.tables):
                table.restore(under(f"table{number}", tensors), self.optimiser)
            restore_optimiser(self.optimiser, under("optimiser", tensors))
        restore_generators(self.model.device, under("generators", tensors))
        self.choice.restore(under("choice", tensors), facts["choice"])
        self.scaler.load_state_dict(facts["scaler"])
        self.model.budget.tokens = min(self.model.budget.tokens, facts["tokens"])
        self.done, self.losses, self.cut = facts["done"], facts["losses"], facts["cut"]
        progress.note(f"resuming {self.label} at step {self.done} of {self.steps}")

    def finish(self) -> dict[str, float]:
        """Load the chosen weights; returns the loss, how many examples were cut, and the choice, for the journal."""
        self._check()
        for table in self.tables:
            table.close()
        return {"loss": sum(self.losses) / len(self.losses), "cut": self.cut, **self.choice.finish()}
