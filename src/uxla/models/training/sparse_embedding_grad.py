"""The gradient of a large embedding table, row by row; on the CPU torch makes a whole table for each backward pass."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import nn

_LARGE = 2**20
"""Tables with fewer numbers are left to torch. Of XLM-R's 250,002 rows a pass looks up a few hundred."""


def sparse_embedding_gradients(module: nn.Module) -> None:
    """Have large embedding tables of a module on the CPU add only the rows that a pass looked up to their gradient.

    No bit of the gradient changes: as with torch, rows are summed within a pass, then over the passes.
    """
    for part in module.modules():
        if type(part) is nn.Embedding and _takes_part(part.weight) and not part.scale_grad_by_freq:
            part.register_forward_hook(_leave_graph)


def _takes_part(weight: torch.Tensor) -> bool:
    return weight.requires_grad and weight.numel() >= _LARGE and weight.device.type == "cpu"


def _leave_graph(table: Any, inputs: tuple[torch.Tensor, ...], rows: torch.Tensor) -> torch.Tensor | None:
    """The same rows as leaves of the graph; their gradient is added to that of the table."""
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
