"""From texts to words and back: the places that entities have in the text they were found in."""

from uxla.models.entities import Entity, entities, tags_of
from uxla.models.mentions import Mention
from uxla.raw_text import split_words


def test_an_entity_has_its_place_its_label_and_its_confidence():
    text, answer = 'Ana Li saw "Lima".', [Mention(0, 2, "PER", 0.75, ("ORG", 0.125)), Mention(4, 5, "LOC", 0.25)]
    found = entities(text, split_words(text), answer)
    assert found == [Entity("Ana Li", "PER", 0, 6, 0.75, ("ORG", 0.125)), Entity("Lima", "LOC", 12, 16, 0.25)]
    assert all(text[entity.start : entity.end] == entity.text for entity in found)
    assert tags_of(answer, 7) == ["B-PER", "I-PER", "O", "O", "B-LOC", "O", "O"]
