"""What a training learns: how it reads its examples, and its loss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from uxla.models.task_model import TaskModel
from uxla.models.training.losses import penalised_loss
from uxla.models.windows import Windows
from uxla.records import Corpus, Ints

Labelled = tuple[Windows, Ints]
"""Windows and the labels (R,) of all their rows."""


@dataclass(frozen=True)
class Objective:
    """How a training reads its examples: windows with labels, and the model's logits (R, C) for the rows of some.

    `loss` is the sum over rows of what parts logits and labels (R,); it takes `penalty` as `penalised_loss` does.
    """

    rows: Callable[[Corpus], Labelled]
    logits: Callable[[Windows], torch.Tensor]
    loss: Callable[..., torch.Tensor] = penalised_loss

    @classmethod
    def of(cls, model: TaskModel, loss: Callable[..., torch.Tensor] = penalised_loss) -> Objective:
        """The examples' own labels, as the model's task reads them."""
        return cls(lambda examples: (model.encode(examples), examples.gold_labels), model.forward, loss)
