"""The one decoder: valid in IOB2, the best of all valid sequences, and what is scored is what it gives."""

import time
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics import f1_score
from seqeval.scheme import IOB2

from uxla.decoding import decode
from uxla.metrics import span_f1
from uxla.models.tasks import Tagging
from uxla.records import Corpus, Example, Predictions
from uxla.report.folder import TestSet
from uxla.report.scoring import counts, score

TAGS = ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")
SIZES = st.lists(st.integers(0, 6), min_size=1, max_size=6)


def table(sizes, seed, classes=5, spread=0.4):
    """Random probabilities: spread out where `spread` is large, nearly sure of one class where it is small."""
    rows = np.random.default_rng(seed).dirichlet(np.full(classes, spread), sum(sizes)).astype(np.float32)
    return Predictions(rows.reshape(-1, classes), np.concatenate([[0], np.cumsum(sizes)]))


def tags(found, names):
    labels = [names[label] for label in decode(found, names)]
    return [labels[start:stop] for start, stop in pairwise(found.offsets)]


def valid(sequence):
    before = "O"
    for tag in sequence:
        if tag[0] == "I" and before not in (tag, f"B-{tag[2:]}"):
            return False
        before = tag
    return True


def best_of_all(probs):
    """The best score of any valid sequence, found by trying all."""
    logs = np.log(np.maximum(probs, np.finfo(np.float32).tiny), dtype=np.float64)
    sequences = [s for s in product(range(len(TAGS)), repeat=len(logs)) if valid([TAGS[i] for i in s])]
    return max(sum(row[label] for row, label in zip(logs, s, strict=True)) for s in sequences), logs


@given(st.lists(st.integers(1, 4), min_size=1, max_size=2), st.integers(0, 10_000))
def test_no_valid_sequence_is_more_probable(sizes, seed):
    found = table(sizes, seed)
    labels = decode(found, TAGS)
    for start, stop in pairwise(found.offsets):
        best, logs = best_of_all(found.probs[start:stop])
        assert logs[np.arange(stop - start), labels[start:stop]].sum() == pytest.approx(best)


@given(SIZES, st.integers(0, 10_000), st.sampled_from([0.01, 0.4, 5.0]))
def test_labels_are_valid_iob2_and_the_most_probable_ones_where_these_are(sizes, seed, spread):
    found = table(sizes, seed, spread=spread)
    sequences = tags(found, TAGS)
    assert [len(sequence) for sequence in sequences] == sizes
    plain = [[TAGS[i] for i in found.pseudo_labels[start:stop]] for start, stop in pairwise(found.offsets)]
    for sequence, most_probable in zip(sequences, plain, strict=True):
        assert valid(sequence)
        assert not valid(most_probable) or sequence == most_probable


def test_a_sentence_by_hand():
    """Most probable alone: O I-LOC, of 0.6 · 0.7. Valid are O O (0.6 · 0.1) and B-LOC I-LOC (0.3 · 0.7), which wins; in
    the second sentence the first word is surer: O O (0.9 · 0.1) before B-LOC I-LOC (0.05 · 0.7)."""
    rows = [[0.6, 0.3, 0.1, 0, 0], [0.1, 0.1, 0.7, 0.1, 0], [0.9, 0.05, 0.05, 0, 0], [0.1, 0.1, 0.7, 0.1, 0]]
    found = Predictions(np.array(rows, dtype=np.float32), np.array([0, 2, 4]))
    assert tags(found, TAGS) == [["B-LOC", "I-LOC"], ["O", "O"]]


def test_other_tasks_have_the_most_probable_label_of_each_row():
    found = table([1] * 50, 0)
    assert (decode(found, None) == found.pseudo_labels).all()
    assert (decode(found, TAGS) != found.pseudo_labels).any()


def test_a_label_set_without_the_beginning_of_a_type_is_decoded_without_that_type():
    found = Predictions(np.array([[0.2, 0.8], [0.2, 0.8]], dtype=np.float32), np.array([0, 2]))
    assert decode(found, ("O", "I-X")).tolist() == [0, 0]


def test_the_order_and_company_of_sentences_change_nothing():
    found = table([3, 9, 1, 0, 9, 4], 5)
    alone = [
        decode(Predictions(found.probs[a:b], np.array([0, b - a])), TAGS).tolist() for a, b in pairwise(found.offsets)
    ]
    assert decode(found, TAGS).tolist() == [label for labels in alone for label in labels]


@pytest.mark.parametrize("size", [20, 10_000])
def test_many_words_are_decoded_in_seconds(size):
    found = table([size] * (100_000 // size), 1, classes=9)
    names = ("O", *(f"{letter}-{kind}" for kind in "WXYZ" for letter in "BI"))
    began = time.process_time()
    decode(found, names)
    assert time.process_time() - began < 10


@given(st.lists(st.integers(1, 8), min_size=1, max_size=6), st.integers(0, 10_000))
def test_the_score_is_that_of_the_labels_that_are_given_out(sizes, seed):
    gold, found = tags(table(sizes, seed + 1), TAGS), table(sizes, seed)
    examples = [
        Example(str(i), "x", (" ".join("w" * len(row)),), tuple(map(TAGS.index, row))) for i, row in enumerate(gold)
    ]
    scored = Tagging().score(Corpus.from_examples("c", TAGS, examples), found)
    given_out = tags(found, TAGS)
    by_seqeval = 100 * float(f1_score(gold, given_out, zero_division=0))
    assert list(scored) == ["f1", "strict_f1"], "the headline figure comes first"
    assert scored["f1"] == pytest.approx(span_f1(gold, given_out, mode="conlleval"))
    assert scored["f1"] == pytest.approx(by_seqeval)
    strict = 100 * float(f1_score(gold, given_out, mode="strict", scheme=IOB2, zero_division=0))
    assert scored["strict_f1"] == pytest.approx(strict) == pytest.approx(scored["f1"])
    labels, flat = decode(found, TAGS), np.array([TAGS.index(tag) for row in gold for tag in row])
    test = TestSet(TAGS, "uxla", [["w"]] * len(sizes), found.offsets, flat, np.zeros(len(flat)), {"uxla": labels})
    assert score(counts(test, "uxla", spans=True)) == pytest.approx(scored["f1"])
