"""One training on several devices: a process for each, its rank, and what the ranks tell each other.

Each has the whole model and reads a part of each step; gradients are summed over all (torch.distributed: gloo on CPUs,
nccl on GPUs). So all have the same weights after each step.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
import torch
from torch import distributed

from uxla import signals
from uxla.models.windows import Windows
from uxla.records import IGNORED, Ints
from uxla.seeds import derive

_LOOPBACK = "lo0" if sys.platform == "darwin" else "lo"
_TOGETHER = 2**22
"""Numbers that are summed at once: 16 MB in float32."""
_WAIT = timedelta(days=7)
"""Rank 0 may score and write for long. Whether a process has died is not found out by waiting."""
_POLL, _ENDED_WITHIN = 0.02, 15.0
"""Seconds between two looks for the others; and until a rank that has lost another one is ended from outside."""


@dataclass(frozen=True)
class Ranks:
    """The processes that share a training; this one is number `rank` of `count`.

    Rank 0 alone scores and writes checkpoints.
    """

    rank: int = 0
    count: int = 1

    def part(self, windows: Windows, labels: Ints) -> tuple[Windows, Ints]:
        """What this rank reads of a step's windows, which are in ascending length, and the labels of all their rows.

        A rank for which none is left reads one without labels: so all ranks have gradients of the same parameters.
        """
        if self.count == 1:
            return windows, labels
        if self.rank >= len(windows):
            return windows.take(np.array([0])), np.full_like(labels, IGNORED)
        return windows.take(np.arange(self.rank, len(windows), self.count)), labels

    def seed_step(self, seed: int, step: int) -> None:
        """Have the ranks draw different numbers, the same whether the training was interrupted or not."""
        if self.count > 1:
            torch.manual_seed(derive(seed, "rank", self.rank, step))

    def gradients(self, parameters: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        """The gradients that any rank has of these parameters, with zeros where this one has none: a layer that is
        dropped as a whole has none."""
        has = torch.tensor([float(parameter.grad is not None) for parameter in parameters])
        self._sum(has)
        for parameter, any_has in zip(parameters, has.tolist(), strict=True):
            if any_has and parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        return [parameter.grad for parameter in parameters if parameter.grad is not None]

    def add_up(self, tensors: Sequence[torch.Tensor]) -> None:
        """Make each tensor its sum over the ranks, which have tensors of the same shapes in the same order."""
        for some in _in_portions(tensors):
            flat = torch.cat([tensor.flatten() for tensor in some])
            self._sum(flat)
            for tensor, values in zip(some, flat.split([tensor.numel() for tensor in some]), strict=True):
                tensor.copy_(values.view_as(tensor))

    def ends(self) -> bool:
        """Whether a signal waits in any of the ranks; from now on it waits in all of them."""
        own = signals.pending()
        if self.count == 1:
            return own
        found = self._any(own)
        if found and not own:
            signal.raise_signal(signal.SIGTERM)
        return found

    @contextmanager
    def rank_0_first(self) -> Iterator[None]:
        """The other ranks enter the block when rank 0 has left it."""
        if self.rank > 0:
            self._any(False)
        yield
        if self.rank == 0 and self.count > 1:
            self._any(False)

    def _any(self, claim: bool) -> bool:
        found = torch.tensor(float(claim))  # on the CPU, so that no GPU is waited for
        self._sum(found)
        return bool(found)

    def _sum(self, tensor: torch.Tensor) -> None:
        try:
            distributed.all_reduce(tensor)
        except RuntimeError:
            time.sleep(_ENDED_WITHIN)  # another one is gone: whoever hears why ends this process
            raise


ALONE = Ranks()


def meeting_place() -> Path:
    """A file by which the ranks of a training find each other. The last one to leave removes it."""
    descriptor, name = tempfile.mkstemp(prefix="uxla-ranks-")
    os.close(descriptor)
    return Path(name)


@contextmanager
def meeting(place: Path | None, rank: int, count: int, device: torch.device) -> Iterator[Ranks]:
    """The ranks of a training, when all have come to the same place.

    A rank that fails leaves the others where they are: their processes are to be ended.
    """
    if place is None:
        yield ALONE
        return
    if distributed.is_initialized():  # another rank of an earlier training has failed
        distributed.destroy_process_group()
    for library in ("GLOO", "NCCL"):
        os.environ.setdefault(f"{library}_SOCKET_IFNAME", _LOOPBACK)
    store = distributed.FileStore(str(place), count)  # type: ignore[attr-defined]
    store.set(f"here {rank}", "")
    while not store.check([f"here {other}" for other in range(count)]):
        signals.check()
        time.sleep(_POLL)
    backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
    distributed.init_process_group(backend, store=store, rank=rank, world_size=count, timeout=_WAIT)
    yield Ranks(rank, count)
    distributed.destroy_process_group()


def _in_portions(tensors: Sequence[torch.Tensor]) -> Iterator[list[torch.Tensor]]:
    """Consecutive tensors of one type, so many as are summed at once."""
    some: list[torch.Tensor] = []
    for tensor in tensors:
        if some and (tensor.dtype != some[0].dtype or sum(map(torch.numel, some)) + tensor.numel() > _TOGETHER):
            yield some
            some = []
        some.append(tensor)
    yield some
