"""Trackers are foreign packages: stand-ins with their calls take their places here."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from uxla import progress
from uxla.algorithm.events import CoLabelled, Step
from uxla.config.run import load_config
from uxla.errors import ConfigError
from uxla.events import Finished, Measured, Scored, TrainingEnded
from uxla.records import Corpus, Example
from uxla.study.tracking import Tracker, Tracking, require, tracking

RESULTS = {"targets": {"es": {"penalty": {"mean": 40.0}, "uxla": [{"mean": 41.0}, {"mean": 43.0}]}}}


@pytest.fixture
def calls(monkeypatch):
    """What the three packages are asked to do, in order."""
    made = []
    writer = SimpleNamespace(
        add_text=lambda name, text: made.append(("tensorboard", name)),
        add_scalar=lambda name, value, step: made.append(("tensorboard", name, value, step)),
        close=lambda: made.append(("tensorboard", "close")),
    )
    run = SimpleNamespace(
        define_metric=lambda name, step_metric: made.append(("wandb", name, step_metric)),
        log=lambda values: made.append(("wandb", values)),
        finish=lambda exit_code: made.append(("wandb", "close", exit_code)),
    )
    stand_ins = {
        "torch.utils.tensorboard": {"SummaryWriter": lambda folder: writer},
        "wandb": {"init": lambda **given: run},
        "mlflow": {
            "start_run": lambda run_name: made.append(("mlflow", run_name)),
            "log_text": lambda text, file: None,
            "log_metrics": lambda values, step: made.append(("mlflow", values, step)),
            "end_run": lambda status: made.append(("mlflow", "close", status)),
        },
    }
    for name, members in stand_ins.items():
        module = ModuleType(name)
        module.__dict__.update(members)
        monkeypatch.setitem(sys.modules, name, module)
    return made


def labelled(agreed, of):
    """A labelling of `of` samples of es, of which so many teach."""
    examples = [Example(str(i), "es", ("a",)) for i in range(of)]
    chosen = np.arange(of) < agreed
    given = {"predictions": (None, None), "selected": (chosen, chosen), "found": None, "chosen": chosen}
    corpus = Corpus.from_examples("es~", ("O",), examples)
    return CoLabelled(step=Step(1, 0, 1, 2), method="uxla", target="es", corpus=corpus, classes={}, **given)


def config(*names):
    return load_config("testbed", [f"tracking=[{','.join(names)}]"])


def test_each_tracker_is_told_scores_as_curves_losses_and_kept_shares_and_closed(calls, tmp_path):
    with tracking(config("tensorboard", "mlflow", "wandb"), tmp_path / "out", Tracking()) as found:
        found(Measured("warm-up: train", {"loss": 0.5}))
        found(Measured("warm-up: train", {"loss": 0.25}))
        found(labelled(3, 4))
        found(labelled(0, 0))  # no sample
        for target, dev in ((None, 70.0), ("es", None), ("es", 71.0)):  # without source dev there is no score
            found(TrainingEnded("uxla", target, 1, None, None, None, dev=dev))
        found(Finished())
        found(Scored(RESULTS))
    scalars = [call[1:] for call in calls if call[0] == "tensorboard" and len(call) == 4]
    assert scalars == [
        ("warm-up: train: loss", 0.5, 1),
        ("warm-up: train: loss", 0.25, 2),
        ("uxla/es/es~: kept", 0.75, 1),
        ("uxla/source: source dev", 70.0, 1),
        ("uxla/es: source dev", 71.0, 1),
        ("score/es/penalty", 40.0, 1),
        ("score/es/uxla", 41.0, 1),
        ("score/es/uxla", 43.0, 2),
    ]
    assert ("mlflow", {"uxla/es/es__ kept": 0.75}, 1) in calls
    assert next(call for call in calls if call[0] == "wandb") == ("wandb", "*", "step")
    assert ("wandb", {"score/es/uxla": 43.0, "step": 2}) in calls
    assert [call for call in calls if call[1] == "close"] == [
        ("tensorboard", "close"),
        ("mlflow", "close", "FINISHED"),
        ("wandb", "close", 0),
    ]


def test_a_method_with_epochs_is_a_curve_not_a_point(calls, tmp_path):
    found = {"tri_training": {"mean": 42.0}, "by_epoch": {"tri_training": [{"mean": 40.0}, {"mean": 42.0}]}}
    with tracking(config("tensorboard"), tmp_path, Tracking()) as trackers:
        trackers(Scored({"targets": {"es": found | {"dev": {"penalty": {"mean": 1.0}}}}}))
    scalars = [call[1:] for call in calls if len(call) == 4]
    assert scalars == [("score/es/tri_training", 40.0, 1), ("score/es/tri_training", 42.0, 2)]


def test_a_run_that_fails_closes_its_trackers_as_failed(calls, tmp_path):
    with pytest.raises(KeyboardInterrupt), tracking(config("mlflow", "wandb"), tmp_path, Tracking()):
        raise KeyboardInterrupt
    assert [call for call in calls if call[1] == "close"] == [("mlflow", "close", "FAILED"), ("wandb", "close", 1)]


def test_a_tracker_that_fails_under_way_is_told_of_once_and_the_others_go_on():
    def fails(*given):
        raise ConnectionError("no network")

    logged, notes = [], []
    working = Tracker(lambda name, value, step: logged.append((name, value)), lambda failed: None)
    listener = SimpleNamespace(note=notes.append)
    with progress.listening(listener):
        found = Tracking()
        found.add("wandb", Tracker(fails, None))
        found.add("tensorboard", working)
        found(Measured("fit", {"loss": 1.0}))
        found(Measured("fit", {"loss": 0.5}))
        found.close()
    assert logged == [("fit: loss", 1.0), ("fit: loss", 0.5)]
    assert notes == ["tracking: wandb failed and is left out (ConnectionError: no network)"]


@pytest.mark.parametrize("name", ["tensorboard", "mlflow", "wandb"])
def test_a_tracker_that_is_not_installed_is_refused_in_one_line(name, monkeypatch):
    monkeypatch.setitem(sys.modules, {"tensorboard": "torch.utils.tensorboard"}.get(name, name), None)
    with pytest.raises(ConfigError, match=rf"tracking: {name} is not installed; pip install {name}, or leave it out"):
        require(config(name))


def test_a_tracker_that_cannot_begin_is_refused_in_one_line(calls, tmp_path, monkeypatch):
    def refuse(**given):
        raise ValueError("no API key\nmore")

    monkeypatch.setattr(sys.modules["wandb"], "init", refuse)
    with (
        pytest.raises(ConfigError, match=r"tracking: wandb cannot begin \(no API key\); fix that"),
        tracking(config("mlflow", "wandb"), tmp_path, Tracking()),
    ):
        pass
    assert ("mlflow", "close", "FAILED") in calls


def test_nothing_is_imported_unless_it_is_asked_for(tmp_path):
    before = set(sys.modules)
    with tracking(config(), tmp_path, Tracking()):
        pass
    assert not {name for name in set(sys.modules) - before if name.split(".")[0] in ("mlflow", "wandb", "tensorboard")}
