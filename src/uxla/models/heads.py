"""Several classification layers on one encoder: the paper's first attempt at three different models (App. A)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from uxla.models.classifier import classification_layer


@dataclass(frozen=True)
class Heads:
    """The classification layers of a model: `of` heads of C columns each, side by side in one layer.

    With `only`, counted from 0, the model is that of one head: its logits are that head's columns, and a training
    leaves the other columns as they are. With None, a training teaches all heads the same labels, each from its own
    initial layer, by the mean of their losses; to predict, a model needs `only`.
    """

    of: int = 3
    only: int | None = None

    def logits(self, found: torch.Tensor) -> torch.Tensor:
        """(R, C) of the one head, or (R, H, C) of all, from the layer's (R, H · C)."""
        if self.of == 1 and self.only == 0:
            return found
        found = found.view(len(found), self.of, -1)
        return found if self.only is None else found[:, self.only]

    def columns(self, label_names: Sequence[str]) -> tuple[str, ...]:
        """The names of the layer's columns: the labels, once for each head."""
        if self.of == 1:
            return tuple(label_names)
        return tuple(f"{name} (head {head})" for head in range(1, self.of + 1) for name in label_names)

    def one_by_one(self) -> list[Heads]:
        """Each head by itself, as models predict."""
        return [replace(self, only=head) for head in range(self.of)] if self.only is None else [self]

    def hold_others(self, module: Any, optimiser: torch.optim.Optimizer) -> None:
        """Keep the columns of untrained heads: they have no gradient, but weight decay would shrink them."""
        if self.of == 1 or self.only is None:
            return
        found = classification_layer(module)
        assert found is not None, "a task's model has a classification layer"
        layer = found[1]
        others = torch.arange(layer.out_features, device=layer.weight.device).view(self.of, -1)
        others = torch.cat([others[: self.only], others[self.only + 1 :]]).flatten()
        values = [(parameter, parameter.detach()[others].clone()) for parameter in layer.parameters()]

        def put_back(*_: object) -> None:
            with torch.no_grad():
                for parameter, value in values:
                    parameter[others] = value

        optimiser.register_step_post_hook(put_back)


ONE_HEAD = Heads(of=1, only=0)
"""A model with one classification layer, as all are but those of App. A."""
