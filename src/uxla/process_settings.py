"""Settings of the whole process, changed for a while and then restored."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field

import torch
from transformers.utils import logging

_CUBLAS = "CUBLAS_WORKSPACE_CONFIG"


@contextmanager
def process_settings(*, threads: int | None = None, deterministic: bool = False) -> Iterator[None]:
    """Inside the block torch has so many CPU threads (None: as many as before) and, if asked for, deterministic
    algorithms, and transformers shows neither bars nor warnings. Afterwards all is as the caller had it."""
    alone = nullcontext() if threads is None and not deterministic else _ONE_CHANGES
    with alone, _QUIET, _threads(threads), _determinism(deterministic):
        yield


@contextmanager
def seeded(seed: int, devices: Sequence[torch.device] = ()) -> Iterator[None]:
    """Inside the block torch draws from `seed`, on the CPU and on the GPUs `devices`; afterwards from where it was.

    The generator belongs to the process: where two threads come here, one waits, so that both draw what they would
    draw alone.
    """
    with _ONE_DRAWS, torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield


@dataclass
class _Quiet:
    """Neither bars nor warnings of transformers, from when the first thread enters until the last one leaves."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    inside: int = 0
    level: int = 0
    bars: bool = False

    def __enter__(self) -> None:
        with self.lock:
            if self.inside == 0:
                self.bars, self.level = logging.is_progress_bar_enabled(), logging.get_verbosity()
                logging.disable_progress_bar()
                logging.set_verbosity_error()
            self.inside += 1

    def __exit__(self, *fault: object) -> None:
        with self.lock:
            self.inside -= 1
            if self.inside == 0:
                logging.set_verbosity(self.level)
                if self.bars:
                    logging.enable_progress_bar()


_QUIET, _ONE_CHANGES, _ONE_DRAWS = _Quiet(), threading.RLock(), threading.RLock()


@contextmanager
def _threads(wanted: int | None) -> Iterator[None]:
    if wanted is None:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(wanted)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _determinism(wanted: bool) -> Iterator[None]:
    if not wanted:
        yield
        return
    before, workspace = torch.are_deterministic_algorithms_enabled(), os.environ.get(_CUBLAS)
    os.environ.setdefault(_CUBLAS, ":4096:8")  # cuBLAS asks for it before its first call
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)
        if workspace is None:
            os.environ.pop(_CUBLAS, None)
