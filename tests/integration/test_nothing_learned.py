"""A run in which no raw sentence taught any model does not end as a success."""

import json

import pytest

NEVER = "UXLA: no sentence of far taught any model: the models never agreed on one"
SIZES = ("testbed.train=60", "testbed.unlabelled=12", "testbed.dev=20", "testbed.test=20", "target=far", "threads=1")
TRAINING = ("warmup.epochs=null", "warmup.max_steps=1", "warmup.learning_rate=1e-3", "warmup.selection=last")
ONE_EPOCH = "schedule=[{data: [source, target], select: {kind: confidence, share: 1.0}}]"


@pytest.fixture(scope="module")
def run(adapt, tmp_path_factory, hearing):
    """One step of warm-up: three models that agree on no sentence. The run, and what it told."""
    folder = tmp_path_factory.mktemp("nothing")
    with hearing() as lines:
        found = adapt(folder / "run", folder / "store", *SIZES, *TRAINING, ONE_EPOCH, "methods=[zero_shot, uxla]")
    return found, lines


def test_it_is_said_in_four_places(run, invoke):
    finished, lines = run
    assert any(line.startswith(f"Warning: far: {NEVER}") for line in lines), "console"
    [warning] = [text for text in finished.results["warnings"] if NEVER in text]
    assert warning.endswith("train the warm-up longer (warmup.max_steps) or on more labelled text, or set agree=token")
    card = (finished.out / "README.md").read_text(encoding="utf-8")
    assert f"- far: {NEVER}" in card
    assert invoke("report", finished.out).exit_code == 0
    first = (finished.out / "report.html").read_text(encoding="utf-8").partition("</article>")[0]
    assert "<h1>Nothing was learned from the raw text of far: no sentence of it taught any model</h1>" in first
    assert NEVER in first


def test_the_card_does_not_claim_to_have_learned_from_raw_text(run):
    card = (run[0].out / "README.md").read_text(encoding="utf-8")
    assert (
        "It learned from labelled text in `source` alone, since no sentence of the raw text in `far` taught it, "
        in card
    )
    assert "and raw text in" not in card


def test_poor_models_are_warned_of(run):
    [warning] = [text for text in run[0].results["warnings"] if text.startswith("source.dev: ")]
    assert warning.startswith("source.dev: the models are poor there (zero-shot: F1 ")


def test_every_training_stands_in_the_journal_and_in_the_results_with_loss_and_dev_score(run):
    finished, lines = run
    found = finished.results["trainings"]
    assert [(made["method"], made["epoch"], made["model"]) for made in found] == [
        *(("zero_shot", None, i) for i in (1, 2, 3)),
        *(("penalty", None, i) for i in (1, 2, 3)),
        *(("uxla", 1, i) for i in (3, 1, 2)),
    ]
    assert all(made["loss"] is not None and 0 <= made["dev"] <= 100 for made in found)
    events = map(json.loads, (finished.out / "journal.jsonl").read_text(encoding="utf-8").splitlines())
    told = [event for event in events if event["event"] == "training"]
    assert [{name: event[name] for name in found[0]} for event in told] == found
    assert sum(": loss " in line for line in lines) == len(found)


def test_the_dev_scores_cost_no_labelling_that_the_estimates_do_not_need(run):
    """Each model of the warm-ups and of the last epoch labels source dev once."""
    labelled = [event for event in run[0].stages if event["stage"] == "predict" and event["examples"] == 20]
    dev = [event for event in labelled if event["corpus"] == "source dev" and not event["hit"]]
    assert len(dev) == 3 * 3
