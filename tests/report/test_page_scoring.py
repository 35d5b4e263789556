"""Scores taken apart: what they add up to, and that intervals say what they should."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix

from uxla.metrics import span_f1
from uxla.records import IGNORED
from uxla.report.folder import TestSet
from uxla.report.paired import Pair, difference
from uxla.report.scoring import by_class, by_length, calibration, confusion, counts, score

NAMES = ("O", "B-A", "I-A", "B-B")


def made(rng, sizes, *, right=0.7, names=NAMES, ignored=0.0):
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    gold = rng.integers(0, len(names), offsets[-1])
    found = {
        name: np.where(rng.random(len(gold)) < share, gold, rng.integers(0, len(names), len(gold)))
        for name, share in (("uxla", right), ("zero_shot", right / 2))
    }
    gold = np.where(rng.random(len(gold)) < ignored, IGNORED, gold)
    texts = [[" ".join(["w"] * size)] for size in sizes]
    return TestSet(names, "uxla", texts, offsets, gold, rng.uniform(0.3, 1.0, len(gold)), found)


sentences = st.lists(st.integers(1, 9), min_size=1, max_size=30)


@given(sentences, st.integers(0, 9))
def test_counts_by_sentence_give_the_score_of_the_whole(sizes, seed):
    test = made(np.random.default_rng(seed), sizes)
    tags = [
        [[NAMES[label] for label in labels[a:b]] for a, b in zip(test.offsets[:-1], test.offsets[1:], strict=True)]
        for labels in (test.gold, test.labels["uxla"])
    ]
    assert score(counts(test, "uxla", spans=True)) == pytest.approx(span_f1(*tags, mode="conlleval"))


def test_with_one_label_an_example_the_score_is_accuracy():
    test = made(np.random.default_rng(0), [1] * 200, names=("yes", "no"))
    right = 100 * (test.gold == test.labels["uxla"]).mean()
    assert score(counts(test, "uxla", spans=False)) == pytest.approx(right)


@settings(max_examples=20)
@given(sentences, st.booleans())
def test_every_group_and_class_together_are_the_whole(sizes, spans):
    test = made(np.random.default_rng(1), sizes if spans else [1] * len(sizes))
    assert sum(int(inside.sum()) for inside in by_length(test, spans=spans).values()) == len(sizes)
    total = counts(test, "uxla", spans=spans).sum(axis=0)
    parts = sum(found.sum(axis=0) for found in by_class(test, "uxla", spans=spans).values())
    assert np.broadcast_to(parts, 3).tolist() == total.tolist()


def test_a_difference_is_signed_and_clear_of_zero_only_where_it_is_large():
    rng = np.random.default_rng(0)
    test = made(rng, [8] * 200)
    good, bad = (counts(test, name, spans=True) for name in ("uxla", "zero_shot"))
    up, down, same = (difference([Pair(*pair, 0)]) for pair in ((good, bad), (bad, good), (good, good)))
    assert (up.sign, down.sign, same.sign) == (1, -1, 0)
    assert up.low < up.value < up.high
    assert (same.low, same.value, same.high) == (0, 0, 0)
    assert up.value == pytest.approx(score(good) - score(bad))


def test_the_interval_holds_the_truth_about_as_often_as_it_says():
    rng, held = np.random.default_rng(5), 0
    for _ in range(60):
        one, other = (
            np.stack([np.ones(150), np.ones(150), rng.random(150) < p], axis=1).astype(int) for p in (0.7, 0.6)
        )
        found = difference([Pair(one, other, 0)])
        held += found.low <= 10 <= found.high
    assert 51 <= held <= 60


def test_one_example_has_no_interval():
    assert difference([Pair(np.array([[1, 1, 1]]), np.array([[1, 1, 0]]), 0)]) is None


def test_calibration_finds_what_was_put_in():
    rng = np.random.default_rng(0)
    test = made(rng, [1] * 20_000, names=("yes", "no"))
    right = rng.random(20_000) < test.confidence - 0.2
    gold = np.where(right, test.labels["uxla"], 1 - test.labels["uxla"])
    found = calibration(TestSet(*(getattr(test, n) if n != "gold" else gold for n in test.__dataclass_fields__)))
    assert found.ece == pytest.approx(20, abs=1)
    assert sum(size for *_, size in found.bins) == 20_000
    assert all(share == pytest.approx(sure - 0.2, abs=0.05) for sure, share, _ in found.bins)


def test_the_confusion_matrix_is_scikit_learns_without_ignored_words():
    test = made(np.random.default_rng(2), [5] * 40, ignored=0.2)
    known = test.gold != IGNORED
    assert 0 < known.sum() < 200
    expected = confusion_matrix(test.gold[known], test.labels["uxla"][known], labels=range(4))
    assert np.array(confusion(test, spans=True, widest=4).counts).tolist() == expected.tolist()


def test_a_confusion_of_too_many_tags_is_one_of_entity_types():
    names = ("O", *(f"{letter}-{kind}" for kind in "ABCDEFGHIJKLMNOPQR" for letter in "BI"))
    assert len(names) == 37, "as OntoNotes has"
    test = made(np.random.default_rng(4), [8] * 60, names=names, ignored=0.1)
    found = confusion(test, spans=True, widest=30)
    known = test.gold != IGNORED
    kinds = (np.arange(37) + 1) // 2  # O, then B and I of each type
    expected = confusion_matrix(kinds[test.gold[known]], kinds[test.labels["uxla"][known]])
    assert (len(found.labels), found.types) == (18 + 1, True)
    assert found.labels == ("O", *"ABCDEFGHIJKLMNOPQR"), "a type may be called O"
    assert np.array(found.counts).tolist() == expected.tolist()


def test_more_classes_than_there_is_room_for_have_no_confusion():
    test = made(np.random.default_rng(5), [1] * 60, names=tuple(f"B-{i}" for i in range(31)))
    assert confusion(test, spans=False, widest=30) is None
    assert confusion(test, spans=False, widest=31).types is False


def test_words_without_a_gold_label_count_nowhere():
    test = made(np.random.default_rng(3), [4] * 30, ignored=1.0)
    assert calibration(test) is None
    assert score(counts(test, "uxla", spans=True)) == 0
    assert np.array(confusion(test, spans=True, widest=4).counts).sum() == 0
