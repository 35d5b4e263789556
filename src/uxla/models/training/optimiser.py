"""AdamW, and what a module needs before it is trained."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from uxla.errors import ModelError, assignment
from uxla.models.training.settings import TrainingSettings


def prepare(module: Any, settings: TrainingSettings) -> None:
    """Set a module up for training: frozen embeddings, gradient checkpointing.

    ModelError where the architecture has no gradient checkpointing.
    """
    if settings.freeze_embeddings:
        module.get_input_embeddings().requires_grad_(False)
    if settings.gradient_checkpointing:
        enable = getattr(module, "activation_checkpointing_enable", None)  # its name in later releases of transformers
        try:
            (enable or module.gradient_checkpointing_enable)({"use_reentrant": False})
        except ValueError:
            kind = type(module).__name__
            remedy = f"set {assignment('gradient_checkpointing', False)}"
            raise ModelError(f"{kind} has no gradient checkpointing; {remedy}") from None


def adamw(parameters: Iterable[nn.Parameter], settings: TrainingSettings) -> torch.optim.AdamW:
    """AdamW without weight decay on biases and normalisation weights, which are all the one-dimensional parameters."""
    parameters = [p for p in parameters if p.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": settings.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=settings.learning_rate, eps=settings.adam_epsilon, fused=True)
