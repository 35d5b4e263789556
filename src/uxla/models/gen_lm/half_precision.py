"""Whether half precision is faster than float32 on a CPU: that depends on the processor and on the model."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import torch

from uxla import progress
from uxla.choices import Precision
from uxla.errors import assignment
from uxla.models.device import HALF
from uxla.models.gen_lm.mask_heads import MaskHead

_SHAPES = ((22, 18), (21, 19), (20, 20))
"""Rows and pieces of the passes that are timed. None is repeated, as few are in real work: oneDNN, which multiplies in
half precision, first makes machine code for each."""


def cast_on_cpu(model: Any, name: str, precision: Precision, open_head: Callable[[], MaskHead], room: int) -> None:
    """Cast the weights of `model` to half precision, and say so if that makes Gen-LM slower.

    Three small forward passes are timed before and after, in CPU seconds of this process. `room` is the most pieces of
    a row.
    """
    exact = _seconds(open_head(), room)
    model.to(HALF[precision])
    half = _seconds(open_head(), room)
    if half > exact > 0:  # 0 where the clock is too coarse to tell
        why = f"Gen-LM in {precision} is {half / exact:.1f} times slower than in fp32 on this CPU, and less exact"
        progress.note(f"{name}: {why}; set {assignment('precision', 'fp32')}")


def _seconds(head: MaskHead, room: int) -> float:
    with torch.inference_mode():
        return median(_once(head, rows, min(pieces, room)) for rows, pieces in _SHAPES)


def _once(head: Any, rows: int, pieces: int) -> float:
    ids, at = head.candidates[:1].repeat(rows, pieces), torch.zeros(rows, dtype=torch.long)
    began = time.process_time()
    head.best(head(ids, at), 1)
    return time.process_time() - began
