"""How much arithmetic some work is, on whatever device it is done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from uxla.models.linear import products_by_onednn


def operations(work: Callable[[], object]) -> int:
    """The floating-point operations of the matrix products of some work: a multiplication and an addition are two.

    Attention's own, about one in a hundred, are left out on a CPU, where torch's counter does not know them.
    """
    ours: dict[Any, Any] = {}
    if products_by_onednn():  # torch counts its own products only
        ours[torch.ops.mkldnn._linear_pointwise] = _of_linear
    with FlopCounterMode(display=False, custom_mapping=ours) as counter:
        work()
    return int(counter.get_total_flops())


def _of_linear(inputs: Sequence[int], weight: Sequence[int], *_: object, **__: object) -> int:
    """Of the shapes (…, K) and (N, K)."""
    return 2 * prod(inputs) * weight[0]
