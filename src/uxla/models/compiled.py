"""Encoder layers in machine code (torch.compile): the same results but for rounding, and for what dropout draws."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch import nn

from uxla import progress

_BACKEND = "inductor"
_VARIANTS = 64
"""Versions of a layer that are kept before torch goes back to plain execution. One row and several, with and without
padding, training and not, and each model size of a run count alike; torch's own limit of 8 is below that."""


def compile_layers(model: Any) -> None:
    """Have each layer of an encoder compiled when it is first called, once for all layers and lengths.

    Layers alone, since all of them share one piece of machine code, and since names of weights, hooks and the modules
    that Gen-LM puts in the place of others then stay as they are. What cannot be compiled is executed as it is, which
    is told: that a compiler is missing must not end a run whose results would be the same.
    """
    layers = _layers(model)
    if not layers:
        _tell_once(f"compile: no list of layers is known in {type(model).__name__}; it goes on uncompiled")
        return
    import torch._dynamo  # late: 2 seconds

    config: Any = torch._dynamo.config
    config.cache_size_limit = max(config.cache_size_limit, _VARIANTS)
    config.suppress_errors = True  # code that torch cannot read runs as it is, and torch warns
    for layer in layers:
        layer.compile(backend=_compiled_graph, dynamic=True)


def _layers(model: Any) -> list[nn.Module]:
    lists = (part for part in model.base_model.modules() if isinstance(part, nn.ModuleList))
    outermost = list(next(lists, ()))
    return [] if any(isinstance(layer, nn.ModuleList) for layer in outermost) else outermost


def _compiled_graph(graph: torch.fx.GraphModule, inputs: list[torch.Tensor]) -> Callable[..., Any]:
    from torch._dynamo import lookup_backend

    try:
        compiled: Callable[..., Any] = lookup_backend(_BACKEND)(graph, inputs)
    except Exception as error:  # whatever compilers and drivers of this machine can raise
        why = str(error).strip().split("\n")[0] or type(error).__name__
        _tell_once(f"compile: this machine cannot compile the model ({why}); it goes on uncompiled")
        return graph.forward
    return compiled


@cache
def _tell_once(text: str) -> None:
    """A run opens dozens of models: told once a process."""
    progress.note(text)
