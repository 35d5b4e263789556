"""Weights that nobody needs go; the rest of their artifact stays, and they are made again when somebody needs them."""

import signal
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from uxla.cli.app import app
from uxla.store.artifacts import DamageError, check
from uxla.store.housekeeping import clear, entries
from uxla.store.seen import WeightsGoneError
from uxla.store.store import Store
from uxla.store.verify import verify

WEIGHTS = bytes(1000)


def make(into, scratch):
    (into / "config.json").write_text("{}")
    (into / "model.safetensors").write_bytes(WEIGHTS)
    return {"weights": "abc"}


def never(into, scratch):
    raise AssertionError("this work was done before")


@pytest.fixture
def root(tmp_path):
    return tmp_path / "store"


@pytest.fixture
def model(root):
    """A model of a run that has ended."""
    return Store(root).folder("fit", {"seed": 1}, make)[0]


def there(model):
    return (model / "model.safetensors").exists()


def test_weights_that_were_released_are_gone_and_the_model_is_found_as_before(root, model):
    store = Store(root)
    found = store.folder("fit", {"seed": 1}, never)
    store.release_weights(model)
    assert not there(model)
    assert store.folder("fit", {"seed": 1}, never) == Store(root).folder("fit", {"seed": 1}, never) == found
    assert verify(root) == []
    store.release_weights(model)


def test_weights_that_are_gone_and_needed_are_made_again_once_and_stay(root, model):
    Store(root).release_weights(model)
    store, made = Store(root), []
    store.folder("fit", {"seed": 1}, never)
    with pytest.raises(WeightsGoneError):
        store.require_weights(model)
    for _ in range(2):
        place, facts = store.folder("fit", {"seed": 1}, lambda *given: made.append(1) or make(*given))
    assert (place, facts, made) == (model, {"weights": "abc"}, [1])
    store.require_weights(model)
    store.release_weights(model)
    assert there(model), "nothing is made three times"


def test_a_model_that_comes_out_otherwise_takes_the_place_of_the_old_one(root, model):
    """As on a GPU: its followers have other inputs then, and are made anew."""
    Store(root).release_weights(model)
    store = Store(root)
    store.folder("fit", {"seed": 1}, never)
    with pytest.raises(WeightsGoneError):
        store.require_weights(model)
    assert store.folder("fit", {"seed": 1}, lambda *given: make(*given) | {"weights": "other"})[1] == {
        "weights": "other"
    }
    assert Store(root).folder("fit", {"seed": 1}, never)[1] == {"weights": "other"}


def test_fresh_work_brings_weights_back(root, model):
    Store(root).release_weights(model)
    Store(root, fresh=True).folder("fit", {"seed": 1}, make)
    assert there(model)


@pytest.mark.parametrize("stage", ["average", "student", "predict"])
def test_other_files_are_missing_where_they_are_gone(stage, root):
    place, _ = Store(root).folder(stage, {}, make)
    (place / "model.safetensors").unlink()
    with pytest.raises(DamageError, match=r"model\.safetensors is missing"):
        check(place)


def test_weights_that_are_cut_are_damaged(model):
    (model / "model.safetensors").write_bytes(b"")
    with pytest.raises(DamageError, match="0 bytes, expected 1000"):
        check(model)


def test_a_file_outside_the_store_is_nobodys_to_require(root, tmp_path):
    Store(root).require_weights(tmp_path / "models/1")


OTHER = """
import sys
from pathlib import Path
from uxla.store.store import Store

store = Store(Path(sys.argv[1]))
place, _ = store.folder("fit", {"seed": 1}, None)
print("found", flush=True)
for _ in sys.stdin:
    store.release_weights(place)
    print("released", flush=True)
"""


@pytest.fixture
def other(root, model):
    """Another living run that has found the model; it releases the weights at each line it reads."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", OTHER, root], **pipes) as process:
        assert process.stdout.readline() == "found\n"
        yield process
        process.send_signal(signal.SIGKILL)


def test_what_another_living_run_needs_stays_until_it_releases_it(root, model, other):
    store = Store(root)
    store.folder("fit", {"seed": 1}, never)
    store.release_weights(model)
    assert there(model)
    other.stdin.write("release\n")
    other.stdin.flush()
    assert other.stdout.readline() == "released\n"
    assert not there(model), "the first one had released it before"


def test_gc_frees_the_weights_that_a_living_run_needs_no_longer_and_nothing_else_of_it(root, model):
    store = Store(root)
    store.folder("fit", {"seed": 1}, never)
    assert clear(root, max_size=0).removed == ()
    store.release_weights(model, remove=False)
    for dry_run in (True, False):
        [removed] = clear(root, max_size=0, dry_run=dry_run).removed
        assert (removed.kind, removed.size, there(model)) == ("weights", len(WEIGHTS), dry_run)
    assert clear(root, max_size=0).removed == ()
    assert store.folder("fit", {"seed": 1}, never)[1] == {"weights": "abc"}


def test_cache_ls_says_how_many_models_have_lost_their_weights(root, model, monkeypatch):
    monkeypatch.setenv("UXLA_CACHE", str(root))
    shown = CliRunner().invoke(app, ["cache", "ls"]).stdout
    assert "weights are gone" not in shown
    Store(root).release_weights(model)
    assert [entry.weights_gone for entry in entries(root)] == [True]
    shown = CliRunner().invoke(app, ["cache", "ls"]).stdout
    assert "models whose weights are gone, to be made again if they are needed: 1" in shown
