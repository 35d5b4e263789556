"""From texts to words and back: the places that entities have in the text they were found in."""

import numpy as np

from uxla.models.entities import Entity, entities, mentions, spans_of, tags_of
from uxla.raw_text import split_words
from uxla.records import Predictions


def test_words_of_a_sentence_stand_one_space_apart():
    assert spans_of(["ko", "mira", "."]) == [(0, 2), (3, 7), (8, 9)]
    assert spans_of([]) == []


def test_an_entity_has_its_place_its_label_and_the_mean_of_its_words_probabilities():
    text, names = 'Ana Li saw "Lima".', ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")
    labels = np.array([3, 4, 0, 0, 1, 0, 0])
    probs = np.full((7, 5), 0.01, dtype=np.float32)
    probs[np.arange(7), labels] = [0.5, 1.0, 0.9, 0.9, 0.25, 0.9, 0.9]
    [answer] = mentions(Predictions(probs, np.array([0, 7])), labels, names)
    found = entities(text, split_words(text), answer)
    assert found == [Entity("Ana Li", "PER", 0, 6, 0.75), Entity("Lima", "LOC", 12, 16, 0.25)]
    assert all(text[entity.start : entity.end] == entity.text for entity in found)
    assert tags_of(answer, 7) == [names[label] for label in labels]
