"""An encoder's last layer at one position a row: what it would make of the others is not needed."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

_KINDS = ("bert", "roberta", "xlm-roberta", "camembert")
"""`model_type` of those whose layers are BERT's: attention, sum, norm, feed-forward, sum, norm."""


class LastLayer(NamedTuple):
    """The last layer of a known kind, and its name in the model."""

    name: str
    layer: Any

    def at(self, at: Tensor) -> nn.Module:
        """A layer that takes hidden states (B, L, H) and gives those of position `at` (B,) alone (B, 1, H)."""
        return _OnePosition(self.layer, at)


def last_layer(model: Any) -> LastLayer | None:
    """The last layer of a masked LM of BERT's kind; of any other, None."""
    if model.config.model_type not in _KINDS or model.config.is_decoder:
        return None
    suffix = f"encoder.layer.{model.config.num_hidden_layers - 1}"
    return [LastLayer(name, module) for name, module in model.named_modules() if name.endswith(suffix)][-1]


class _OnePosition(nn.Module):
    """Keys and values are linear in the hidden states, so a query is turned into their space instead, and the mean of
    the states into the values': the cost of a layer for one position, not for L. Equal but for rounding."""

    def __init__(self, layer: Any, at: Tensor) -> None:
        super().__init__()
        self._layer = [layer]  # in a list: not a submodule a second time
        self._at = at

    def forward(self, hidden: Tensor, *_: object, **__: object) -> Tensor:
        """See `LastLayer.at`."""
        layer = self._layer[0]
        attention = layer.attention.self
        own = hidden[torch.arange(len(hidden), device=hidden.device), self._at][:, None]  # (B, 1, H)
        heads, size = attention.num_attention_heads, attention.attention_head_size
        query = attention.query(own).view(-1, heads, size).transpose(0, 1)  # (heads, B, size)
        asked = query @ attention.key.weight.view(heads, size, -1)  # (heads, B, H); the key's bias adds to all alike
        scores = asked.transpose(0, 1) @ hidden.transpose(1, 2)  # (B, heads, L)
        mean = (scores * attention.scaling).softmax(-1) @ hidden  # (B, heads, H)
        values = mean.transpose(0, 1) @ attention.value.weight.view(heads, size, -1).transpose(1, 2)
        seen = values.transpose(0, 1).reshape(len(hidden), 1, -1) + attention.value.bias  # (B, 1, H)
        attended = layer.attention.output(seen, own)
        result: Tensor = layer.feed_forward_chunk(attended)
        return result
