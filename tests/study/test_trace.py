"""What the trace keeps of Algorithm 1's decisions: which examples, what about them, and what it writes."""

import dataclasses

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from uxla.algorithm.agreement import Agreed
from uxla.algorithm.cotraining import CoTraining, Epoch
from uxla.algorithm.distil import MostConfident
from uxla.algorithm.events import CoLabelled, Step
from uxla.records import IGNORED, Corpus, Example, Predictions
from uxla.study.inputs import Target
from uxla.study.trace import DECISIONS, Trace, Traces, changed_words, traced, write_trace

NAMES = ("O", "B-PER", "I-PER")


def corpus(name, size, *, copies=0, ending=""):
    ids = [f"{name}{i}" for i in range(size)]
    if copies:
        ids = [f"{id_}~{n}" for id_ in ids for n in range(1, copies + 1)]
    named = f"{name}~" if copies else name
    return Corpus.from_examples(named, NAMES, [Example(id_, name, (f"a {id_}{ending}",)) for id_ in ids])


def judged(of, epoch=1, seed=0):
    rng = np.random.default_rng(seed)
    two = [
        Predictions(rng.dirichlet([1, 1, 1], 2 * len(of)).astype(np.float32), 2 * np.arange(len(of) + 1)) for _ in "kj"
    ]
    chosen = [rng.random(len(of)) < 0.5 for _ in range(4)]
    return CoLabelled(
        step=Step(epoch, 0, 2, 1),
        corpus=of,
        predictions=tuple(two),
        selected=(chosen[0], chosen[1]),
        found=Agreed(chosen[3], chosen[2], np.where(rng.random(2 * len(of)) < 0.2, IGNORED, two[1].pseudo_labels)),
        chosen=chosen[3] & (seed == 0),
        classes={},
    )


def written(folder, trace, target, source, labelled=None):
    write_trace(folder, trace, Target(target, labelled=labelled, name=target.name), source)
    return [pq.read_table(folder / f"{target.name}{end}.parquet") for end in ("", "-texts")]


def test_a_decision_is_written_as_it_was_taken(tmp_path):
    target = corpus("xx", 7)
    taken = judged(target, epoch=3)
    trace = Trace(100)
    trace(taken)
    rows = written(tmp_path, trace, target, corpus("en", 2))[0]
    assert rows.schema.equals(DECISIONS)
    assert set(zip(*(rows[name].to_pylist() for name in ("epoch", "k", "j", "data")), strict=True)) == {(3, 1, 3, "xx")}
    assert rows["selected_by_k"].to_pylist() == taken.selected[0].tolist()
    assert rows["selected_by_j"].to_pylist() == taken.selected[1].tolist()
    assert rows["agreed"].to_pylist() == taken.found.agreed.tolist()
    assert rows["used"].to_pylist() == taken.chosen.tolist()
    for peer, predictions in zip("kj", taken.predictions, strict=True):
        assert rows[f"labels_{peer}"].to_pylist() == predictions.pseudo_labels.reshape(-1, 2).tolist()
        means = predictions.best.reshape(-1, 2).mean(axis=1)
        assert rows[f"confidence_{peer}"].to_pylist() == pytest.approx(means.tolist(), abs=1e-6)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_labels_that_the_agreement_gave_are_written_where_it_took_the_example_be_it_used_or_not(tmp_path, seed):
    target = corpus("xx", 30)
    taken = judged(target, seed=seed)
    trace = Trace(12)
    trace(taken)
    rows = written(tmp_path, trace, target, corpus("en", 2))[0]
    assert any(rows["used"].to_pylist()) == (seed == 0)
    given = zip(taken.found.chosen.tolist(), taken.found.labels.reshape(-1, 2).tolist(), strict=True)
    expected = [labels if chosen else None for chosen, labels in given]
    assert rows["labels"].to_pylist() == [expected[i] for i in traced(target, 12)]
    assert None in rows["labels"].to_pylist()


@given(st.integers(0, 60), st.integers(1, 40), st.integers(0, 3))
def test_at_most_so_many_are_traced_and_families_stay_together(size, limit, copies):
    own = corpus("xx", size, copies=copies)
    rows = traced(own, limit)
    assert len(rows) <= limit
    assert len(rows) == len(own) or len(own) > limit
    roots = [example.id.rpartition("~")[0] or example.id for example in own]
    kept = {roots[i] for i in rows}
    assert [i for i, root in enumerate(roots) if root in kept] == rows.tolist()


def test_the_same_parents_are_traced_as_their_samples():
    parents = {corpus("xx", 1000)[int(i)].id for i in traced(corpus("xx", 1000), 300)}
    around = corpus("xx", 1000, copies=3)
    samples = [around[int(i)].id for i in traced(around, 300)]
    assert len(samples) > 200
    assert {id_.rpartition("~")[0] for id_ in samples} <= parents


def test_samples_of_a_users_own_vicinity_are_families_of_their_own():
    corpus = Corpus.from_examples("far~", ("O",), [Example(f"own{i}", "far", (f"text {i}",), None) for i in range(10)])
    assert len(traced(corpus, 3)) == 3


def test_every_sample_has_its_parent_and_the_words_that_changed(tmp_path):
    target, source = corpus("xx", 5), corpus("en", 4)
    trace = Trace(100)
    trace(judged(corpus("xx", 5, copies=2)))
    trace(judged(corpus("en", 4, copies=1)))
    texts = written(tmp_path, trace, target, source)[1].to_pylist()
    known = {(row["data"], row["id"]) for row in texts}
    samples = [row for row in texts if row["data"].endswith("~")]
    assert len(samples) == 14
    assert all((row["data"].removesuffix("~"), row["parent"]) in known for row in samples)
    assert all(row["changed"] == [[1]] for row in samples)
    assert {row["epoch"] for row in texts if row["data"] == "en"} == {0}, "the source was never labelled"


def test_a_text_stands_once_unless_it_is_generated_anew(tmp_path):
    target = corpus("xx", 5)
    trace = Trace(100)
    for epoch, ending in ((1, ""), (2, ""), (3, "!")):
        trace(judged(corpus("xx", 5, copies=1, ending=ending), epoch=epoch))
    texts = written(tmp_path, trace, target, corpus("en", 1))[1].to_pylist()
    assert [row["epoch"] for row in texts if row["data"] == "xx~"] == [1] * 5 + [3] * 5


def test_gold_labels_are_matched_by_text_and_only_to_the_targets_own_sentences(tmp_path):
    target = corpus("xx", 4)
    labels = np.array([0, 1, IGNORED, 2])
    labelled = target.take([2, 0]).with_labels(labels, np.array([0, 2, 4]))
    labelled = Corpus(labelled.name, NAMES, labelled.table)
    trace = Trace(100)
    trace(judged(target))
    trace(judged(corpus("xx", 4, copies=1)))
    texts = written(tmp_path, trace, target, corpus("en", 1), labelled)[1].to_pylist()
    found = {row["id"]: row["gold"] for row in texts if row["gold"] is not None}
    assert found == {"xx2": [0, 1], "xx0": [IGNORED, 2]}


def test_the_bytes_are_the_same_whenever_the_trace_is(tmp_path):
    target = corpus("xx", 50)
    for name in ("one", "other"):
        trace = Trace(20)
        trace(judged(target))
        written(tmp_path / name, trace, target, corpus("en", 3))
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert files == ["xx-texts.parquet", "xx.parquet"]
    assert all((tmp_path / "one" / f).read_bytes() == (tmp_path / "other" / f).read_bytes() for f in files)


@pytest.mark.parametrize(
    ("sample", "parent", "places"),
    [
        ("a x c", "a b c", [1]),
        ("a b c", "a b c", []),
        ("a x y c", "a b c", [1, 2]),
        ("a c", "a b c", []),
        ("a  c", "a b c", [1]),
    ],
)
def test_changed_words_are_those_the_parent_lacks(sample, parent, places):
    assert changed_words(sample, parent) == places


class Learner:
    def fit(self, model, mix, *, seed):
        return model

    def predict(self, model, corpus):
        probs = np.random.default_rng(len(model)).dirichlet([1, 1, 1], 2 * len(corpus)).astype(np.float32)
        return Predictions(probs, 2 * np.arange(len(corpus) + 1))


def test_algorithm_1_shows_every_labelling_with_its_place_and_fate():
    seen = []
    schedule = [Epoch(MostConfident(0.5), target=True), Epoch(MostConfident(1.0), target=True, target_vicinity=True)]
    cotraining = CoTraining(
        Learner(),
        lambda c, e: c.renamed(c.name + "~"),
        schedule,
        emit=seen.append,
    )
    source = corpus("en", 3).with_labels(np.tile([0, 1], 3), np.array([0, 2, 4, 6]))
    cotraining(source, corpus("xx", 20), ("A", "BB", "CCC"))
    pairs = [(0, 1, 2), (1, 2, 0), (2, 0, 1)]
    expected = [(1, *pair, "xx") for pair in pairs] + [(2, *pair, name) for pair in pairs for name in ("xx", "xx~")]
    seen = [event for event in seen if isinstance(event, CoLabelled)]
    assert [(*d.step, d.corpus.name) for d in seen] == expected
    for decisions in seen:
        counts = decisions.counts
        assert counts["of"] == len(decisions.corpus)
        assert [counts["selected_by_k"], counts["selected_by_j"]] == [
            int(chosen.sum()) for chosen in decisions.selected
        ]
        assert counts["agreed"] == int(decisions.chosen.sum())


def test_nothing_that_was_shown_can_be_assigned_to():
    taken = judged(corpus("xx", 2))
    with pytest.raises(dataclasses.FrozenInstanceError):
        taken.chosen = taken.found.agreed


def test_the_trace_of_a_run_is_of_one_method_and_apart_for_each_target():
    target = corpus("xx", 7)
    traces = Traces(100, "uxla")
    for method, name in (("uxla", "xx"), ("tri_training", "xx"), ("uxla", "yy")):
        traces(dataclasses.replace(judged(target), method=method, target=name))
    assert {name: len(trace.labellings) for name, trace in traces.items()} == {"xx": 7, "yy": 7}
    nothing = Traces(0, "uxla")
    nothing(dataclasses.replace(judged(target), method="uxla", target="xx"))
    assert nothing == {}
