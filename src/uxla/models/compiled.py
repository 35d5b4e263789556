"""Encoder layers as machine code (torch.compile). Results are the same but for rounding and for dropout's draws."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from uxla import progress
from uxla.phrases import first_line

_BACKEND = "inductor"
_VARIANTS = 64
"""Versions of a layer that are kept before torch goes back to plain execution. One row and several, with and without
padding, training and not, and each model size of a run count alike; torch's own limit of 8 is below that."""


def compile_layers(model: Any) -> None:
    """Have each layer of an encoder compiled when it is first called, once for all layers and lengths.

    Layers alone are compiled: all of them share one piece of machine code, and names of weights, hooks and the modules
    that Gen-LM puts in the place of others stay as they are. What cannot be compiled runs as it is, with a note: a
    missing compiler must not end a run whose results would be the same.
    """
    layers = _layers(model)
    if not layers:
        progress.note_once(f"compile: no list of layers is known in {type(model).__name__}; it runs uncompiled")
    for layer in layers:
        compiled = torch.compile(layer._call_impl, backend=_compiled_graph, dynamic=True)
        layer._compiled_call_impl = _tolerant(compiled)  # as `Module.compile` does


def _tolerant(call: Callable[..., Any]) -> Callable[..., Any]:
    """The compiled layer, under the compiler's settings: code that torch cannot read runs as it is, with a warning."""

    def run(*inputs: Any, **named: Any) -> Any:
        import torch._dynamo  # late: 2 seconds

        config: Any = torch._dynamo.config
        with config.patch(cache_size_limit=max(config.cache_size_limit, _VARIANTS), suppress_errors=True):
            return call(*inputs, **named)

    return run


def _layers(model: Any) -> list[nn.Module]:
    lists = (part for part in model.base_model.modules() if isinstance(part, nn.ModuleList))
    outermost = list(next(lists, ()))
    return [] if any(isinstance(layer, nn.ModuleList) for layer in outermost) else outermost


def _compiled_graph(graph: torch.fx.GraphModule, inputs: list[torch.Tensor]) -> Callable[..., Any]:
    from torch._dynamo import lookup_backend

    try:
        compiled: Callable[..., Any] = lookup_backend(_BACKEND)(graph, inputs)
    except Exception as error:  # whatever compilers and drivers of this machine can raise
        why = first_line(error)
        progress.note_once(f"compile: this machine cannot compile the model ({why}); it runs uncompiled")
        return graph.forward
    return compiled
