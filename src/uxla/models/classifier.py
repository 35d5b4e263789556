"""A model's classification layer: a backbone's own if its labels are the data's, else a new one; exact logits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from uxla.phrases import listed
from uxla.process_settings import seeded


@dataclass(frozen=True)
class LayerDescription:
    """What a configuration says about the classification layer: its labels, and the model's class."""

    names: tuple[str, ...]
    architectures: tuple[str, ...]

    @classmethod
    def of(cls, config: Any) -> LayerDescription:
        """The description in a model's configuration."""
        named = getattr(config, "id2label", None) or {}
        return cls(tuple(str(named[i]) for i in sorted(named)), tuple(config.architectures or ()))


def classification_layer(model: Any) -> tuple[str, nn.Linear] | None:
    """The last linear layer behind the encoder, by its name; None of a model that has none."""
    encoder = set() if model.base_model is model else set(model.base_model.modules())
    found = [(n, part) for n, part in model.named_modules() if isinstance(part, nn.Linear) and part not in encoder]
    return found[-1] if found else None


class _ExactLinear(nn.Linear):
    """A linear layer that computes in float32 also under autocast."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        with torch.autocast(input.device.type, enabled=False):
            return super().forward(input.float())


def exact_logits(model: Any) -> None:
    """Let the classification layer compute in float32 whatever the precision of the encoder.

    In bf16 the logits would have eight bits: different rows would tie, and a selection by confidence would take the
    first of them.
    """
    found = classification_layer(model)
    if found is not None and found[1].out_features == model.config.num_labels:  # else the decoder of a masked LM
        found[1].__class__ = _ExactLinear


def layer_tensors(model: Any) -> frozenset[str]:
    """The names of the classification layer's weights."""
    found = classification_layer(model)
    return frozenset() if found is None else frozenset(f"{found[0]}.{name}" for name, _ in found[1].named_parameters())


def reuse_or_draw(
    model: Any, folder: object, own: LayerDescription, names: Sequence[str], info: Mapping[str, Any], *, seed: int
) -> str:
    """Draw the classification layer by `seed` where the weights that `folder` has for it mean something else.

    `own` is what the folder's configuration says of them, `names` are the labels that the columns stand for from now
    on, and `info` is what transformers said of the weights. The value is one sentence on what became of the folder's
    layer, empty where it has none.
    """
    tensors, missing = layer_tensors(model), set(info["missing_keys"])
    if not tensors or tensors <= missing:
        return ""
    same_class, fits = type(model).__name__ in own.architectures, not info["mismatched_keys"]
    if same_class and own.names == tuple(names) and fits and not tensors & missing:
        why = (
            "its labels are the data's, in their order; all models begin with it, only the order of their data differs"
        )
        return f"the classification layer of {folder} is kept: {why}"
    _draw(model, seed)
    why = f"its labels are {listed(own.names)}, the data's {listed(names)}"
    if not same_class:
        why = f"it is that of a {' or '.join(own.architectures) or 'model of unknown kind'}"
    return f"the classification layer of {folder} is not used: {why}; a new one is drawn"


def _draw(model: Any, seed: int) -> None:
    found = classification_layer(model)
    assert found is not None
    with seeded(seed):
        for weight in found[1].parameters():
            weight._is_hf_initialized = False  # type: ignore[attr-defined] # else transformers leaves what was read
        model._init_weights(found[1])
