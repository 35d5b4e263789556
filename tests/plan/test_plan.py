"""The plan of a run is what the run then does; what the store holds is left out."""

import json
import shutil
import sys
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from typer.testing import CliRunner

import uxla
from uxla import api
from uxla.algorithm.agreement import Exact
from uxla.cli.app import app
from uxla.cli.plan import _lines
from uxla.config.run import load_config
from uxla.errors import ModelError
from uxla.models.device import multiplies_in_bf16
from uxla.models.linear import Linear
from uxla.models.tasks import TASKS
from uxla.plan.arithmetic import operations
from uxla.plan.counting import AGREE, Work, imitated_predictions
from uxla.plan.plan import Plan
from uxla.plan.probe import Pace, Probe, _peak_memory
from uxla.records import Predictions
from uxla.store.journal import read
from uxla.testbed import asset

SMALL = ["testbed.train=48", "testbed.unlabelled=40", "testbed.dev=16", "testbed.test=16", "warmup.epochs=1"]
SMALL += ["adaptation.max_steps=2", "adaptation.epochs=null"]


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("UXLA_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def small(*overrides):
    return load_config("testbed", [*SMALL, *overrides])


def size(store, run):
    """The bytes of both, of a file with two names once."""
    others = ("locks", "running", "scratch", "unfinished", "world")
    stored = [file for file in store.rglob("*") if file.relative_to(store).parts[0] not in others]
    files = {file.stat().st_ino: file for file in (*stored, *run.rglob("*")) if file.is_file()}
    return sum(file.stat().st_size for file in files.values())


def test_the_plan_is_what_the_run_does_and_afterwards_nothing_is_left(store, tmp_path):
    # so weak models agree on nothing, and may collapse: what they began with would then be made again
    config = small("methods=[penalty, tri_training, uxla]", "agree=none", "keep_weights=all")
    plan = api.plan(config, probed=False)
    api.run(config, tmp_path / "run")
    done = Counter()
    for event in read(tmp_path / "run/journal.jsonl"):
        if event["event"] == "stage" and not event["hit"]:
            done[event["stage"]] += 1
            done["steps"] += event.get("steps", 0)
    assert plan.trainings == done["fit"] == 3 + 9 + 9
    assert len(plan.of("samples")) == done["vicinity"] == 2
    assert abs(len(plan.of("labelling")) - done["predict"]) <= 3, "a collapsed model is looked at twice"
    assert sum(work.steps for work in plan.work) == done["steps"]
    used = size(store, tmp_path / "run")
    assert used / 1.1 < plan.store + plan.run_folder < used * 1.1
    again = api.plan(config, probed=False)
    assert (again.trainings, again.store, again.seconds) == (0, 0, None)
    assert (again.found["fit"], again.found["vicinity"]) == (21, 2)


@pytest.mark.parametrize(
    ("overrides", "trainings"),
    [
        (["methods=[zero_shot, supervised]"], 6),
        (["methods=[uxla]", "order=in_place"], 3 + 18),
        (["methods=[self_training, no_agreement]", "order=synchronous"], 3 + 9 + 9),
        (["methods=[penalty, three_heads]"], 3 + 1 + 9),
        (["methods=[penalty, mlm_tuned]"], 3 + 3),
        (["methods=[zero_shot, snapshots, weight_mean]"], 3 + 3 + 2),
        (["methods=[uxla]", "target=[near, far]"], 3 + 18),
        (["methods=[uxla]", "schedule.0.select={kind: clustering, threshold: 0.5, features: [fluency]}"], 12),
        (["methods=[uxla]", "task=classification", "keep=estimated", "target_data.labelled="], 12),
    ],
)
def test_every_method_is_counted_without_any_training(overrides, trainings, store):
    plan = api.plan(small(*overrides), probed=False)
    assert plan.trainings == trainings
    assert not (store / "fit").exists()
    assert len(plan.of("masked LM")) == ("mlm_tuned" in overrides[0])


def test_with_a_number_of_steps_every_adapted_method_takes_as_many_as_uxla(store):
    """The upper bound on as many sentences as the source has is as long as zero-shot."""

    def steps(*overrides):
        return [work.steps for work in api.plan(small("trace=0", *overrides), probed=False).work if work.steps]

    warm_up = steps("methods=[zero_shot]")
    for method in ("uxla", "tri_training", "self_training"):
        assert steps(f"methods=[{method}]") == [*warm_up, *[2] * 9]
    assert steps("methods=[supervised]", "target_data.labelled_take=48", "testbed.labelled=48") == warm_up
    longer = [
        sum(steps(f"methods=[{m}]", "adaptation.max_steps=null", "adaptation.epochs=1"))
        for m in ("tri_training", "uxla")
    ]
    assert longer[0] < longer[1], "passes over more data are more steps"


def test_a_backbone_of_pickled_weights_is_planned_and_run_where_they_are_allowed(store, tmp_path):
    folder = tmp_path / "pickled"
    shutil.copytree(asset(), folder)
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    config = small(f"model={folder}", "methods=[zero_shot]", "allow_pickle_weights=true")
    assert api.plan(config, probed=False).model > 0
    api.run(config, tmp_path / "run")
    assert (tmp_path / "run/results.json").is_file()
    with pytest.raises(ModelError, match="set allow_pickle_weights"):
        api.plan(small(f"model={folder}", "methods=[zero_shot]"), probed=False)


def test_three_imitated_models_agree_by_twos_on_the_assumed_share():
    corpus = uxla.read([(["a", "b", "c"], ["O", "B-PER", "O"])] * 1000)
    tables = [Predictions(**imitated_predictions(corpus, TASKS["ner"](), model)) for model in range(3)]
    everything = np.ones(len(corpus), dtype=bool)
    for k, j in ((0, 1), (1, 2), (2, 0)):
        agreed = Exact()(tables[k], tables[j], (everything, everything)).chosen
        assert abs(agreed.mean() - AGREE) < 0.05


def test_the_pace_of_a_device_gives_the_time_of_the_work():
    works = (Work("training", 5, 10, 1000, 7, labelled=100), Work("samples", 0, 3, 10, 1))
    pace = {"training": Pace(1.0, 0.01), "labelling": Pace(9.0, 0.001), "samples": Pace(2.0, 0.1)}
    plan = Plan(works, {}, 7, 9, 8, 42, 30, {}, Probe(pace, 123), beside=4.0)
    assert plan.seconds == pytest.approx(4.0 + (1 + 10 + 0.1) + (2 + 1))
    assert plan.trainings == 1


def test_bf16_is_told_with_what_it_gains_and_only_where_it_gains():
    works = (Work("training", 5, 10, 1000, 7),)
    slow, fast = ({"training": Pace(0.0, each), "labelling": Pace(0.0, 1.0)} for each in (0.6, 0.2))
    for exact, half, told in ((slow, fast, True), (fast, slow, False), (slow, slow, False), (slow, None, False)):
        in_bf16 = None if half is None else Probe(half, 1)
        found = Plan(works, {}, 7, 9, 8, 42, 30, {}, Probe(exact, 123, in_bf16=in_bf16)).as_dict()
        assert found["bf16_seconds"] == (None if half is None else half["training"](1000))
        lines = [line for line in _lines(found) if line.startswith("precision=bf16: ")]
        assert bool(lines) == told
        assert not told or lines == [
            "precision=bf16: about 3 min, 3.0 times as fast; it changes some labels (docs/performance.md)"
        ]


@pytest.mark.parametrize(("idle", "told"), [(1, 0), (3, 1)])
def test_idle_cores_are_told(idle, told):
    probe = Probe({"labelling": Pace(0.0, 1.0)}, 123, idle=idle, arithmetic={"labelling": 1.0})
    lines = _lines(Plan((), {}, 7, 9, 8, 42, 30, {}, probe).as_dict())
    assert len([line for line in lines if "3 cores are idle" in line]) == told


def test_the_arithmetic_of_the_work_and_its_hours_elsewhere_are_told():
    works = (Work("masked LM", 5, 10, 1000, 7, labelled=100), Work("average", 0, 0, 0, 1))
    each = {"training": 3e12, "labelling": 1e12}
    probe = Probe({"training": Pace(0.0, 60.0), "labelling": Pace(0.0, 20.0)}, 123, arithmetic=each)
    plan = Plan(works, {}, 7, 9, 8, 42, 30, {}, probe)
    assert plan.as_dict()["operations"] == plan.operations == 3.1e15
    told = "arithmetic: 3,100 TFLOP, 0.05 TFLOP/s here; about 5 min where 10 TFLOP/s are sustained"
    assert told in _lines(plan.as_dict())
    small = replace(probe, arithmetic={kind: one / 1e6 for kind, one in each.items()})
    assert "arithmetic: 0.0031 TFLOP, 5e-08 TFLOP/s here" in _lines(replace(plan, probe=small).as_dict())


@pytest.mark.parametrize("width", [8, 512])  # small layers are torch's, large ones oneDNN's where that is faster
def test_the_operations_of_a_layer_are_two_for_each_number_of_its_weight_and_row(width):
    layer, rows = Linear(width, 2 * width), torch.zeros(3, 5, width)
    forward = 2 * (3 * 5) * (width * 2 * width)
    assert operations(lambda: layer(rows)) == forward
    hidden = 1.0 * torch.zeros(3, 5, width, requires_grad=True)  # which has a gradient too, as between two layers
    assert operations(lambda: layer(hidden).sum().backward()) == 3 * forward
    with torch.inference_mode():
        assert operations(lambda: layer(rows)) == forward


def test_without_the_module_that_tells_it_no_memory_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "resource", None)  # as on Windows
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert _peak_memory() is None
    lines = _lines(Plan((), {}, 7, 9, 8, 42, 30, {}, Probe({"labelling": Pace(0.0, 1.0)}, None)).as_dict())
    assert not any(line.startswith("memory:") for line in lines)
    assert any(line.startswith("time:") for line in lines)


def test_a_probe_tells_hours_and_memory_and_the_command_shows_them(store, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    arguments = ["testbed", *SMALL, "methods=[uxla]"]
    found = CliRunner().invoke(app, ["run", *arguments, "--dry-run", "--json"])
    plan = json.loads(found.stdout)
    assert plan["work"]["training"]["to_do"] == 12
    assert plan["seconds"] > 0
    assert plan["memory"] > 10_000_000
    assert (plan["bf16_seconds"] or 0) > 0 or not multiplies_in_bf16(torch.device("cpu"))
    assert plan["idle_cores"] >= 1
    assert plan["operations"] > 0
    assert plan["gpu_memory"] > 5 * plan["disk"]["model"], "weights twice, a gradient and two moments"
    assert list(tmp_path.glob("runs")) == []
    shown = CliRunner().invoke(app, ["plan", *arguments, "--no-probe"])
    assert (shown.exit_code, shown.stderr) == (0, "")
    assert "| trainings | 12 | 0 |" in shown.stdout
    assert "in the store at once, " in shown.stdout
    assert "more while a long training saves its checkpoint" in shown.stdout
    assert "time:" not in shown.stdout
    assert f"with {plan['gpu_tokens']:,} tokens in a forward pass" in shown.stdout, "arithmetic needs no probe"


def test_the_pace_of_shared_trainings_is_that_of_one_device(store):
    config = load_config("testbed", [*SMALL, "methods=[zero_shot]", "devices={cpu: 2}", "devices_per_training=2"])
    assert api.plan(config).as_dict()["seconds"] > 0


def test_a_model_that_is_not_here_is_a_download_and_is_not_fetched(store):
    plan = api.plan(small("model=some/model", "methods=[uxla]"))
    assert plan.downloads == {"some/model": None}
    assert (plan.trainings, plan.seconds) == (12, None)


@pytest.mark.parametrize("key", ["model", "vicinity.model"])
@pytest.mark.parametrize("name", ["/no/such/model", "no such model"])
def test_a_model_that_is_no_folder_and_no_hub_id_is_refused(store, key, name):
    with pytest.raises(ModelError, match=rf"model '{name}': .*no such folder.*; give a folder"):
        api.plan(small(f"{key}={name}", "methods=[uxla]"), probed=False)


def test_a_model_that_is_none_for_the_task_is_refused(store, tmp_path):
    folder = shutil.copytree(asset(), tmp_path / "model")
    (folder / "config.json").write_text(json.dumps({"model_type": "vit"}), encoding="utf-8")
    with pytest.raises(ModelError, match=r"cannot be built as AutoModelForTokenClassification \("):
        api.plan(small(f"model={folder}", "methods=[uxla]"), probed=False)


def test_each_training_at_the_same_time_takes_a_model_and_a_checkpoint_more(store):
    alone, two = (api.plan(small("methods=[uxla]", f"devices={{cpu: {jobs}}}"), probed=False) for jobs in (1, 2))
    assert two.peak - alone.peak == alone.model
    assert two.checkpoint == 2 * alone.checkpoint
    shared = api.plan(small("methods=[uxla]", "devices={cpu: 3}", "devices_per_training=3"), probed=False)
    assert shared.checkpoint == alone.checkpoint
