"""How sure an entity or a label is, and what it would be else: values worked out by hand, and what always holds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from uxla.confidence import Scaling
from uxla.models.mentions import Mention, mentions
from uxla.records import Predictions

NAMES = ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")


def predictions(*sentences):
    offsets = np.cumsum([0, *map(len, sentences)])
    return Predictions(np.concatenate(sentences).astype(np.float32), offsets)


def test_an_entity_is_as_sure_as_its_words_are_on_average_and_another_type_as_its_words_and_the_next_one_allow():
    sentence = [[0.0625, 0.125, 0, 0.75, 0.0625], [0.125, 0, 0.25, 0.125, 0.5], [0.5, 0, 0.25, 0, 0.25]]
    [[found]] = mentions(predictions(sentence), NAMES, words=True)
    assert found[:4] == (0, 2, "PER", (0.75 + 0.5) / 2)
    place, outside = 0.125 * 0.25 * (1 - 0.25), 0.0625 * 0.125
    assert found.second == ("LOC", pytest.approx((1 - found.confidence) * place / (place + outside)))


def test_what_is_left_goes_to_the_other_labels_by_their_shares():
    sentence = [[0.25, 0.125, 0, 0.625, 0]]
    [[found]] = mentions(predictions(sentence), NAMES, words=True)
    assert (found.confidence, found.second) == (0.625, ("O", 0.375 * 0.25 / 0.375))
    sentence = [[0.125, 0.25, 0, 0.625, 0]]
    [[found]] = mentions(predictions(sentence), NAMES, words=True)
    assert found.second == ("LOC", 0.25)


def test_the_next_sentence_does_not_continue_an_entity():
    first, second = [[0.125, 0.125, 0, 0.75, 0]], [[0, 0, 1.0, 0, 0], [1, 0, 0, 0, 0]]
    [[found], _] = mentions(predictions(first, second), NAMES, words=True)
    assert found.second[1] == 0.125


def test_types_with_only_one_of_b_and_i_have_a_confidence_too():
    names = ("O", "B-LOC", "I-PER")
    [found] = mentions(predictions([[0.25, 0.5, 0.25], [0.25, 0.25, 0.5]]), names, words=True)
    assert [(one.label, one.confidence) for one in found] == [("LOC", 0.5)]


def test_a_label_is_as_sure_as_its_probability_and_the_scaling_has_the_last_word():
    found = predictions([[0.125, 0.625, 0.25]], [[0.5, 0.25, 0.25]])
    assert mentions(found, "abc", words=False) == [
        [Mention(0, 0, "b", 0.625, ("c", 0.25))],
        [Mention(0, 0, "a", 0.5, ("b", 0.25))],
    ]
    [[scaled], _] = mentions(found, "abc", words=False, scaling=Scaling(1.0, 1.0))
    assert scaled.confidence == pytest.approx(1 / (1 + np.exp(-np.log(0.625 / 0.375) - 1)))
    assert scaled.second == ("c", pytest.approx((1 - scaled.confidence) * 0.25 / 0.375))


def test_sentences_without_entities_have_empty_answers():
    assert mentions(predictions([[1, 0, 0, 0, 0]] * 2, [[1, 0, 0, 0, 0]]), NAMES, words=True) == [[], []]


@given(
    hnp.arrays(np.float32, st.tuples(st.integers(1, 12), st.just(5)), elements=st.floats(0.0078125, 1, width=32)),
    st.floats(0.25, 4),
    st.floats(-2, 2),
)
def test_a_first_and_a_second_label_are_two_and_together_no_more_than_sure(probs, scale, shift):
    probs /= probs.sum(axis=1, keepdims=True)
    [answer] = mentions(Predictions(probs, np.array([0, len(probs)])), NAMES, words=True, scaling=Scaling(scale, shift))
    for found in answer:
        assert found.label != found.second[0]
        assert 0 <= found.second[1] <= found.confidence
        assert 0 < found.confidence + found.second[1] <= 1 + 1e-9


def test_an_answer_does_not_depend_on_the_sentences_around_it():
    generator = np.random.default_rng(0)
    sentences = [generator.dirichlet(np.full(5, 0.3), n) for n in (3, 7, 1, 4)]
    together = mentions(predictions(*sentences), NAMES, words=True)
    assert any(together)
    assert together == [mentions(predictions(each), NAMES, words=True)[0] for each in sentences]
