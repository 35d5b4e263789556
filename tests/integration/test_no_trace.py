"""What a call of the library changes in its process, it puts back: others live there, and set things before."""

import logging
import os
import random
import signal
import sys
import threading
import warnings

import matplotlib
import numpy as np
import pytest
import torch
from transformers.utils import logging as transformers_logging

import uxla
from uxla.testbed.world import World


def process():
    """What belongs to the process, and to whoever runs it."""
    return {
        "verbosity of transformers": transformers_logging.get_verbosity(),
        "bars of transformers": transformers_logging.is_progress_bar_enabled(),
        "torch threads": torch.get_num_threads(),
        "deterministic algorithms": torch.are_deterministic_algorithms_enabled(),
        "gradients": torch.is_grad_enabled(),
        "torch's type of numbers": torch.get_default_dtype(),
        "precision of products": torch.get_float32_matmul_precision(),
        "TF32": (torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32),
        "random numbers of torch": torch.get_rng_state().tolist(),
        "random numbers of NumPy": repr(np.random.get_state()),
        "random numbers of Python": random.getstate(),
        "warning filters": list(warnings.filters),
        "handlers of signals": [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)],
        "hooks": (sys.excepthook, sys.unraisablehook, threading.excepthook),
        "handlers of the log": list(logging.getLogger().handlers),
        "environment": {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")},
        "working directory": os.getcwd(),
        "import path": list(sys.path),
        "figures": (dict(matplotlib.rcParams), matplotlib.get_backend()),
    }


@pytest.fixture
def somebodys_process(synchronous):
    """A process in which nothing has the value that uxla would give it.

    A run has been made and a model loaded in it before: what other libraries change while they are imported is theirs.
    """
    list(uxla.augment(["ko"], model="testbed"))
    uxla.Ensemble.load(synchronous.out)

    def handler(number, frame):
        raise AssertionError("nobody sends a signal here")

    threads, verbosity, bars = (
        torch.get_num_threads(),
        transformers_logging.get_verbosity(),
        (transformers_logging.is_progress_bar_enabled()),
    )
    handlers = {number: signal.signal(number, handler) for number in (signal.SIGINT, signal.SIGTERM)}
    torch.set_num_threads(2)
    transformers_logging.set_verbosity_info()
    transformers_logging.enable_progress_bar()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="a filter of somebody's own")
        yield
    torch.set_num_threads(threads)
    transformers_logging.set_verbosity(verbosity)
    if not bars:
        transformers_logging.disable_progress_bar()
    for number, before in handlers.items():
        signal.signal(number, before)


def left(call):
    """What is different in the process after a call."""
    before = process()
    call()
    after = process()
    return {name: (value, after[name]) for name, value in before.items() if value != after[name]}


@pytest.mark.usefixtures("somebodys_process")
def test_augment_leaves_the_process_as_it_was():
    assert left(lambda: list(uxla.augment(["ko mira sen tal ru"], model="testbed", copies=2))) == {}


@pytest.mark.usefixtures("somebodys_process")
def test_a_loaded_ensemble_leaves_the_process_as_it_was(synchronous):
    assert left(lambda: uxla.load(synchronous.out).ensemble.tag([["ko", "mira", "."]])) == {}


@pytest.mark.usefixtures("somebodys_process")
def test_a_report_leaves_the_process_as_it_was(synchronous, tmp_path):
    assert left(lambda: uxla.load(synchronous.out).report(tmp_path / "report.html")) == {}


@pytest.mark.usefixtures("somebodys_process")
def test_adapt_leaves_the_process_as_it_was(tmp_path):
    source = uxla.read("testbed:source/train", take=40)
    raw = [" ".join(words) for words, _ in World(0).sentences("near", "train", 10)]
    settings = {"model": "testbed", "threads": 1, "deterministic": True, "store": tmp_path}
    assert left(lambda: uxla.adapt(source, raw, **settings)) == {}


@pytest.mark.usefixtures("somebodys_process")
def test_what_a_call_leaves_is_seen():
    assert set(left(lambda: (torch.set_num_threads(1), transformers_logging.set_verbosity_error()))) == {
        "torch threads",
        "verbosity of transformers",
    }
