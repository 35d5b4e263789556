"""Faults of the processes themselves, and of the machine: each is one line, and nobody waits for ever."""

import gc
import os
import pickle
import socket
import sys
import threading
from functools import partial
from multiprocessing import Pipe
from pathlib import Path

import pytest
import torch

from uxla.config.compute import Compute
from uxla.config.run import load_config
from uxla.devices import Placement, are_devices
from uxla.errors import ConfigError, ModelError, UxlaError, WriteError
from uxla.executors import forking, pool, worker
from uxla.executors.choice import running
from uxla.executors.devices import on_devices
from uxla.executors.side_by_side import SideBySide


@pytest.fixture(scope="module")
def jobs():
    """The module of the jobs' functions."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parent))
        import executor_jobs

        yield executor_jobs


def gone(*given):
    raise BrokenPipeError(32, "Broken pipe")


def within(seconds, function):
    """What is raised, by a thread that must end."""
    caught = []

    def call():
        try:
            function()
        except BaseException as error:
            caught.append(error)

    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(seconds)
    assert not thread.is_alive(), "it waits for ever"
    [error] = caught
    return error


def test_where_no_process_can_take_the_place_of_one_that_died_all_jobs_end(jobs, tmp_path, monkeypatch, hearing):
    with on_devices(["cpu"]) as devices:
        assert list(devices.map(len, ["a"])) == [1]
        monkeypatch.setattr(pool, "forked", gone)
        with hearing():
            error = within(30, lambda: list(devices.map(partial(jobs.dies, tmp_path), [1, 2])))
        assert isinstance(error, UxlaError)
        assert str(error).startswith("devices: the processes cannot be begun or heard any longer (Broken pipe); give")
        assert isinstance(error.__cause__, BrokenPipeError)
        assert type(within(30, lambda: list(devices.map(len, ["a"])))) is UxlaError


def test_without_any_process_jobs_are_refused(monkeypatch):
    monkeypatch.setattr(pool, "forked", lambda descriptor: None)
    with on_devices(["cpu", "cpu"]) as devices:
        for _ in range(2):
            error = within(30, lambda: list(devices.map(len, ["a", "b", "c"])))
            assert isinstance(error, UxlaError)
            assert str(error).startswith("a process for cpu died")


def test_a_pipe_that_cannot_be_had_is_one_line(monkeypatch):
    monkeypatch.setattr(pool, "Pipe", gone)
    with pytest.raises(UxlaError, match="any longer"):
        pool.Pool._new(None, "cpu")


def test_a_process_that_forks_and_is_gone_is_begun_again():
    server = forking.prepare()
    server.process.kill()
    server.process.wait()
    with on_devices(["cpu"]) as devices:
        assert list(devices.map(len, ["ab"])) == [2]
    assert forking.prepare() is not server


def test_where_it_cannot_be_begun_again_one_line_says_so(monkeypatch):
    monkeypatch.setattr(forking, "prepare", gone)
    with pytest.raises(UxlaError, match=r"^devices: no process can be begun \(Broken pipe\); free memory, or give"):
        list(on_devices(["cpu"]).map(len, ["a"]))


def test_a_fork_that_fails_closes_its_connection_and_ends_nothing(monkeypatch):
    def no_child(*given):
        raise ChildProcessError

    for module, name in ((os, "fork"), (os, "wait"), (os, "waitpid")):
        monkeypatch.setattr(module, name, gone if name == "fork" else no_child)
    monkeypatch.setattr(gc, "freeze", lambda: None)
    ours, theirs = socket.socketpair()
    ends = []
    for _ in range(2):
        end, other = Pipe()
        socket.send_fds(ours, [b"\0"], [other.fileno()])
        other.close()
        ends.append(end)
    ours.close()
    worker.fork_workers(theirs.detach(), ["json"])
    for end in ends:
        with end, pytest.raises(EOFError):
            end.recv_bytes()


@pytest.mark.parametrize("asked", [False, True])
def test_a_refusal_does_not_wait_for_imports(asked):
    class Process:
        said = ()

        def terminate(self):
            self.said += ("terminate",)

        def wait(self):
            self.said += ("wait",)

    process = Process()
    control, theirs = socket.socketpair()
    with theirs:
        forking._end(forking._Server(control, process, asked))
    assert process.said == (("wait",) if asked else ("terminate", "wait"))
    assert control.fileno() == -1


def test_a_module_path_with_what_is_no_string(monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path, Path("folder")])
    assert worker.Surroundings.of_this_process(1, deterministic=False).path == tuple(sys.path[:-1])
    forking._begun.cache_clear()
    with on_devices(["cpu"]) as devices:
        assert list(devices.map(len, ["ab"])) == [2]


def gpus(monkeypatch, count):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)


def test_a_gpu_that_is_not_there_is_refused_before_any_process_begins(monkeypatch):
    gpus(monkeypatch, 2)
    with pytest.raises(ModelError, match=r"^device cuda:5: torch can use 2 CUDA devices, the last is cuda:1$"):
        running(None, Placement(["cuda:0", "cuda:5"]))
    assert isinstance(running(None, Placement(["cuda:0", "cuda:1"])), SideBySide)
    gpus(monkeypatch, 0)
    with pytest.raises(ModelError, match=r"^device cuda:0: this machine has no CUDA device that torch can use"):
        running(None, Placement(["cuda:0", "cuda:1"]))


@pytest.mark.parametrize(
    ("visible", "device", "seen"),
    [
        (None, "cuda:1", "1"),
        ("", "cuda:0", ""),
        ("4, 7", "cuda:1", "7"),
        ("4", "cuda:1", ""),
        ("4,7", "cpu", "4,7"),
    ],
)
def test_a_process_sees_the_gpu_of_its_number_among_those_that_the_run_sees(visible, device, seen, monkeypatch):
    environment = {} if visible is None else {"CUDA_VISIBLE_DEVICES": visible}
    taken = {}
    monkeypatch.setattr(os, "environ", taken)
    worker.Surroundings(1, False, environment, tuple(sys.path), os.getcwd()).take(device)
    assert taken["CUDA_VISIBLE_DEVICES"] == seen


def test_several_processes_of_one_gpu_call_it_by_no_number():
    assert Compute(devices="cuda:1").where == "cuda:1"
    assert Compute(devices="cuda:1", jobs_per_device=2).where == "cuda"


def test_the_number_of_processes_has_a_limit():
    assert are_devices({"cpu": 1024})
    assert not are_devices({"cpu": 1025})
    for key in ("devices={cpu: 1000000000}", "jobs_per_device=1000000000"):
        with pytest.raises(ConfigError, match="1024") as caught:
            load_config("testbed", [key])
        assert len(caught.value.mistakes) == 1


def test_an_error_keeps_what_it_holds():
    found = FileNotFoundError(2, "No such file", "corpus.conll")
    kind, back = pickle.loads(worker._failed(found))
    assert (kind, type(back), back.filename) == ("failed", FileNotFoundError, "corpus.conll")
    assert pickle.loads(worker._failed(WriteError("a", "b", "c")))[1][0] is WriteError, "its constructor takes others"
