"""Training against `transformers.Trainer`: the same model, sentences, steps and optimiser, one thread, interleaved.

    python bench/training.py [--short] [--json FILE]

All take 32 sentences a step, no dropout, AdamW with the same schedule, decay and clipping. Trainer pads each batch to
its longest sentence (dynamic padding). It reads the sentences in UXLA's order, so that both see the same data in the
same steps and their mean losses are equal; `group_by_length` puts sentences of like length into one batch, so its
steps hold other sentences. A ratio is the median over the rounds of tokens a second (padding is no token).
"""

import warnings
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from common import arguments, ratio, rounds, table, write_json
from datasets import Dataset
from material import models, opened, plain, quiet, tagged
from torch import nn
from transformers import AutoTokenizer, DataCollatorForTokenClassification, PrinterCallback, Trainer, TrainingArguments

from uxla.models.task_model import TaskModel
from uxla.models.tasks import Tagging
from uxla.models.training.loop import fit
from uxla.models.training.settings import TrainingSettings
from uxla.records import IGNORED, Corpus

STEP = 32
TRAINER, GROUPED = "Trainer", "Trainer, group_by_length"
SETTINGS = TrainingSettings(batch_size=STEP, learning_rate=1e-4, weight_decay=0.01, dropout=0.0)
HEADER = ("model, variant", "tokens a second", "uxla is faster", "mean loss")


def encoded(loaded: TaskModel, corpus: Corpus) -> Dataset:
    """The corpus as Trainer takes it: piece ids, and a label at the first piece of each word."""
    windows, rows = loaded.encode(corpus), []
    for example, ids, positions in zip(corpus, windows.ids.tolist(), windows.positions.tolist(), strict=True):
        labels = [IGNORED] * len(ids)
        for position, label in zip(positions, example.labels or (), strict=True):
            labels[position] = label
        rows.append({"input_ids": ids, "attention_mask": [1] * len(ids), "labels": labels})
    return Dataset.from_list(rows)


def uxla(loaded: TaskModel, corpus: Corpus, **settings: Any) -> Callable[[], float]:
    def train() -> float:
        return fit(loaded, corpus, SETTINGS.model_copy(update=dict(**settings)), seed=0, label="train")["loss"]

    return train


def trainer(module: nn.Module, data: Dataset, folder: Path, sampling: str) -> Callable[[], float]:
    collate = DataCollatorForTokenClassification(AutoTokenizer.from_pretrained(folder), label_pad_token_id=IGNORED)

    def train() -> float:
        with TemporaryDirectory() as out:
            values = TrainingArguments(
                out,
                per_device_train_batch_size=STEP,
                num_train_epochs=1,
                learning_rate=SETTINGS.learning_rate,
                warmup_steps=SETTINGS.warmup_steps(len(data) // STEP),
                weight_decay=SETTINGS.weight_decay,
                train_sampling_strategy=sampling,
                logging_strategy="no",
                save_strategy="no",
                report_to=[],
                disable_tqdm=True,
                use_cpu=True,
                dataloader_pin_memory=False,
            )
            running = Trainer(module, values, collate, data)
            running.remove_callback(PrinterCallback)
            return running.train().training_loss

    return train


def measure(folder: Path, corpus: Corpus, count: int) -> tuple[dict[str, list[float]], dict[str, float]]:
    """CPU seconds a token of each variant by round, and its mean loss."""
    loaded = opened(Tagging(), folder, corpus.label_names)
    start, theirs = deepcopy(loaded.module.state_dict()), plain(loaded.module)
    data = encoded(loaded, corpus)
    tokens = sum(map(len, data["input_ids"]))
    ways = {
        "uxla": uxla(loaded, corpus),
        TRAINER: trainer(theirs, data, folder, "sequential"),
        GROUPED: trainer(theirs, data, folder, "group_by_length"),
        "uxla, bf16": uxla(replace(loaded, precision="bf16"), corpus),
    }
    losses: dict[str, float] = {}

    def work(name: str) -> Callable[[], float]:
        def run() -> float:
            for module in (loaded.module, theirs):
                module.load_state_dict(start)
                module.zero_grad()
            losses[name] = ways[name]()
            return tokens

        return run

    return rounds({name: work(name) for name in ways}, count), losses


def main() -> None:
    given = arguments(__doc__)
    torch.set_num_threads(1)
    quiet()
    warnings.filterwarnings("ignore", module="torch.utils.data")
    steps, count = (8, 1) if given.short else (16, 3)
    corpus = tagged(STEP * steps)
    rows, faster = [], {}
    with models() as folders:
        for model, folder in folders.items():
            seconds, losses = measure(folder, corpus, count)
            for name, found in seconds.items():
                faster[model, name] = ratio(found, seconds["uxla"])
                figures = f"{1 / np.median(found):,.0f}", f"{faster[model, name]:.2f}", f"{losses[name]:.6f}"
                rows.append((f"{model}, {name}", *figures))
    table(HEADER, rows)
    keys = {"ratio_training_to_trainer": TRAINER, "ratio_training_to_group_by_length": GROUPED}
    least = {key: min(found for (_, name), found in faster.items() if name == of) for key, of in keys.items()}
    write_json(given.json, {**least, "ratios": {", ".join(names): found for names, found in faster.items()}})


if __name__ == "__main__":
    main()
