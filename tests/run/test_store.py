"""The store: artifacts whole or absent, found again by everything that went into them."""

import errno
import json
import os
import resource
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file

from uxla.errors import ArtifactError
from uxla.run import store as stores
from uxla.run.journal import Journal, read
from uxla.run.store import Store, default_root, digest


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
    """Every file under the store, but for directories."""
    return sorted(str(path.relative_to(store.root)) for path in store.root.rglob("*") if path.is_file())


def test_finished_work_is_found_and_its_facts_with_it(store):
    made, facts = store.folder("fit", {"seed": 1}, writes("weights", weights="abc"))
    found, again = store.folder("fit", {"seed": 1}, never)
    assert (found, again) == (made, facts) == (made, {"weights": "abc"})
    assert (made / "file").read_text() == "weights"


def test_the_journal_says_what_was_done_and_what_was_found(store):
    store.journal.open()
    for _ in range(2):
        store.folder("fit", {"seed": 1}, writes("", weights="abc"))
    first, second = read(store.journal.path)
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


def test_a_killed_process_leaves_nothing_where_artifacts_are_looked_for(store, tmp_path):
    code = (
        "import sys, time\nfrom pathlib import Path\n"
        "from uxla.run.journal import Journal\nfrom uxla.run.store import Store\n"
        "def make(into, _):\n    (into / 'file').write_text('half')\n    print('half', flush=True)\n"
        "    time.sleep(60)\n"
        "root = Path(sys.argv[1])\nStore(root, Journal(root / 'j')).folder('fit', {}, make)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, store.root], stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"half\n"
        process.send_signal(signal.SIGKILL)
    assert not (store.root / "fit").exists()
    place, _ = store.folder("fit", {}, writes("whole"))
    assert (place / "file").read_text() == "whole"


def test_a_folder_without_its_last_file_is_made_anew(store):
    place, _ = store.folder("fit", {}, writes("first"))
    (place / "meta.json").unlink()
    assert store.folder("fit", {}, writes("second"))[0] == place
    assert (place / "file").read_text() == "second"


def test_where_two_processes_make_the_same_the_first_artifact_stays(store):
    def make(into, scratch):
        (into / "file").write_text("slower")
        store.folder("fit", {}, writes("faster", by="the other"))
        return {"by": "this one"}

    place, facts = store.folder("fit", {}, make)
    assert (place / "file").read_text() == "faster"
    assert facts == {"by": "the other"}
    assert not any((store.root / "unfinished").iterdir())


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


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EIO])
def test_a_write_failure_is_one_error_that_names_place_cause_and_remedy(number, store):
    def make(into, scratch):
        (into / "file").write_text("half")
        raise OSError(number, os.strerror(number))

    with pytest.raises(ArtifactError) as caught:
        store.folder("fit", {}, make)
    said = str(caught.value)
    assert str(store.root) in said
    assert os.strerror(number) in said
    assert "UXLA_CACHE" in said
    assert "\n" not in said
    assert contents(store) == []


def test_weights_that_do_not_fit_the_disk_are_one_error_too(store):
    """safetensors has an error of its own; a limit on file sizes stands for a full disk."""

    def make(into, scratch):
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
        try:
            save_file({"weights": np.zeros(1000, dtype=np.float32)}, into / "model.safetensors")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        return {}

    with pytest.raises(ArtifactError, match="the store cannot be written"):
        store.folder("fit", {}, make)
    assert contents(store) == []


def test_a_store_where_none_can_be_is_one_error(tmp_path):
    (tmp_path / "file").write_text("")
    store = Store(tmp_path / "file", Journal(tmp_path / "journal.jsonl"))
    with pytest.raises(ArtifactError, match="the store cannot be written"):
        store.folder("fit", {}, writes(""))


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"facts": 3}', "\x00\xff"])
def test_a_damaged_card_is_one_error_that_names_the_folder_to_delete(text, store):
    place, _ = store.folder("fit", {}, writes(""))
    (place / "meta.json").write_text(text, encoding="latin-1")
    with pytest.raises(ArtifactError, match="damaged") as caught:
        store.folder("fit", {}, never)
    assert str(place) in str(caught.value)


def test_the_card_tells_what_the_artifact_was_made_from(store):
    place, _ = store.folder("fit", INPUTS, writes("", steps=3))
    assert json.loads((place / "meta.json").read_text()) == {"inputs": INPUTS, "facts": {"steps": 3}}


def test_the_store_is_in_the_users_cache_unless_told_otherwise(tmp_path, monkeypatch):
    monkeypatch.setenv("UXLA_CACHE", str(tmp_path))
    assert default_root() == tmp_path
    monkeypatch.delenv("UXLA_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert default_root() == tmp_path / "xdg/uxla"


def test_a_hit_costs_no_time(store):
    store.folder("fit", {}, lambda into, scratch: time.sleep(0.05) or {})
    done = store.journal.seconds["fit"]
    store.folder("fit", {}, never)
    assert done >= 0.05
    assert store.journal.seconds["fit"] - done < 0.05
