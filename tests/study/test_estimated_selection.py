"""The verdict without gold in a run: what is written, which models are kept, and what it may not depend on."""

import json
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from uxla import api
from uxla.algorithm.estimates import Estimate
from uxla.config.run import load_config
from uxla.errors import ConfigError
from uxla.models.hub import weights_digest
from uxla.records import ModelHandle
from uxla.report.table import run_table
from uxla.store.journal import read
from uxla.study.choose_epoch import NO_DEV, Outcome, _chosen

SIZES = ("testbed.train=60", "testbed.unlabelled=20", "testbed.dev=20", "testbed.test=20", "target=near")
TRAINING = ("warmup.epochs=4", "warmup.learning_rate=4e-3", "warmup.penalty=0.1", "threads=1", "vicinity.copies=1")
TRAINING += ("keep_weights=all",)  # runs on one store that deliver models of several epochs
RAW = ("methods=[uxla]", "target_data.test=", "target_data.dev=", "target_data.labelled=", "source.test=")


@pytest.fixture(scope="module")
def adapt(tmp_path_factory):
    """A tiny run on a store of this file's own: its results and its folder."""
    root = tmp_path_factory.mktemp("estimated")

    def run(name, *overrides):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("UXLA_CACHE", str(root / "store"))
            config = load_config("testbed", (*SIZES, *TRAINING, *overrides))
            return api.run(config, root / name), root / name

    return run


@pytest.fixture(scope="module")
def scored(adapt):
    return adapt("scored", "methods=[zero_shot,uxla]")


@pytest.fixture(scope="module")
def chosen(adapt, scored):
    return adapt("chosen", "methods=[zero_shot,uxla]", "keep=estimated")


def fits(folder, *, done=False):
    stages = [event for event in read(folder / "journal.jsonl") if event.get("stage") == "fit"]
    return [event["key"] for event in stages if not (done and event["hit"])]


def test_each_warm_up_and_epoch_has_an_estimate_inside_its_interval(scored):
    estimate = scored[0]["estimates"]["near"]
    assert set(estimate) == {"zero_shot", "penalty", "uxla"}
    assert len(estimate["uxla"]) == 3
    for found in (estimate["zero_shot"], estimate["penalty"], *estimate["uxla"]):
        assert set(found) == {"score", "low", "high", "atc", "doc", "agreement"}
        assert 0 <= found["low"] <= found["score"] <= found["high"] <= 100


def test_a_run_without_any_target_label_has_the_same_estimates_and_shows_them(adapt, scored):
    results, folder = adapt("raw", *RAW)
    assert results["targets"]["near"] == {}
    estimate = scored[0]["estimates"]["near"]
    assert results["estimates"]["near"] == {name: estimate[name] for name in ("penalty", "uxla")}
    shown = (folder / "table.md").read_text(encoding="utf-8")
    assert (
        "| estimated, no labels: UXLA, epoch 3 | {score:.0f} [{low:.0f}, {high:.0f}] |".format(**estimate["uxla"][2])
        in shown
    )
    assert "No scores: no labelled test set was given" in shown
    assert fits(folder, done=True) == []


def test_without_source_dev_no_estimate_is_made_and_that_is_said_once(adapt, scored):
    results, _ = adapt("blind", *RAW, "source.dev=", "warmup.selection=last")
    assert results["targets"]["near"] == {}
    assert results["warnings"].count(NO_DEV) == 1
    assert run_table(results).markdown().count(NO_DEV) == 1


def test_to_keep_the_estimated_trains_what_last_trains(scored, chosen):
    assert fits(chosen[1], done=True) == []
    assert fits(chosen[1]) == fits(scored[1])
    assert chosen[0]["targets"]["near"]["uxla"] == scored[0]["targets"]["near"]["uxla"]
    assert load_config(str(chosen[1] / "config.yaml")).keep == "estimated"


def test_the_models_written_are_those_of_the_epoch_with_the_best_estimate(chosen):
    found = chosen[0]["estimates"]["near"]
    means = [Estimate(**guess).mean for guess in (found["penalty"], *found["uxla"])]
    kept = chosen[0]["kept_epoch"]["near"]
    assert kept == means.index(max(means))
    stages = [event for event in read(chosen[1] / "journal.jsonl") if event.get("stage") == "fit"]
    trained = list(dict.fromkeys(event["weights"] for event in stages))  # zero-shot, penalty, three epochs
    states = [sorted(trained[i : i + 3]) for i in range(3, 15, 3)]
    written = sorted(weights_digest(chosen[1] / "models" / str(i)) for i in (1, 2, 3))
    assert written == states[kept]


def test_the_results_on_disk_are_the_results(chosen):
    results, folder = chosen
    assert json.loads((folder / "results.json").read_text(encoding="utf-8")) == results
    assert "near: the estimate chose" in run_table(results).markdown()
    assert all(f"Warning: {warning}." in run_table(results).markdown() for warning in results["warnings"])


def test_to_keep_the_estimated_needs_a_reference():
    with pytest.raises(ConfigError, match=r"keep=estimated needs source.dev.* give source.dev=FILE"):
        load_config("testbed", ("keep=estimated", "source.dev=", "warmup.selection=last"))


@pytest.mark.parametrize(("methods", "final"), [("[supervised, penalty]", "penalty"), ("[uxla, few_shot]", "few_shot")])
def test_to_keep_the_estimated_is_refused_where_the_run_is_for_another_method_than_uxla(methods, final):
    why = f"the run's models are those of {final}; give keep=last or 'methods=[uxla]'"
    with pytest.raises(ConfigError, match=f"keep=estimated chooses among UXLA's epochs, and {re.escape(why)}"):
        load_config("testbed", ("keep=estimated", f"methods={methods}"))


def state(score):
    return Estimate(score, score - 5, score + 5, score, score, score)


def test_states_held_to_be_as_good_as_the_source_are_told_apart_by_what_they_would_be_without_that_limit():
    limited = [replace(state(value), score=70.0) for value in (72.0, 75.0, 74.0)]
    found = Outcome(triple("epoch2"), penalty=limited[0], uxla=tuple(limited[1:]))
    states = [triple(name) for name in ("warm-up", "epoch1", "epoch2")]
    assert _chosen(found, SimpleNamespace(name="near"), states, asked=True).chosen_epoch == 1


def triple(name):
    return tuple(ModelHandle(Path(name), f"{name}{i}") for i in range(3))


@pytest.mark.parametrize(
    ("warm_up", "epochs", "kept"),
    [(60.0, (61.0, 65.0, 64.0), 2), (60.0, (59.0, 58.0), 0), (60.0, (60.0, 60.0), 0), (50.0, (55.0, 55.0), 1)],
)
def test_the_earliest_of_the_best_is_kept_and_a_useless_adaptation_said_plainly(warm_up, epochs, kept):
    states = [triple("warm-up"), *(triple(f"epoch{i}") for i in range(len(epochs)))]
    found = Outcome(states[-1], penalty=state(warm_up), uxla=tuple(map(state, epochs)))
    target = SimpleNamespace(name="near")
    asked, unasked = (_chosen(found, target, states, asked=asked) for asked in (True, False))
    assert (asked.chosen_epoch, asked.final) == (kept, states[kept])
    assert unasked == replace(found, warnings=unasked.warnings)
    for result, ending in ((asked, "are kept"), (unasked, "would keep the warm-up")):
        said = [warning for warning in result.warnings if "adaptation did not help" in warning]
        assert len(said) == (kept == 0)
        assert all(warning.endswith(ending) for warning in said)
