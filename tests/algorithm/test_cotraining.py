from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from uxla.algorithm.agreement import Exact, NoAgreement, Token, Union
from uxla.algorithm.co_labelling import co_label
from uxla.algorithm.cotraining import PAPER_SCHEDULE, CoTraining, Epoch, triples
from uxla.algorithm.distil import MostConfident
from uxla.algorithm.events import CoLabelled, EpochEnded, Trained
from uxla.errors import ConfigError
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


def run(order, *, schedule=PAPER_SCHEDULE, label=None, labelled=None, **settings):
    trace = []

    def record(event):
        if not isinstance(event, Trained | EpochEnded):
            trace.append(str(event))

    def vicinity(corpus_, epoch):
        trace.append(f"    vicinity of {corpus_.name} in epoch {epoch}")
        table = corpus_.unlabelled().take(np.repeat(np.arange(len(corpus_)), 2))
        return table.renamed(corpus_.name + "~")

    learner = ToyLearner(trace, label)
    cotraining = CoTraining(learner, vicinity, schedule, order=order, seed=3, emit=record, **settings)
    after = cotraining(corpus("en", 10, labelled=True), corpus("ur", 20, labelled=False), ("A", "B", "C"), labelled)
    return after, trace


@pytest.mark.parametrize("order", ["synchronous", "in_place"])
def test_algorithm_one_makes_the_calls_of_the_golden_trace(order):
    _, trace = run(order)
    assert "\n".join(trace) + "\n" == (GOLDEN / f"algorithm1-{order}.txt").read_text(encoding="utf-8")


FEW = [Epoch(MostConfident(0.5), source=True, labelled=True)]


@pytest.mark.parametrize("share", [None, 0.9])
def test_an_epoch_with_labelled_text_of_the_target_draws_from_it(share):
    given = {"labelled": corpus("ur labelled", 4, labelled=True), "labelled_share": share}
    _, trace = run("synchronous", schedule=FEW, **given)
    assert len(trace) == 6, "three trainings, and nothing is predicted: gold labels need no peers"
    assert all("'ur labelled': 4" in line for line in trace if line.startswith("train"))
    if share:
        counts = [int(line.split("'ur labelled': ")[-1].split("}")[0]) for line in trace if "fit" in line]
        assert min(counts) > 7, "of 14 draws nine tenths on average"


def test_an_epoch_that_asks_for_labels_that_are_not_there_is_refused():
    with pytest.raises(ConfigError, match=r"^ur: an epoch learns from labelled text of the target, and there is none"):
        run("synchronous", schedule=FEW)


def test_orders_are_the_pairs_of_the_paper():
    assert triples("in_place") == [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)]
    assert triples("synchronous") == [(0, 1, 2), (1, 2, 0), (2, 0, 1)]


@pytest.mark.parametrize("order", ["synchronous", "in_place", "alone"])
def test_every_model_is_k_as_often_as_the_others_so_that_without_agreement_each_ones_labels_teach(order):
    firsts = [k for k, _, _ in triples(order)]
    assert {firsts.count(model) for model in range(3)} == {len(firsts) // 3}


class Disputing(ToyLearner):
    """As noisy as the truth is loud, so that peers often differ; keeps what each training was given."""

    def __init__(self):
        super().__init__([])
        self.lessons = []

    def fit(self, model, mix, *, seed):
        self.lessons.append(f"{model} {mix.digest} {seed}")
        return super().fit(model, mix, seed=seed)

    def predict(self, model, corpus):
        truth = generator(0, corpus.name).integers(0, 3, size=2 * len(corpus))
        noise = generator(0, model, corpus.name).dirichlet([1, 1, 1], size=2 * len(corpus))
        probs = (0.3 * np.eye(3)[truth] + 0.7 * noise).astype(np.float32)
        return Predictions(probs, np.arange(len(corpus) + 1) * 2)


@pytest.mark.parametrize(
    ("agreement", "digest"),
    [(Exact(), "aa2730622616a1ad"), (Token(), "99505e6769f93681"), (Union(), "2cadbdc3c0e66c1d")],
)
def test_where_peers_are_equals_it_does_not_matter_which_of_them_is_called_k(agreement, digest):
    """The digests are of the trainings of an order with the pairs (1, 2), (1, 3), (2, 3), which never has 3 as k."""
    learner = Disputing()
    twice = lambda c, e: c.unlabelled().take(np.repeat(np.arange(len(c)), 2)).renamed(f"{c.name}~")  # noqa: E731
    cotraining = CoTraining(learner, twice, agreement=agreement, seed=3)
    cotraining(corpus("en", 10, labelled=True), corpus("ur", 20, labelled=False), ("A", "B", "C"))
    assert hashlib.sha256("\n".join(sorted(learner.lessons)).encode()).hexdigest().startswith(digest)


def test_without_agreement_the_labels_of_every_model_teach():
    """Selected by both, labels of k: model 3 learns from model 1, 1 from 2, 2 from 3."""
    taught = {}
    learner = Disputing()
    cotraining = CoTraining(
        learner,
        lambda c, e: c,
        [Epoch(MostConfident(1.0), target=True)],
        agreement=NoAgreement(),
        emit=lambda event: (
            taught.update({event.step.l: event.predictions[0].pseudo_labels.tolist()})
            if isinstance(event, CoLabelled)
            else None
        ),
    )
    target = corpus("ur", 20, labelled=False)
    cotraining(corpus("en", 10, labelled=True), target, ("A", "B", "C"))
    assert taught == {l: learner.predict(k, target).pseudo_labels.tolist() for l, k in ((2, "A"), (0, "B"), (1, "C"))}


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
    trained = [line.split()[1] for line in trace if "fit" in line]
    assert trained == ["C", "A'", "B''", "C'''", "A" + "'" * 4, "B" + "'" * 5]


def test_alone_on_a_backbone_in_common_each_model_labels_as_the_one_before_it_left_the_backbone():
    share = lambda other, trained: f"{other[0]}{trained[1:]}"  # noqa: E731
    _, trace = run("alone", schedule=[Epoch(MostConfident(1.0), target=True)], share=share)
    assert [line.split()[1] for line in trace if "predict" in line][::2] == ["A", "B'", "C''"]


def test_independent_trainings_are_handed_to_an_executor_together():
    sizes = []

    def together(function, items):
        items = list(items)
        sizes.append(len(items))
        return [function(item) for item in reversed(items)][::-1]

    assert run("synchronous", map=together)[0] == run("synchronous")[0]
    assert run("in_place", map=together)[0] == run("in_place")[0]
    assert sizes == [3] * 3 + [1] * 18, "in place nothing is independent"


def test_an_epoch_is_labelled_before_a_model_is_trained_and_what_will_be_asked_for_is_told_first():
    told = []
    _, trace = run("synchronous", expect=told.append)
    kinds = [line.split()[0] for line in trace]
    assert [kinds[i : kinds.index("train", i)].count("co_label") for i in (0, kinds.index("vicinity"))] == [3, 3]
    assert [sorted({peer for peer, _ in labellings}) for labellings in told] == [
        ["A", "B", "C"],
        ["A'", "B'", "C'"],
        ["A''", "B''", "C''"],
    ]
    assert [[corpus.name for _, corpus in labellings] for labellings in told] == [
        ["ur"] * 3,
        ["ur~"] * 3,
        ["ur", "en~", "ur~"] * 3,
    ]
    told.clear()
    run("in_place", expect=told.append)
    assert [[peer for peer, _ in labellings] for labellings in told[:2]] == [["A", "B"], ["A", "C'"]]


@pytest.mark.parametrize("order", ["synchronous", "in_place", "alone"])
def test_the_ends_of_trainings_and_epochs_say_which_models_there_were_and_are(order):
    events, learner = [], ToyLearner([])
    schedule = [Epoch(MostConfident(1.0), source=True, target=True)] * 2
    cotraining = CoTraining(learner, lambda c, e: c, schedule, order=order, emit=events.append)
    after = cotraining(corpus("en", 10, labelled=True), corpus("ur", 20, labelled=False), ("A", "B", "C"))
    ends = [event for event in events if isinstance(event, EpochEnded)]
    assert [(end.e, end.models) for end in ends] == [(1, after[0]), (2, after[1])]
    trained = [event for event in events if isinstance(event, Trained)]
    assert all(
        event.model == f"{event.began_with}'" and event.began_with[0] == "ABC"[event.step.l] for event in trained
    )


def test_with_a_backbone_in_common_too_all_of_a_synchronous_epoch_is_labelled_first():
    share = lambda other, trained: f"{other[0]}{trained[1:]}"  # noqa: E731
    _, trace = run("synchronous", schedule=[Epoch(MostConfident(1.0), target=True)], share=share)
    assert [line.split()[0] for line in trace if line[0] != "t"] == ["predict", "predict", "co_label"] * 3 + ["fit"] * 3


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
    assert sum("collapsed=['k']" in line and "agreed=0" in line for line in reports) == 1
    assert sum("collapsed=['j']" in line and "agreed=0" in line for line in reports) == 1
    assert after == [("A'", "B", "C")]  # only the pair (B, C) could teach


SENTENCES = 400


class Sparse:
    """Labels are O but for the first of a corpus' words, as many as `others` says by model and language."""

    def __init__(self, **others):
        self.others = others

    def fit(self, model, mix, *, seed):
        return f"{model}'"

    def predict(self, model, corpus):
        labels = np.zeros(2 * len(corpus), dtype=np.int64)
        labels[: self.others[f"{corpus.name}_{model}"]] = 1
        return Predictions(np.eye(3, dtype=np.float32)[labels], np.arange(len(corpus) + 1) * 2)


def collapsed(model, *, warmed_up="A", **others):
    """Whether `model` has, of 800 words: the limit of 0.995 is four words with another label."""
    source, target = corpus("en", SENTENCES, labelled=True), corpus("ur", SENTENCES, labelled=False)
    learner = Sparse(**others)
    judged = CoTraining(learner, lambda c, e: c)
    return judged.has_collapsed(learner.predict(model, target), target, model, warmed_up, source=source)


@pytest.mark.parametrize(
    ("now", "warmed_up", "at_home", "has"),
    [
        (3, 3, 200, False),  # few entities: it found as few before it was taught
        (2, 7, 200, False),
        (1, 7, 200, True),  # a quarter of seven is more than one
        (3, 200, 200, True),
        (0, 0, 200, True),  # no other label at all: nothing to learn from it
        (3, 3, 3, True),  # so it labels the source, too, where half of the words are entities
        (4, 200, 200, False),  # 0.5 % of the words
    ],
)
def test_a_collapse_is_told_from_a_corpus_with_few_entities_by_what_the_model_did_before(now, warmed_up, at_home, has):
    given = {"ur_A'": now, "ur_A": warmed_up, "en_A'": at_home}
    assert collapsed("A'", **given) == has


def test_raw_text_with_hardly_an_entity_still_teaches():
    found = {f"{language}_{model}{trained}": n for model in "ABC" for trained in ("", "'") for language, n in SPARSE}
    loop = CoTraining(Sparse(**found), lambda c, e: c, [Epoch(MostConfident(1.0), target=True)] * 2)
    target = corpus("ur", SENTENCES, labelled=False)
    assert loop(corpus("en", SENTENCES, labelled=True), target, "ABC")[-1] == ("A''", "B''", "C''")


SPARSE = (("ur", 2), ("en", 200))


def test_a_collapse_within_the_loop_is_seen_by_what_the_model_was_after_the_warm_up():
    found = {f"{language}_{model}{trained}": n for model in "ABC" for trained in ("", "'") for language, n in SPARSE}
    found |= {"ur_A": 100, "ur_B": 100, "ur_C": 100, "ur_B'": 100, "ur_C'": 100}  # of A' are left two
    epochs = [Epoch(MostConfident(1.0), target=True)] * 2
    after = CoTraining(Sparse(**found), lambda c, e: c, epochs)
    source, target = corpus("en", SENTENCES, labelled=True), corpus("ur", SENTENCES, labelled=False)
    assert after(source, target, "ABC")[-1] == ("A''", "B'", "C'")


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


BOTH = np.ones(4, dtype=np.bool_)


@pytest.mark.parametrize(
    ("select", "agreement", "said"),
    [
        (lambda p, c: np.ones(len(c) + 1, dtype=bool), Exact(), r"selector <lambda>, of ur: gave bool of shape \(5,"),
        (lambda p, c: np.arange(len(c)), Exact(), r"gave int64 of shape \(4,\), expected 4 booleans, one for each"),
        (lambda p, c: np.ones((len(c), 1), dtype=bool), Exact(), r"gave bool of shape \(4, 1\), expected 4 booleans"),
        (lambda p, c: None, Exact(), r"gave object of shape \(\), expected 4 booleans"),
        (MostConfident(1.0), lambda k, j, s: None, r"agreement <lambda>, of ur: gave a NoneType, expected a ux"),
        (MostConfident(1.0), lambda k, j, s: (BOTH[1:], BOTH, k.pseudo_labels), r"gave bool of shape \(3,\), expec"),
        (MostConfident(1.0), lambda k, j, s: (BOTH, BOTH, k.pseudo_labels[1:]), r"\(7,\), expected 8 whole numbers"),
        (MostConfident(1.0), lambda k, j, s: (BOTH, BOTH, k.pseudo_labels + 0.5), r"gave labels as float64 of shape"),
        (MostConfident(1.0), lambda k, j, s: (BOTH, BOTH, k.pseudo_labels * 0 + 3), r"gave the label 3, expected 0 to"),
    ],
)  # fmt: skip
def test_what_a_users_selector_or_agreement_gives_is_checked(select, agreement, said):
    with pytest.raises(ConfigError, match=said):
        co_label(corpus("ur", 4, labelled=False), ("A", "B"), ToyLearner([]), select, agreement)
    with pytest.raises(ConfigError, match=said):
        cotraining = CoTraining(
            ToyLearner([]), lambda c, e: c, schedule=[Epoch(select, target=True)], agreement=agreement
        )
        cotraining(corpus("en", 5, labelled=True), corpus("ur", 4, labelled=False), ("A", "B", "C"))


def test_a_selector_may_give_a_list_and_is_not_asked_about_nothing():
    assert (
        len(co_label(corpus("ur", 4, labelled=False), "AB", ToyLearner([]), lambda p, c: [True] * 4, NoAgreement()))
        == 4
    )
    none = corpus("ur", 4, labelled=False).take(np.zeros(0, dtype=np.int64))
    assert len(co_label(none, "AB", ToyLearner([]), lambda p, c: np.quantile(p.probs, 0.5) > 0, NoAgreement())) == 0
