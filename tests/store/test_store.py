"""The store: artifacts whole or absent, found again by everything that went into them, made by one process only."""

import json
import signal
import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uxla import progress
from uxla.store import store as stores
from uxla.store.artifacts import digest
from uxla.store.journal import Journal, read
from uxla.store.locks import locked
from uxla.store.opening import default_root
from uxla.store.store import Store


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store", Journal(tmp_path / "run" / "journal.jsonl"))


def writes(text, **facts):
    """A `make` that writes one file."""

    def make(into, scratch):
        (into / "file").write_text(text)
        return facts

    return make


def never(into, scratch):
    raise AssertionError("this work was done before")


def contents(store):
    """Every file of the store but for the locks."""
    files = [path.relative_to(store.root) for path in store.root.rglob("*") if path.is_file()]
    return sorted(str(file) for file in files if file.parts[0] not in ("locks", "running"))


def test_finished_work_is_found_and_its_facts_with_it(store):
    made, facts = store.folder("fit", {"seed": 1}, writes("weights", weights="abc"))
    found, again = store.folder("fit", {"seed": 1}, never)
    assert (found, again) == (made, facts) == (made, {"weights": "abc"})
    assert (made / "file").read_text() == "weights"


def test_the_journal_says_what_was_done_and_what_was_found(store):
    store.emit.open()
    for _ in range(2):
        store.folder("fit", {"seed": 1}, writes("", weights="abc"))
    first, second = read(store.emit.path)
    assert (first["hit"], second["hit"]) == (False, True)
    assert first["key"] == second["key"]
    assert first["weights"] == second["weights"] == "abc"


@pytest.mark.parametrize("fault", [ValueError("a bug"), KeyboardInterrupt(), MemoryError()])
def test_work_that_fails_leaves_nothing_and_its_error_as_it_was(fault, store):
    def make(into, scratch):
        (into / "file").write_text("half")
        raise fault

    with pytest.raises(type(fault)):
        store.folder("fit", {}, make)
    assert contents(store) == []
    assert store.folder("fit", {}, writes("whole"))[0].is_dir()


MAKE = """
import sys, time
from pathlib import Path
from uxla.store.journal import Journal
from uxla.store.store import Store

root = Path(sys.argv[1])
store = Store(root, Journal(root / "journal.jsonl"))
"""


def python(code, *arguments):
    """Another process at the same store."""
    call = [sys.executable, "-c", MAKE + code, *map(str, arguments)]
    return subprocess.Popen(call, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


HALF = """
def make(into, scratch):
    (into / "file").write_text("half")
    (scratch / "part").write_text("saved")
    print("half", flush=True)
    time.sleep(60)

store.folder("fit", {}, make)
"""


def test_a_killed_process_leaves_its_saved_progress_and_no_lock_and_nothing_where_artifacts_are_looked_for(store):
    with python(HALF, store.root) as process:
        assert process.stdout.readline() == "half\n"
        process.send_signal(signal.SIGKILL)
    assert not (store.root / "fit").exists()
    assert len(list((store.root / "unfinished").iterdir())) == 1

    def make(into, scratch):
        assert list(into.iterdir()) == []
        assert (scratch / "part").read_text() == "saved"
        return writes("whole")(into, scratch)

    place, _ = store.folder("fit", {}, make)
    assert (place / "file").read_text() == "whole"
    assert not any((store.root / "unfinished").iterdir())
    assert not any((store.root / "scratch").iterdir())


RACE = """
def make(into, scratch):
    with (root / "made").open("a") as stream:
        stream.write(f"{number}\\n")
    time.sleep(0.01)
    (into / "file").write_text("bytes")
    return {}

print("ready", flush=True)
for line in sys.stdin:
    number = int(line)
    place, _ = store.folder("fit", {"round": number}, make)
    assert (place / "file").read_text() == "bytes"
    print(number, flush=True)
"""


def test_what_two_processes_want_at_once_is_made_by_one_of_them(store):
    store.root.mkdir()
    with python(RACE, store.root) as first, python(RACE, store.root) as second:
        both = first, second
        for number in ("ready", *range(20)):
            if number != "ready":
                for process in both:
                    print(number, file=process.stdin, flush=True)
            for process in both:
                assert process.stdout.readline() == f"{number}\n"
        for process in both:
            process.stdin.close()
    assert (store.root / "made").read_text().split() == [str(number) for number in range(20)]


class Notes(list):
    """A listener that keeps what it is told and then does something."""

    then = staticmethod(lambda: None)

    def note(self, text):
        self.append(text)
        self.then()


def test_who_waits_for_another_run_says_so_once_and_takes_what_it_made(store):
    store.root.mkdir()
    notes = Notes()
    slow = """
def make(into, scratch):
    print("at it", flush=True)
    sys.stdin.readline()
    return {"by": "the other"}
store.folder("fit", {}, make)
"""
    with python(slow, store.root) as process, progress.listening(notes):
        assert process.stdout.readline() == "at it\n"
        notes.then = lambda: print(file=process.stdin, flush=True)
        store.emit.open()
        assert store.folder("fit", {}, never)[1] == {"by": "the other"}
    [told] = notes
    assert told.startswith("fit ")
    assert "another run is working on it" in told
    assert read(store.emit.path)[-1]["hit"] is True


def test_a_lock_dies_with_its_process(tmp_path):
    code = """
from uxla.store.locks import locked
with locked(root / "a.lock", ""):
    print("held", flush=True)
    time.sleep(60)
"""
    with python(code, tmp_path) as process:
        assert process.stdout.readline() == "held\n"
        process.send_signal(signal.SIGKILL)
    with locked(tmp_path / "a.lock", ""):
        pass


def test_fresh_makes_anew_what_this_run_did_not_make(store):
    store.folder("fit", {}, writes("old"))
    fresh = Store(store.root, store.emit, fresh=True)
    place, facts = fresh.folder("fit", {}, writes("new", by="fresh"))
    assert ((place / "file").read_text(), facts) == ("new", {"by": "fresh"})
    assert fresh.folder("fit", {}, never) == (place, facts)
    assert Store(store.root, store.emit).folder("fit", {}, never) == (place, facts)
    assert not any((store.root / "unfinished").iterdir())


def test_fresh_runs_of_one_command_share_what_they_make(store):
    store.folder("fit", {}, writes("old"))
    first = Store(store.root, store.emit, fresh=True)
    made = first.folder("fit", {}, writes("new", by="fresh"))
    assert Store(store.root, store.emit, fresh=True, seen=first.seen).folder("fit", {}, never) == made


def test_what_fresh_makes_to_the_same_bytes_stays_as_it_was(store):
    place, _ = store.folder("fit", {}, writes("same"))
    inode = (place / "file").stat().st_ino
    Store(store.root, store.emit, fresh=True).folder("fit", {}, writes("same"))
    assert (place / "file").stat().st_ino == inode


def test_fresh_uses_no_saved_progress(store):
    def fails(into, scratch):
        (scratch / "part").write_text("saved")
        raise LookupError

    with pytest.raises(LookupError):
        store.folder("fit", {}, fails)

    def make(into, scratch):
        assert not any(scratch.iterdir())
        return {}

    Store(store.root, store.emit, fresh=True).folder("fit", {}, make)


def test_a_signal_waits_until_the_artifact_is_in_place(store):
    """Sent when all is made: what follows is the write that must not be cut."""
    code = """
import os, signal
from uxla import signals
from uxla.store import store as stores

def finish(*arguments):
    os.kill(os.getpid(), signal.SIGTERM)
    return whole(*arguments)

whole, stores.finish = stores.finish, finish
try:
    with signals.handling():
        store.folder("fit", {}, lambda into, scratch: {"weights": "abc"})
except signals.Terminated:
    print("ended")
"""
    with python(code, store.root) as process:
        assert process.stdout.read() == "ended\n"
    assert store.folder("fit", {}, never)[1] == {"weights": "abc"}


INPUTS = {"model": "abc", "seed": 3, "settings": {"learning_rate": 1e-3, "dropout": None, "names": ["O", "B-PER"]}}


@pytest.mark.parametrize(
    "changed",
    [
        {**INPUTS, "model": "abd"},
        {**INPUTS, "seed": 3.5},
        {**INPUTS, "seed": "3"},
        {**INPUTS, "seed": None},
        {**INPUTS, "extra": None},
        {**INPUTS, "settings": {**INPUTS["settings"], "dropout": 0.0}},
        {**INPUTS, "settings": {**INPUTS["settings"], "names": ["B-PER", "O"]}},
        {"model": "abc", "seed": 3},
    ],
)
def test_every_input_is_part_of_the_key(changed, store):
    first, _ = store.folder("fit", INPUTS, writes(""))
    assert store.folder("fit", changed, writes(""))[0] != first


def test_stage_and_version_are_part_of_the_key(store, monkeypatch):
    place, _ = store.folder("fit", INPUTS, writes(""))
    assert store.folder("predict", INPUTS, writes(""))[0].name != place.name
    monkeypatch.setitem(stores.VERSIONS, "fit", stores.VERSIONS["fit"] + 1)
    assert store.folder("fit", INPUTS, writes(""))[0] != place


@given(st.dictionaries(st.text(), st.integers() | st.text() | st.none(), min_size=2))
def test_the_order_of_the_inputs_is_not(values):
    assert digest(values) == digest(dict(reversed(values.items())))


def test_the_card_tells_what_the_artifact_was_made_from(store):
    place, _ = store.folder("fit", INPUTS, writes("", steps=3))
    manifest = json.loads((place / "meta.json").read_text())
    assert (manifest["inputs"], manifest["facts"]) == (INPUTS, {"steps": 3})
    assert manifest["files"] == {"file": [0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"]}


def test_facts_come_back_the_same_whether_made_or_found(store):
    _, made = store.folder("fit", {}, writes("", counts={10: (1, 2), 9: None}, share=0.1))
    assert made == {"counts": {"10": [1, 2], "9": None}, "share": 0.1}
    assert Store(store.root, store.emit).folder("fit", {}, never)[1] == made


def test_the_store_is_in_the_users_cache_unless_told_otherwise(tmp_path, monkeypatch):
    monkeypatch.setenv("UXLA_CACHE", str(tmp_path))
    assert default_root() == tmp_path
    monkeypatch.delenv("UXLA_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert default_root() == tmp_path / "xdg/uxla"


def test_a_hit_costs_no_time(tmp_path):
    told = []
    store = Store(tmp_path, told.append)
    store.folder("fit", {}, lambda into, scratch: time.sleep(0.05) or {})
    store.folder("fit", {}, never)
    made, found = told
    assert made.seconds >= 0.05 > found.seconds
    assert (made.hit, found.hit) == (False, True)


def test_what_was_told_of_an_artifact_can_be_asked_for_again(store):
    place, facts = store.folder("fit", {}, lambda into, scratch: {"loss": 0.5})
    assert store.facts(place) == facts == {"loss": 0.5}
    assert Store(store.root).facts(place) == facts
