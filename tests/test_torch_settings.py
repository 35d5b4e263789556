"""torch's settings belong to the process: what one run sets, the next one and the notebook around it do not inherit."""

import pytest
import torch

from uxla.torch_settings import computing


def settings():
    return torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()


@pytest.fixture(autouse=True)
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_threads_and_determinism_hold_inside_only():
    before = settings()
    with computing(threads=1, deterministic=True):
        assert settings() == (1, True)
        with computing(threads=None, deterministic=False):
            assert settings() == (1, True)
    assert settings() == before == (2, False)


def test_they_are_put_back_where_the_work_inside_fails():
    with pytest.raises(ValueError, match="inside"), computing(threads=1, deterministic=True):
        raise ValueError("inside")
    assert settings() == (2, False)
