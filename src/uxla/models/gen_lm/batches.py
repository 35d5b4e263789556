"""Rows with one mask each through a masked LM: forwards of one length, and pools of what they say of the masks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

import numpy as np
import torch

from uxla.models.batches import chunks, equal_length
from uxla.models.device import to_device
from uxla.models.gen_lm.mask_heads import MaskHead

T = TypeVar("T")
Masked = tuple[tuple[int, ...], int, T]
"""Piece ids with the mask among them, where the mask is, and what is asked of it."""

_NUMBERS_A_BATCH = 2**25
"""Bounds the memory of what forwards result in (128 MB in float32), where that is logits of all candidates."""
_CPU_TOKENS = 2048
"""More pieces in a forward would be no faster on a CPU, but leave its caches."""
_POOL = 1024
"""Rows, of whatever length, whose candidates are compared together: the decoder's weights are read once for all."""


def pools(rows: Iterable[Masked[T]], head: MaskHead) -> Iterator[list[Masked[T]]]:
    """The rows, those of one length side by side, in lists that the head's last product takes at once."""
    together = max(1, min(_POOL, _NUMBERS_A_BATCH // head.floats_a_row(1)))
    yield from chunks(sorted(rows, key=_length), together)


def features(head: MaskHead, pool: Sequence[Masked[T]], tokens: int) -> torch.Tensor:
    """The head's features (B, F) of a pool, forwarded in batches of one length that hold at most `tokens` pieces."""
    if head.device.type == "cpu":
        tokens = min(tokens, _CPU_TOKENS)
    found = []
    for group in equal_length(pool, _length, tokens):
        for batch in chunks(group, max(1, _NUMBERS_A_BATCH // head.floats_a_row(_length(group[0])))):
            ids = torch.from_numpy(np.array([ids for ids, _, _ in batch]))
            at = torch.from_numpy(np.array([at for _, at, _ in batch]))
            found.append(head(to_device(ids, head.device), to_device(at, head.device)))
    return torch.cat(found)


def _length(row: Masked[T]) -> int:
    return len(row[0])
