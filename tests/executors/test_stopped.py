"""A command that is stopped, or killed, leaves no process behind that works for it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROGRAM = """
import sys
from functools import partial
from pathlib import Path
from uxla import signals
from uxla.executors.devices import on_devices
sys.path.insert(0, sys.argv[1])
import executor_jobs
with signals.handling(), on_devices(["cpu", "cpu"]) as devices:
    list(devices.map(partial(executor_jobs.endless, Path(sys.argv[2])), [1, 2]))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_no_process_works_on_for_a_command_that_ended(number, tmp_path):
    command = [sys.executable, "-c", PROGRAM, str(Path(__file__).parent), str(tmp_path)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE)
    while len(pids := [file.read_text() for file in tmp_path.glob("*.pid")]) < 2 or "" in pids:
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(number)
    _, said = process.communicate()
    assert process.returncode in (-number, 130, 1)
    assert (b"KeyboardInterrupt" in said) is (number == signal.SIGINT)
    deadline = time.monotonic() + 30
    while any(map(is_there, map(int, pids))) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(is_there, map(int, pids)))
    assert list(tmp_path.glob("augment/*")) == [], "whole or absent"


def is_there(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text() if Path("/proc/self").exists() else True
