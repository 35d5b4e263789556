"""Functions of jobs, which the processes that do them import."""

import os
import signal
import time
from functools import partial
from pathlib import Path

from uxla import progress, signals
from uxla.errors import WriteError, setting
from uxla.events import Channel, TextsCut
from uxla.executors.executor import call_others, in_job, in_turn
from uxla.store.store import Store


def told(channel, number):
    """The square and the process; the later jobs end first."""
    with progress.bar(f"job {number}", 2) as bar:
        channel(TextsCut("begins", number, 0, 0))
        time.sleep(0.2 if number == 1 else 0.0)
        progress.measured(f"loss {number}", loss=1.0)
        bar.advance(2)
    progress.note(f"note {number}")
    channel(TextsCut("ends", number, 0, 0))
    return number**2, os.getpid()


def is_one(number):
    return number == 1


def refused(number):
    if number == 1:
        raise WriteError("place", "cause", "remedy")
    if number == 2:
        raise ValueError("odd")
    error = ValueError("it holds what cannot be sent")
    error.held = lambda: None
    raise error


def dies(folder, times):
    """Ends its process so many times, then gives the number of its call."""
    calls = Path(folder) / str(times)
    with calls.open("a") as stream:
        stream.write("x")
    if calls.stat().st_size <= times:
        os.kill(os.getpid(), signal.SIGKILL)
    return calls.stat().st_size


def told_twice(folder, number):
    """Is told twice to stop while it holds a step, the first time that it is called; gives how many steps it ended."""
    begun, ended = Path(folder) / "begun", Path(folder) / "ended"
    first = not begun.exists()
    begun.touch()
    with signals.postponed():
        if first:
            os.kill(os.getpid(), signal.SIGUSR1)
            os.kill(os.getpid(), signal.SIGTERM)
        with ended.open("a") as stream:
            stream.write("x")
    return ended.stat().st_size


def endless(folder, number):
    """Says that it works, and works on; a write that has begun is finished."""
    store = Store(folder)

    def make(into, scratch):
        (into / "file").write_text("half")
        (Path(folder) / f"{number}.pid").write_text(str(os.getpid()))
        with progress.bar("endless", 10**9) as bar:
            while True:
                time.sleep(0.01)
                bar.advance()

    store.folder("augment", {"number": number}, make)


def stored(folder, number):
    """The artifact of a number, and the numbers that were made before it."""
    before = sorted(path.name for path in Path(folder).glob("*.made"))

    def make(into, scratch):
        (into / "number").write_text(str(number))
        (Path(folder) / f"{number}.made").touch()
        return {"before": before}

    return Store(folder).folder("augment", {"number": number}, make)[1]["before"]


def stored_when(folder, number):
    """As `stored`, when there is a file `go`."""
    (Path(folder) / f"{number}.begun").touch()
    while not (Path(folder) / "go").exists():
        time.sleep(0.02)
    return stored(folder, number)


def surroundings(name):
    import torch

    return os.environ.get(name), os.getcwd(), torch.get_num_threads(), os.environ.get("CUDA_VISIBLE_DEVICES")


def hears_itself(channel, item):
    heard = []
    own = Channel(lambda event: heard.append(event.data))
    own(TextsCut("own", 0, 0, 0))
    channel(TextsCut("of the run", 0, 0, 0))
    return heard


def is_alone(item):
    return in_turn(), in_job()


def remedy(key):
    return setting(key)


def pid_and_others(folder, count, number):
    """Calls so many others, and waits for what they write: their processes and its own."""
    call_others(partial(writes_pid, folder, number), range(1, count))
    deadline = time.monotonic() + 300
    while len(files := list(Path(folder).glob(f"{number}-*.pid"))) < count - 1 and time.monotonic() < deadline:
        time.sleep(0.02)
    return os.getpid(), [int(file.suffixes[0][1:]) for file in files]


def writes_pid(folder, number, rank):
    (Path(folder) / f"{number}-{rank}.{os.getpid()}.pid").touch()


def waits_for_a_failure(kind, number):
    call_others(partial(fails, kind), [1])
    time.sleep(600)


def fails(kind, rank):
    if kind == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    raise WriteError("place", "cause", "remedy")


def fails_in_its_second_call(place, number):
    """The first call is answered when the second one has been sent."""
    call_others(time.sleep, [0.5])
    call_others(partial(touches_later, place), [10])
    time.sleep(1.5)
    raise WriteError("place", "cause", "remedy")


def touches_later(place, seconds):
    time.sleep(seconds)
    Path(place).touch()
