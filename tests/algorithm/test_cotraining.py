from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from uxla.algorithm.cotraining import PAPER_SCHEDULE, CoTraining, Epoch, triples
from uxla.algorithm.distil import MostConfident
from uxla.records import Corpus, Example, Predictions
from uxla.seeds import generator

GOLDEN = Path(__file__).parents[1] / "golden"
LABELS = ("O", "B-PER", "I-PER")


def corpus(name, size, *, labelled):
    labels = (0, 1) if labelled else None
    return Corpus.from_examples(name, LABELS, [Example(f"{name}{i}", name, ("a b",), labels) for i in range(size)])


class ToyLearner:
    """Models are strings that grow with each training; labels are a shared truth with each model's own noise."""

    def __init__(self, trace, label=None):
        self.trace, self.label = trace, label

    def fit(self, model, mix, *, seed):
        new = f"{model}'"
        counts = {lang: sum(e.lang == lang for e in mix) for lang in sorted({e.lang for e in mix})}
        self.trace.append(f"    fit {model} -> {new} on {sum(counts.values())} sentences: {counts}")
        return new

    def predict(self, model, corpus):
        self.trace.append(f"    predict {model} on {corpus.name}")
        truth = generator(0, corpus.name).integers(0, 3, size=2 * len(corpus))
        noise = generator(0, model, corpus.name).dirichlet([1, 1, 1], size=2 * len(corpus))
        probs = (0.5 * np.eye(3)[truth] + 0.5 * noise).astype(np.float32)
        if self.label is not None and model in self.label:
            probs = np.tile(np.eye(3, dtype=np.float32)[self.label[model]], (2 * len(corpus), 1))
        return Predictions(probs, np.arange(len(corpus) + 1) * 2)


def run(order, *, schedule=PAPER_SCHEDULE, label=None, **settings):
    trace = []

    def record(event, **counts):
        shown = " ".join(f"{key}={value}" for key, value in counts.items())
        trace.append(f"{event} {shown}" if event == "co_label" else f"{event} {shown}\n".rstrip())

    def vicinity(corpus_, epoch):
        trace.append(f"    vicinity of {corpus_.name} in epoch {epoch}")
        table = corpus_.unlabelled().take(np.repeat(np.arange(len(corpus_)), 2))
        return table.renamed(corpus_.name + "~")

    learner = ToyLearner(trace, label)
    cotraining = CoTraining(learner, vicinity, schedule, order=order, seed=3, record=record, **settings)
    after = cotraining(corpus("en", 10, labelled=True), corpus("ur", 20, labelled=False), ("A", "B", "C"))
    return after, trace


@pytest.mark.parametrize("order", ["synchronous", "in_place"])
def test_algorithm_one_makes_the_calls_of_the_golden_trace(order):
    _, trace = run(order)
    assert "\n".join(trace) + "\n" == (GOLDEN / f"algorithm1-{order}.txt").read_text(encoding="utf-8")


def test_orders_are_the_pairs_of_the_paper():
    assert triples("in_place") == [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)]
    assert triples("synchronous") == [(0, 1, 2), (0, 2, 1), (1, 2, 0)]


def test_alone_each_model_is_its_own_two_peers():
    assert triples("alone") == [(0, 0, 0), (1, 1, 1), (2, 2, 2)]
    after, trace = run("alone", schedule=[Epoch(MostConfident(0.5), target=True)])
    assert after == [("A'", "B'", "C'")]
    asked = [line.split()[1] for line in trace if "predict" in line]
    assert asked == ["A", "A", "B", "B", "C", "C"]
    assert all("agreed=10 " in line for line in trace if line.startswith("co_label"))


def test_models_with_a_backbone_in_common_all_move_when_one_is_trained():
    def share(other, trained):
        return f"{other[0]}{trained[1:]}"

    after, trace = run("synchronous", schedule=[Epoch(MostConfident(1.0), source=True)] * 2, share=share)
    assert after == [("A'''", "B'''", "C'''"), ("A" + "'" * 6, "B" + "'" * 6, "C" + "'" * 6)]
    assert [line.split()[1] for line in trace if "fit" in line] == [
        "C",
        "B'",
        "A''",
        "C'''",
        "B" + "'" * 4,
        "A" + "'" * 5,
    ]


def test_selection_is_given_the_corpus_it_selects_from():
    seen = []

    def select(predictions, corpus):
        seen.append((corpus.name, len(predictions) == len(corpus)))
        return np.ones(len(corpus), dtype=np.bool_)

    run("synchronous", schedule=[Epoch(select, target=True, target_vicinity=True)])
    assert set(seen) == {("ur", True), ("ur~", True)}


def test_synchronous_peers_are_those_of_the_epochs_start():
    _, trace = run("synchronous")
    first_epoch = trace[: next(i for i, line in enumerate(trace) if "vicinity" in line)]
    assert not any("'" in line for line in first_epoch if "predict" in line)


def test_in_place_replaces_a_model_at_once():
    _, trace = run("in_place")
    trained = next(i for i, line in enumerate(trace) if "fit C" in line)
    assert any("predict C' on ur" in line for line in trace[trained:])


@pytest.mark.parametrize(("order", "trainings"), [("synchronous", 1), ("in_place", 2)])
def test_each_model_is_trained_once_or_twice_an_epoch(order, trainings):
    after, _ = run(order)
    assert [model.count("'") for model in after[0]] == [trainings] * 3
    assert [model.count("'") for model in after[-1]] == [3 * trainings] * 3


def test_the_third_epoch_of_the_synchronous_order_needs_nine_different_inferences():
    """Three corpora (X_t and both vicinities), three models; the literal nesting makes 33 (lines 4, 9, 11, 16)."""
    _, trace = run("synchronous", schedule=PAPER_SCHEDULE[2:])
    assert len({line for line in trace if "predict" in line}) == 9


def test_the_same_seed_gives_the_same_trace_and_another_seed_other_draws():
    assert run("in_place") == run("in_place")


def test_a_target_with_labels_is_refused():
    labelled = corpus("ur", 5, labelled=True)
    cotraining = CoTraining(ToyLearner([]), lambda c, e: c)
    with pytest.raises(ValueError, match="carries labels"):
        cotraining(corpus("en", 5, labelled=True), labelled, ("A", "B", "C"))


def test_a_schedule_may_have_any_length():
    after, _ = run("synchronous", schedule=[Epoch(MostConfident(1.0), source=True, target=True)] * 5)
    assert len(after) == 5


def test_where_distillation_leaves_nothing_the_model_stays_and_the_record_says_so():
    after, trace = run("synchronous", schedule=[Epoch(MostConfident(0.01), target=True)])
    assert after == [("A", "B", "C")]
    assert sum(line.startswith("skip") for line in trace) == 3


def test_a_collapsed_model_is_reported_and_teaches_nobody():
    after, trace = run("synchronous", schedule=PAPER_SCHEDULE[1:2], label={"A": 0})
    reports = [line for line in trace if line.startswith("co_label")]
    assert sum("collapsed=['k']" in line and "agreed=0" in line for line in reports) == 2
    assert after == [("A'", "B", "C")]  # only the pair (B, C) could teach


def test_one_label_everywhere_is_no_collapse_where_the_source_is_so_too():
    trace = []
    source = corpus("en", 10, labelled=True)
    alike = source.with_labels(np.zeros(20, dtype=np.int64), np.arange(11) * 2)
    learner = ToyLearner(trace, {"A": 0, "B": 0, "C": 0})
    cotraining = CoTraining(learner, lambda c, e: c, [Epoch(MostConfident(1.0), target=True)])
    after = cotraining(alike, corpus("ur", 20, labelled=False), ("A", "B", "C"))
    assert after == [("A'", "B'", "C'")]


def test_the_algorithm_never_loads_torch():
    code = (
        "import sys, uxla.algorithm.cotraining, uxla.algorithm.vicinity, uxla.algorithm.distil; "
        "sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
