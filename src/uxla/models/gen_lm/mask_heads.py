"""The best candidates at one masked position a row, without the logits of all pieces at all positions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn
from transformers.modeling_outputs import BaseModelOutput

from uxla.models.gen_lm.last_layer import LastLayer, last_layer
from uxla.models.linear import linear

_SPARE = 8
"""In half precision the best so many candidates more than asked for are ranked again, by sums in float32."""
_PROBED = 16
"""Candidates looked at when a head is tried."""

Best = tuple[Tensor, Tensor]
"""The highest logits (B, S) of each row, highest first, and which candidates they are of (B, S)."""


class MaskHead(Protocol):
    """A masked LM asked only for what is needed: first what it makes of the masked positions, then who fits there."""

    def __call__(self, ids: Tensor, at: Tensor) -> Tensor:
        """Features (B, F) of position `at` (B,) of the rows `ids` (B, L)."""

    def best(self, features: Tensor, top: int) -> Best:
        """The `top` best candidates of each of the features' rows, which may come from several calls."""

    def log_probs(self, features: Tensor, columns: Tensor) -> Tensor:
        """(B,) log probability, among all candidates, of one candidate of each of the features' rows, in float32."""

    def floats_a_row(self, length: int) -> int:
        """How many numbers a row of `length` pieces adds to a forward's last result."""

    def among(self, candidates: Tensor) -> MaskHead:
        """The same head for other candidates."""

    @property
    def candidates(self) -> Tensor:
        """(C,) the candidates' ids, on the model's device."""


@dataclass(frozen=True, eq=False)
class FullHead:
    """The model's own forward, all logits made and most thrown away: right for any architecture, and slow."""

    model: Any
    candidates: Tensor

    def __call__(self, ids: Tensor, at: Tensor) -> Tensor:
        """Logits (B, C) of the candidates."""
        logits: Tensor = self.model(input_ids=ids).logits
        return logits[torch.arange(len(ids), device=ids.device), at][:, self.candidates]

    def best(self, features: Tensor, top: int) -> Best:
        """See `MaskHead`."""
        return _best(features.float(), top)

    def log_probs(self, features: Tensor, columns: Tensor) -> Tensor:
        """See `MaskHead`."""
        return features.float().log_softmax(-1).gather(-1, columns[:, None])[:, 0]

    def floats_a_row(self, length: int) -> int:
        """See `MaskHead`."""
        return length * int(self.model.config.vocab_size)

    def among(self, candidates: Tensor) -> FullHead:
        """See `MaskHead`."""
        return replace(self, candidates=candidates)


@dataclass(frozen=True, eq=False)
class GatheredHead:
    """The same logits, dear parts left out.

    The last layer, where its kind is known, and the head see the masked position alone, the decoder the candidates
    alone and many rows of any length together. All other modules are used as they are.
    """

    model: Any
    candidates: Tensor
    decoder: str
    """The decoder's name in the model."""
    last: LastLayer | None
    copied: int = 2**26
    """The decoder's rows of the candidates are copied up to so many numbers (256 MB in float32), else read in place."""
    block: int = 4096
    """Candidates whose logits are in memory at a time."""

    @cached_property
    def rows(self) -> _DecoderRows:
        """The decoder's rows of the candidates, copied where they are few."""
        decoder = self.model.get_submodule(self.decoder)
        weight, candidates = decoder.weight.detach(), self.candidates
        bias = weight.new_zeros(len(weight)) if decoder.bias is None else decoder.bias.detach()
        every = len(candidates) == len(weight)
        if not every and len(candidates) * weight.shape[1] > self.copied:
            return _DecoderRows(weight, bias, list(candidates.split(self.block)))
        if not every:
            weight, bias = weight[candidates], bias[candidates]
        return _DecoderRows(weight, bias, [slice(at, at + self.block) for at in range(0, len(candidates), self.block)])

    def __call__(self, ids: Tensor, at: Tensor) -> Tensor:
        """What the decoder is given (B, H)."""
        rows = torch.arange(len(ids), device=ids.device)

        def gather(_module: nn.Module, _inputs: object, outputs: Any) -> BaseModelOutput:
            hidden = outputs[0]
            return BaseModelOutput(last_hidden_state=hidden if self.last else hidden[rows, at][:, None])  # (B, 1, H)

        instead: dict[str, nn.Module] = {self.decoder: nn.Identity()}
        if self.last:
            instead[self.last.name] = self.last.at(at)
        hook = self.model.base_model.register_forward_hook(gather)
        try:
            with _swapped(self.model, instead):
                features: Tensor = self.model(input_ids=ids).logits
        finally:
            hook.remove()
        return features[:, 0]

    def best(self, features: Tensor, top: int) -> Best:
        """See `MaskHead`."""
        found = []
        for number, block in enumerate(self._logits(features)):
            logits, columns = _best(block, top)
            found.append((logits, columns + number * self.block))
        logits, columns = (torch.cat(parts, -1) for parts in zip(*found, strict=True))
        if features.dtype != torch.float32:  # whose logits are rounded to three digits
            keep = _best(logits, top + _SPARE)[1]
            columns = columns.gather(-1, keep)
            logits = self._in_float32(features, columns)
        best, chosen = _best(logits, top)
        return best, columns.gather(-1, chosen)

    def log_probs(self, features: Tensor, columns: Tensor) -> Tensor:
        """See `MaskHead`."""
        sums = [block.float().logsumexp(-1) for block in self._logits(features)]
        return self._in_float32(features, columns[:, None])[:, 0] - torch.stack(sums, -1).logsumexp(-1)

    def floats_a_row(self, length: int) -> int:
        """See `MaskHead`."""
        return self.rows.weight.shape[1]

    def among(self, candidates: Tensor) -> GatheredHead:
        """See `MaskHead`."""
        return replace(self, candidates=candidates)

    def _logits(self, features: Tensor) -> Iterator[Tensor]:
        """The candidates' logits, a block at a time."""
        weight, bias, blocks = self.rows
        return (linear(features, weight[block], bias[block]) for block in blocks)

    def _in_float32(self, features: Tensor, columns: Tensor) -> Tensor:
        """(B, S) the logits of some candidates of each row, summed up in float32."""
        weight, bias, blocks = self.rows
        rows = columns if isinstance(blocks[0], slice) else self.candidates[columns]
        return (weight[rows].float() @ features.float()[:, :, None])[..., 0] + bias[rows].float()


class _DecoderRows(NamedTuple):
    weight: Tensor
    bias: Tensor
    blocks: list[Tensor | slice]
    """Where the candidates' rows are in `weight` and `bias`."""


def mask_head(model: Any, candidates: Tensor, probe: Sequence[int], at: int) -> MaskHead:
    """The cheapest head that answers as the full model does for position `at` of the row `probe`."""
    full = FullHead(model, candidates)
    decoder = model.get_output_embeddings()
    if not (
        isinstance(decoder, nn.Linear)
        and decoder.out_features == model.config.vocab_size
        and decoder.in_features == getattr(model.config, "hidden_size", None)
        and model.base_model is not model
    ):
        return full
    name = next(name for name, module in model.named_modules() if module is decoder)
    ids, where = torch.tensor([probe], device=candidates.device), torch.tensor([at], device=candidates.device)
    with torch.inference_mode():
        logits = full(ids, where)
        for last in (last_layer(model), None):
            head = GatheredHead(model, candidates, name, last)
            if agrees(head, ids, where, logits):
                return head
    return full


def agrees(head: MaskHead, ids: Tensor, at: Tensor, logits: Tensor) -> bool:
    """Whether the head finds the best of the full model's `logits` (B, C) for position `at` (B,) of the rows `ids`.

    A wrongly read architecture is off by as much as the logits spread.
    """
    best, columns = head.best(head(ids, at), _PROBED)
    tolerance = (1e-3 if logits.dtype == torch.float32 else 0.25) * float(logits.float().std(correction=0))
    right = _best(logits.float(), best.shape[-1])[0], logits.float().gather(-1, columns)
    return all(torch.allclose(best, values, rtol=1e-3, atol=tolerance) for values in right)


def _best(logits: Tensor, top: int) -> Best:
    top = min(top, logits.shape[-1])
    found: Best = logits.max(-1, keepdim=True) if top == 1 else logits.topk(top)
    return found


@contextmanager
def _swapped(model: nn.Module, instead: Mapping[str, nn.Module]) -> Iterator[None]:
    """The model with other modules under these names."""
    own = {name: model.get_submodule(name) for name in instead}
    try:
        _put(model, instead)
        yield
    finally:
        _put(model, own)


def _put(model: nn.Module, modules: Mapping[str, nn.Module]) -> None:
    for name, module in modules.items():
        parent, _, leaf = name.rpartition(".")
        setattr(model.get_submodule(parent), leaf, module)
