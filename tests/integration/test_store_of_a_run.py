"""A real run's store: damage is repaired to the same bytes, and a run folder needs none of it."""

import json
import os
import shutil
from types import SimpleNamespace

import pytest

import uxla
from uxla.store import versions
from uxla.store.housekeeping import clear, entries
from uxla.store.journal import read
from uxla.store.verify import verify
from uxla.study import environment


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def test_damaged_artifacts_are_made_again_to_the_same_results(synchronous, adapt, tiny, tmp_path):
    store = tmp_path / "store"
    shutil.copytree(synchronous.store, store, ignore=shutil.ignore_patterns("running", "locks"))
    damaged, used = set(), {event["key"] for event in synchronous.stages}  # other runs share the store
    for stage, name in {"predict": "predictions.safetensors", "vicinity": "corpus.arrow"}.items():
        place = min(found for found in (store / stage).iterdir() if found.name[:16] in used)
        flip(place / name)
        damaged.add((stage, place.name[:16]))
    again = adapt(tmp_path / "run", store, *tiny)
    events = [event for event in read(tmp_path / "run/journal.jsonl") if event["event"] == "damaged"]
    assert {(event["stage"], event["key"]) for event in events} == damaged == set(again.misses)
    assert (again.results, again.weights) == (synchronous.results, synchronous.weights)
    assert len(list((store / "damaged").iterdir())) == 2
    assert verify(store) == []


@pytest.fixture
def upgraded(synchronous, tmp_path, monkeypatch):
    """A copy of a run's store, met again by another torch."""
    store = shutil.copytree(synchronous.store, tmp_path / "store", ignore=shutil.ignore_patterns("running", "locks"))
    version = versions.metadata.version
    fake = SimpleNamespace(version=lambda name: "99.0.0+cpu" if name == "torch" else version(name))
    for module in (versions, environment):
        monkeypatch.setattr(module, "metadata", fake)
    return store, version("torch").partition("+")[0]


def test_what_another_version_made_is_told_as_made_by_that(upgraded, synchronous, adapt, tiny, tmp_path):
    store, ours = upgraded
    again = adapt(tmp_path / "run", store, *tiny)
    around = json.loads((again.out / "environment.json").read_text(encoding="utf-8"))
    assert around["versions"]["torch"] == "99.0.0+cpu"
    assert around["made_with"]["torch"] == [ours]
    assert around["made_with"]["uxla"] == [uxla.__version__]
    assert around["tokens_per_batch"] == [8192], "of the trainings that were found"
    assert again.misses == []
    assert again.results == synchronous.results, "nothing is mixed"


def test_work_of_several_versions_in_one_run_is_a_warning(upgraded, synchronous, adapt, tiny, tmp_path, hearing):
    store, ours = upgraded
    [removed, *_] = sorted((store / "predict").glob(f"{synchronous.stages[-1]['key']}*"))
    shutil.rmtree(removed)
    with hearing() as notes:
        again = adapt(tmp_path / "run", store, *tiny)
    around = json.loads((again.out / "environment.json").read_text(encoding="utf-8"))
    assert around["made_with"]["torch"] == sorted([ours, "99.0.0"])
    [warning] = set(again.results["warnings"]) - set(synchronous.results["warnings"])
    assert f"made with several versions (torch {' and '.join(sorted([ours, '99.0.0']))})" in warning
    assert "--fresh" in warning
    assert any(note.endswith(warning) for note in notes)
    assert "made with several versions" in (again.out / "README.md").read_text(encoding="utf-8")


def test_a_run_folder_needs_nothing_of_the_store(synchronous, tmp_path):
    words = [["Mika", "sings"]]
    before = uxla.load(synchronous.out).ensemble.tag(words)
    files = {path: path.read_bytes() for path in synchronous.out.rglob("*") if path.is_file()}
    backup = shutil.copytree(synchronous.store, tmp_path / "backup")
    try:
        clear(synchronous.store, max_size=0)
        assert entries(synchronous.store) == []
        assert uxla.load(synchronous.out).ensemble.tag(words) == before
        assert {path: path.read_bytes() for path in synchronous.out.rglob("*") if path.is_file()} == files
        assert not any(path.is_symlink() for path in synchronous.out.rglob("*"))
    finally:
        shutil.copytree(backup, synchronous.store, dirs_exist_ok=True)


def test_the_weights_of_a_run_folder_take_no_room_beside_the_stores(synchronous, adapt, tiny, tmp_path):
    again = adapt(tmp_path / "run", synchronous.store, *tiny)
    weights = [*again.out.glob("models/*/model.safetensors"), again.out / "model.safetensors"]
    stored = [*again.store.glob("fit/*/*.safetensors"), *again.store.glob("average/*/*.safetensors")]
    assert len(weights) == 4
    for file in weights:
        assert any(file.samefile(other) for other in stored)


def test_what_is_written_over_the_weights_of_a_run_folder_does_not_pass_for_the_stores(synchronous, tmp_path):
    store = shutil.copytree(synchronous.store, tmp_path / "store", ignore=shutil.ignore_patterns("running", "locks"))
    place = min((store / "fit").iterdir())
    (place / "model.safetensors").unlink()
    link = tmp_path / "model.safetensors"
    shutil.copy2(synchronous.store / "fit" / place.name / "model.safetensors", link)
    os.link(link, place / "model.safetensors")
    assert verify(store) == []
    flip(link)
    assert [broken.name for broken in verify(store)] == [f"fit-{place.name}"]
