"""Pairs and single sentences through the whole path, on the synthetic languages."""

import csv
import json

import pytest
from transformers import AutoModelForSequenceClassification

import uxla

LABELS = {
    "nli": {"contradiction", "entailment", "neutral"},
    "paraphrase": {"0", "1"},
    "classification": None,
}


@pytest.fixture(scope="session")
def two_targets(adapt, tiny, tmp_path_factory):
    """Entailment with two targets in one run, both vicinities used."""
    out = tmp_path_factory.mktemp("runs") / "nli"
    schedule = (
        "schedule=[{data: [source, target, source_vicinity, target_vicinity], select: {kind: confidence, share: 1.0}}]"
    )
    overrides = ["task=nli", "target=[near, far]", "methods=[penalty, uxla]", "collapse_share=1.0", schedule]
    return adapt(out, tmp_path_factory.mktemp("store"), *tiny, *overrides)


def events(run):
    return [json.loads(line) for line in (run.out / "journal.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("task", ["paraphrase", pytest.param("classification", marks=pytest.mark.slow)])
def test_a_task_runs_and_its_ensemble_labels_new_text(task, adapt, tiny, tmp_path, invoke):
    overrides = [f"task={task}", "methods=[uxla]", "collapse_share=1.0", "vicinity.copies=1"]
    run = adapt(tmp_path / "run", tmp_path / "store", *tiny, *overrides)
    score = run.results["targets"]["far"]["uxla_ensemble"]
    with (run.out / "predictions/far.tsv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    hits = sum(row["gold"] == row["predicted"] for row in rows)
    assert score["mean"] == pytest.approx(100 * hits / len(rows))
    assert 0 <= score["macro_f1"] <= 100
    assert "macro-F1" in (run.out / "table.md").read_text(encoding="utf-8")
    names = set(AutoModelForSequenceClassification.from_pretrained(run.out / "models/1").config.id2label.values())
    assert {row["gold"] for row in rows} <= names
    assert LABELS[task] is None or names == LABELS[task]
    text = "ba\u00a0bo  bu" if task == "classification" else "ba bo\tbu"
    answer = invoke("predict", run.out, "-", input=(text + "\n").encode())
    assert answer.exit_code == 0, answer.stderr
    id_, *texts, label, confidence = json.loads(answer.stdout).values()
    assert (id_, "\t".join(texts)) == (1, text)
    asked = text if task == "classification" else tuple(text.split("\t"))
    assert uxla.load(run.out).ensemble.classify([asked]) == [(label, pytest.approx(confidence, abs=1e-4))]


def test_each_target_of_a_run_has_its_models_and_shares_the_warm_up(two_targets):
    assert set(two_targets.results["targets"]) == {"near", "far"}
    for target in ("near", "far"):
        assert (two_targets.out / target / "models/3/model.safetensors").is_file()
        assert uxla.load(two_targets.out).ensemble_of(target).task == "nli"
        assert len(two_targets.results["targets"][target]["uxla"]) == 1
    fits = [event for event in two_targets.stages if event["stage"] == "fit" and not event["hit"]]
    assert len(fits) == 3 + 2 * 3  # one warm-up of three models, three trainings a target
    sources = [event["key"] for event in two_targets.stages if event["stage"] == "vicinity" and not event["hit"]]
    assert len(sources) == 3  # the source's once, each target's once


def test_successive_cross_makes_two_by_two_pairs_of_each(two_targets):
    made = [event for event in events(two_targets) if event.get("stage") == "vicinity" and not event["hit"]]
    sizes = {"source": 100, "near": 40, "far": 40}
    assert {event["corpus"]: event["drawn"] for event in made} == {name: 4 * n for name, n in sizes.items()}


def test_the_journal_counts_the_classes_of_what_is_learnt(two_targets):
    told = [event for event in events(two_targets) if event["event"] == "co_label"]
    assert told
    for event in told:
        assert set(event["classes"]) == LABELS["nli"]
        assert sum(event["classes"].values()) == event["agreed"]


def test_a_collapsed_classifier_is_refused_as_a_teacher(adapt, tiny, tmp_path):
    """Trained at a rate of nothing, the head gives one label to everything."""
    overrides = ["task=nli", "methods=[uxla]", "warmup.learning_rate=1e-12", "warmup.selection=last"]
    schedule = "schedule=[{data: [target], select: {kind: confidence, share: 1.0}}]"
    run = adapt(tmp_path / "run", tmp_path / "store", *tiny, *overrides, schedule)
    labelled = [event for event in events(run) if event["event"] == "co_label"]
    collapsed = [event for event in labelled if event["collapsed"]]
    assert all(event["agreed"] == 0 for event in collapsed)
    assert collapsed
