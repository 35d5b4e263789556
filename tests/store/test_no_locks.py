"""A store on a file system whose locks have no effect: it says so, works twice, and stays right."""

import os
import shutil
import subprocess
import sys

import pytest

from uxla.store.locks import locks_work
from uxla.store.store import Store

RUN = """
import json, sys, time
from pathlib import Path
from uxla import progress
from uxla.store.store import Store

notes = []
seen = type("Notes", (), {"note": staticmethod(notes.append)})

def make(into, scratch):
    (scratch / "saved").write_text(sys.argv[2])
    time.sleep(0.05)
    for number in range(20):
        (into / str(number)).write_text(str(number) * 1000)
    assert (scratch / "saved").read_text() == sys.argv[2]
    return {"weights": "abc"}

with progress.listening(seen):
    store, made = Store(sys.argv[1]), []
    for number in range(10):
        place, facts = store.folder("fit", {"number": number}, make)
        made.append(sorted((path.name, path.read_text()) for path in place.glob("[0-9]*")))
        store.release_weights(place)
assert made == [sorted((str(number), str(number) * 1000) for number in range(20))] * 10
print(json.dumps(notes))
"""


@pytest.fixture(scope="module")
def variables(bench, tmp_path_factory):
    if shutil.which("cc") is None:
        pytest.skip("needs a C compiler")
    return {**os.environ, **bench("servers").no_locks(tmp_path_factory.mktemp("library"))}


def begin(root, number, variables):
    command = [sys.executable, "-c", RUN, str(root), str(number)]
    return subprocess.Popen(command, env=variables, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_locks_are_tried(tmp_path):
    assert locks_work(tmp_path)
    assert list((tmp_path / "locks").iterdir()) == []


def test_eight_writers_without_locks_leave_whole_artifacts_and_are_told_in_one_line(tmp_path, variables):
    writers = [begin(tmp_path / "store", number, variables) for number in range(8)]
    for writer in writers:
        out, err = writer.communicate()
        assert (writer.returncode, err) == (0, "")
        assert out.count("file locks have no effect there") == 1
    store = Store(tmp_path / "store")
    artifacts = sorted((tmp_path / "store/fit").iterdir())
    assert len(artifacts) == 10
    assert all(store.facts(place) == {"weights": "abc"} for place in artifacts)
    for left in ("unfinished", "scratch", "damaged"):
        assert not list((tmp_path / "store").glob(f"{left}/*"))


def test_nothing_is_cleared_where_nobody_can_say_what_is_in_use(tmp_path, variables):
    begin(tmp_path / "store", 0, variables).communicate()
    command = [sys.executable, "-c", "from uxla.cli.app import main; main()", "cache", "gc", "--older-than", "0s"]
    given = {**variables, "UXLA_CACHE": str(tmp_path / "store")}
    done = subprocess.run(command, env=given, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "file locks have no effect there" in done.stderr
    assert len(list((tmp_path / "store/fit").iterdir())) == 10
