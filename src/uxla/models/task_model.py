"""A model in memory with its tokenizer: from examples to windows, logits and probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
import torch

from uxla import progress
from uxla.choices import BATCH_SIZE, Precision
from uxla.errors import ModelError
from uxla.models.batches import equal_length
from uxla.models.classifier import exact_logits
from uxla.models.compiled import compile_layers
from uxla.models.device import HALF, attention_values, autocast, pick_device, to_device
from uxla.models.heads import ONE_HEAD, Heads
from uxla.models.loading import load_model, load_tokenizer, usable_length
from uxla.models.memory import Budget, memory_errors
from uxla.models.model_safety import SAFE, ModelSafety
from uxla.models.runtime import Runtime
from uxla.models.tasks import Task
from uxla.models.windows import Windows
from uxla.models.word_tokenizer import WordTokenizer
from uxla.records import Corpus, Floats, Predictions


@dataclass(frozen=True)
class TaskModel:
    """A model in memory with its tokenizer, ready for one task."""

    task: Task
    module: Any
    tokenizer: WordTokenizer
    device: torch.device
    max_length: int
    budget: Budget
    precision: Precision = "fp32"
    remark: str = ""
    """A remark about the classification layer for the user; may be empty."""
    heads: Heads = ONE_HEAD

    @classmethod
    def open(
        cls,
        task: Task,
        folder: Path,
        tokenizer_folder: Path,
        runtime: Runtime,
        heads: Heads = ONE_HEAD,
        **config_values: Any,
    ) -> TaskModel:
        """The model of `folder` with the tokenizer of another folder: many models share one tokenizer.

        `config_values` are those of `load_model`. ModelError where either cannot be used, or they do not fit together.
        """
        device = pick_device(runtime.device, runtime.precision)
        values = attention_values(runtime.attention, device, runtime.precision) | config_values
        module: Any
        module, remark = load_model(task.auto_class, folder, safety=runtime.safety, **values)
        tokenizer = tokenizer_of(tokenizer_folder, runtime.safety)
        tokenizer.check_fits(module, str(tokenizer_folder))
        tokenizer = tokenizer if _knows_segments(module) else tokenizer.without_segment_numbers
        budget = runtime.budget_of(module, device)
        with memory_errors(f"{folder} on {device.type}"):
            module = module.to(device)
        if runtime.precision in HALF:
            exact_logits(module)
        if runtime.compile:
            compile_layers(module)
        longest = usable_length(module)
        max_length = min(runtime.max_length or longest, longest)
        if max_length <= tokenizer.special_count:
            room = f"no room for a word in {max_length} pieces, special ones included"
            raise ModelError(f"{folder}: {room}; raise max_length, or take a model that reads more")
        return cls(task, module, tokenizer, device, max_length, budget, runtime.precision, remark, heads)

    def encode(self, corpus: Corpus) -> Windows:
        """What the encoder reads of all examples."""
        return self.task.encode(corpus, self.tokenizer, self.max_length)

    def forward(self, windows: Windows) -> torch.Tensor:
        """(R, C) logits of all rows that the windows answer for, window by window; of several heads (R, H, C)."""
        inputs = self.inputs(windows)
        with autocast(self.device, self.precision):
            return self.heads.logits(self.task.logits(self.module(**inputs).logits, *self.positions(windows)))

    def inputs(self, windows: Windows) -> dict[str, torch.Tensor]:
        """The model's inputs on its device: the windows (B, L), padded."""
        lengths = windows.lengths
        mask = np.arange(lengths.max()) < lengths[:, None]
        ids = np.full(mask.shape, self.tokenizer.pad, dtype=np.int64)
        ids[mask] = windows.ids.values
        named = {"input_ids": ids}
        if windows.types is not None:
            named["token_type_ids"] = np.zeros_like(ids)
            named["token_type_ids"][mask] = windows.types.values
        if not mask.all():  # an all-ones mask is still read, and a GPU waits for it
            named["attention_mask"] = mask.astype(np.int64)
        return {name: to_device(torch.from_numpy(array), self.device) for name, array in named.items()}

    def positions(self, windows: Windows) -> tuple[torch.Tensor, torch.Tensor]:
        """The window and the position in it of each of the R rows, on the device."""
        batch = np.repeat(np.arange(len(windows)), windows.positions.lengths)
        places = torch.from_numpy(batch), torch.from_numpy(windows.positions.values)
        return to_device(places[0], self.device), to_device(places[1], self.device)

    def predict(self, corpus: Corpus, label: str) -> Predictions:
        """Class probabilities; `label` names the work in progress bars."""
        return predict_each([self], corpus, label)[0]

    def label(self, corpus: Corpus, windows: Windows, label: str) -> Predictions:
        """Class probabilities of a corpus of which all `windows` are given.

        Windows of equal length go together, so no padding can touch a result. There is one forward pass a window:
        labels, confidence and loss are all read off its probabilities.
        """
        offsets = np.concatenate([[0], np.cumsum(self.task.rows(corpus))])
        probs = np.empty((int(offsets[-1]), len(corpus.label_names)), dtype=np.float32)
        self.module.eval()
        with torch.inference_mode(), progress.bar(label, len(corpus)) as bar:
            self.budget.fit(partial(self._label, windows, probs), label)
            bar.advance(len(corpus))
        return Predictions(probs, offsets)

    def _label(self, windows: Windows, probs: Floats, tokens: int) -> None:
        """Fill the rows of `probs` that belong to each window."""
        found = []
        with autocast(self.device, self.precision):  # one context: the weights' casts serve all groups
            for group in equal_length(windows.lengths, tokens):
                some = windows.take(group)
                values = self.forward(some).float().softmax(-1)
                found.append((some.rows, values.to("cpu", non_blocking=True)))
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        for rows, values in found:
            probs[rows] = values.numpy()


def predict_each(models: Sequence[TaskModel], corpus: Corpus, label: str) -> list[Predictions]:
    """The class probabilities of several models of one task; models that read alike have the corpus encoded once."""
    tables = [list[Predictions]() for _ in models]
    with progress.bar(label, len(corpus) * len(models)):
        for part in corpus.parts(BATCH_SIZE):
            encode = cache(partial(models[0].task.encode, part))
            for model, table in zip(models, tables, strict=True):
                table.append(model.label(part, encode(model.tokenizer, model.max_length), label))
    return list(map(joined, tables))


def joined(tables: Sequence[Predictions]) -> Predictions:
    """The predictions of consecutive parts of a corpus as those of the whole."""
    starts = np.cumsum([0, *(table.offsets[-1] for table in tables)])[:-1]
    offsets = [table.offsets[1:] + start for table, start in zip(tables, starts, strict=True)]
    return Predictions(
        np.concatenate([table.probs for table in tables]), np.concatenate([np.zeros(1, dtype=np.int64), *offsets])
    )


def _knows_segments(module: Any) -> bool:
    """Whether the model distinguishes the texts of a pair by segment numbers, whatever its tokenizer offers."""
    takes = "token_type_ids" in signature(module.forward).parameters
    return takes and getattr(module.config, "type_vocab_size", 2) > 1


def tokenizer_of(folder: Path, safety: ModelSafety = SAFE) -> WordTokenizer:
    """The tokenizer of a folder, read once a process: 250,000 pieces take seconds, and a run opens dozens of models on
    one tokenizer."""
    files = [(file.name, file.stat()) for file in sorted(folder.glob("*token*"))]
    return _read_tokenizer(folder, safety, tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in files))


@lru_cache(maxsize=2)
def _read_tokenizer(folder: Path, safety: ModelSafety, as_of: tuple[tuple[str, int, int], ...]) -> WordTokenizer:
    """`as_of` changes when the folder gets another tokenizer."""
    return WordTokenizer.of(load_tokenizer(folder, safety=safety), str(folder))
