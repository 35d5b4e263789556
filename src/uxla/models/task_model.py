"""A model in memory with its tokenizer: from examples to windows, logits and probabilities."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache, partial
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
import torch

from uxla import progress
from uxla.errors import ModelError
from uxla.models.batches import chunks, equal_length
from uxla.models.compiled import compile_layers
from uxla.models.device import (
    Attention,
    Device,
    Precision,
    attention_values,
    autocast,
    check_precision,
    synchronise,
    to_cpu,
    to_device,
)
from uxla.models.loading import load_for_labels, load_tokenizer, pick_device, usable_length
from uxla.models.memory import Budget, memory_errors
from uxla.models.model_safety import SAFE, ModelSafety
from uxla.models.tasks import Task, Window
from uxla.models.word_tokenizer import WordTokenizer
from uxla.records import Corpus, Example, Floats, Predictions

Placed = tuple[Window, int]
"""A window and the row of the predictions where its first one goes."""

_SHARD = 8192  # examples encoded at once when predicting


@dataclass(frozen=True)
class Runtime:
    """Where, how large and how exact a model computes.

    `max_length` and `precision` change results. `device`, `attention` and `compile` (see `compile_layers`) change
    rounding, and dropout draws other numbers on a GPU than on a CPU, and compiled than plain: of the same seed always
    the same. `budget` decides only how fast, but for dropout's draws.
    """

    device: Device = "auto"
    max_length: int = 280
    budget: Budget = field(default_factory=lambda: Budget(8192))
    safety: ModelSafety = SAFE
    precision: Precision = "fp32"
    attention: Attention = "auto"
    compile: bool = False

    @property
    def inputs(self) -> dict[str, Any]:
        """What of it can change a result, for keys: of `attention` and `compile` what is not the default, so that
        what was made before there were these is still found. `device` is left out: work that is finished is found
        again on another one; a training that is not starts over there."""
        attention = {} if self.attention == "auto" else {"attention": self.attention}
        compiled = {"compile": True} if self.compile else {}
        return {"max_length": self.max_length, "precision": self.precision, **attention, **compiled}


@dataclass(frozen=True)
class TaskModel:
    """A model in memory with its tokenizer, ready for one task."""

    task: Task
    module: Any
    pieces: WordTokenizer
    device: torch.device
    max_length: int
    budget: Budget
    precision: Precision = "fp32"
    seen: Counter[str] = field(default_factory=Counter)
    """How many `examples` were encoded, and how many of them were `cut` to the model's length."""
    remark: str = ""
    """What a person should know of the classification layer, if anything."""

    @classmethod
    def open(cls, task: Task, folder: Path, tokenizer: Path, runtime: Runtime, **config_values: Any) -> TaskModel:
        """The model of `folder` with the tokenizer of another folder (weights come often, tokenizers once).

        ModelError where one of the two cannot be used, or they do not belong together.
        """
        device = pick_device(runtime.device)
        check_precision(device, runtime.precision)
        values = attention_values(runtime.attention, device, runtime.precision) | config_values
        module: Any
        module, remark = load_for_labels(task.auto_class, folder, safety=runtime.safety, **values)
        pieces = tokenizer_of(tokenizer, runtime.safety)
        pieces.check_fit(module, str(tokenizer))
        pieces = pieces if _knows_segments(module) else pieces.untyped
        with memory_errors(f"{folder} on {device.type}"):
            module = module.to(device)
        if runtime.compile:
            compile_layers(module)
        max_length = min(runtime.max_length, usable_length(module))
        if max_length <= len(pieces.prefix) + len(pieces.suffix):
            room = f"no room for a word in {max_length} pieces, special ones included"
            raise ModelError(f"{folder}: {room}; raise max_length, or take a model that reads more")
        budget, precision = runtime.budget, runtime.precision
        return cls(task, module, pieces, device, max_length, budget, precision, remark=remark)

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
        named = {"input_ids": ids, **({"token_type_ids": types} if types.any() else {})}
        if not mask.all():  # a mask that hides nothing is looked at all the same, and a GPU waited for
            named["attention_mask"] = mask
        inputs = {name: to_device(torch.from_numpy(array), self.device) for name, array in named.items()}
        places = (to_device(torch.from_numpy(array), self.device) for array in (batch, position))
        with autocast(self.device, self.precision):
            return self.task.logits(self.module(**inputs).logits, *places)

    def predict(self, corpus: Corpus, label: str) -> Predictions:
        """Class probabilities; windows of equal length go together, so no padding can touch a result.

        One forward a window: labels, confidence and loss are all read off its probabilities.
        """
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
                self.budget.fit(partial(self._label, pairs, probs), label)
                first += len(shard)
                bar.advance(len(shard))
        return Predictions(probs, offsets)

    def _label(self, pairs: list[Placed], probs: Floats, tokens: int) -> None:
        """Fill the rows of `probs` that belong to each window."""
        found = []
        with autocast(self.device, self.precision):  # one context: the weights' casts serve all groups
            for group in equal_length(pairs, lambda pair: len(pair[0].ids), tokens):
                rows = np.concatenate([np.arange(at, at + len(window.positions)) for window, at in group])
                found.append((rows, to_cpu(self.forward([window for window, _ in group]).float().softmax(-1))))
        synchronise(self.device)
        for rows, values in found:
            probs[rows] = values.numpy()


def _knows_segments(module: Any) -> bool:
    """Whether the model tells the second text of a pair by a number of its own: its tokenizer may think so in vain."""
    takes = "token_type_ids" in signature(module.forward).parameters
    return takes and getattr(module.config, "type_vocab_size", 2) > 1


def tokenizer_of(tokenizer: Path, safety: ModelSafety = SAFE) -> WordTokenizer:
    """The pieces of a folder's tokenizer, read once a process: 250,000 of them take seconds, and a run opens dozens of
    models on one tokenizer."""
    files = [(file.name, file.stat()) for file in sorted(tokenizer.glob("*token*"))]
    return _read_pieces(tokenizer, safety, tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in files))


@lru_cache(maxsize=2)
def _read_pieces(tokenizer: Path, safety: ModelSafety, as_of: tuple[tuple[str, int, int], ...]) -> WordTokenizer:
    """`as_of` tells a folder whose tokenizer was replaced meanwhile from what it was."""
    return WordTokenizer.of(load_tokenizer(tokenizer, safety=safety), str(tokenizer))
