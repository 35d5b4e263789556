"""AdamW, and what a module needs before it is trained."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import nn

from uxla.errors import ModelError, assignment
from uxla.models.training.settings import TrainingSettings

_LARGE = 2**20
"""Numbers in a table: of XLM-R's 250,002 rows a pass looks up a few hundred."""


def prepare(module: Any, settings: TrainingSettings) -> None:
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
            remedy = f"set {assignment('gradient_checkpointing', False)}"
            raise ModelError(f"{kind} has no gradient checkpointing; {remedy}") from None


def adamw(module: Any, settings: TrainingSettings) -> torch.optim.AdamW:
    """AdamW without weight decay on biases and normalisation weights, which are all the one-dimensional parameters."""
    parameters = [p for p in module.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": settings.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=settings.learning_rate, eps=settings.adam_epsilon, fused=True)


def sparse_embedding_gradients(module: nn.Module, *, large: int = _LARGE) -> None:
    """Make the gradient of embedding tables with at least `large` numbers row by row: on the CPU, torch makes a whole
    table in each backward pass.

    No bit of the gradient changes: as in torch, rows are summed within a pass, then over the passes.
    """
    for part in module.modules():
        if type(part) is nn.Embedding and not part.scale_grad_by_freq:
            weight = part.weight
            if weight.requires_grad and weight.numel() >= large and weight.device.type == "cpu":
                part.register_forward_hook(_leave_graph)


def _leave_graph(table: Any, inputs: tuple[torch.Tensor, ...], rows: torch.Tensor) -> torch.Tensor | None:
    """The looked-up rows as leaves of the graph; their gradient is added to the table's."""
    if not torch.is_grad_enabled():
        return None
    begin = rows.detach().requires_grad_()
    begin.register_hook(partial(_add_rows, table, inputs[0]))
    return begin


def _add_rows(table: Any, ids: torch.Tensor, gradient: torch.Tensor) -> None:
    weight = table.weight
    if weight.grad is None:
        weight.grad = torch.zeros_like(weight)
    numbers, places = ids.unique(return_inverse=True)
    sums = torch.ops.aten.embedding_dense_backward(gradient, places, len(numbers), -1, False)
    if table.padding_idx is not None:
        numbers, sums = numbers[numbers != table.padding_idx], sums[numbers != table.padding_idx]
    weight.grad.index_add_(0, numbers, sums)
