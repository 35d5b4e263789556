"""How fast a model that costs nothing is fed: examples a second that are encoded, batched, labelled and stored.

    python bench/feeding.py [--short] [--json FILE]

The model answers from one multiplication of its ids, so that nothing but the work around a model is measured. Three
such models label one corpus with an empty store: the first one has it encoded ("first"), the others read what the
store keeps ("again"). Seconds of the clock say what the cores do together, CPU seconds what one does; the medians over
the rounds.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import torch
from common import arguments, table, write_json
from material import SHARED, quiet, tagged
from torch import Tensor, nn

from uxla.models.memory import Budget
from uxla.models.runtime import Runtime
from uxla.models.task_model import TaskModel, tokenizer_of
from uxla.models.tasks import SentenceTask, Tagging, Task
from uxla.models.training.settings import TrainingSettings
from uxla.records import Corpus, Example, ModelHandle
from uxla.store.store import Store
from uxla.study.remembered import StoredLearner
from uxla.testbed import asset
from uxla.testbed.world import World

HEADER = ("corpus", "examples", "first, a second", "again", "first, a CPU second", "again")
_FULL, _SHORT, _PAIRS = 5, 2, 10_071
_MODEL = SHARED / "models/me5"


class Free(nn.Module):
    """Logits of three or more classes out of the ids: (B, L, C) for words, else (B, C)."""

    def __init__(self, task: Task, classes: int) -> None:
        super().__init__()
        self.words, self.weight = isinstance(task, Tagging), torch.linspace(0, 1e-5, classes)

    def forward(self, input_ids: Tensor, **others: Tensor) -> Any:
        ids = input_ids if self.words else input_ids[:, 1]
        return type("Output", (), {"logits": ids[..., None] * self.weight})


@dataclass(frozen=True)
class FreeLearner(StoredLearner):
    """Opens a model that costs nothing."""

    def _open(self, model: ModelHandle, names: Any = (), **config_values: Any) -> TaskModel:
        free = Free(self.task, 9 if isinstance(self.task, Tagging) else 3)
        return TaskModel(self.task, free, tokenizer_of(model.path), torch.device("cpu"), 256, Budget(8192))


def pairs(count: int) -> Corpus:
    """MNLI's pairs, else pairs of the testbed."""
    file, names = SHARED / "data/nli_en/taxinli10k_mnli.tsv", ("contradiction", "entailment", "neutral")
    if file.is_file():
        rows = [line.split("\t")[:2] for line in file.read_text(encoding="utf-8").splitlines()[1:]]
    else:
        rows = [texts for texts, _ in World(0).examples("source", "nli", "train", count)]
    return Corpus.from_examples(
        "pairs", names, (Example(str(i), "en", tuple(row)) for i, row in enumerate(rows[:count]))
    )


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Of the clock and of the CPU."""
    began, used = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - began, time.process_time() - used


def measure(name: str, task: Task, corpus: Corpus, folder: Path, count: int) -> dict[str, float]:
    """Examples a second, the first time and again."""
    settings, found = TrainingSettings(batch_size=1, learning_rate=1.0), []
    for _ in range(count):
        tokenizer_of(folder).forget()
        with TemporaryDirectory() as place:
            backbone, store = ModelHandle(folder, "backbone"), Store(Path(place))
            learner = FreeLearner(name, task, backbone, settings, Runtime("cpu", 256), store, "bench")
            works = [partial(learner.predict, ModelHandle(folder, f"peer {peer}"), corpus) for peer in range(3)]
            found.append(list(map(seconds, works)))
    result: dict[str, float] = {"examples": len(corpus)}
    for key, which in (("", 0), ("_cpu", 1)):
        result[f"first{key}"] = len(corpus) / median(first[which] for first, *_ in found)
        result[f"again{key}"] = len(corpus) / median(one[which] for _, *others in found for one in others)
    return result


def main() -> None:
    given = arguments(__doc__)
    torch.set_num_threads(1)
    quiet()
    folder, count = (_MODEL if _MODEL.is_dir() else asset()), _SHORT if given.short else _FULL
    corpora = {"pairs": (SentenceTask(2), pairs(_PAIRS)), "words of sentences": (Tagging(), tagged(_PAIRS))}
    found = {name: measure(name, task, corpus, folder, count) for name, (task, corpus) in corpora.items()}
    print(f"{len(os.sched_getaffinity(0))} cores, the tokenizer of {folder.name}\n")
    figures = ("examples", "first", "again", "first_cpu", "again_cpu")
    table(HEADER, [(name, *(f"{one[key]:,.0f}" for key in figures)) for name, one in found.items()])
    write_json(given.json, found)


if __name__ == "__main__":
    main()
