"""The lines that a person reads while a run goes on."""

import pytest

from uxla.algorithm.agreement import Exact, NoAgreement, Token, Union
from uxla.algorithm.events import Part, Skipped, Step, Trained, Trains
from uxla.events import DataRead, Doubted, Event, Measured, TextsCut, TrainingEnded, Warned
from uxla.methods.method import Method, Start
from uxla.study.messages import Messages

EXACT = Exact()


def learn(
    hearing, place=(1, 1, 2, 3), source=True, *, gold=False, method="uxla", task="ner", agreement=EXACT, **agreed
):
    """What is told of one training: `agreed` are (how many teach, who has collapsed) by data set."""
    e, *models = place
    parts = [Part("en", 50)] if source else []
    parts += [Part("far labelled", 9)] if gold else []
    parts += [
        Part(name.replace("_", "~"), count, labelled={"of": 1000, "collapsed": collapsed})
        for name, (count, collapsed) in agreed.items()
    ]
    kind = Trains if any(part.size for part in parts) else Skipped
    step = Step(e, *(model - 1 for model in models))
    event = kind(step=step, method=method, target="far", parts=tuple(parts), epochs=3, agreement=agreement)
    [line] = said(hearing, event, task=task)
    return line


def said(hearing, *events, task="ner"):
    messages = Messages(task, "en")
    with hearing() as lines:
        for event in events:
            messages(event)
    return lines


def data(count, *collapsed):
    return count, list(collapsed)


@pytest.mark.parametrize(
    ("agreement", "how"),
    [
        (Exact(), "on which models 1 and 2 agree"),
        (Token(), "on whose words models 1 and 2 mostly agree"),
        (NoAgreement(), "that models 2 and 1 are both sure of, with the labels of model 2"),
        (Union(), "that model 1 or model 2 is sure of"),
        (None, "of whose labels it is surest"),
    ],
)
def test_a_lesson_says_what_teaches_whom_and_why(agreement, how, hearing):
    line = learn(hearing, (1, 2, 1, 3), agreement=agreement, far=data(522))
    assert line == f"[UXLA far, epoch 1/3] model 3 learns from 522 of 1,000 target sentences {how}"


def test_labelled_sentences_of_the_target_are_told_beside_the_others(hearing):
    line = learn(hearing, gold=True, far=data(522))
    assert line.endswith(
        "learns from 522 of 1,000 target sentences on which models 1 and 2 agree, and from 9 labelled target sentences"
    )
    assert learn(hearing, gold=True, far=data(0)).endswith(": model 3 learns from labelled text alone")
    assert learn(hearing, gold=True, source=False).endswith("model 3 learns from labelled text alone")
    assert Part("far labelled", 9).kind("far") == "target_labelled"


def test_several_data_sets_are_told_in_one_line(hearing):
    lessons = {"far": data(5), "en~": data(6), "far~": data(7)}
    line = learn(hearing, (3, 2, 3, 1), method="tri_training", task="nli", **lessons)
    assert line == (
        "[tri-training far, epoch 3/3] model 1 learns from 5 of 1,000 target pairs, 6 of 1,000 virtual source pairs "
        "and 7 of 1,000 virtual target pairs on which models 2 and 3 agree"
    )


@pytest.mark.parametrize(
    ("source", "agreement", "collapsed", "line"),
    [
        (
            True,
            EXACT,
            [],
            "models 1 and 2 agree on none of 1,000 target sentences: model 3 learns from the source alone",
        ),
        (False, Token(), [], "models 1 and 2 agree on none of 1,000 target sentences: model 3 stays as it is"),
        (False, Union(), [], "nothing is left of 1,000 target sentences: model 3 stays as it is"),
        (
            True,
            EXACT,
            ["j"],
            "nothing is left of 1,000 target sentences, since model 2 gives nearly one label only: "
            "model 3 learns from the source alone",
        ),
        (
            False,
            EXACT,
            ["k", "j"],
            "nothing is left of 1,000 target sentences, since models 1 and 2 give nearly one label only: "
            "model 3 stays as it is",
        ),
    ],
)
def test_where_nothing_is_left_the_line_says_why_and_what_the_model_does(source, agreement, collapsed, line, hearing):
    found = learn(hearing, source=source, agreement=agreement, far=data(0, *collapsed))
    assert found == f"[UXLA far, epoch 1/3] {line}"


def test_a_training_on_the_source_alone_says_so(hearing):
    assert learn(hearing).endswith("model 3 learns from the source alone")


def mine(k, j, selected):
    """An agreement of a user's own."""


def test_an_agreement_of_a_users_own_has_its_name_in_the_line(hearing):
    assert learn(hearing, agreement=mine, far=data(5)).endswith("that the agreement mine of models 1 and 2 leaves")


@pytest.mark.parametrize(
    ("method", "target", "task", "score", "line"),
    [
        ("penalty", None, "ner", 12.06, "warm-up 1 of 3: loss 0.10, dev F1 12.1"),
        ("zero_shot", None, "nli", 50.0, "warm-up without penalty 1 of 3: loss 0.10, dev accuracy 50.0"),
        ("supervised", "far", "ner", None, "supervised (target labels) far 1 of 3: loss 0.10"),
    ],
)
def test_a_training_on_labels_ends_with_its_loss_and_dev_score(method, target, task, score, line, hearing):
    event = TrainingEnded(method, target, 1, None, None, None, 4, 8, 0.104, score)
    assert said(hearing, event, task=task) == [line]


HEADS = TrainingEnded("three_heads", None, None, None, None, None, 4, 8, 0.1)
ADAPTED = TrainingEnded("uxla", "far", 3, 1, [1, 2], [], 4, 8, 0.1, 71.24, epochs=3)


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (HEADS, "UXLA, three heads, warm-up: loss 0.10"),
        (ADAPTED, "[UXLA far, epoch 1/3] model 3: loss 0.10, dev F1 71.2"),
        (Warned("all is lost; try again"), "Warning: all is lost; try again"),
        (Doubted("es", "labels", "there are none"), "es: there are none"),
        (Doubted("model", "classification layer", "its own is left out"), "its own is left out"),
        (DataRead("far", 10, 20, 5, 0), "en → far: 10 labelled, 20 raw sentences"),
    ],
)
def test_an_event_is_a_line(event, line, hearing):
    assert said(hearing, event) == [line]


def test_test_sentences_that_also_stand_in_train_are_told(hearing):
    assert said(hearing, DataRead("far", 10, 20, 5, 2))[1] == "far: 2 of 5 test sentences are also in its training data"


def test_what_nobody_need_read_is_no_line(hearing):
    skipped = TrainingEnded("uxla", "far", 3, 1, [1, 2], [], 0, epochs=3)
    assert said(hearing, Measured("t", {"loss": 1.0}), skipped, Event()) == []


def test_texts_that_were_cut_are_told_once_for_three_models(hearing):
    cut, other = TextsCut("es", 1, 3, 8), TextsCut("es test", 1, 3, 8)
    expected = [f"{name}: 1 of 3 longer than 8 pieces, cut" for name in ("es", "es test")]
    assert said(hearing, cut, cut, other, cut) == expected
    assert len(said(hearing, cut)) == 1, "another run tells it again"


def test_what_a_training_learned_from_stands_in_results_by_data_set():
    labelled = {"of": 1000, "selected_by_k": 800, "selected_by_j": 801, "collapsed": ["j"]}
    parts = (Part("en", 50, 100), Part("far", 522, 1044, labelled), Part("en~", 7, 14, labelled))
    event = Trained(step=Step(1, 0, 1, 2), parts=parts, epochs=3, model="m", began_with="b")
    gold, own, virtual = event.learned_from("far")
    assert gold == {"kind": "source", "of": 50, "kept": None, "taught": 50, "drawn": 100, "collapsed": []}
    assert own == {"kind": "target", "of": 1000, "kept": [800, 801], "taught": 522, "drawn": 1044, "collapsed": [2]}
    assert virtual["kind"] == "virtual_source"


def test_a_method_of_ones_own_and_its_warm_up_are_told_by_their_names(hearing):
    mine = Method("mine", "my own", start=Start("first", lambda lab: lab.warm_up("first"), "my warm-up"))
    messages = Messages("ner", "en", [mine])
    facts = {"steps": 1, "examples": 2, "loss": 0.5, "dev": None}
    adapted = {"epoch": 1, "epochs": 2, "peers": [1, 2], "learned_from": []}
    with hearing() as lines:
        messages(TrainingEnded("first", None, 1, epoch=None, peers=None, learned_from=None, **facts))
        messages(TrainingEnded("mine", "far", 3, **adapted, **facts))
    assert lines == ["my warm-up 1 of 3: loss 0.50", "[my own far, epoch 1/2] model 3: loss 0.50"]
