"""A whole run with a tracker, in whose place stands a stand-in that keeps its calls."""

import sys
from types import SimpleNamespace

import pytest

from uxla.errors import ConfigError

TINY = (
    *("testbed.train=30", "testbed.unlabelled=20", "testbed.dev=5", "testbed.test=5", "warmup.epochs=1"),
    *(
        "methods=[uxla]",
        "schedule=[{data: [source, target], select: {kind: confidence, share: 1.0}}]",
        "tracking=[wandb]",
    ),
)


def test_a_run_tells_its_tracker_losses_kept_shares_and_scores(adapt, tmp_path, monkeypatch):
    told = []
    run = SimpleNamespace(log=told.extend, finish=lambda exit_code: told.append(exit_code))
    run.define_metric = lambda name, step_metric: None
    monkeypatch.setitem(sys.modules, "wandb", SimpleNamespace(init=lambda **given: run))
    adapt(tmp_path / "out", tmp_path / "store", *TINY)
    assert {"warm-up of model 1 of 3: loss", "uxla/far/far: kept", "score/far/uxla"} <= set(told)
    assert told[-1] == 0  # closed, and not as failed


def test_a_tracker_that_is_not_there_is_refused_before_the_run_folder_is_made(adapt, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(ConfigError, match="tracking: wandb is not installed"):
        adapt(tmp_path / "out", tmp_path / "store", *TINY)
    assert not (tmp_path / "out").exists()
