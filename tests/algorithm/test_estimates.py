"""Estimated scores: exact where nothing shifted, blind to a model's own certainty, and always a percentage."""

from itertools import pairwise
from statistics import fmean

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtri

from uxla.algorithm.answers import scored_units
from uxla.algorithm.estimates import ERROR, REACH, WEIGHTS, Estimate, Labelled, estimate
from uxla.decoding import decode
from uxla.metrics import accuracy, span_f1, span_scores
from uxla.records import IGNORED, Predictions

TAGS = ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")
FIELDS = ("atc", "doc", "agreement")


def predictions(rng, labels, lengths, sure=3.0, classes=5):
    """Random probabilities, each row leaning to the label given and all to the first: models overlook entities."""
    logits = rng.normal(size=(len(labels), classes))
    logits[:, 0] += 1.0
    logits[np.arange(len(labels)), labels] += sure
    probs = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return Predictions(probs.astype(np.float32), np.concatenate([[0], np.cumsum(lengths)]))


def world(seed, *, tagging=True, sentences=80, sure=3.0):
    """Gold labels and three models that are mostly right."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, 9, sentences) if tagging else np.ones(sentences, dtype=np.int64)
    gold = rng.integers(0, 5, lengths.sum())
    if tagging:  # valid IOB2, as read from files
        gold = decode(predictions(rng, gold, lengths, sure=9.0), TAGS)
    return gold, [predictions(rng, gold, lengths, sure) for _ in range(3)]


def names(labels, offsets):
    return [[TAGS[i] for i in labels[a:b]] for a, b in pairwise(offsets)]


def true_score(gold, tables, *, tagging):
    if not tagging:
        return fmean(accuracy(gold.tolist(), table.pseudo_labels.tolist()) for table in tables)
    ends = tables[0].offsets
    return fmean(span_f1(names(gold, ends), names(decode(table, TAGS), ends), mode="conlleval") for table in tables)


def values(found):
    return [getattr(found, name) for name in FIELDS]


@pytest.mark.parametrize("tagging", [True, False])
def test_where_nothing_shifted_each_estimate_is_source_devs_true_score(tagging):
    gold, tables = world(0, tagging=tagging)
    found = estimate(Labelled(tables, tables), Labelled(tables, tables), gold, TAGS if tagging else None)
    expected = true_score(gold, tables, tagging=tagging)
    assert 40 < expected < 95
    assert values(found) == pytest.approx([expected] * 3, abs=0.3)


@pytest.mark.parametrize("tagging", [True, False])
def test_estimates_follow_the_truth_where_models_and_judges_become_unsure(tagging):
    gold, source = world(1, tagging=tagging, sentences=400)
    scores, truths = [], []
    for sure in (3.0, 2.0, 1.0):
        target_gold, target = world(2, tagging=tagging, sentences=400, sure=sure)
        models = Labelled(source, target)
        scores.append(estimate(models, models, gold, TAGS if tagging else None).score)
        truths.append(true_score(target_gold, target, tagging=tagging))
    assert scores[0] > scores[1] + 5 > scores[2] + 10
    assert scores == pytest.approx(truths, abs=15)


def test_confidence_by_hand():
    """Dev: 3 of 4 right, so the threshold is the third surest, 0.7; on the target 2 of 5 reach it.

    Dev's slope of right over confidence (1, 1, 1, 0 over 0.9, 0.8, 0.7, 0.6) is 0.15 / 0.05 = 3; the mean falls from
    0.75 to 0.708: 0.75 - 3 * 0.042 = 0.624.
    """

    def table(sure, wrong=()):
        probs = np.array([[p, 1 - p] for p in sure], dtype=np.float32)
        probs[list(wrong)] = probs[list(wrong)][:, ::-1]
        return Predictions(probs, np.arange(len(sure) + 1))

    dev, target = [table((0.9, 0.8, 0.7, 0.6), wrong=[3])] * 3, [table((0.99, 0.75, 0.65, 0.6, 0.55))] * 3
    models = Labelled(dev, target)
    found = estimate(models, models, np.zeros(4, dtype=np.int64), None)
    assert found.atc == pytest.approx(40.0)
    assert found.doc == pytest.approx(62.4, abs=1e-3)
    assert found.agreement == pytest.approx(75.0, abs=0.1)  # they agree on all, on dev too
    assert found.score == found.mean == pytest.approx(WEIGHTS @ values(found))
    below, above = (
        ndtri(found.score / 100) - ndtri(found.low / 100),
        ndtri(found.high / 100) - ndtri(found.score / 100),
    )
    assert below == pytest.approx(above)
    assert below > REACH * ERROR  # chance has a part in it: five sentences


def test_half_of_what_training_on_the_same_sentences_seems_to_have_gained_is_believed():
    gold, source = world(19, tagging=True, sentences=400)
    _, unsure = world(20, tagging=True, sentences=400, sure=1)
    judges = Labelled(source, unsure)
    first = estimate(judges, judges, gold, TAGS)
    agreed = [unsure[0]] * 3  # models that label as one of the judges does, all three
    raw = estimate(Labelled(source, agreed), judges, gold, TAGS)
    found = estimate(Labelled(source, agreed), judges, gold, TAGS, before=first)
    assert raw.score > first.score + 2
    assert found.score == pytest.approx((first.score + raw.score) / 2)
    assert values(found)[1:] == pytest.approx((np.array(values(first)[1:]) + values(raw)[1:]) / 2)


def test_where_training_has_changed_nothing_the_estimate_is_the_one_before():
    gold, source = world(21, tagging=False, sentences=300)
    _, target = world(22, tagging=False, sentences=300)
    models = Labelled(source, target)
    first = estimate(models, models, gold, None)
    assert estimate(models, models, gold, None, before=first) == first


@pytest.mark.parametrize("tagging", [True, False])
def test_no_target_is_believed_to_be_easier_than_the_source(tagging):
    gold, source = world(17, tagging=tagging, sentences=400, sure=2)
    _, target = world(18, tagging=tagging, sentences=400, sure=3)
    models = Labelled(source, target)
    found = estimate(models, models, gold, TAGS if tagging else None)
    at_home = true_score(gold, source, tagging=tagging)
    assert found.mean > at_home + 5
    assert found.score == pytest.approx(at_home)
    assert found.score < found.high


def test_a_models_own_certainty_says_nothing():
    """Self-training makes a model sure of its labels; its judges are asked instead."""
    gold, source = world(3)
    _, target = world(4)
    judges = Labelled(source, target)
    certain = [Predictions(np.eye(5, dtype=np.float32)[decode(table, TAGS)], table.offsets) for table in target]
    assert estimate(Labelled(source, certain), judges, gold, TAGS) == estimate(judges, judges, gold, TAGS)


def test_models_that_agree_with_each_other_but_not_with_the_judges_are_not_believed():
    gold, source = world(5)
    _, honest = world(6)
    _, alien = world(7)
    judges = Labelled(source, honest)
    turned = [Predictions(np.resize(alien[0].probs, t.probs.shape), t.offsets) for t in honest]
    found = estimate(Labelled(source, turned), judges, gold, TAGS)
    assert max(found.atc, found.agreement) < 30 < found.apart
    assert found.score < estimate(judges, judges, gold, TAGS).score - 15


def test_the_order_of_the_targets_sentences_does_not_matter():
    gold, source = world(8, tagging=False)
    _, target = world(9, tagging=False)
    order = np.random.default_rng(0).permutation(len(target[0]))
    turned = [Predictions(table.probs[order], table.offsets) for table in target]
    one, other = (estimate(Labelled(source, t), Labelled(source, t), gold, None) for t in (target, turned))
    assert values(one) == pytest.approx(values(other))


def test_labels_that_are_far_apart_are_not_taken_for_one_another():
    def sure_of(label, n=40):
        probs = np.full((n, 300), 0.1 / 299, dtype=np.float32)
        probs[:, label] = 0.9
        return Predictions(probs, np.arange(n + 1))

    wrong = [sure_of(0)] * 3
    found = estimate(Labelled(wrong, wrong), Labelled(wrong, wrong), np.full(40, 256), None)
    assert found.score < 1


def test_words_without_a_gold_label_do_not_count():
    gold, source = world(10, tagging=False)
    _, target = world(11, tagging=False)
    blind = gold.copy()
    blind[::2] = IGNORED
    half = [Predictions(table.probs[1::2], np.arange(len(gold) // 2 + 1)) for table in source]
    models, fewer = Labelled(source, target), Labelled(half, target)
    assert estimate(models, models, blind, None) == estimate(fewer, fewer, gold[1::2], None)


def test_a_target_without_any_predicted_entity_is_estimated_at_nothing():
    gold, source = world(12)
    nothing = np.tile(np.array([0.9, 0.025, 0.025, 0.025, 0.025], dtype=np.float32), (50, 1))
    models = Labelled(source, [Predictions(nothing, np.arange(0, 51, 5))] * 3)
    assert max(values(estimate(models, models, gold, TAGS))) < 2  # of agreement the probit scale leaves a little


def test_the_interval_is_narrower_with_more_sentences_of_the_same_kind():
    gold, source = world(13, tagging=False, sentences=500)
    _, few = world(14, tagging=False, sentences=20)
    many = [Predictions(np.tile(table.probs, (100, 1)), np.arange(2001)) for table in few]
    one, other = (estimate(Labelled(source, t), Labelled(source, t), gold, None) for t in (few, many))
    assert values(one) == pytest.approx(values(other))
    assert other.score - other.low < one.score - one.low - 1


def test_the_interval_is_that_of_a_normal_error_on_the_probit_scale():
    """With very many sentences chance has no part in it: 1.2816 standard deviations hold 80 %."""
    gold, source = world(15, sentences=500)
    _, target = world(16, sentences=20, sure=2)
    many = [Predictions(np.tile(t.probs, (2000, 1)), _tiled(t.offsets, 2000)) for t in target]
    found = estimate(Labelled(source, many), Labelled(source, many), gold, TAGS)
    low, score, high = (ndtri(value / 100) for value in (found.low, found.score, found.high))
    assert score - low == pytest.approx(high - score) == pytest.approx(1.2816 * ERROR, rel=0.05)


def _tiled(offsets, times):
    return np.concatenate([[0], np.cumsum(np.tile(np.diff(offsets), times))])


def test_how_far_estimates_lie_apart_is_the_distance_of_the_outermost():
    assert Estimate(60.0, 0.0, 70.0, atc=50.0, doc=73.0, agreement=57.0).apart == 23.0


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.integers(1, 12), st.integers(1, 12), st.booleans(), st.floats(-2, 9))
def test_whatever_the_predictions_the_estimate_is_a_percentage_inside_its_interval(seed, n, m, tagging, sure):
    gold, source = world(seed, tagging=tagging, sentences=n, sure=sure)
    _, target = world(seed + 1, tagging=tagging, sentences=m)
    models = Labelled(source, target)
    found = estimate(models, models, gold, TAGS if tagging else None)
    assert 0 <= found.low <= found.score <= found.high <= 100
    assert all(0 <= value <= 100 for value in values(found))
    assert found == estimate(models, models, gold, TAGS if tagging else None)


@given(st.lists(st.lists(st.integers(0, 4), min_size=1, max_size=8), min_size=1, max_size=5), st.data())
def test_units_are_the_entities_that_the_score_counts(sentences, data):
    others = [data.draw(st.lists(st.integers(0, 4), min_size=len(s), max_size=len(s))) for s in sentences]
    offsets = np.concatenate([[0], np.cumsum([len(s) for s in sentences])])
    ours, theirs = (np.concatenate(labels).astype(np.int64) for labels in (sentences, others))
    a, b = (scored_units(labels, offsets, TAGS) for labels in (ours, theirs))
    counts = span_scores(names(ours, offsets), names(theirs, offsets), mode="conlleval").total
    assert (len(a.keys), len(b.keys), np.isin(a.keys, b.keys).sum()) == (counts.gold, counts.predicted, counts.correct)
