"""The only training loop, and prediction: a model folder and a corpus in; a trained module, or probabilities, out."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch.optim.lr_scheduler import LambdaLR

from uxla import progress
from uxla.errors import ModelError
from uxla.models.batches import cheapest_cuts, chunks, equal_length
from uxla.models.loading import load_model, load_tokenizer, pick_device, usable_length
from uxla.models.losses import penalised_loss
from uxla.models.pieces import Pieces
from uxla.models.selection import Keeper, Selection
from uxla.models.tasks import Task, Window
from uxla.records import IGNORED, Corpus, Example, Predictions

Labelled = tuple[Window, list[int]]
_SHARD = 8192  # examples encoded at once when predicting
_OVERHEAD = {"cpu": 128, "cuda": 1024}  # what a forward and backward pass costs before its first piece, in pieces


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


@dataclass(frozen=True)
class Runtime:
    """Where and how large: nothing here changes what is computed, only how fast."""

    device: Literal["auto", "cpu", "cuda"] = "auto"
    max_length: int = 280
    tokens_per_batch: int = 8192


@dataclass(frozen=True)
class Loaded:
    """A model in memory with its tokenizer, ready for one task."""

    task: Task
    module: Any
    pieces: Pieces
    device: torch.device
    max_length: int
    tokens_per_batch: int
    seen: Counter[str] = field(default_factory=Counter)
    """How many `examples` were encoded, and how many of them were `cut` to the model's length."""

    @classmethod
    def open(cls, task: Task, folder: Path, tokenizer: Path, runtime: Runtime, **config_values: Any) -> Loaded:
        """The model of `folder` with the tokenizer of another folder (weights come often, tokenizers once)."""
        device = pick_device(runtime.device)
        module: Any = load_model(task.auto_class, folder, **config_values).to(device)
        pieces = _pieces(tokenizer)
        max_length = min(runtime.max_length, usable_length(module))
        return cls(task, module, pieces, device, max_length, runtime.tokens_per_batch)

    def encode(self, examples: Iterable[Example]) -> list[list[Window]]:
        """The windows of each example."""
        encoded = [self.task.encode(example, self.pieces, self.max_length) for example in examples]
        self.seen.update(examples=len(encoded), cut=sum(any(w.cut for w in found) for found in encoded))
        return encoded

    def forward(self, windows: list[Window]) -> torch.Tensor:
        """(R, C) logits of all rows the windows are responsible for, window by window."""
        length = max(len(window.ids) for window in windows)
        ids = np.full((len(windows), length), self.pieces.pad, dtype=np.int64)
        mask, types = np.zeros_like(ids), np.zeros_like(ids)
        for row, window in enumerate(windows):
            ids[row, : len(window.ids)] = window.ids
            mask[row, : len(window.ids)] = 1
            types[row, : len(window.types)] = window.types
        batch = np.repeat(np.arange(len(windows)), [len(window.positions) for window in windows])
        position = np.concatenate([window.positions for window in windows]).astype(np.int64)
        named = {"input_ids": ids, "attention_mask": mask, **({"token_type_ids": types} if types.any() else {})}
        inputs = {name: torch.from_numpy(array).to(self.device) for name, array in named.items()}
        places = (torch.from_numpy(array).to(self.device) for array in (batch, position))
        return self.task.logits(self.module(**inputs).logits, *places)

    def predict(self, corpus: Corpus, label: str) -> Predictions:
        """Class probabilities; windows of equal length go together, so no padding can touch a result."""
        offsets = np.cumsum([0, *(self.task.rows(example) for example in corpus)], dtype=np.int64)
        probs = np.empty((int(offsets[-1]), len(corpus.label_names)), dtype=np.float32)
        self.module.eval()
        first = 0
        with torch.inference_mode(), progress.bar(label, len(corpus)) as bar:
            for shard in chunks(corpus, _SHARD):
                pairs = [
                    (window, int(offsets[first + i]) + window.first_row)
                    for i, found in enumerate(self.encode(shard))
                    for window in found
                ]
                for group in equal_length(pairs, lambda pair: len(pair[0].ids), self.tokens_per_batch):
                    rows = np.concatenate([np.arange(at, at + len(w.positions)) for w, at in group])
                    probs[rows] = self.forward([w for w, _ in group]).float().softmax(-1).cpu().numpy()
                first += len(shard)
                bar.advance(len(shard))
        return Predictions(probs, offsets)


@lru_cache(maxsize=2)
def _pieces(tokenizer: Path) -> Pieces:
    """Read once a process: 250,000 pieces take seconds, and a run opens dozens of models on one tokenizer."""
    return Pieces.of(load_tokenizer(tokenizer), str(tokenizer))


def fit(
    loaded: Loaded, mix: Corpus, settings: Optimisation, *, seed: int, label: str, dev: Corpus | None = None
) -> dict[str, float]:
    """Train `loaded.module` in place on `mix`, once through in its order, and return what is worth telling.

    The loss of a step is the mean over its labelled rows (words or sentences), however they are cut into
    forward passes. Selection keeps the weights it names; `source_dev` and `target_dev` need `dev`.
    """
    steps = math.ceil(len(mix) / settings.step_size)
    module = loaded.module
    optimiser = _adamw(module, settings)
    warmup = settings.lr_warmup if isinstance(settings.lr_warmup, int) else int(settings.lr_warmup * steps)
    schedule = LambdaLR(optimiser, _warm_up_then_decay(warmup, steps))
    keeper = Keeper.of(settings.selection, module, _scorer(loaded, dev))
    losses = []
    devices = [loaded.device] if loaded.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices), progress.bar(label, steps) as bar:
        torch.manual_seed(seed)
        for step, rows in enumerate(_steps(loaded, mix, settings), start=1):
            module.train()
            losses.append(_step(loaded, rows, settings, where=f"{label}, step {step}"))
            torch.nn.utils.clip_grad_norm_(module.parameters(), settings.max_grad_norm)
            optimiser.step()
            schedule.step()
            optimiser.zero_grad()
            if step % settings.evaluate_every == 0 or step == steps:
                keeper.see(step)
            bar.advance()
    return {"steps": steps, "examples": len(mix), "loss": float(np.mean(losses[-50:])), **keeper.finish()}


def _step(loaded: Loaded, rows: list[Labelled], settings: Optimisation, where: str) -> float:
    """Gradients of one optimiser step over `rows` in ascending length; returns its loss."""
    count = sum(label != IGNORED for _, labels in rows for label in labels)
    ends = cheapest_cuts(
        [len(window.ids) for window, _ in rows],
        most=settings.batch_size,
        tokens=loaded.tokens_per_batch,
        overhead=_OVERHEAD[loaded.device.type],
    )
    total = 0.0
    for start, stop in pairwise([0, *ends]):
        batch = rows[start:stop]
        try:
            logits = loaded.forward([window for window, _ in batch])
            labels = torch.tensor([label for _, found in batch for label in found], device=loaded.device)
            loss = penalised_loss(logits, labels, penalty=settings.penalty) / max(count, 1)
            torch.autograd.backward(loss)
        except torch.OutOfMemoryError as error:
            raise ModelError(
                f"{where}: out of memory with {len(batch)} windows of {len(batch[-1][0].ids)} pieces; "
                "lower batch_size (and raise accumulation), max_length or tokens_per_batch"
            ) from error
        total += float(loss.detach())
    if not math.isfinite(total):
        raise ModelError(f"{where}: the loss is {total}; lower learning_rate or max_grad_norm")
    return total


def _steps(loaded: Loaded, mix: Corpus, settings: Optimisation) -> Iterator[list[Labelled]]:
    """The rows of each step, shortest first: which of them share a forward pass changes no step's gradient."""
    for step in chunks(mix, settings.step_size):
        rows = [
            (window, _labels(example, window))
            for example, found in zip(step, loaded.encode(step), strict=True)
            for window in found
        ]
        yield sorted(rows, key=lambda row: len(row[0].ids))


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


def _warm_up_then_decay(warmup: int, steps: int) -> Callable[[int], float]:
    """The learning rate's factor after n steps: linear from 0 to 1, then linear to 0 at the end."""
    return lambda n: n / warmup if n < warmup else (steps - n) / max(1, steps - warmup)


def _adamw(module: Any, settings: Optimisation) -> torch.optim.AdamW:
    """AdamW without weight decay on biases and normalisation weights, which are all the one-dimensional parameters."""
    parameters = [p for p in module.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": settings.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=settings.learning_rate, eps=settings.adam_epsilon, fused=True)
