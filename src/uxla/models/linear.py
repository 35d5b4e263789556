"""Faster products in float32 on a CPU: oneDNN's in place of those of torch's BLAS library.

On processors that are not Intel's MKL leaves AVX-512 alone; oneDNN, which is part of torch, uses it. `Linear` layers
differ from torch's in rounding only.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_LARGE = 2**17
"""Numbers in a weight from which on oneDNN pays: for each new number of rows it first makes machine code (0.7 ms)."""


class Linear(nn.Linear):
    """torch's layer of this name, with faster products."""

    def forward(self, input: Tensor) -> Tensor:
        """See `linear`."""
        return linear(input, self.weight, self.bias)


def use_faster_products(model: nn.Module) -> None:
    """Make the linear layers of a model `Linear`. Names, weights and files stay as they are."""
    for module in model.modules():
        if type(module) is nn.Linear:  # what inherits from it may compute something else
            module.__class__ = Linear


def linear(inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """`inputs` (…, K) · `weight` (N, K) + `bias` (N,) as `F.linear`: by oneDNN where that is faster.

    The weight's size decides, never the number of rows: what shares a forward pass must not change a row. Of a row all
    by itself the last bits may still differ: oneDNN multiplies a vector in its own way, as torch's library does.
    """
    if _is_recorded() or not (products_by_onednn() and _suits(inputs, weight)):
        return F.linear(inputs, weight, bias)
    if torch.is_grad_enabled():
        found: Tensor = _Linear.apply(inputs, weight, bias)  # type: ignore[no-untyped-call]
        return found
    return _product(inputs, weight, bias)


@cache
def products_by_onednn() -> bool:
    """Whether float32 products are oneDNN's here: nothing but the processor and torch's version decide."""
    fast = torch.backends.mkldnn.is_available() and torch.backends.cpu.get_cpu_capability() == "AVX512"
    return fast and hasattr(torch.ops.mkldnn, "_linear_pointwise")


def _is_recorded() -> bool:
    """Whether torch compiles, exports or traces a model now."""
    if torch.compiler.is_compiling():
        return True
    return bool(torch.jit.is_tracing())  # type: ignore[attr-defined, no-untyped-call]


def _suits(inputs: Tensor, weight: Tensor) -> bool:
    """Whether these are large matrices in float32 on a CPU that are not cast."""
    exact = inputs.dtype == weight.dtype == torch.float32 and not torch.is_autocast_enabled("cpu")
    large = weight.numel() >= _LARGE and inputs.numel() > 0
    return large and exact and inputs.device.type == "cpu"


def _product(inputs: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    found: Tensor = torch.ops.mkldnn._linear_pointwise(inputs, weight, bias, "none", [], "")
    return found


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(inputs, weight)
        return _product(inputs, weight, bias)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        inputs, weight = ctx.saved_tensors
        rows = gradient.reshape(-1, len(weight)).contiguous()  # (R, N)
        seen = inputs.reshape(-1, weight.shape[1])  # (R, K)
        for_inputs, for_weight, for_bias = ctx.needs_input_grad
        product = F.linear if torch.is_grad_enabled() else _product  # with `create_graph` gradients have theirs too
        return (
            product(rows, weight.t()).view_as(inputs) if for_inputs else None,
            product(rows.t(), seen.t()) if for_weight else None,
            rows.sum(0) if for_bias else None,
        )
