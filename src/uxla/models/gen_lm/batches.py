"""Rows with one mask each through a masked LM: which rows share a forward pass, and which share the decoder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Generic, NamedTuple, TypeVar

import numpy as np
import torch

from uxla.models.batches import chunks, equal_length
from uxla.models.device import to_device
from uxla.models.gen_lm.mask_heads import MaskHead

T = TypeVar("T")

_NUMBERS_A_BATCH = 2**25
"""Bounds the memory of what forward passes result in (128 MB in float32), where that is logits of all candidates."""
_CPU_TOKENS = 2048
"""More pieces in a forward pass would be no faster on a CPU, but leave its caches."""
_DECODED_TOGETHER = 1024
"""Rows, of whatever length, whose candidates are compared together: the decoder's weights are read once for all."""


class MaskedRow(NamedTuple, Generic[T]):
    """One input of the masked LM."""

    ids: tuple[int, ...]
    """Piece ids with special tokens and one mask."""
    at: int
    """Where the mask is."""
    asked: T
    """What is asked of it."""


def fitting(lengths: Sequence[int], centre: int, room: int) -> tuple[int, int]:
    """Parts `[first, last)` around part `centre` whose `lengths` sum to at most `room`, half of it on either side.

    What one side does not need goes to the other.
    """
    left = room - lengths[centre]
    right_need = sum(lengths[centre + 1 :])
    first, used = centre, 0
    while first > 0 and used + lengths[first - 1] <= max(left - right_need, left // 2):
        first -= 1
        used += lengths[first]
    last = centre + 1
    while last < len(lengths) and used + lengths[last] <= left:
        used += lengths[last]
        last += 1
    return first, last


def decoder_batches(rows: Iterable[MaskedRow[T]], head: MaskHead) -> Iterator[list[MaskedRow[T]]]:
    """The rows, those of one length side by side, in lists that the head's last product takes at once."""
    together = max(1, min(_DECODED_TOGETHER, _NUMBERS_A_BATCH // head.floats_a_row(1)))
    yield from chunks(sorted(rows, key=_length), together)


def features(head: MaskHead, rows: Sequence[MaskedRow[T]], tokens: int) -> torch.Tensor:
    """The head's features (B, F) of the rows, forwarded in batches of one length that hold at most `tokens` pieces."""
    if head.candidates.device.type == "cpu":
        tokens = min(tokens, _CPU_TOKENS)
    found = []
    for numbers in equal_length(np.fromiter(map(_length, rows), np.int64, len(rows)), tokens):
        group = [rows[number] for number in numbers]
        for batch in chunks(group, max(1, _NUMBERS_A_BATCH // head.floats_a_row(len(group[0].ids)))):
            ids = torch.from_numpy(np.array([row.ids for row in batch]))
            at = torch.from_numpy(np.array([row.at for row in batch]))
            found.append(head(to_device(ids, head.candidates.device), to_device(at, head.candidates.device)))
    return torch.cat(found)


def _length(row: MaskedRow[T]) -> int:
    return len(row.ids)
