"""From texts to words and back: the places that entities have in the text they were found in."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from uxla.models.entities import Entity, entities, spans_of, word_spans


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Ana viajó a Lima .", ["Ana", "viajó", "a", "Lima", "."]),
        ("Ana viajó a Lima.", ["Ana", "viajó", "a", "Lima", "."]),
        ("  «Guinea-Bissau»,\tsaid 3,5\n", ["«", "Guinea-Bissau", "»", ",", "said", "3,5"]),
        ('¿Qué? ("no")', ["¿", "Qué", "?", "(", '"', "no", '"', ")"]),
        ("... -- a@b.c #x 5 %", ["...", "--", "a@b.c", "#x", "5", "%"]),
        ("北京。", ["北京", "。"]),
        ("", []),
        (" \t", []),
    ],
)
def test_words_are_what_stands_between_blanks_without_the_signs_around_it(text, words):
    assert [text[start:end] for start, end in word_spans(text)] == words


@given(st.text(alphabet=" \t\n.,'\"()aé北-", max_size=30))
def test_every_character_but_blanks_is_in_one_word_and_none_is_empty(text):
    places = word_spans(text)
    assert all(start < end for start, end in places)
    inside = [i for start, end in places for i in range(start, end)]
    assert inside == [i for i, char in enumerate(text) if char not in " \t\n"]


def test_words_of_a_sentence_stand_one_space_apart():
    assert spans_of(["ko", "mira", "."]) == [(0, 2), (3, 7), (8, 9)]
    assert spans_of([]) == []


def test_an_entity_has_its_place_its_label_and_the_mean_of_its_words_probabilities():
    text = 'Ana Li saw "Lima".'
    tags = ["B-PER", "I-PER", "O", "O", "B-LOC", "O", "O"]
    found = entities(text, word_spans(text), tags, np.array([0.5, 1.0, 0.9, 0.9, 0.25, 0.9, 0.9], dtype=np.float32))
    assert found == [Entity("Ana Li", "PER", 0, 6, 0.75), Entity("Lima", "LOC", 12, 16, 0.25)]
    assert all(text[entity.start : entity.end] == entity.text for entity in found)
