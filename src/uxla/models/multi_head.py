"""Several classification layers on one encoder: the paper's first attempt at three different models (App. A)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from uxla.models.classifier import classification_layer
from uxla.models.tasks import Task, Window
from uxla.models.word_tokenizer import WordTokenizer
from uxla.records import Corpus, Example, Ints, Predictions


@dataclass(frozen=True)
class MultiHeadTask:
    """A task whose model has a classification layer for each of `of` heads: one layer of `of` · C columns.

    With `only`, counted from 0, the task is that of one head: its logits are the head's own columns, and a training
    leaves the other columns as they are. Without it a training teaches all heads the same labels, each from its own
    initial layer, by the mean of their losses. Predictions need `only`.
    """

    task: Task
    of: int = 3
    only: int | None = None

    @property
    def auto_class(self) -> Any:
        """The Auto class of the model."""
        return self.task.auto_class

    @property
    def segments(self) -> int:
        """How many texts an example has."""
        return self.task.segments

    def encode(self, example: Example, tokenizer: WordTokenizer, max_length: int) -> list[Window]:
        """As the task without heads."""
        return self.task.encode(example, tokenizer, max_length)

    def rows(self, example: Example) -> int:
        """As the task without heads."""
        return self.task.rows(example)

    def logits(self, output: torch.Tensor, batch: torch.Tensor, position: torch.Tensor) -> torch.Tensor:
        """(R, C) of the head `only`; of all heads (R, H, C)."""
        found = self.task.logits(output, batch, position)
        found = found.view(len(found), self.of, -1)
        return found if self.only is None else found[:, self.only]

    def decode(self, predictions: Predictions, label_names: Sequence[str]) -> Ints:
        """As the task without heads."""
        return self.task.decode(predictions, label_names)

    def score(self, corpus: Corpus, predictions: Predictions) -> dict[str, float]:
        """As the task without heads."""
        return self.task.score(corpus, predictions)


def columns(task: Task, label_names: Sequence[str]) -> tuple[str, ...]:
    """The names of the classification layer's columns: the labels, once for each head."""
    if not isinstance(task, MultiHeadTask):
        return tuple(label_names)
    return tuple(f"{name} (head {head})" for head in range(1, task.of + 1) for name in label_names)


def one_by_one(task: Task) -> list[Task]:
    """The tasks that a model can predict: one for each head, or the task itself where there are no heads."""
    if isinstance(task, MultiHeadTask) and task.only is None:
        return [replace(task, only=head) for head in range(task.of)]
    return [task]


def hold_other_heads(task: Task, module: Any, optimiser: torch.optim.Optimizer) -> None:
    """Keep the columns of heads that the task does not train as they are: they have no gradient, but weight decay would
    shrink them."""
    if not isinstance(task, MultiHeadTask) or task.only is None:
        return
    found = classification_layer(module)
    assert found is not None, "a task's model has a classification layer"
    layer = found[1]
    others = torch.arange(layer.out_features, device=layer.weight.device).view(task.of, -1)
    others = torch.cat([others[: task.only], others[task.only + 1 :]]).flatten()
    values = [(parameter, parameter.detach()[others].clone()) for parameter in layer.parameters()]

    def put_back(*_: object) -> None:
        with torch.no_grad():
            for parameter, value in values:
                parameter[others] = value

    optimiser.register_step_post_hook(put_back)
