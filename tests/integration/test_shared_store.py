"""A run over several machines that share a store gives the bytes of a run on one."""

from collections import Counter
from pathlib import Path

import pytest

from uxla import api
from uxla.config.run import load_config

TWO = ("methods=[penalty, uxla]", "warmup.epochs=1", "keep_weights=last")


def files(out):
    clocks = {"journal.jsonl", "environment.json"}
    paths = [path for path in out.rglob("*") if path.is_file() and path.name not in clocks]
    return {str(path.relative_to(out)): path.read_bytes() for path in paths}


@pytest.fixture(params=["folder", pytest.param("s3", marks=pytest.mark.slow)])
def url(request, bench, tmp_path, monkeypatch):
    """Where several machines share a store: a folder, or a bucket on a server of S3."""
    if request.param == "folder":
        yield str(tmp_path / "shared")
        return
    monkeypatch.setenv("AWS_ENDPOINT_URL", "")  # what the server sets goes with the test
    with bench("servers").bucket() as address:
        yield address


def test_what_one_machine_did_no_other_does_again_and_all_give_the_same_bytes(url, adapt, tiny, tmp_path, monkeypatch):
    alone = adapt(tmp_path / "alone", tmp_path / "store", *tiny, *TWO)
    monkeypatch.setenv("UXLA_STORE", url)
    first = adapt(tmp_path / "first", tmp_path / "machine 1", *tiny, *TWO, "methods=[penalty]")
    second = adapt(tmp_path / "second", tmp_path / "machine 2", *tiny, *TWO)
    third = adapt(tmp_path / "third", tmp_path / "machine 3", *tiny, *TWO)
    made = Counter(first.misses + second.misses)
    assert set(alone.misses) <= set(made)
    assert max(made.values()) == 1
    assert third.misses == []
    assert files(second.out) == files(third.out) == files(alone.out)


def cut(shared, stage):
    """Cut the smallest file of each artifact of one stage in a shared folder."""
    for place in Path(shared).glob(f"files/{stage}/*/*"):
        file = min(place.iterdir(), key=lambda file: file.stat().st_size)
        file.write_bytes(file.read_bytes()[:3])


def emptied(shared, stage):
    """Empty each record of one stage in a shared folder, as a writer that was killed may leave it."""
    for record in Path(shared).glob(f"records/{stage}/*/*"):
        record.write_bytes(b"")


@pytest.mark.parametrize(("damage", "stage"), [(cut, "fit"), (cut, "predict"), (emptied, "predict"), (cut, "average")])
def test_what_is_damaged_in_the_shared_store_is_planned_and_made_again(
    damage, stage, adapt, tiny, tmp_path, monkeypatch
):
    method = "methods=[zero_shot]" if stage != "average" else "methods=[penalty, weight_mean]"
    overrides = [*tiny, "warmup.epochs=1", method]
    shared = tmp_path / "shared"
    monkeypatch.setattr("uxla.store.remote.WAITS", (0.01, 0.02))
    monkeypatch.setenv("UXLA_STORE", str(shared))
    first = adapt(tmp_path / "first", tmp_path / "machine 1", *overrides)
    damage(shared, stage)
    monkeypatch.setenv("UXLA_CACHE", str(tmp_path / "machine 2"))
    plan = api.plan(load_config("testbed", overrides), probed=False)
    kinds = {"fit": "training", "predict": "labelling", "average": "average"}
    assert kinds[stage] in {work.kind for work in plan.work}
    assert not list((tmp_path / "machine 2").glob(f"{stage}/*")), "a plan does no work"
    second = adapt(tmp_path / "second", tmp_path / "machine 2", *overrides)
    assert {stage for stage, _ in second.misses} == {stage}
    assert files(second.out) == files(first.out)
    third = adapt(tmp_path / "third", tmp_path / "machine 3", *overrides)
    assert third.misses == []
