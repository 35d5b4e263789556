"""What belongs to the process: what one call sets, the next one and the notebook around it do not inherit."""

import os

import pytest
import torch
from transformers.utils import logging

from uxla.process_settings import process_settings


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
