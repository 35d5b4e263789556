"""A run that is killed again and again leaves what an undisturbed one leaves; the long form is bench/kill.py."""

import importlib
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench"


@pytest.mark.slow
def test_kills_at_random_moments_change_no_byte_and_undo_no_finished_work(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(BENCH)  # the child processes import it by its name
    kill = importlib.import_module("kill")
    sizes = ["testbed.train=80", "testbed.unlabelled=80", "testbed.dev=20", "testbed.test=40", "warmup.epochs=1"]
    overrides = [*kill.SMALL, "methods=[penalty, uxla]", *sizes]
    seconds = kill.undisturbed(tmp_path, overrides)
    outcome = kill.disturbed(tmp_path, overrides, seconds=seconds, kills=8, seed=1)
    assert outcome.kills, "no kill fell, so nothing was tried"
    assert outcome.done_again == 0
    assert outcome.differing == []
