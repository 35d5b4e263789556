import time
from statistics import mean, stdev

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics import f1_score
from seqeval.metrics.v1 import precision_recall_fscore_support
from seqeval.scheme import IOB2

from uxla.metrics import Score, SpanCounts, accuracy, span_f1, span_scores

TAGS = st.sampled_from(["O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-A-B", "I-A-B"])
PAIRED = st.lists(st.lists(st.tuples(TAGS, TAGS), min_size=1, max_size=12), min_size=1, max_size=5)

HARD = {
    "stray I at the start": [["I-PER", "I-PER", "O"]],
    "stray I after O": [["B-PER", "O", "I-PER"]],
    "I of another type": [["B-PER", "I-LOC", "I-LOC"]],
    "I back to the first type": [["B-PER", "I-LOC", "I-PER"]],
    "two entities side by side": [["B-PER", "B-PER", "I-PER"]],
    "B after a stray I": [["I-PER", "B-PER", "I-PER"]],
    "entity up to the last word": [["O", "B-PER", "I-PER"]],
    "entity does not reach into the next sentence": [["O", "O", "B-PER"], ["I-PER", "O", "O"]],
}


def by_seqeval(gold, predicted, mode):
    options = {"mode": "strict", "scheme": IOB2} if mode == "strict" else {}
    return 100 * float(f1_score(gold, predicted, zero_division=0, **options))


@pytest.mark.parametrize("mode", ["strict", "conlleval"])
@given(sentences=PAIRED)
def test_span_f1_agrees_with_seqeval(mode, sentences):
    gold = [[g for g, _ in sentence] for sentence in sentences]
    predicted = [[p for _, p in sentence] for sentence in sentences]
    assert span_f1(gold, predicted, mode=mode) == pytest.approx(by_seqeval(gold, predicted, mode), abs=1e-9)


@given(sentences=PAIRED)
def test_scores_by_type_agree_with_seqeval(sentences):
    gold = [[g for g, _ in sentence] for sentence in sentences]
    predicted = [[p for _, p in sentence] for sentence in sentences]
    scores = list(span_scores(gold, predicted, mode="strict").by_type.values())
    theirs = precision_recall_fscore_support(gold, predicted, scheme=IOB2, zero_division=0)
    ours = [(s.precision / 100, s.recall / 100, s.f1 / 100, s.gold) for s in scores]
    assert np.allclose(np.array(ours).reshape(-1, 4), np.array(theirs).T)


@pytest.mark.parametrize("mode", ["strict", "conlleval"])
@pytest.mark.parametrize("one", HARD)
@pytest.mark.parametrize("other", HARD)
def test_hard_cases_agree_with_seqeval(mode, one, other):
    empty = ["O", "O", "O"]
    gold, predicted = [*HARD[one], empty][:2], [*HARD[other], empty][:2]
    assert span_f1(gold, predicted, mode=mode) == pytest.approx(by_seqeval(gold, predicted, mode))


def test_a_stray_i_is_an_entity_for_conlleval_only():
    gold, predicted = [["B-PER", "I-PER", "O"]], [["I-PER", "I-PER", "O"]]
    assert span_f1(gold, predicted, mode="strict") == 0.0
    assert span_f1(gold, predicted, mode="conlleval") == 100.0


def test_f1_by_hand():
    """2 gold, 3 predicted, 1 right: precision 1/3, recall 1/2, F1 2/5."""
    gold = [["B-PER", "I-PER", "O", "B-LOC"]]
    predicted = [["B-PER", "I-PER", "B-ORG", "B-ORG"]]
    scores = span_scores(gold, predicted, mode="strict")
    assert scores.total == SpanCounts(gold=2, predicted=3, correct=1)
    assert scores.total.precision == pytest.approx(100 / 3)
    assert (scores.total.recall, scores.total.f1) == (50.0, 40.0)
    assert scores.by_type == {
        "LOC": SpanCounts(1, 0, 0),
        "ORG": SpanCounts(0, 2, 0),
        "PER": SpanCounts(1, 1, 1),
    }


def test_nothing_to_find_and_nothing_found_is_zero_without_a_warning():
    assert span_f1([["O"]], [["O"]], mode="strict") == 0.0


def test_a_prediction_of_another_length_is_refused():
    with pytest.raises(ValueError, match="sentence 1: 1 predicted tags for 2 words"):
        span_f1([["O"], ["O", "O"]], [["O"], ["O"]], mode="strict")
    with pytest.raises(ValueError, match="shorter"):
        span_f1([["O"], ["O"]], [["O"]], mode="strict")


@pytest.mark.parametrize("tag", ["S-PER", "PER", "B-", "", "O-PER"])
def test_a_tag_that_is_not_iob_is_refused(tag):
    with pytest.raises(ValueError, match="is not O, B-TYPE or I-TYPE"):
        span_f1([[tag]], [["O"]], mode="conlleval")


def test_a_hundred_thousand_sentences_are_scored_in_seconds():
    row = ["O"] * 8 + ["B-PER", "I-PER", "O", "B-LOC", "O"]
    start = time.process_time()
    assert span_f1([row] * 100_000, [row] * 100_000, mode="strict") == 100.0
    assert time.process_time() - start < 15


def test_accuracy_is_the_share_of_equal_labels():
    assert accuracy([1, 2, 3, 0], [1, 2, 0, 0]) == 75.0
    assert accuracy([], []) == 0.0


@given(values=st.lists(st.floats(0, 100), min_size=2, max_size=5))
def test_a_score_is_mean_and_sample_deviation(values):
    score = Score.of(values, strict_f1=1.5)
    assert score.mean == pytest.approx(mean(values))
    assert score.sd == pytest.approx(stdev(values))
    assert score.as_dict() == {"mean": score.mean, "sd": score.sd, "models": values, "strict_f1": 1.5}


def test_a_score_of_one_model_has_no_deviation_and_plain_floats():
    score = Score.of(np.array([41.5], dtype=np.float32))
    assert score.as_dict() == {"mean": 41.5, "sd": 0.0, "models": [41.5]}
    assert {type(score.mean), type(score.sd), type(score.models[0])} == {float}
