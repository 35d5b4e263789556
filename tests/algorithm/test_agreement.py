"""What two peers have in common, agreement by agreement."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from uxla.algorithm.agreement import AGREEMENTS, Exact, NoAgreement, Token, Union, kind_of
from uxla.records import IGNORED, Predictions


@st.composite
def predictions(draw, lengths=None):
    lengths = draw(st.lists(st.integers(1, 5), min_size=1, max_size=20)) if lengths is None else lengths
    raw = draw(
        arrays.arrays(np.float32, (sum(lengths), 3), elements=st.floats(0.015625, 1, width=32), fill=st.nothing())
    )
    return Predictions(raw / raw.sum(1, keepdims=True), np.cumsum([0, *lengths]))


@st.composite
def peers(draw):
    lengths = draw(st.lists(st.integers(1, 5), min_size=1, max_size=20))
    return draw(predictions(lengths)), draw(predictions(lengths))


def agree(how, k, j):
    """(chosen, labels) where both peers selected every example."""
    everything = np.ones(len(k), dtype=np.bool_)
    chosen, agreed, labels = how(k, j, (everything, everything))
    assert (chosen == agreed).all()
    return chosen, labels


@given(peers())
def test_exact_agreement_is_symmetric_and_means_equal_labels(pair):
    k, j = pair
    chosen, labels = agree(Exact(), k, j)
    assert (chosen == agree(Exact(), j, k)[0]).all()
    for i, kept in enumerate(chosen):
        rows = slice(k.offsets[i], k.offsets[i + 1])
        assert kept == (k.pseudo_labels[rows] == j.pseudo_labels[rows]).all()
        assert (labels[rows] == k.pseudo_labels[rows]).all()


@given(predictions())
def test_a_model_agrees_with_itself_on_everything(found):
    for how in (Exact(), NoAgreement(), Token()):
        chosen, labels = agree(how, found, found)
        assert chosen.all()
        assert (labels == found.pseudo_labels).all()


@given(peers(), st.floats(0, 1))
def test_token_agreement_hides_just_the_disputed_words(pair, min_agreed):
    k, j = pair
    chosen, labels = agree(Token(min_agreed), k, j)
    assert ((labels == IGNORED) == (k.pseudo_labels != j.pseudo_labels)).all()
    for i, kept in enumerate(chosen):
        rows = slice(k.offsets[i], k.offsets[i + 1])
        assert kept == ((k.pseudo_labels[rows] == j.pseudo_labels[rows]).mean() >= min_agreed)


@given(peers())
def test_without_agreement_everything_passes_with_the_labels_of_k(pair):
    k, j = pair
    chosen, labels = agree(NoAgreement(), k, j)
    assert chosen.all()
    assert (labels == k.pseudo_labels).all()


def test_union_takes_what_either_peer_selected_with_the_label_of_the_surer_one():
    k = Predictions(np.array([[0.9, 0.1], [0.6, 0.4], [0.9, 0.1], [0.9, 0.1]], np.float32), np.arange(5))
    j = Predictions(np.array([[0.2, 0.8], [0.2, 0.8], [0.1, 0.9], [0.2, 0.8]], np.float32), np.arange(5))
    selected = np.array([True, True, True, False]), np.array([True, True, True, False])
    chosen, agreed, labels = Union()(k, j, selected)
    assert chosen.tolist() == [True, True, True, False]
    assert not agreed.any()
    assert labels.tolist()[:3] == [0, 1, 0]
    one = np.array([False, True, False, False]), np.array([True, False, False, False])
    chosen, _, labels = Union()(k, j, one)
    assert chosen.tolist() == [True, True, False, False]
    assert labels.tolist()[:2] == [1, 0]


@given(peers(), st.randoms(use_true_random=False))
def test_but_for_union_both_peers_must_have_selected(pair, rng):
    k, j = pair
    selected = tuple(np.array([rng.random() < 0.5 for _ in range(len(k))]) for _ in "kj")
    for how in (Exact(), Token(), NoAgreement()):
        chosen, agreed, labels = how(k, j, selected)
        expected, expected_labels = agree(how, k, j)
        assert (chosen == selected[0] & selected[1] & expected).all()
        assert (agreed == expected).all()
        assert (labels == expected_labels).all()
    assert (Union()(k, j, selected)[0] == selected[0] | selected[1]).all()


def majority(k, j, selected):
    return Exact()(k, j, selected)


@pytest.mark.parametrize(
    ("agreement", "kind"), [(Exact(), "exact"), (Token(0.3), "token"), (majority, "majority"), (NoAgreement(), "none")]
)
def test_an_agreement_has_the_name_of_its_kind_or_of_its_function(agreement, kind):
    assert kind_of(agreement) == kind
    assert AGREEMENTS.get(kind, type(agreement)) is type(agreement)
