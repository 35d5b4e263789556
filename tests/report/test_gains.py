"""Where adaptation helped, and what sentences say of it: known gains by class and length, no more than they show."""

import re

import numpy as np
import pytest

from uxla.report import findings
from uxla.report.folder import TestSet
from uxla.report.gains import MOST_CLASSES, Gain, Gains, class_gains, length_gains
from uxla.report.paired import Difference
from uxla.report.scoring import Calibration, Confusion, by_class, score
from uxla.report.trainings import flow

TAGS = ("O", "B-LOC", "B-PER")


def tagged(gold, before, after, names=TAGS):
    """A test set of one-word sentences: their gold labels, and those of zero-shot and UXLA."""
    size = len(gold)
    labels = {"uxla": np.array(after), "zero_shot": np.array(before)}
    words = [["w" * (1 + i % 4)] for i in range(size)]
    return TestSet(names, "uxla", words, np.arange(size + 1), np.array(gold), np.full(size, 0.5), labels)


def test_a_class_gains_what_its_own_entities_gain_and_the_largest_gain_is_first():
    # LOC: 2 of 2 found before and after. PER: 0 of 2 before, 1 of 2 after: F1 is 2 · 1 / (2 + 1).
    found = class_gains(tagged([1, 1, 2, 2, 0], [1, 1, 0, 0, 0], [1, 1, 2, 0, 0]), "zero_shot", spans=True)
    rows = {row.name: row for row in found.rows}
    assert list(rows) == ["PER", "LOC"]
    assert (rows["PER"].size, rows["PER"].before, rows["PER"].after) == (2, 0.0, pytest.approx(200 / 3))
    assert rows["PER"].difference.value == pytest.approx(200 / 3)
    assert (rows["LOC"].before, rows["LOC"].after, rows["LOC"].difference) == (100.0, 100.0, Difference(0.0, 0.0, 0.0))


def test_a_class_that_is_predicted_only_has_a_row_too():
    found = class_gains(tagged([1, 1, 0], [1, 1, 2], [1, 1, 0]), "zero_shot", spans=True)
    assert {row.name: (row.size, row.before, row.after) for row in found.rows}["PER"] == (0, 0.0, 0.0)


def test_of_sentence_tasks_each_label_is_a_class():
    test = tagged([0, 0, 1, 1], [0, 1, 1, 1], [0, 0, 1, 1], names=("no", "yes"))
    found = {row.name: row for row in class_gains(test, "zero_shot", spans=False).rows}
    assert (found["no"].before, found["no"].after) == (pytest.approx(200 / 3), 100.0)
    assert {name: score(one) for name, one in by_class(test, "zero_shot", spans=False).items()} == {
        "no": pytest.approx(200 / 3),
        "yes": pytest.approx(80.0),
    }


def test_of_many_classes_the_largest_are_shown():
    names = tuple(f"c{i}" for i in range(MOST_CLASSES + 5))
    gold = np.repeat(np.arange(len(names)), np.arange(len(names)) + 1)
    found = class_gains(tagged(gold, gold, gold, names=names), "zero_shot", spans=False)
    assert {row.name for row in found.rows} == set(names[5:])


def test_lengths_partition_the_examples():
    gold = [0, 1] * 20
    found = length_gains(tagged(gold, [0] * 40, gold, names=("no", "yes")), "zero_shot", spans=False)
    assert [row.name for row in found.rows] == ["1–2 characters", "3 characters", "4 characters"]
    assert sum(row.size for row in found.rows) == 40


def test_a_scale_has_room_for_every_score_and_interval():
    wide = Gain("a", 9, 42.0, 58.0, Difference(16.0, -5.0, 41.0))
    found = Gains.of([wide, Gain("b", 9, 70.0, 61.0, None)])
    assert found.scale == (30.0, 90.0)
    assert found.place(30) == 0
    assert found.place(60) == 50
    assert found.interval(wide) == (pytest.approx(100 * 7 / 60, abs=0.01), pytest.approx(100 * 53 / 60, abs=0.01))
    assert found.interval(found.rows[1]) == (found.place(61.0),) * 2


ONE_OF_TWO = "The gain is significant in 1 of 2 types"
SURE, UNSURE = Difference(5.0, 1.0, 9.0), Difference(5.0, -1.0, 9.0)


@pytest.mark.parametrize(
    ("after", "said"),
    [
        ([(62, SURE), (53, UNSURE)], f"A gained most (+12.0 points), B least (+3.0 points). {ONE_OF_TWO}"),
        ([(48, UNSURE), (53, SURE)], f"B gained most (+3.0 points), A lost most (−2.0 points). {ONE_OF_TWO}"),
        ([(48, None), (49, None)], "None of the 2 types gained; A lost most (−2.0 points)"),
        ([(62, SURE)], ""),
    ],
)
def test_the_sentence_about_gains_names_the_best_and_the_worst(after, said):
    rows = [Gain(name, 9, 50, *one) for name, one in zip("AB", after, strict=False)]
    assert re.sub("[\u2068\u2069]", "", findings.of_gains(Gains.of(rows), "types")) == said


def scored(*means, **more):
    return {"uxla": [{"mean": mean} for mean in means], **{name: {"mean": mean} for name, mean in more.items()}}


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (scored(60, 61, 65, penalty=59), "score 6.0 points above the warm-up; epoch 3 gained most"),
        (
            scored(66, 65, penalty=59),
            "score 6.0 points above the warm-up; epoch 1 gained most, and epoch 1 is the best",
        ),
        (scored(58, 57, penalty=59), "score 2.0 points below the warm-up: more epochs did not help"),
        (scored(60, 62), "score 2.0 points above epoch 1; epoch 2 gained most"),
        (scored(60), ""),
    ],
)
def test_the_sentence_about_epochs_says_where_the_gain_is_from(found, said):
    assert findings.of_scores(found).removeprefix("The last epoch's models ") == said


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (Calibration(1.2, ((0.9, 0.91, 10),)), "can be read as probabilities: on average they are off by 1.2 points"),
        (
            Calibration(9.0, ((0.5, 0.2, 1), (0.9, 0.6, 10))),
            "are too sure: labels of 90.0 % confidence are right in 60.0 %",
        ),
        (Calibration(9.0, ((0.5, 0.8, 9),)), "are too modest: labels of 50.0 % confidence are right in 80.0 %"),
    ],
)
def test_the_sentence_about_confidence_says_what_it_is_worth(found, said):
    assert said in findings.of_calibration(found)


def test_the_most_frequent_mistake_is_named():
    found = Confusion(("O", "A"), ((9, 1), (4, 7)))
    assert re.sub("[\u2068\u2069]", "", findings.of_confusion(found)) == (
        "The most frequent mistake is A labelled as O: 4 times"
    )
    assert findings.of_confusion(Confusion(("O", "A"), ((9, 0), (0, 7)))) == "No label was mistaken for another"


def training(epoch, taught, kind="target", collapsed=()):
    own = {"kind": kind, "of": 10, "kept": [8, 6], "taught": taught, "drawn": taught, "collapsed": list(collapsed)}
    return {"method": "uxla", "target": "far", "epoch": epoch, "learned_from": [own]}


def test_the_flow_is_the_mean_over_an_epochs_trainings():
    trainings = [training(1, 4), training(1, 6), training(2, 9, "virtual_target"), training(3, 0, collapsed=[2])]
    other = training(1, 10) | {"target": "near"}
    first, second, third = flow([*trainings, other, training(1, 1) | {"method": "tri_training"}], "far", "uxla")
    assert (first.trainings, first.streams[0].kept, first.streams[0].taught) == (2, (8, 6), 5)
    assert second.streams[0].kind == "virtual_target"
    assert (third.skipped, third.collapsed) == (1, ("target",))
    said = findings.of_flow((first, second, third))
    assert said == "50 % of the raw target sentences taught a model in epoch 1, 0 % in epoch 3"
    assert findings.of_flow((second,)) == ""
