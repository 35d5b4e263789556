"""A run on several devices gives the bytes of a run on one, whoever labels, selects and trains when."""

import os
import signal
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import uxla
from uxla import api
from uxla.errors import ConfigError
from uxla.events import StageEnded, TrainingEnded
from uxla.store.journal import read
from uxla.study.grid import grid_plan, make

TWO = {"cpu": 2}
SHORT = {"batch_size": 16, "learning_rate": 1e-3, "max_steps": 12}


def longer(predictions, corpus):
    """A selector of the user's own."""
    words = np.diff(predictions.offsets)
    return words >= np.quantile(words, 0.3)


def twice(corpus):
    return corpus.take(np.repeat(np.arange(len(corpus)), 2))


def method(order, select):
    epochs = [
        uxla.Epoch(select, source=True, target=True),
        uxla.Epoch(uxla.MostConfident(1.0), source=True, target=True, source_vicinity=True, target_vicinity=True),
    ]
    warm_up, adaptation = uxla.WarmUp(**SHORT, selection="last"), uxla.Adaptation(**SHORT)
    return uxla.UXLA(epochs=epochs, order=order, warm_up=warm_up, adaptation=adaptation, collapse_share=1.0)


def adapted(corpora, devices, **given):
    seen, [target] = [], corpora.targets
    given = {"dev": corpora.dev, "test": corpora.test, "model": "testbed", "max_length": 64} | given
    return uxla.adapt(corpora.train, {"near": target}, devices=devices, on_event=seen.append, **given), seen


def said(events):
    """The trainings in their order, and how often each piece of work was done."""
    trained = [event.facts for event in events if isinstance(event, TrainingEnded)]
    made = Counter((event.stage, event.key) for event in events if isinstance(event, StageEnded) and not event.hit)
    return trained, made


def models_of(result):
    return [model.digest for epochs in result.run.models["near"].values() for models in epochs for model in models]


@pytest.mark.parametrize(
    ("order", "select", "vicinity", "baselines"),
    [
        ("synchronous", longer, None, ["zero_shot", "penalty", "tri_training", "supervised"]),
        ("in_place", lambda predictions, corpus: np.ones(len(corpus), dtype=np.bool_), twice, []),
    ],
)
def test_two_processes_give_the_bytes_of_one(corpora, order, select, vicinity, baselines, tmp_path):
    given = {"method": method(order, select), "vicinity": vicinity, "baselines": baselines}
    one, events = adapted(corpora, "cpu", **given)
    two, others = adapted(corpora, TWO, **given)
    assert models_of(two) == models_of(one)
    assert {**two.results, "inputs": None} == {**one.results, "inputs": None}
    (trained, made), (also_trained, also_made) = said(events), said(others)
    assert also_trained == trained, "told in the same order"
    assert set(also_made.values()) == {1}, "all was done once"
    assert {stage for stage, key in also_made - made} <= {"predict"}, (
        "what may be asked for is labelled with a training"
    )
    assert made - also_made == Counter()
    if vicinity is None:
        one.save(tmp_path / "one")
        two.save(tmp_path / "two")
        for name in ("models/1/model.safetensors", "predictions/near.conll", "trace/near.parquet"):
            assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
        assert not list(two.run.study.labelling.store.root.glob("unfinished/*"))


def test_a_process_that_is_killed_in_a_run_is_told_and_changes_nothing(corpora, hearing):
    given = {"method": method("synchronous", uxla.MostConfident(0.8)), "baselines": []}
    one, _ = adapted(corpora, "cpu", **given)
    kills = []

    def kill(event):
        if isinstance(event, StageEnded) and event.stage == "fit" and not kills:
            kills.append(min(children(children(os.getpid())[-1])))
            os.kill(kills[0], signal.SIGKILL)

    [target] = corpora.targets
    given |= {"dev": corpora.dev, "test": corpora.test, "model": "testbed", "max_length": 64}
    with hearing() as lines:
        two = uxla.adapt(corpora.train, {"near": target}, devices=TWO, on_event=kill, **given)
    assert sum("its work is done again" in line for line in lines) <= 1
    assert len(kills) == 1
    assert models_of(two) == models_of(one)


def children(pid):
    """The processes that a process has begun, in their order."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in found]


def test_a_whole_run_whose_trainings_have_two_devices_each(corpora):
    exact = {**SHORT, "dropout": 0.0}
    warm_up, adaptation = uxla.WarmUp(**exact, selection="last"), uxla.Adaptation(**exact)
    epochs = [uxla.Epoch(uxla.MostConfident(0.8), source=True, target=True)]
    given = {"method": uxla.UXLA(epochs=epochs, order="in_place", warm_up=warm_up, adaptation=adaptation)}
    (one, events), (two, others) = (
        adapted(corpora, "cpu", **given),
        adapted(corpora, TWO, devices_per_training=2, **given),
    )
    (trained, _), (also_trained, made) = said(events), said(others)
    assert len(also_trained) == len(trained) == 9
    losses = [[facts["loss"] for facts in each[:3]] for each in (trained, also_trained)]
    assert losses[1] == pytest.approx(losses[0], rel=1e-5), "the warm-up's"
    assert set(made.values()) == {1}
    assert set(models_of(one)) & set(models_of(two)) == set()


def test_several_devices_have_an_executor_of_their_own(corpora):
    with pytest.raises(ConfigError, match=r"^executor: given beside several devices"):
        adapted(corpora, TWO, executor=uxla.Serial())


def test_runs_of_a_grid_have_a_device_each_and_work_that_they_share_is_done_once(tmp_path, monkeypatch, hearing):
    sizes = ["testbed.train=60", "testbed.unlabelled=20", "testbed.dev=10", "testbed.test=10", "target=near"]
    short = ["warmup.epochs=2", "adaptation.epochs=2", "methods=[penalty, uxla]", "agree=exact,token"]
    epoch = "schedule=[{data: [source, target], select: {kind: confidence, share: 0.8}}]"
    results = []
    for name in ("{cpu: 2}", "cpu"):
        monkeypatch.setenv("UXLA_CACHE", str(tmp_path / name / "store"))
        planned = grid_plan("testbed", [*sizes, *short, epoch, f"devices={name}"])
        with hearing() as lines:
            runs, failed = make(planned.runs, tmp_path / name / "grid", api.run)
        assert failed == {}
        assert sorted(line for line in lines if line.startswith("run ")) == [
            f"run {number} of 2: agree={agree}_seed=0" for number, agree in ((1, "exact"), (2, "token"))
        ]
        results.append([one.run.results for one in runs])
        journals = [read(one.run.path / "journal.jsonl") for one in runs]
        fits = [
            event["key"] for events in journals for event in events if event.get("stage") == "fit" and not event["hit"]
        ]
        assert len(fits) == len(set(fits)) == 9, "three warm-ups, and three trainings of each run"
    assert results[0] == results[1]


def test_runs_of_a_grid_whose_trainings_have_two_devices_each(tmp_path, hearing):
    sizes = ["testbed.train=40", "testbed.unlabelled=10", "testbed.dev=10", "testbed.test=10", "target=near"]
    given = ["warmup.epochs=1", "methods=[penalty]", "warmup.penalty=0.1,0.2", "devices_per_training=2"]
    planned = grid_plan("testbed", [*sizes, *given, "devices={cpu: 4}"])
    with hearing():
        runs, failed = make(planned.runs, tmp_path, api.run)
    assert failed == {}
    fits = [event for one in runs for event in read(one.run.path / "journal.jsonl") if event.get("stage") == "fit"]
    assert len({event["key"] for event in fits}) == 6
