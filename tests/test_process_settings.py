"""What belongs to the process: what one call sets, the next one and the notebook around it do not inherit."""

import os
import threading

import pytest
import torch
from transformers.utils import logging

from uxla.process_settings import process_settings, seeded


def settings():
    return torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()


def around():
    workspace = os.environ.get("CUBLAS_WORKSPACE_CONFIG")
    return *settings(), workspace, logging.get_verbosity(), logging.is_progress_bar_enabled()


@pytest.fixture(autouse=True)
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_threads_and_determinism_hold_inside_only():
    before = around()
    with process_settings(threads=1, deterministic=True):
        assert settings() == (1, True)
        with process_settings(threads=None, deterministic=False):
            assert settings() == (1, True)
    assert around() == before
    assert settings() == (2, False)


def test_they_are_put_back_where_the_work_inside_fails():
    with pytest.raises(ValueError, match="inside"), process_settings(threads=1, deterministic=True):
        raise ValueError("inside")
    assert settings() == (2, False)


def test_transformers_is_quiet_inside_and_as_loud_as_before_outside():
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_info()
    logging.enable_progress_bar()
    with process_settings():
        assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == (logging.ERROR, False)
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == (logging.INFO, True)
    logging.set_verbosity(level)
    if not bars:
        logging.disable_progress_bar()


def test_of_two_threads_the_last_one_to_leave_puts_back():
    level, entered, leave = logging.get_verbosity(), threading.Event(), threading.Event()

    def other():
        with process_settings():
            entered.set()
            leave.wait(10)

    thread = threading.Thread(target=other)
    with process_settings():
        thread.start()
        assert entered.wait(10)
    assert logging.get_verbosity() == logging.ERROR, "the other one still works"
    leave.set()
    thread.join()
    assert logging.get_verbosity() == level


def test_what_is_drawn_is_the_same_beside_another_thread():
    def draws(seed):
        with seeded(seed):
            return [torch.rand(50).sum().item() for _ in range(200)]

    expected, found = draws(1), {}
    before = torch.random.get_rng_state()
    threads = [threading.Thread(target=lambda i=i: found.update({i: draws(i)})) for i in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found[1] == expected
    assert found[2] != expected
    assert torch.equal(torch.random.get_rng_state(), before)
