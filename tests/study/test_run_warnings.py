"""What a run warns of in its own results: each warning where it is due, with what to do, and none elsewhere."""

from types import SimpleNamespace

import numpy as np
import pytest

from uxla.config.run import load_config
from uxla.errors import spelled_as
from uxla.methods.method import Method
from uxla.records import Corpus, Example, Predictions
from uxla.study import run_warnings
from uxla.study.run_warnings import collapsed, one_snapshot, poor_models, untaught, vanished
from uxla.study.settings import method_of

TARGET = SimpleNamespace(name="far")
TAGS = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
OWN = load_config("testbed").warmup
LONGER = (
    f"train the warm-up longer (warm_up=uxla.WarmUp(batch_size={OWN.batch_size}, learning_rate={OWN.learning_rate:g}, "
    "epochs=…)) or on more labelled text"
)
OR_SO = f"{LONGER}, or set collapse_share=1 where the text really is so"


def test_a_longer_warm_up_is_a_key_or_a_whole_value():
    study = study_of("warmup.selection=last")
    assert "selection='last')) or on more" in run_warnings._train_longer(study)
    with spelled_as("yaml"):
        assert run_warnings._train_longer(study) == "train the warm-up longer (warmup.epochs) or on more labelled text"


def labelled(names, *labels):
    """A corpus of one word an example."""
    return Corpus.from_examples("c", names, [Example(str(i), "x", ("w",), (label,)) for i, label in enumerate(labels)])


def study_of(*overrides, train=None, dev=None, given=None, methods=()):
    """A study whose models are names; `given` has the labels that each gives to any corpus."""

    def predict(model, corpus):
        labels = np.asarray(given[model])
        return Predictions(np.eye(len(train.label_names), dtype=np.float32)[labels], np.arange(len(labels) + 1))

    config = load_config("testbed", overrides)
    return SimpleNamespace(
        inputs=SimpleNamespace(train=train, dev=dev),
        labelling=SimpleNamespace(task_name=config.task, predict=predict),
        uxla=method_of(config),
        warm_up_training=config.warmup,
        methods=methods,
        seed=config.seed,
    )


def warm_up(method, model, dev):
    return {"method": method, "target": None, "epoch": None, "model": model, "learned_from": None, "dev": dev}


def lesson(epoch, taught, *, method="uxla", kind="target", kept=(9, 9), collapsed=()):
    """One training of an epoch, given `taught` of ten sentences, and the source."""
    own = {"kind": kind, "of": 10, "taught": taught, "kept": list(kept), "collapsed": list(collapsed)}
    gold = {"kind": "source", "of": 50, "taught": 50, "kept": None, "collapsed": []}
    return {"method": method, "target": "far", "epoch": epoch, "model": 3, "learned_from": [gold, own], "dev": 60.0}


@pytest.mark.parametrize(
    ("task", "dev", "scores", "said"),
    [
        ("ner", (0, 0, 1), (12.1, 9.4, 5.8), "(+ confidence penalty: F1 12.1, 9.4 and 5.8; under 50)"),
        ("ner", (0, 0, 1), (49.0, 51.0, 51.0), None),
        (
            "nli",
            (0, 1, 2),
            (40.0, 45.0, 50.0),
            "(+ confidence penalty: accuracy 40.0, 45.0 and 50.0; always the most frequent label: 33.3)",
        ),
        ("nli", (0, 1, 2), (50.0, 50.0, 51.0), None),  # a quarter of the way from 33.3 to 100 is 50
        (
            "nli",
            (0, 0, 0, 1),
            (80.0, 80.0, 80.0),
            "(+ confidence penalty: accuracy 80.0, 80.0 and 80.0; always the most frequent label: 75.0)",
        ),
        ("nli", (0, 0, 0, 1), (82.0, 82.0, 82.0), None),
    ],
)
def test_models_that_know_hardly_more_than_chance_are_poor(task, dev, scores, said):
    trainings = [warm_up("penalty", i, score) for i, score in enumerate(scores, start=1)]
    study = study_of(f"task={task}", dev=labelled(("a", "b", "c"), *dev))
    begin, end = "source.dev: the models are poor there", "so do not trust their labels"
    assert list(poor_models(study, trainings)) == ([f"{begin} {said}, {end}; {LONGER}"] if said else [])


def test_a_dev_set_without_entities_is_not_told_as_poor_models():
    corpus = labelled(("O", "B-PER", "I-PER"), 0, 0, 0)
    trainings = [warm_up("penalty", i, 0.0) for i in (1, 2, 3)]
    said = "source.dev: it has no entity, so that no model can be scored or chosen by it; give a file that has some"
    assert list(poor_models(study_of(dev=corpus), trainings)) == [said]


def test_several_methods_with_poor_models_are_one_warning():
    trainings = [warm_up(method, i, 10.0) for method in ("zero_shot", "penalty") for i in (1, 2, 3)]
    [found] = poor_models(study_of(dev=labelled(("a", "b"), 0, 1)), trainings)
    figures = "F1 10.0, 10.0 and 10.0"
    assert f"(zero-shot: {figures}; + confidence penalty: {figures}; under 50)" in found


@pytest.mark.parametrize(("method", "every", "told"), [("snapshots", 50, 1), ("snapshots", 49, 0), ("penalty", 50, 0)])
def test_the_mean_of_one_snapshot_is_told(method, every, told):
    trainings = [{**warm_up(method, i, 60.0), "steps": 50} for i in (1, 2, 3)]
    found = list(one_snapshot(study_of(f"warmup.evaluate_every={every}"), trainings))
    assert [text.partition(", so that")[0] for text in found] == [
        "zero-shot, snapshots averaged: a training of 50 steps has one snapshot, its end"
    ] * told


def test_models_without_a_score_are_not_called_poor():
    assert not list(poor_models(study_of(), [warm_up("penalty", 1, None)]))


@pytest.mark.parametrize(
    ("trainings", "said"),
    [
        ([lesson(1, 0), lesson(2, 0)], "UXLA: no sentence of far taught any model: the models never agreed on one"),
        ([lesson(1, 4), lesson(2, 0)], "UXLA: in epoch 2 no sentence of far taught any model: the models never agreed"),
        ([lesson(1, 4), lesson(1, 0)], None),
        ([lesson(1, 0, kind="target"), lesson(1, 1, kind="virtual_target")], None),
        ([lesson(1, 0, kind="virtual_source")], None),  # it was to learn from no sentence of the target
        (
            [lesson(1, 0), lesson(1, 0, method="tri_training"), lesson(1, 3, method="no_agreement")],
            "UXLA and tri-training: no sentence of far taught any model",
        ),
        ([lesson(1, 0, kept=(0, 4))], "taught any model: distillation keeps too few of them; raise select.share"),
        ([lesson(1, 0, collapsed=[2])], "taught any model: model 2 gives nearly one label only and so teaches nobody;"),
        (
            [lesson(1, 0, collapsed=[1]), lesson(1, 0, collapsed=[1, 2])],
            "models 1 and 2 give nearly one label only and",
        ),
    ],
)
def test_where_no_sentence_of_the_target_taught_that_is_said_with_the_cause(trainings, said):
    found = list(untaught(study_of(), TARGET, trainings))
    assert len(found) == (said is not None)
    assert not found or said in found[0]


def test_each_epoch_in_which_nothing_taught_has_its_own_cause():
    trainings = [lesson(1, 0), lesson(2, 0, collapsed=[1]), lesson(3, 0), lesson(4, 0, collapsed=[2])]
    apart, collapsed = untaught(study_of(), TARGET, trainings)
    assert apart.startswith("UXLA: in epochs 1 and 3 no sentence of far taught any model: the models never agreed on")
    assert collapsed.startswith(
        "UXLA: in epochs 2 and 4 no sentence of far taught any model: models 1 and 2 give nearly one label only and so"
    )


@pytest.mark.parametrize(
    ("method", "ending"),
    [
        ("tri_training_paper", f"the models never agreed on one; {LONGER}"),
        ("no_agreement", "no two models are sure of the same one; raise select.share in schedule"),
    ],
)
def test_a_method_with_an_agreement_of_its_own_is_not_told_to_change_the_runs(method, ending):
    [found] = untaught(study_of("agree=token"), TARGET, [lesson(1, 0, method=method)])
    assert found.endswith(ending)


@pytest.mark.parametrize(
    ("overrides", "ending"),
    [
        ((), f"{LONGER}, or set agree=token"),
        (("agree=token",), f"{LONGER}, or lower agree.min_agreed"),
        (("task=nli",), LONGER),
        (
            ("warmup.epochs=null", "warmup.max_steps=9"),
            f"{LONGER.replace('epochs', 'max_steps')}, or set agree=token",
        ),
    ],
)
def test_what_to_do_about_peers_that_never_agree_fits_the_settings(overrides, ending):
    [found] = untaught(study_of(*overrides), TARGET, [lesson(1, 0)])
    assert found.endswith(f"the models never agreed on one; {ending}")


def share(of_first):
    """Twenty labels, so many of them the first."""
    return [0] * of_first + [1] * (20 - of_first)


GIVEN = {"all": share(20), "half": share(10), "few": share(19), "fewer": share(20)}


def told(states, before=None, *, dev=None, at_home=None):
    source = labelled(("no", "yes"), *(dev or share(10)))
    study = study_of("collapse_share=0.9", train=source, dev=source, given=GIVEN)
    if at_home is not None:
        raw, given = labelled(("no", "yes"), 0), study.labelling.predict
        study.labelling.predict = lambda model, corpus: given(at_home if corpus is source else model, corpus)
        return list(collapsed(study, raw, states, before))
    return list(collapsed(study, source, states, before))


def test_models_that_give_one_label_only_are_named_as_the_table_names_them():
    states = {"penalty": [("all", "half", "all")], "uxla": [("half",) * 3, ("half", "all", "half")]}
    assert told(states, ("half",) * 3) == [
        f"+ confidence penalty: models 1 and 3 give nearly one label only to raw text: collapsed; {OR_SO}",
        f"UXLA, epoch 2: model 2 gives nearly one label only to raw text: collapsed; {OR_SO}",
    ]


def test_one_collapse_over_several_epochs_is_one_warning():
    [found] = told({"uxla": [("all", "half", "half")] * 3}, ("half",) * 3)
    assert found.startswith("UXLA, epochs 1, 2 and 3: model 1 gives nearly one label only")


def test_few_other_labels_are_no_collapse_where_the_models_gave_few_before_and_can_tell_labels_apart():
    few = ("few",) * 3
    assert told({"penalty": [few], "uxla": [few]}, few, at_home="half") == []
    assert len(told({"uxla": [few]}, ("half",) * 3, at_home="half")) == 1
    assert len(told({"penalty": [few]}, at_home="few")) == 1


def test_where_the_source_has_one_label_nearly_only_nothing_is_a_collapse():
    assert told({"penalty": [("all",) * 3]}, dev=share(20)) == []


TRAIN = labelled(TAGS, *[0] * 80, *[1] * 10, *[3] * 10)


def lost(before, *final, train=TRAIN):
    given = {"before": before, **{f"m{i}": labels for i, labels in enumerate(final)}}
    study = study_of(train=train, given=given)
    warm_up = None if before is None else ("before",) * 3
    return list(vanished(study, TARGET, train, tuple(f"m{i}" for i in range(3)), warm_up))


PER, BOTH, NONE = [1] * 9 + [0] * 91, [1] * 9 + [4] * 9 + [0] * 82, [0] * 100


def test_a_type_that_adaptation_has_lost_is_named():
    [found] = lost(BOTH, PER, PER, PER)
    assert found.startswith(
        "LOC: after adaptation no model gives it to any sentence of far, as the warm-up's did; keep"
    )
    assert lost(BOTH, PER, PER, BOTH) == [], "one model that gives it is enough"
    assert lost(BOTH, NONE, NONE, NONE)[0].startswith("PER and LOC: after adaptation no model gives them")


@pytest.mark.parametrize("before", [PER, None])
def test_a_type_that_no_model_ever_gave_is_named_where_the_source_has_many(before):
    [found] = lost(before, PER, PER, PER)
    assert found.startswith("LOC: no model gives it to any sentence of far, though the source has many; look whether")
    rare = labelled(TAGS, *[0] * 88, *[1] * 10, *[3] * 2)
    assert lost(before, PER, PER, PER, train=rare) == [], "two in a hundred words may well not come"
    absent = labelled(TAGS, *[0] * 90, *[1] * 10)
    assert lost(before, PER, PER, PER, train=absent) == [], "the source has no such label either"


def test_a_label_with_control_marks_is_quoted_as_one_can_see_it():
    train = labelled(("O", "B-P\u202eR"), *[0] * 80, *[1] * 20)
    [found] = lost(None, NONE, NONE, NONE, train=train)
    assert found.startswith("'P\\u202eR': no model")


def test_a_method_of_ones_own_is_doubted_by_its_title_and_not_told_to_change_the_runs_agreement():
    mine = Method("mine", "my own", agreement="token")
    study = study_of(methods=[mine])
    [said] = untaught(study, TARGET, [lesson(1, 0, method="mine")])
    assert said.startswith("my own: no sentence of far taught any model: the models never agreed on one;")
    assert said.endswith(", or lower agree.min_agreed")
    fallen = study_of(train=labelled(TAGS, 0, 1, 0, 2), given={"m": [0] * 500, "b": [0, 1] * 250}, methods=[mine])
    [said] = collapsed(fallen, labelled(TAGS, *[0] * 500), {"mine": [("m", "b", "b")]}, ("b", "b", "b"))
    assert said.startswith("my own: ")
