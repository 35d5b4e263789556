"""How many CPU threads a run computes with: never a matter of how busy the machine is, unless that is asked for."""

import os
import subprocess
import sys

import pytest
import torch

from uxla import threads
from uxla.config.compute import Compute, DeviceSettings
from uxla.errors import ConfigError
from uxla.threads import cpu_threads, idle_cores, usable_cores


@pytest.fixture
def idle(monkeypatch):
    """A machine with eight cores, five of them idle, whose user has told OpenMP nothing."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(threads, "idle_cores", lambda: 5)
    monkeypatch.setattr(threads, "usable_cores", lambda: 8)
    threads._free_choice.cache_clear()
    yield
    threads._free_choice.cache_clear()


def test_without_a_wish_it_is_one_thread_on_every_machine(idle):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        for settings in (DeviceSettings(), Compute()):
            with settings.process():
                assert torch.get_num_threads() == 1
            assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_a_number_is_taken_as_it_is_and_auto_is_what_is_idle(idle):
    assert cpu_threads(3) == 3
    assert cpu_threads("auto") == 5


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        (None, "CPU threads: 1, and 5 of 8 cores are idle; threads='auto' uses them and changes last digits"),
        ("auto", "CPU threads: 5, since 5 of 8 cores are idle"),
    ],
)
def test_one_line_tells_it_once(idle, hearing, asked, line):
    with hearing() as lines:
        for _ in range(2):
            with DeviceSettings(threads=asked).process():
                pass
    assert lines == [line]


def test_what_the_user_told_openmp_stays(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert (cpu_threads(None), cpu_threads("auto"), cpu_threads(1)) == (None, None, 1)


@pytest.mark.parametrize(("value", "threads"), [("4,2", None), ("3 ", None), ("0", 1), ("many", 1), ("-2", 1), ("", 1)])
def test_openmp_is_told_by_a_number_and_nothing_else(idle, monkeypatch, value, threads):
    monkeypatch.setenv("OMP_NUM_THREADS", value)
    assert cpu_threads(None) == threads


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="processes cannot be pinned here")
def test_only_cores_that_the_process_may_use_count():
    core = min(os.sched_getaffinity(0))
    code = (
        f"import os; os.sched_setaffinity(0, {{{core}}}); from uxla.threads import usable_cores; print(usable_cores())"
    )
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout == "1\n"


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="processes cannot be pinned here")
def test_a_busy_core_is_not_idle():
    """A process that is pinned to one core and keeps it busy leaves nothing: of one core none is idle, and one is the
    least that is told; so the idle time itself is looked at."""
    code = (
        "import os, time, uxla.threads as t; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))});"
        "before, began = t._idle_seconds(), time.monotonic()\n"
        "while time.monotonic() - began < 0.5: pass\n"
        "print(t._idle_seconds() - before < 0.2)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"


def test_at_least_one_core_is_said_to_be_idle():
    assert 1 <= idle_cores() <= usable_cores()


def refused():
    raise OSError


@pytest.mark.parametrize(("load", "found"), [(lambda: (5.1, 0.0, 0.0), 3), (lambda: (99.0, 0.0, 0.0), 1), (refused, 8)])
def test_where_the_cores_cannot_be_watched_the_load_tells(monkeypatch, load, found):
    monkeypatch.setattr(threads, "_idle_seconds", refused)
    monkeypatch.setattr(threads, "usable_cores", lambda: 8)
    monkeypatch.setattr(os, "getloadavg", load, raising=False)
    assert idle_cores() == found


@pytest.mark.parametrize("value", [0, -1, 1.5, True, "all"])
def test_no_number_of_threads_is_refused_in_one_line(value):
    with pytest.raises(ConfigError, match="expected a whole number of at least 1, or auto"):
        DeviceSettings(threads=value)
