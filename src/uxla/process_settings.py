"""Settings that belong to the process and to whoever set them before: changed for a while, then put back."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from transformers.utils import logging

_CUBLAS = "CUBLAS_WORKSPACE_CONFIG"


@contextmanager
def process_settings(*, threads: int | None = None, deterministic: bool = False) -> Iterator[None]:
    """Inside the block torch has so many CPU threads (None: as many as before) and, if asked for, deterministic
    algorithms, and transformers shows neither bars nor warnings. Afterwards all is as the caller had it."""
    with _quiet_transformers(), _threads(threads), _determinism(deterministic):
        yield


@contextmanager
def _quiet_transformers() -> Iterator[None]:
    bars, level = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


@contextmanager
def _threads(wanted: int | None) -> Iterator[None]:
    before = torch.get_num_threads()
    if wanted is not None:
        torch.set_num_threads(wanted)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _determinism(wanted: bool) -> Iterator[None]:
    before, workspace = torch.are_deterministic_algorithms_enabled(), os.environ.get(_CUBLAS)
    if wanted:
        os.environ.setdefault(_CUBLAS, ":4096:8")  # cuBLAS asks for it before its first call
        torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)
        if wanted and workspace is None:
            os.environ.pop(_CUBLAS, None)
