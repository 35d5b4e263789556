"""The logits of the candidates at one masked position a row, without the logits of all pieces at all positions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from transformers.modeling_outputs import BaseModelOutput


class MaskHead(Protocol):
    """A masked LM asked only for what is needed."""

    def __call__(self, ids: Tensor, at: Tensor) -> Tensor:
        """Logits (B, C) of the C candidates at position `at` (B,) of the rows `ids` (B, L)."""

    def floats_a_row(self, length: int) -> int:
        """How many logits a row of `length` pieces holds in memory."""


@dataclass(frozen=True, eq=False)
class FullHead:
    """The model's own forward, all logits made and most thrown away: right for any architecture, and slow."""

    model: Any
    candidates: Tensor

    def __call__(self, ids: Tensor, at: Tensor) -> Tensor:
        """See `MaskHead`."""
        logits: Tensor = self.model(input_ids=ids).logits
        return logits[torch.arange(len(ids), device=ids.device), at][:, self.candidates]

    def floats_a_row(self, length: int) -> int:
        """See `MaskHead`."""
        return length * int(self.model.config.vocab_size)


@dataclass(frozen=True, eq=False)
class GatheredHead:
    """The same logits, dear parts left out: the head sees the masked position alone, its decoder the candidates alone.

    The model is used as it is: a hook keeps one position of what the encoder returns, and the decoder's rows are
    swapped for the call. So no architecture's head is written a second time here.
    """

    model: Any
    rows: dict[str, Tensor]
    """The decoder's weight (C, H) and bias (C,) of the candidates, by parameter name."""

    def __call__(self, ids: Tensor, at: Tensor) -> Tensor:
        """See `MaskHead`."""

        def gather(_module: nn.Module, _inputs: object, outputs: Any) -> BaseModelOutput:
            hidden = outputs[0][torch.arange(len(ids), device=ids.device), at]
            return BaseModelOutput(last_hidden_state=hidden[:, None])  # (B, 1, H)

        hook = self.model.base_model.register_forward_hook(gather)
        try:
            outputs = torch.func.functional_call(self.model, self.rows, kwargs={"input_ids": ids}, tie_weights=False)
        finally:
            hook.remove()
        logits: Tensor = outputs.logits
        return logits[:, 0]

    def floats_a_row(self, length: int) -> int:
        """See `MaskHead`."""
        return len(next(iter(self.rows.values())))


def mask_head(model: Any, candidates: Tensor, probe: Sequence[int]) -> MaskHead:
    """The cheapest head that answers the row `probe` as the full model does: gathered if it can be, else full."""
    full = FullHead(model, candidates)
    decoder = model.get_output_embeddings()
    fits = (
        isinstance(decoder, nn.Linear)
        and decoder.out_features == model.config.vocab_size
        and decoder.in_features == getattr(model.config, "hidden_size", None)
        and model.base_model is not model
    )
    if not fits:
        return full
    name = next(name for name, module in model.named_modules() if module is decoder)
    rows = {f"{name}.{key}": value.detach()[candidates] for key, value in decoder.named_parameters(recurse=False)}
    gathered = GatheredHead(model, rows)
    ids = torch.tensor([probe], device=candidates.device)
    at = torch.tensor([len(probe) // 2], device=candidates.device)
    with torch.inference_mode():
        same = torch.allclose(gathered(ids, at), full(ids, at), rtol=1e-3, atol=1e-3)
    return gathered if same else full
