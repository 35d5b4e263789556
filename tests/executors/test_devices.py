"""Jobs in processes of their own: the same results and events as one after the other, whatever dies or is stopped."""

import os
import pickle
import threading
import time
from functools import partial
from pathlib import Path

import pytest

from uxla import progress
from uxla.devices import Placement, are_devices, kind, names, slots
from uxla.errors import UxlaError, WriteError, spelled_as
from uxla.events import Channel, TextsCut, redirected, unheard
from uxla.executors.choice import running
from uxla.executors.devices import on_devices
from uxla.executors.executor import Serial, beforehand, executing, in_job, in_turn, independent, side_by_side
from uxla.executors.side_by_side import SideBySide
from uxla.store.artifacts import digest
from uxla.store.locks import BusyError, key_lock, locked, waiting
from uxla.store.store import Store
from uxla.store.versions import VERSIONS


@pytest.fixture(scope="module")
def devices(jobs):
    """Two processes."""
    with on_devices(["cpu", "cpu"]) as made:
        yield made


def key_of(folder, number):
    inputs = {"stage": "augment", "version": VERSIONS["augment"], "inputs": {"number": number}}
    return key_lock(folder, f"augment-{digest(inputs)}")


@pytest.mark.parametrize("executor", ["serial", "devices"])
def test_results_events_and_measures_come_in_the_order_of_the_items(executor, devices, jobs, hearing):
    heard, pids = [], set()
    channel = Channel(lambda event: heard.append((event.data, event.cut)))
    measures = progress.measuring(lambda label, values: heard.append((label, values["loss"])))
    with executing(devices if executor == "devices" else Serial()), hearing() as lines, measures:
        for square, pid in independent(partial(jobs.told, channel), (number for number in (1, 2, 3))):
            heard.append(square)
            pids.add(pid)
    expected = [[("begins", n), (f"loss {n}", 1.0), ("ends", n), n**2] for n in (1, 2, 3)]
    assert heard == [entry for one in expected for entry in one]
    assert sorted(lines) == ["note 1", "note 2", "note 3"]
    assert (pids == {os.getpid()}) is (executor == "serial")
    assert list(devices.map(len, [])) == []


def test_bars_of_several_jobs_are_shown_and_ended(devices, jobs):
    class Screen:
        shown, ended = {}, []

        def start(self, label, total):
            self.shown[label] = 0
            return Shown(label)

        def note(self, text):
            pass

    class Shown:
        def __init__(self, label):
            self.label = label

        def advance(self, amount=1):
            Screen.shown[self.label] += amount

        def stop(self):
            Screen.ended.append(self.label)

    with progress.listening(Screen()):
        list(devices.map(partial(jobs.told, Channel(unheard)), [1, 2, 3]))
    assert Screen.shown == {"job 1": 2, "job 2": 2, "job 3": 2}
    assert sorted(Screen.ended) == ["job 1", "job 2", "job 3"]


def test_what_a_job_raises_is_raised_as_itself(devices, jobs):
    with pytest.raises(WriteError, match=r"^place: cannot be written \(cause\); remedy$") as caught:
        list(devices.map(jobs.refused, [1]))
    assert caught.value.strerror == "cause"
    with pytest.raises(ValueError, match=r"^odd") as caught:
        list(devices.map(jobs.refused, [2]))
    assert "in refused" in caught.value.__notes__[0], "where it was raised"
    with pytest.raises(RuntimeError, match="ValueError: it holds what cannot be sent"):
        list(devices.map(jobs.refused, [3]))


def test_a_job_whose_process_is_killed_is_done_again_once(devices, jobs, tmp_path, hearing):
    with hearing() as lines:
        assert list(devices.map(partial(jobs.dies, tmp_path), [0, 1])) == [1, 2]
    assert lines == ["a process for cpu died (killed, or out of memory); its work is done again"]
    with hearing(), pytest.raises(UxlaError, match=r"^a process for cpu died \(.*\) twice; free memory, or give fewer"):
        list(devices.map(partial(jobs.dies, tmp_path), [9]))
    assert (tmp_path / "9").read_text() == "xx"
    assert list(devices.map(len, ["ab", "c"])) == [2, 1], "others have taken the place of those that died"


def test_a_process_that_is_told_twice_to_stop_ends_its_step_first(devices, jobs, tmp_path, hearing):
    with hearing():
        assert list(devices.map(partial(jobs.told_twice, tmp_path), [1])) == [2]


@pytest.mark.parametrize("executor", ["serial", "devices"])
def test_what_another_run_does_is_put_off_and_waited_for_when_nothing_else_is_left(
    executor, devices, jobs, tmp_path, hearing
):
    found = []

    def work():
        with executing(devices if executor == "devices" else Serial()), hearing() as lines:
            found.extend([*independent(partial(jobs.stored, tmp_path), [1, 2, 3]), lines])

    with locked(key_of(tmp_path, 1), "test"):
        thread = threading.Thread(target=work)
        thread.start()
        deadline = time.monotonic() + 60
        while not (tmp_path / "3.made").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(1.5)  # longer than it waits without a word
        assert not (tmp_path / "1.made").exists()
    thread.join()
    assert found[0] == ["2.made", "3.made"]
    assert len(found[3]) == 1
    assert found[3][0].endswith("another run is working on it; waiting for it to finish")


def test_work_of_another_run_is_busy_only_where_nobody_waits(jobs, tmp_path):
    with locked(key_of(tmp_path, 1), "test"), waiting(False), pytest.raises(BusyError, match=r"^augment "):
        jobs.stored(tmp_path, 1)
    with waiting(False):
        assert jobs.stored(tmp_path, 1) == []


def ended(pid):
    """Whether the process is gone, or will be when whoever began it looks."""
    try:
        return "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return True


def test_closing_ends_all_processes_and_whoever_waits_for_them(jobs, tmp_path):
    seen = []

    def wait(devices):
        with pytest.raises(KeyboardInterrupt):
            list(devices.together(lambda item: list(devices.map(partial(jobs.endless, tmp_path), [item])), [1, 2], int))
        seen.append("raised")

    with on_devices(["cpu", "cpu"]) as devices:
        thread = threading.Thread(target=wait, args=(devices,))
        thread.start()
        while len(pids := [int(file.read_text() or 0) for file in tmp_path.glob("*.pid")]) < 2 or 0 in pids:
            time.sleep(0.02)
    thread.join()
    assert seen == ["raised"]
    deadline = time.monotonic() + 10  # they have closed all files, and the system is about to end them
    while not all(map(ended, pids)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert all(map(ended, pids))
    assert list(tmp_path.glob("augment/*")) == list(tmp_path.glob("unfinished/*")) == [], "whole or absent"
    with pytest.raises(KeyboardInterrupt):
        list(devices.map(len, ["a"]))


def test_things_that_go_on_side_by_side_are_told_one_after_the_other(devices, jobs):
    heard, threads = [], set()
    channel = Channel(heard.append)

    def flow(number):
        threads.add(threading.current_thread())
        channel(TextsCut("flow", number, 0, 0))
        [(square, _)] = independent(partial(jobs.told, channel), [number])
        return square

    with executing(devices):
        assert list(side_by_side(flow, [1, 2])) == [1, 4]
    assert [(event.data, event.cut) for event in heard] == [
        (data, number) for number in (1, 2) for data in ("flow", "begins", "ends")
    ]
    assert len(threads) == 2
    assert threading.current_thread() not in threads
    with executing(devices), pytest.raises(UxlaError, match="no"):
        list(side_by_side(flow_that_fails, [1, 2]))
    assert list(side_by_side(len, ["a"])) == [1]


def test_what_has_most_work_to_do_begins_first(jobs, tmp_path):
    asked = []

    def flow(work):
        asked.append(work)
        return list(devices.map(partial(jobs.stored, tmp_path), [work]))

    def first_of_all():
        return list(devices.map(partial(jobs.stored_when, tmp_path), [9]))

    with on_devices(["cpu"]) as devices, executing(devices):
        thread = threading.Thread(target=first_of_all)
        thread.start()
        while not (tmp_path / "9.begun").exists():
            time.sleep(0.02)
        found = side_by_side(flow, [1, 3, 2], int)
        while len(asked) < 3:
            time.sleep(0.02)
        time.sleep(0.3)  # all three wait for the only process
        (tmp_path / "go").touch()
        [[after_one], [after_three], [after_two]] = found
        thread.join()
    assert (after_three, after_two, after_one) == (["9.made"], ["3.made", "9.made"], ["2.made", "3.made", "9.made"])


def flow_that_fails(number):
    raise UxlaError("no")


def test_work_ahead_is_done_where_there_are_devices_and_else_when_it_is_asked_for(devices, jobs, tmp_path):
    work = partial(jobs.stored, tmp_path)
    assert in_turn()
    beforehand(work, [1], jobs.is_one)
    with executing(devices):
        assert not in_turn()
        beforehand(work, [2], jobs.is_one)
        beforehand(work, [1], jobs.is_one)
    assert sorted(path.name for path in tmp_path.glob("*.made")) == ["2.made"]


def test_a_job_is_done_by_one_device_whatever_it_asks_for(devices, jobs):
    with executing(devices):
        assert list(independent(jobs.is_alone, [1])) == [(True, True)]
    assert not in_job()
    assert isinstance(running(None, Placement("cpu")).__enter__(), Serial)
    assert isinstance(running("devices", Placement({"cpu": 2}, threads=3)), SideBySide)


def test_a_process_has_the_surroundings_of_the_run_and_sees_one_gpu(jobs, tmp_path, monkeypatch):
    monkeypatch.setenv("UXLA_TEST", "set later than the first process began")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,7")
    with on_devices(["cuda:1"], threads=2) as devices:
        [found] = devices.map(jobs.surroundings, ["UXLA_TEST"])
    assert found == ("set later than the first process began", str(tmp_path), 2, "7")


def test_an_event_of_another_process_reaches_the_listener_of_its_channel_here():
    heard, elsewhere = [], []
    channel, event = Channel(heard.append), TextsCut("a", 1, 2, 3)
    same, sent = pickle.loads(pickle.dumps((channel, event)))
    assert same is channel
    with redirected(lambda to, what: elsewhere.append((to, what))):
        same(sent)
    assert (heard, elsewhere) == ([], [(channel, event)])
    same(sent)
    assert heard == [event]
    stranger = pickle.loads(pickle.dumps(channel).replace(channel._key.encode(), b"0" * 32))
    stranger(event)
    assert stranger is not channel
    assert heard == [event], "there nobody listens"


def test_a_run_that_is_a_job_hears_its_own_events(devices, jobs):
    heard = []
    assert list(devices.map(partial(jobs.hears_itself, Channel(heard.append)), [1])) == [["own"]]
    assert [event.data for event in heard] == ["of the run"]


def test_a_fresh_run_repeats_all_work_but_what_its_own_jobs_made(tmp_path):
    made = []

    def make(into, scratch):
        made.append(1)
        return {"made": len(made)}

    Store(tmp_path).folder("augment", {"a": 1}, make)
    fresh = Store(tmp_path, fresh=True)
    there = pickle.loads(pickle.dumps(fresh))
    assert there.folder("augment", {"a": 1}, make)[1] == {"made": 2}
    assert pickle.loads(pickle.dumps(fresh)).folder("augment", {"a": 1}, make)[1] == {"made": 2}
    assert fresh.folder("augment", {"a": 1}, make)[1] == {"made": 2}
    assert fresh.has("augment", {"a": 1})
    assert not Store(tmp_path, fresh=True).has("augment", {"a": 1})


def test_what_jobs_use_is_in_the_list_of_their_run(tmp_path):
    store = Store(tmp_path)
    store.folder("augment", {"a": 1}, lambda into, scratch: {})
    pickle.loads(pickle.dumps(store)).folder("augment", {"a": 2}, lambda into, scratch: {})
    [file] = (tmp_path / "running").glob("*")
    assert len(set(file.read_text().splitlines())) == 2


@pytest.mark.parametrize(
    ("devices", "named", "where", "twice"),
    [
        ("cpu", ("cpu",), "cpu", ("cpu", "cpu")),
        ({"cpu": 3}, ("cpu",) * 3, "cpu", ("cpu",) * 6),
        (("cuda:0", "cuda:2"), ("cuda:0", "cuda:2"), "cuda", ("cuda:0", "cuda:0", "cuda:2", "cuda:2")),
        ("cuda:1", ("cuda:1",), "cuda:1", ("cuda:1", "cuda:1")),
        (("cuda:1",), ("cuda:1",), "cuda:1", ("cuda:1", "cuda:1")),
    ],
)
def test_devices_are_one_or_several_of_this_machine(devices, named, where, twice):
    assert are_devices(devices)
    assert (names(devices), kind(devices), slots(devices, 2)) == (named, where, twice)


@pytest.mark.parametrize(
    "value", ["gpu", "cuda:", "cuda:x", [], ["cpu", "cpu"], ["cuda:0", "cuda:0"], {"cpu": 0}, {}, 2]
)
def test_anything_else_is_no_device(value):
    assert not are_devices(value)


def test_remedies_of_a_job_are_written_as_its_user_writes_settings(devices, jobs):
    with spelled_as("options"):
        assert list(devices.map(jobs.remedy, ["a_key"])) == ["--a-key"]
