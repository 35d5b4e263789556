"""The disk of a run: no more models at once than its plan says, and what stays is enough to go on from."""

import shutil

import pytest

import uxla
from uxla import api
from uxla.config.run import load_config
from uxla.errors import WriteError
from uxla.events import StageEnded
from uxla.models.hub import weights_digest

DEFAULT = "methods=[zero_shot,penalty,ensemble,uxla]"


@pytest.fixture
def run(bench, tmp_path, monkeypatch):
    """A run by its overrides on the store of this test; `results.json`, and the work that was done."""
    monkeypatch.setenv("UXLA_CACHE", str(tmp_path / "store"))

    def adapt(name, *overrides, on_event=lambda event: None):
        done = []

        def listen(event):
            on_event(event)
            if isinstance(event, StageEnded) and not event.hit:
                done.append(event.stage)

        config = load_config("testbed", [*bench("disk").SMALL, *overrides])
        return api.run(config, tmp_path / name, on_event=listen), done

    return adapt


@pytest.mark.parametrize(
    ("overrides", "most", "left"),
    [
        (["target=far", DEFAULT], 4, 4),
        pytest.param(["target=[near,far]", DEFAULT], 8, 8, marks=pytest.mark.slow),
        pytest.param(
            ["target=[near,far]", "methods=[uxla]", "order=in_place", "target_data.test="], 8, 8, marks=pytest.mark.slow
        ),
        pytest.param(["target=far", DEFAULT, "keep_weights=warmup"], 10, 10, marks=pytest.mark.slow),
        pytest.param(["target=far", DEFAULT, "keep_weights=all"], 16, 16, marks=pytest.mark.slow),
        (["target=near", "methods=[penalty,uxla]", "keep=estimated"], 13, 4),
        pytest.param(["target=far", "methods=[three_heads,supervised,uxla]"], 4, 4, marks=pytest.mark.slow),
    ],
)
def test_a_run_has_as_many_models_on_the_disk_as_its_plan_says(overrides, most, left, run, bench, tmp_path):
    small = bench("disk")
    config, disk = load_config("testbed", [*small.SMALL, *overrides]), small.Disk(tmp_path / "store")
    plan = api.plan(config, probed=False)
    _, done = run("run", *overrides, on_event=disk)
    assert plan.trainings == done.count("fit"), "nothing is trained twice"
    assert max(disk.models) == most
    assert disk.models[-1] == left
    for foreseen, measured in ((plan.peak, max(disk.bytes)), (plan.store, disk.bytes[-1])):
        assert measured / 1.1 < foreseen < measured * 1.1
    if left == 4:  # the final three, and their mean
        stored = [path.stat().st_ino for path in (tmp_path / "store").glob("*/*/model.safetensors")]
        folder = [path.stat().st_ino for path in (tmp_path / "run").rglob("model.safetensors")]
        assert sorted(stored) == sorted(folder), "the run folder has links to what stays"


def test_a_run_is_found_whole_after_its_weights_went(run, tmp_path):
    first, _ = run("first", "target=far", DEFAULT)
    again, done = run("again", "target=far", DEFAULT)
    assert (again, done) == (first, [])
    first, second = (weights_digest(tmp_path / name / "models/2") for name in ("first", "again"))
    assert first == second
    assert uxla.load(tmp_path / "again").ensemble.tag([["Mika", "sings"]])


def test_final_models_whose_weights_another_run_released_are_made_again(run, tmp_path):
    first, _ = run("first", "target=far", "methods=[penalty]")
    for place in (tmp_path / "store/fit").iterdir():
        (place / "model.safetensors").unlink()
    again, done = run("again", "target=far", "methods=[penalty]")
    assert (again, done) == (first, ["fit"] * 3)
    first, second = (weights_digest(tmp_path / name / "models/2") for name in ("first", "again"))
    assert first == second


@pytest.mark.slow
def test_weights_that_are_to_be_kept_are_made_again(run, tmp_path):
    first, _ = run("first", "target=far", "methods=[uxla]")
    kept, again = run("kept", "target=far", "methods=[uxla]", "keep_weights=all")
    assert kept == first
    assert set(again) == {"fit"}
    assert all((place / "model.safetensors").is_file() for place in (tmp_path / "store/fit").iterdir())


@pytest.mark.slow
def test_weights_that_another_target_needs_are_made_again_to_the_same_results(run, tmp_path):
    run("far", "target=far", "methods=[penalty,uxla]")
    near, done = run("near", "target=near", "methods=[penalty,uxla]")
    assert done.count("fit") == 3 + 9, "the warm-up and what comes from it"
    shutil.rmtree(tmp_path / "store")
    run("far", "target=far", "methods=[penalty,uxla]", "keep_weights=warmup")
    shutil.rmtree(tmp_path / "near")
    kept, done = run("near", "target=near", "methods=[penalty,uxla]")
    assert done.count("fit") == 9
    assert kept == near


@pytest.mark.slow
def test_labels_that_were_lost_after_the_weights_went_are_made_again_by_models_that_are_made_again(run, tmp_path):
    first, _ = run("first", "target=far", DEFAULT)
    for place in (tmp_path / "store/predict").iterdir():
        shutil.rmtree(place)
    again, done = run("again", "target=far", DEFAULT)
    assert again == first
    assert done.count("fit") == 6 + 6, "all but the last epoch"


def test_a_run_that_does_not_fit_the_disk_is_refused_before_any_work(run, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda place: shutil._ntuple_diskusage(10**9, 10**9 - 10**6, 10**6))
    with pytest.raises(WriteError, match=r"the run needs [\d.]+ MB there at once, .* 1.0 MB are free\); free space"):
        run("run", "target=far", DEFAULT)
    assert not (tmp_path / "store/fit").exists()
    assert not (tmp_path / "run").exists()
