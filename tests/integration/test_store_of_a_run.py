"""A real run's store: damage is repaired to the same bytes, and a run folder needs none of it."""

import shutil

import uxla
from uxla.run.cache import clear, entries, verify
from uxla.run.journal import read


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


def test_a_run_folder_needs_nothing_of_the_store(synchronous, tmp_path):
    words = [["Mika", "sings"]]
    before = uxla.load(synchronous.out).tag(words)
    files = {path: path.read_bytes() for path in synchronous.out.rglob("*") if path.is_file()}
    backup = shutil.copytree(synchronous.store, tmp_path / "backup")
    try:
        clear(synchronous.store, max_size=0)
        assert entries(synchronous.store) == []
        assert uxla.load(synchronous.out).tag(words) == before
        assert {path: path.read_bytes() for path in synchronous.out.rglob("*") if path.is_file()} == files
        assert not any(path.is_symlink() for path in synchronous.out.rglob("*"))
    finally:
        shutil.copytree(backup, synchronous.store, dirs_exist_ok=True)
