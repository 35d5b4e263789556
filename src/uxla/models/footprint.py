"""How much of a GPU's memory a model takes, by its own figures, and how many tokens go through it at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import torch

from uxla.choices import Precision
from uxla.models.device import HALF

LEAST, MOST = 2**8, 2**16
"""Tokens of a pass: fewer would be a sentence at a time, more are no faster."""
_USED = 0.8
"""So much of the free memory is counted on: the rest is for what is not foreseen, and for gaps between tensors."""
_ROWS = 2**16
"""A training looks up at most so many rows of a large embedding table (`LookedUpRows`); it is some ten thousand."""
_LOGITS = 2**29
"""Bytes of the logits and hidden states that Gen-LM holds, however large a pass is."""
_MASKED = 0.2
"""Of so many tokens the logits are kept where a masked LM is trained: the usual share is 0.15."""
_ROW = 512
"""The longest window of a model that does not say it."""


@dataclass(frozen=True)
class Footprint:
    """Bytes that a model takes: at any size of a forward pass, and for each token of one."""

    fixed: int
    token: int

    @classmethod
    def of(cls, module: Any, precision: Precision) -> Footprint:
        """The footprint in a training of a model with layers as BERT's, or of one without gradients that makes samples.

        Fixed are the weights, once more those of a model beside it, and for each number in the optimiser its gradient
        and AdamW's two moments. A layer keeps of a token what the backward pass needs: the input, query, key, value,
        the attention's result, both sides of two norms, the feed-forward layer before and behind its activation, two
        masks of dropout, and a number for each attention head, or, where attention is computed eagerly, four rows of
        scores as long as the longest window. Without gradients two layers are there at a time.
        """
        config, shapes = module.config, [parameter.shape for parameter in module.parameters()]
        trained, decoder = any(p.requires_grad for p in module.parameters()), module.get_output_embeddings() is not None
        hidden, wide = config.hidden_size, getattr(config, "intermediate_size", 4 * config.hidden_size)
        low, copies = (2, 2) if precision in HALF else (4, 0)
        heads, row = _figure(config, "num_attention_heads", 1), _figure(config, "max_position_embeddings", _ROW)
        scores = 4 * row if config._attn_implementation == "eager" else 1
        layer = ((4 + copies) * hidden + 2 * wide) * low + (16 + 2) * hidden + 4 * heads * scores
        weights = sum(shape.numel() for shape in shapes)
        if not trained:
            return cls(2 * 4 * weights + _LOGITS, 2 * layer)
        moving = sum(s.numel() if decoder or len(s) != 2 else min(s[0], _ROWS) * s[1] for s in shapes)
        logits = 3 * 4 * round(_MASKED * config.vocab_size) if decoder else 0
        return cls(2 * 4 * weights + 3 * 4 * moving, config.num_hidden_layers * layer + 32 * hidden + logits)

    def tokens(self, memory: int) -> int:
        """The largest power of two of tokens whose pass fits `memory` bytes, within `LEAST` and `MOST`."""
        room = int(_USED * memory) - self.fixed
        return 1 << (min(max(room // self.token, LEAST), MOST).bit_length() - 1)


def _figure(config: Any, name: str, otherwise: int) -> int:
    """A figure of a configuration; `otherwise` where it has none, as FNet of heads, or -1, as XLNet for a length."""
    found = getattr(config, name, None)
    return found if isinstance(found, int) and found > 0 else otherwise


@cache
def free_memory(device: torch.device) -> tuple[int, int]:
    """Bytes of a GPU that were free when this process first asked, before it had put a model there; and all bytes."""
    return torch.cuda.mem_get_info(device)
