"""One configuration and seed, one result: over fresh stores, second runs, kills, and whatever stands in gold labels."""

import random
import signal
import subprocess
import time
from collections import Counter

import pytest

from uxla.store.journal import read
from uxla.testbed.world import write


def test_two_fresh_stores_give_the_same_results_and_weights(synchronous, adapt, tiny, tmp_path):
    other = adapt(tmp_path / "other", tmp_path / "store", *tiny)
    assert other.results == synchronous.results
    assert other.weights == synchronous.weights
    assert sorted(other.misses) == sorted(synchronous.misses)


def test_another_seed_gives_other_weights(synchronous, adapt, tiny, tmp_path):
    other = adapt(tmp_path / "other", synchronous.store, *tiny, "seed=1", "methods=[zero_shot]")
    assert not set(other.weights) & {event.get("weights") for event in synchronous.stages}
    assert other.results["targets"]["far"]["zero_shot"] != synchronous.results["targets"]["far"]["zero_shot"]


def test_nothing_is_made_twice(finished):
    assert finished.misses
    assert max(Counter(finished.misses).values()) == 1
    assert len(finished.misses) < len(finished.stages), "tri-training, UXLA and the scores share work"


@pytest.mark.slow
def test_the_orders_share_the_warm_up_and_the_first_labels(synchronous, in_place):
    assert not set(synchronous.misses) & set(in_place.misses)
    shared = {(event["stage"], event["key"]) for event in in_place.stages if event["hit"]} & set(synchronous.misses)
    assert Counter(stage for stage, _ in shared)["fit"] >= 9  # zero-shot, penalty, supervised: three models each
    assert Counter(stage for stage, _ in shared)["vicinity"] == 2


@pytest.mark.slow
def test_methods_share_the_warm_up(synchronous, adapt, tiny, tmp_path):
    alone = adapt(
        tmp_path / "alone", tmp_path / "store", *tiny, "methods=[tri_training, uxla]", "schedule.0.data=[source]"
    )
    fits = [event for event in alone.stages if event["stage"] == "fit" and not event["hit"]]
    trainings = sum(event["event"] == "train" for event in read(alone.out / "journal.jsonl"))
    assert trainings == 2 * 3 * 3
    assert len(fits) == 3 + trainings
    assert len({event["key"] for event in fits} & {key for _, key in synchronous.misses}) >= 3


@pytest.mark.parametrize(
    "form", ["absurd types", *(pytest.param(f, marks=pytest.mark.slow) for f in ("broken scheme", "no labels"))]
)
def test_gold_labels_of_the_target_cannot_reach_training(form, true_labels, adapt, tmp_path):
    world, overrides, expected = true_labels
    lines = (world / "far/train.conll").read_text(encoding="utf-8").split("\n")
    absurd = {"absurd types": "\tB-UNICORN", "broken scheme": "\tI-!?-PER", "no labels": ""}[form]
    changed = tmp_path / "train.conll"
    changed.write_text("\n".join(line and line.split("\t")[0] + absurd for line in lines), encoding="utf-8")
    run = adapt(tmp_path / "run", tmp_path / "store", *overrides, f"target_data.train={changed}")
    assert run.weights == expected.weights
    assert run.results == expected.results


@pytest.fixture(scope="module")
def true_labels(adapt, tiny, tmp_path_factory):
    """A world in files, the overrides that read it, and a run on the target's train file with its true labels."""
    folder = tmp_path_factory.mktemp("true")
    world = folder / "world"
    write(world, train=60, unlabelled=40, dev=5, test=10)
    files = {"source.train": "source/train", "source.dev": "source/dev", "source.test": "source/test"}
    files |= {"target_data.test": "far/test", "target_data.dev": "far/dev", "target_data.train": "far/train"}
    overrides = [*tiny, *(f"{key}={world}/{path}.conll" for key, path in files.items())]
    overrides += ["target_data.labelled=null", "methods=[uxla]", "warmup.selection=last"]
    return world, overrides, adapt(folder / "run", folder / "store", *overrides)


@pytest.mark.slow
def test_a_killed_run_goes_on_to_the_same_bytes(synchronous, tiny, command, environment, tmp_path):
    out, store, log = tmp_path / "run", tmp_path / "store", tmp_path / "log"
    call = [*command, "run", "testbed", *tiny, "methods=[uxla]", "--out", str(out)]
    rng = random.Random(0)
    moments = sorted(rng.sample(range(1, 30), 3))
    for done in moments:  # artifacts after which the kill comes; a run of UXLA alone makes more than thirty
        with log.open("wb") as stderr, subprocess.Popen(call, env=environment(store), stderr=stderr) as process:
            while process.poll() is None and _misses(out) < done:
                _all_whole(store)
                time.sleep(0.02)
            time.sleep(rng.uniform(0, 0.2))
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL, log.read_text(encoding="utf-8")
        assert not (out / "results.json").exists()
        _all_whole(store)
    subprocess.run(call, env=environment(store), check=True, capture_output=True)
    finished = type(synchronous)(out, store)
    assert finished.weights == synchronous.weights
    expected, found = synchronous.results["targets"]["far"], finished.results["targets"]["far"]
    expected["dev"] = {method: expected["dev"][method] for method in found["dev"]}
    assert found == {name: expected[name] for name in ("uxla", "uxla_ensemble", "single", "dev")}
    assert "uxla" in found["dev"]
    assert max(Counter(finished.misses).values()) == 1, "what was journaled as done was done again"


def _misses(out):
    journal = out / "journal.jsonl"
    text = journal.read_text(encoding="utf-8") if journal.exists() else ""
    return text.count('"hit": false')


def _all_whole(store):
    """Whatever stands where artifacts are looked for has its last file, and the files its stage is there for."""
    last = {"fit": "model.safetensors", "predict": "predictions.safetensors", "vicinity": "corpus.arrow"}
    for stage, name in last.items():
        for folder in (store / stage).glob("*"):
            assert {name, "meta.json"} <= {file.name for file in folder.iterdir()}
