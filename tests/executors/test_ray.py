"""Jobs on a cluster of Ray, simulated on this machine: the same results and events, whatever is lost or too slow."""

import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from unittest.mock import Mock

import pytest

import uxla
from uxla.devices import Placement
from uxla.errors import ConfigError, UnreachableError, UxlaError, WriteError
from uxla.events import Channel
from uxla.executors.choice import executor_of, running
from uxla.executors.cluster import Ray, shared_token
from uxla.executors.cluster_job import MachineSurroundings
from uxla.executors.connection import Head
from uxla.executors.executor import Serial, executing, independent
from uxla.store.artifacts import digest
from uxla.store.locks import key_lock, locked
from uxla.store.versions import VERSIONS

pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # Ray leaves files open
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def cluster(jobs):
    """Two machines with a CPU each."""
    pytest.importorskip("ray")
    from ray_nodes import simulated

    with simulated(2) as made:
        yield made


@pytest.fixture(scope="module")
def on_ray(cluster, jobs, tmp_path_factory):
    shared = tmp_path_factory.mktemp("shared")
    with running(Ray(cluster.address), Placement("cpu"), shared=[shared]) as executor:
        yield executor
    assert list(shared.iterdir()) == []


@pytest.mark.parametrize("address", ["127.0.0.1:9", "ray://127.0.0.1:9"])
def test_no_cluster_is_one_line_at_once(monkeypatch, address):
    """The first of this file: later on this process is connected, and a connection that is there already is used."""
    pytest.importorskip("ray")
    monkeypatch.setenv("RAY_ADDRESS", address)
    with pytest.raises(ConfigError, match=r"^executor ray: no cluster at auto \(.* refused\); expected ray \(the clus"):
        running("ray", Placement("cpu")).__enter__()


@pytest.mark.slow
def test_results_and_events_come_in_the_order_of_the_items_from_several_processes(on_ray, jobs, hearing):
    heard, pids = [], set()
    channel = Channel(lambda event: heard.append((event.data, event.cut)))
    with executing(on_ray), hearing() as lines:
        for square, pid in independent(partial(jobs.told, channel), (number for number in (1, 2, 3))):
            heard.append(square)
            pids.add(pid)
    expected = [[("begins", n), ("ends", n), n**2] for n in (1, 2, 3)]
    assert heard == [entry for one in expected for entry in one]
    assert sorted(lines) == ["note 1", "note 2", "note 3"]
    assert os.getpid() not in pids


@pytest.mark.slow
def test_a_users_fault_is_raised_at_once_and_any_other_after_three_attempts(on_ray, jobs, tmp_path, hearing):
    with hearing() as lines, pytest.raises(WriteError, match=r"^place: cannot be written \(cause\); remedy$"):
        list(on_ray.map(jobs.refused, [1]))
    assert lines == []
    with hearing() as lines, pytest.raises(UxlaError, match=r"failed \(ValueError: odd\); this was the third attempt"):
        list(on_ray.map(jobs.refused, [2]))
    assert [line.rpartition("; ")[2] for line in lines[:2]] == [
        "attempt 2 of 3 begins",
        "attempt 3 of 3 begins",
    ]
    assert "in refused" in lines[2], "where it was raised"


@pytest.mark.slow
def test_a_job_whose_process_is_killed_is_begun_three_times_at_most(on_ray, jobs, tmp_path, hearing):
    with hearing() as lines:
        assert list(on_ray.map(partial(jobs.dies, tmp_path), [0, 2])) == [1, 3]
    assert all(line.startswith("a process of the cluster was lost (WorkerCrashedError: ") for line in lines)
    assert len(lines) == 2
    with hearing(), pytest.raises(UxlaError, match=r"was lost .*; this was the third attempt"):
        list(on_ray.map(partial(jobs.dies, tmp_path), [9]))
    assert (tmp_path / "9").read_text() == "xxx"


@pytest.mark.slow
def test_what_another_run_does_is_put_off_and_waited_for_when_nothing_else_is_left(on_ray, jobs, tmp_path, hearing):
    inputs = {"stage": "augment", "version": VERSIONS["augment"], "inputs": {"number": 1}}
    found = []

    def work():
        with executing(on_ray), hearing():
            found.extend(independent(partial(jobs.stored, tmp_path), [1, 2, 3]))

    with locked(key_lock(tmp_path, f"augment-{digest(inputs)}"), "test"):
        thread = threading.Thread(target=work)
        thread.start()
        deadline = time.monotonic() + 120
        while len(list(tmp_path.glob("[23].made"))) < 2 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not (tmp_path / "1.made").exists()
    thread.join()
    assert found[0] == ["2.made", "3.made"]


@pytest.mark.slow
def test_a_job_over_its_time_is_stopped_with_whole_files_and_begun_again(cluster, jobs, tmp_path, hearing):
    limited = Ray(cluster.address, unit_hours=1 / 3600)
    late = pytest.raises(UxlaError, match=r"took more than 0.00027\d* hours; this was the third attempt")
    with hearing() as lines, running(limited, Placement("cpu")) as executor, late:
        list(executor.map(partial(jobs.endless, tmp_path), [1]))
    assert sum("begins" in line for line in lines) == 2
    assert list(tmp_path.glob("augment/*")) == list(tmp_path.glob("unfinished/*")) == [], "whole or absent"


@pytest.mark.slow
def test_jobs_find_the_folder_the_settings_and_no_gpu(cluster, jobs, tmp_path, monkeypatch):
    monkeypatch.setenv("UXLA_TEST", "mine")
    monkeypatch.chdir(tmp_path)
    with running(Ray(cluster.address), Placement("cpu", threads=1)) as executor:
        assert list(executor.map(jobs.surroundings, ["UXLA_TEST"])) == [("mine", str(tmp_path), 1, "")]


@pytest.mark.slow
def test_a_client_of_another_machine_does_what_a_process_of_the_cluster_does(cluster, jobs, tmp_path):
    """In a process of its own: this one is connected already."""
    code = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
import executor_jobs
from functools import partial
from uxla.devices import Placement
from uxla.executors.choice import running
with running({cluster.client!r}, Placement("cpu")) as executor:
    print(list(executor.map(partial(executor_jobs.dies, {str(tmp_path)!r}), [0, 1])))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    if "Initialization failure from server" in done.stderr:
        pytest.skip("Ray could not begin its own server for the client here")
    assert done.stdout == "[1, 2]\n", done.stderr


@contextmanager
def a_head(**how):
    """A head that greets, and how it is looked at."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with closing(Head(address, between=0, **how)) as head:
            head.check()
            held = server.accept()[0]
            held.sendall(b"greeting")
            yield head, server, held


def test_a_head_that_ends_is_lost_although_another_one_is_at_its_address():
    with a_head() as (head, _, held):
        head.check()
        held.close()
        with pytest.raises(UnreachableError, match=rf"^executor ray: the head .* at {head.address} is lost \(it has"):
            head.check()


def test_a_head_that_cannot_be_reached_again_is_lost_after_a_while():
    with a_head(renewed=0) as (head, server, held):
        server.close()
        head.check()  # within its patience
        head.patience = 0
        with (
            held,
            pytest.raises(UnreachableError, match=r"is lost \(.*refused\); start a cluster again, and repeat"),
        ):
            head.check()


def test_a_head_that_a_client_cannot_see_is_neither_lost_nor_asked_again():
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    head = Head(address, patience=-1, renewed=-1, between=0)
    head.check()
    with socket.create_server(("127.0.0.1", int(address.rpartition(":")[2]))) as server:
        head.check()
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()


def test_a_head_is_looked_at_now_and_then(monkeypatch):
    looks = []
    monkeypatch.setattr(socket, "create_connection", lambda *given, **how: looks.append(given) or Mock())
    head = Head("127.0.0.1:9", between=3600)
    for _ in range(100):
        head.check()
    assert len(looks) == 1


def test_without_the_package_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ConfigError, match=r"^executor ray: ray is not installed; run: pip install 'uxla\[ray\]', here"):
        running("ray", Placement("cpu")).__enter__()


def test_a_cluster_has_a_name_and_a_wrong_one_is_refused():
    assert executor_of("ray") == Ray()
    assert executor_of("ray://host:10001") == Ray("ray://host:10001")
    assert executor_of("ray:local") == Ray("local")
    assert executor_of("serial") == Serial()
    assert executor_of("devices") is executor_of(None) is None
    for wrong in ("ray:host", "ray://host", "ray://host:port"):
        with pytest.raises(ConfigError, match=rf"^executor: got '{wrong}', expected ray"):
            executor_of(wrong)


def test_devices_of_this_machine_are_refused_beside_a_cluster():
    with pytest.raises(ConfigError, match=r"^devices: got cuda:1, but Ray picks the GPU"):
        running("ray", Placement("cuda:1")).__enter__()
    with pytest.raises(ConfigError, match=r"^executor: given beside several devices"):
        running("ray", Placement({"cpu": 2}))


def test_a_machine_of_another_version_or_without_the_shared_folder_does_nothing(tmp_path, monkeypatch):
    here = MachineSurroundings.of_this_process(
        Placement("cpu"), tmp_path, (str(tmp_path / "store" / "token"),), None, gpu=True
    )
    with pytest.raises(UxlaError, match=r": does not see the folder .*store of the machine that gives it work; put"):
        here.take()
    monkeypatch.setattr(uxla, "__version__", "9")
    with pytest.raises(UxlaError, match=r": has uxla 9, expected 0"):
        here.take()


def test_a_fault_of_the_work_is_not_one_of_the_shared_folders(tmp_path):
    with pytest.raises(OSError, match="the work's own"), shared_token([tmp_path / "store"]):
        raise OSError("the work's own")
    assert [*(tmp_path / "store").iterdir()] == []
    (tmp_path / "file").touch()
    with (
        pytest.raises(WriteError, match=r"file: cannot be written \(.*\); give another folder"),
        shared_token([tmp_path / "file"]),
    ):
        raise AssertionError
