"""The settings of a training (Table 8), and the optimiser made of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from uxla.choices import Selection
from uxla.errors import ModelError
from uxla.models.training.sparse_embedding_grad import sparse_embedding_gradients


@dataclass(frozen=True)
class Optimisation:
    """The settings of a training (Table 8). `lr_warmup` is a number of steps (int) or a share of all steps (float)."""

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
    gradient_checkpointing: bool = False
    freeze_embeddings: bool = False

    @property
    def step_size(self) -> int:
        """Examples in one optimiser step."""
        return self.batch_size * self.accumulation

    def warmup_steps(self, steps: int) -> int:
        """Steps of the learning rate's rise in a training of `steps`."""
        return self.lr_warmup if isinstance(self.lr_warmup, int) else int(self.lr_warmup * steps)

    def rate(self, done: int, steps: int) -> float:
        """The learning rate of the step after `done` of `steps`: linear from 0 to its peak, then linear to 0."""
        warmup = self.warmup_steps(steps)
        return self.learning_rate * (done / warmup if done < warmup else (steps - done) / max(1, steps - warmup))


def prepare(module: Any, settings: Optimisation) -> None:
    """Set a module up for training: frozen embeddings, sparse gradients of embeddings, gradient checkpointing.

    ModelError where the architecture has no gradient checkpointing.
    """
    if settings.freeze_embeddings:
        module.get_input_embeddings().requires_grad_(False)
    sparse_embedding_gradients(module)
    if settings.gradient_checkpointing:
        enable = getattr(module, "activation_checkpointing_enable", None)  # its name in later releases of transformers
        try:
            (enable or module.gradient_checkpointing_enable)({"use_reentrant": False})
        except ValueError:
            kind = type(module).__name__
            raise ModelError(f"{kind} has no gradient checkpointing; set gradient_checkpointing=false") from None


def adamw(module: Any, settings: Optimisation) -> torch.optim.AdamW:
    """AdamW without weight decay on biases and normalisation weights, which are all the one-dimensional parameters."""
    parameters = [p for p in module.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": settings.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=settings.learning_rate, eps=settings.adam_epsilon, fused=True)
