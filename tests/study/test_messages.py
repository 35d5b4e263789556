"""The lines that a person reads while a run goes on."""

import json

import pytest

from uxla.records import ModelHandle
from uxla.store.journal import Journal, read
from uxla.study.trainings import Course

CO_LABEL = {"of": 1000, "kept_by_k": 800, "kept_by_j": 801, "classes": {}}


@pytest.fixture
def course(tmp_path):
    def made(method="uxla", target="far", agreement="exact", trainings=None, task="ner", score=71.24):
        journal = Journal(tmp_path / "journal.jsonl")
        journal.open()
        return Course(method, target, task, journal, trainings, lambda model: score, 3, agreement)

    return made


def learn(course, hearing, place=(1, 1, 2, 3), source=True, **agreed):
    """What is told of one training: `agreed` are (how many teach, who has collapsed) by data set."""
    where = dict(zip(("epoch", "k", "j", "l"), place, strict=True))
    sizes = ({"en": 50} if source else {}) | {name: count for name, (count, _) in agreed.items()}
    with hearing() as lines:
        for name, (count, collapsed) in agreed.items():
            course.record("co_label", **where, data=name, agreed=count, collapsed=collapsed, **CO_LABEL)
        event = "train" if any(sizes.values()) else "skip"
        drawn = {"drawn": {name: 2 * size for name, size in sizes.items()}} if event == "train" else {}
        course.record(event, **where, sizes=sizes, **drawn)
    [line] = lines
    return line


def data(count, *collapsed):
    return count, list(collapsed)


@pytest.mark.parametrize(
    ("agreement", "how"),
    [
        ("exact", "on which models 1 and 2 agree"),
        ("token", "on whose words models 1 and 2 mostly agree"),
        ("none", "that models 2 and 1 are both sure of, with the labels of model 2"),
        ("union", "that model 1 or model 2 is sure of"),
        ("alone", "of whose labels it is surest"),
    ],
)
def test_a_lesson_says_what_teaches_whom_and_why(agreement, how, course, hearing):
    said = learn(course(agreement=agreement), hearing, (1, 2, 1, 3), far=data(522))
    assert said == f"[UXLA far, epoch 1/3] model 3 learns from 522 of 1,000 target sentences {how}"


def test_several_data_sets_are_told_in_one_line(course, hearing):
    lessons = {"far": data(5), "en~": data(6), "far~": data(7)}
    said = learn(course("tri_training", task="nli"), hearing, (3, 2, 3, 1), **lessons)
    assert said == (
        "[tri-training far, epoch 3/3] model 1 learns from 5 of 1,000 target pairs, 6 of 1,000 virtual source pairs "
        "and 7 of 1,000 virtual target pairs on which models 2 and 3 agree"
    )


@pytest.mark.parametrize(
    ("source", "agreement", "collapsed", "said"),
    [
        (
            True,
            "exact",
            [],
            "models 1 and 2 agree on none of 1,000 target sentences: model 3 learns from the source alone",
        ),
        (False, "token", [], "models 1 and 2 agree on none of 1,000 target sentences: model 3 stays as it is"),
        (False, "union", [], "nothing is left of 1,000 target sentences: model 3 stays as it is"),
        (
            True,
            "exact",
            ["j"],
            "nothing is left of 1,000 target sentences, since model 2 gives nearly one label only: "
            "model 3 learns from the source alone",
        ),
        (
            False,
            "exact",
            ["k", "j"],
            "nothing is left of 1,000 target sentences, since models 1 and 2 give nearly one label only: "
            "model 3 stays as it is",
        ),
    ],
)
def test_where_nothing_is_left_the_line_says_why_and_what_the_model_does(
    source, agreement, collapsed, said, course, hearing
):
    found = learn(course(agreement=agreement), hearing, source=source, far=data(0, *collapsed))
    assert found == f"[UXLA far, epoch 1/3] {said}"


def test_a_training_on_the_source_alone_says_so(course, hearing):
    assert learn(course(), hearing).endswith("model 3 learns from the source alone")


FACTS = {"steps": 4, "examples": 8, "loss": 0.104, "weights": "digest", "cut": 0}
MODEL = ModelHandle("m", "digest")


@pytest.mark.parametrize(
    ("method", "target", "task", "score", "said"),
    [
        ("penalty", None, "ner", 12.06, "warm-up 1 of 3: loss 0.10, dev F1 12.1"),
        ("zero_shot", None, "nli", 50.0, "warm-up without penalty 1 of 3: loss 0.10, dev accuracy 50.0"),
        ("supervised", "far", "ner", None, "supervised (target labels) far 1 of 3: loss 0.10"),
    ],
)
def test_a_training_on_labels_ends_with_its_loss_and_dev_score(method, target, task, score, said, course, hearing):
    one = course(method, target, task=task, score=score, trainings=[])
    with hearing() as lines:
        one.begin(1)(MODEL, FACTS)
    assert lines == [said]


def test_a_training_is_told_once_and_stands_in_the_journal_as_in_the_results(course, hearing):
    trainings = []
    for one in (course(trainings=trainings), course(trainings=trainings)):
        learn(one, hearing, far=data(522))
        with hearing() as lines:
            one.ended(MODEL, FACTS)
    assert lines == [], "the second time it was found in the store"
    [made] = trainings
    assert (made["method"], made["target"], made["epoch"], made["peers"], made["model"]) == (
        "uxla",
        "far",
        1,
        [1, 2],
        3,
    )
    assert (made["steps"], made["examples"], made["loss"], made["dev"]) == (4, 8, 0.104, 71.24)
    gold, own = made["learned_from"]
    assert gold == {"kind": "source", "of": 50, "kept": None, "taught": 50, "drawn": 100, "collapsed": []}
    assert own == {"kind": "target", "of": 1000, "kept": [800, 801], "taught": 522, "drawn": 1044, "collapsed": []}
    told = [event for event in read(one.journal.path) if event["event"] == "training"]
    assert [{name: event[name] for name in made} for event in told] == [json.loads(json.dumps(made))]


def test_a_training_that_did_not_take_place_stands_there_too(course, hearing):
    trainings = []
    learn(course(trainings=trainings), hearing, source=False, far=data(0))
    [made] = trainings
    assert (made["steps"], made["loss"], made["dev"]) == (0, None, None)


def test_where_nobody_asks_nothing_is_scored_or_kept(course, hearing):
    one = course(score=None)
    one.score = None  # not to be called
    with hearing() as lines:
        one.begin(1)(MODEL, FACTS)
    assert lines == []
