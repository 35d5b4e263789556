"""Every kind of encoder and tokenizer as a task model: tags, pairs and single texts are learnt and predicted."""

from __future__ import annotations

import numpy as np
import pytest

from uxla.models.memory import Budget
from uxla.models.runtime import Runtime
from uxla.models.task_model import TaskModel
from uxla.models.tasks import SentenceTask, Tagging
from uxla.models.training.loop import fit
from uxla.models.training.settings import TrainingSettings
from uxla.records import Corpus, Example

NAMES = ("O", "B-X", "I-X")
KINDS = ["metaspace", "bytelevel", "wordpiece", "roberta", "deberta", "albert"]
TASKS = {"tags": Tagging(), "single": SentenceTask(1), "pair": SentenceTask(2)}


def corpus(texts, task):
    """Tagging: a word is an entity if it is longer than four characters; else the label is the text's length mod 3."""
    rows = []
    for i, text in enumerate(texts):
        words = " ".join(text.split())
        if isinstance(task, Tagging):
            labels = tuple(int(len(word) > 4) for word in words.split(" "))
            rows.append(Example(str(i), "x", (words,), labels))
        else:
            rows.append(Example(str(i), "x", (text,) * task.segments, (len(text) % 3,)))
    return Corpus.from_examples("texts", NAMES, rows)


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
@pytest.mark.parametrize("kind", KINDS)
def test_an_encoder_of_any_kind_learns_a_task(kind, task, folder_of, texts):
    folder = folder_of(kind)
    labels = {"id2label": dict(enumerate(NAMES)), "label2id": {name: i for i, name in enumerate(NAMES)}}
    loaded = TaskModel.open(task, folder, folder, Runtime("cpu", 32, Budget(512)), dropout=0.0, **labels)
    whole = corpus(texts, task)
    rows = int(task.rows(whole).sum())
    before = loaded.predict(whole, "t")
    assert before.probs.shape == (rows, 3)
    assert before.probs.sum(1) == pytest.approx(np.ones(rows), abs=1e-5)
    mix = whole.take(np.tile(np.arange(len(whole)), 12))
    start = fit(
        loaded, whole, TrainingSettings(batch_size=8, learning_rate=1e-9, lr_warmup=0, dropout=0.0), seed=0, label="t"
    )["loss"]
    fit(loaded, mix, TrainingSettings(batch_size=8, learning_rate=3e-3, lr_warmup=0, dropout=0.0), seed=0, label="t")
    end = fit(
        loaded, whole, TrainingSettings(batch_size=8, learning_rate=1e-9, lr_warmup=0, dropout=0.0), seed=0, label="t"
    )["loss"]
    assert end < 0.9 * start
