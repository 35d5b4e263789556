"""The test examples of the page that went wrong: which kind each is, in what order, and how many at most."""

import numpy as np
import pytest

from uxla.records import IGNORED
from uxla.report.folder import TestSet
from uxla.report.mistakes import MOST, mistakes

TAGS = ("O", "B-PER", "I-PER")


def made(gold, before, after, sure, names=TAGS, words=None):
    """A test set of sentences; each label list is one sentence."""
    offsets = np.cumsum([0, *map(len, gold)])
    flat = {
        name: np.concatenate([np.array(one) for one in of]) for name, of in (("uxla", after), ("zero_shot", before))
    }
    texts = words or [[" ".join(f"w{i}" for i in range(len(one)))] for one in gold]
    return TestSet(names, "uxla", texts, offsets, np.concatenate(gold), np.repeat(sure, np.diff(offsets)), flat)


FIXED, BROKEN, STILL, RIGHT = (
    ([1, 2], [0, 0], [1, 2]),
    ([1, 0], [1, 0], [0, 1]),
    ([1, 2], [1, 0], [1, 1]),
    ([0], [0], [0]),
)


def test_each_example_is_of_one_kind_and_the_surest_are_first():
    gold, before, after = zip(*(FIXED, BROKEN, STILL, RIGHT), strict=True)
    found = mistakes(made(gold, before, after, [0.7, 0.8, 0.9, 0.99]), "zero_shot", spans=True)
    assert found["counts"] == {"broken": 1, "wrong": 1, "fixed": 1}
    assert [(row["kind"], row["sure"]) for row in found["rows"]] == [("wrong", 0.9), ("broken", 0.8), ("fixed", 0.7)]


def test_a_row_has_the_entities_of_gold_before_and_after():
    gold, before, after = zip(STILL, strict=True)
    [row] = mistakes(made(gold, before, after, [0.5]), "zero_shot", spans=True)["rows"]
    assert row["text"] == ["w0 w1"]
    assert row["labels"] == [[("PER", 0, 2)], [("PER", 0, 1)], [("PER", 0, 1), ("PER", 1, 2)]]


def test_without_a_method_to_compare_with_the_wrong_ones_are_shown():
    gold, before, after = zip(*(FIXED, BROKEN, STILL), strict=True)
    found = mistakes(made(gold, before, after, [0.5] * 3), None, spans=True)
    assert found["counts"] == {"broken": 0, "wrong": 2, "fixed": 0}
    assert all(len(row["labels"]) == 2 for row in found["rows"])


def test_of_sentence_tasks_a_row_has_the_labels():
    one = made([[0], [1]], [[1], [1]], [[0], [0]], [0.9, 0.8], names=("no", "yes"))
    rows = mistakes(one, "zero_shot", spans=False)["rows"]
    assert [(row["kind"], row["labels"]) for row in rows] == [
        ("fixed", ["no", "yes", "no"]),
        ("broken", ["yes", "yes", "no"]),
    ]


def test_words_without_a_gold_label_are_neither_right_nor_wrong():
    one = made([[IGNORED, 0]], [[0, 0]], [[1, 0]], [0.9])
    assert mistakes(one, "zero_shot", spans=True)["rows"] == []
    [row] = mistakes(made([[IGNORED, 1]], [[1, 1]], [[1, 0]], [0.9]), "zero_shot", spans=True)["rows"]
    assert row["labels"] == [[("PER", 1, 2)], [("PER", 1, 2)], []]


@pytest.mark.parametrize("length", [1, 20_000])
def test_no_more_stand_in_a_page_than_it_has_room_for(length):
    size = MOST + 50
    one = made([[0]] * size, [[0]] * size, [[1]] * size, np.linspace(0, 1, size), words=[["w" * length]] * size)
    found = mistakes(one, "zero_shot", spans=True)
    assert found["counts"]["broken"] == size
    assert len(found["rows"]) == (MOST if length == 1 else 100)
    assert found["rows"][0]["sure"] == 1.0
