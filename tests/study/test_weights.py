"""Which weights go, and when: nothing that a method, a target or the delivery still needs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from uxla.methods.method import Method
from uxla.methods.registry import METHODS
from uxla.records import Corpus, Example, ModelHandle
from uxla.study.inputs import Inputs
from uxla.study.settings import UXLA
from uxla.study.weights import Weights
from uxla.targets import Target


def corpus(name, *, labelled=True):
    return Corpus.from_examples(name, ("O",), [Example("0", "x", (name,), (0,) if labelled else None)])


ES, DE = (
    Target(corpus(f"{name} raw", labelled=False), test=corpus(f"{name} test"), dev=corpus(f"{name} dev"), name=name)
    for name in ("es", "de")
)
INPUTS = Inputs(corpus("train"), corpus("dev"), corpus("test"), (ES, DE))


class Gone:
    """A store that notes which weights it lost, by the names of the models, and whether they were removed."""

    def __init__(self):
        self.names, self.removed = [], set()

    def release_weights(self, place, *, remove):
        self.names.append(place.name)
        self.removed.add(remove)

    def require_weights(self, place):
        """Nothing that is delivered here was released before."""

    def __call__(self):
        names, self.names = self.names, []
        return sorted(names)


def models(name):
    return tuple(ModelHandle(Path(f"{name}{i}"), f"{name}{i}") for i in range(3))


W, E, F, G = map(models, "WEFG")


@pytest.fixture
def weights():
    """From the names of methods to their weights, and what went."""

    def made(*names, keep="last", **values):
        gone = Gone()
        methods = [METHODS[name] if isinstance(name, str) else name for name in names]
        return Weights(gone, keep, methods, UXLA(), **values), gone

    return made


def train(weights, target, name, start, after, epoch=1):
    """An epoch of a method, from the models `start` to those `after`."""
    for model in start:
        weights.replaced(target, name, model)
    weights.epoch_ended(target, name, epoch, after)


def test_of_the_default_methods_only_the_final_models_stay(weights):
    life, gone = weights("zero_shot", "penalty", "ensemble", "uxla")
    life.started("zero_shot", models("Z"), [ES])
    assert gone() == ["Z0", "Z1", "Z2"], "nothing is trained on from them"
    life.started("penalty", W, [ES])
    for name, after in (("zero_shot", [models("Z")]), ("penalty", [W])):
        life.ended(ES, METHODS[name], after)
    assert set(gone()) <= {"Z0", "Z1", "Z2"}
    life.replaced(ES, "uxla", W[2])
    assert gone() == ["W2"], "as soon as its successor is trained"
    train(life, ES, "uxla", W[:2], E)
    train(life, ES, "uxla", E, F, 2)
    assert gone() == ["E0", "E1", "E2", "W0", "W1"]
    life.ended(ES, METHODS["uxla"], [E, F])
    life.delivered(ES, F)
    assert not set(gone()) & {"F0", "F1", "F2"}


def test_a_warm_up_stays_until_the_last_target_and_the_last_method_has_begun_with_it(weights):
    life, gone = weights("tri_training", "uxla")
    life.started("penalty", W, [ES, DE])
    for target, name, left in ((ES, "uxla", []), (DE, "tri_training", []), (ES, "tri_training", []), (DE, "uxla", W)):
        train(life, target, name, W, models(f"{target.name}-{name}-"))
        assert gone() == [model.path.name for model in left]


def test_a_model_that_a_skipped_training_left_as_it_was_stays_for_the_others(weights):
    life, gone = weights("tri_training", "uxla")
    life.started("penalty", W, [ES])
    life.epoch_ended(ES, "tri_training", 1, W)
    train(life, ES, "tri_training", W, E, 2)
    assert gone() == []
    train(life, ES, "uxla", W, F)
    assert gone() == ["W0", "W1", "W2"]


def test_what_two_methods_come_to_alike_stays_until_the_second_has_gone_on(weights):
    same = METHODS["uxla"].schedule
    first = Method("first", "first", schedule=lambda epochs: same(epochs)[:2], rank=1)
    life, gone = weights(first, "uxla")
    life.started("penalty", W, [ES])
    train(life, ES, "first", W, E)
    train(life, ES, "first", E, F, 2)
    life.ended(ES, first, [E, F])
    assert gone() == [], "epoch 3 of uxla begins with F"
    for epoch, (start, after) in enumerate(((W, E), (E, F), (F, G)), start=1):
        train(life, ES, "uxla", start, after, epoch)
        assert gone() == [model.path.name for model in start]


def test_what_nothing_taught_stays_for_methods_that_may_come_to_the_same(weights):
    life, gone = weights("tri_training", "uxla")
    life.started("penalty", W, [ES])
    for model in E:
        life.untaught(ES, "tri_training", model)
    train(life, ES, "tri_training", W, E)
    train(life, ES, "tri_training", E, F, 2)
    assert gone() == []


@pytest.mark.parametrize("chosen", [W, E, F])
def test_all_epochs_stay_until_one_is_chosen(chosen, weights):
    life, gone = weights("penalty", "uxla", choosing=True)
    life.started("penalty", W, [ES])
    train(life, ES, "uxla", W, E)
    train(life, ES, "uxla", E, F, 2)
    life.ended(ES, METHODS["uxla"], [E, F])
    assert gone() == []
    life.delivered(ES, chosen)
    assert gone() == sorted(model.path.name for model in (*W, *E, *F) if model not in chosen)


def test_a_method_with_steps_of_its_own_keeps_all_until_it_has_ended(weights):
    own = Method("own", "own", steps=lambda lab, target, models: [], rank=1)
    life, gone = weights(own, "uxla")
    life.started("penalty", W, [ES])
    train(life, ES, "own", W, E)
    train(life, ES, "own", E, F, 2)
    life.ended(ES, own, [E, F])
    assert gone() == ["E0", "E1", "E2", "F0", "F1", "F2"]


@pytest.mark.parametrize(("keep", "names", "removed"), [("warmup", [], set()), ("all", ["W0", "W1", "W2"], {False})])
def test_more_weights_stay_where_that_is_asked_for(keep, names, removed, weights):
    life, gone = weights("uxla", keep=keep)
    life.started("penalty", W, [ES])
    train(life, ES, "uxla", W, E)
    assert gone() == names
    assert gone.removed == removed, "all: other runs are told that they are needed no longer"


def test_the_results_ask_of_each_method_what_is_listed_for_it(weights):
    life, _ = weights("zero_shot", "penalty", "tri_training", "uxla")

    def asked(method, target=ES):
        return [found.name for found in life.asked_of(method, target, INPUTS, 0)]

    assert asked("tri_training") == ["es test", "es dev"]
    assert asked("zero_shot") == ["es test", "es dev", "es raw", "dev"]
    assert asked("uxla") == ["es test", "es dev", "es raw", "dev"]
    assert asked("penalty") == ["es test", "es dev", "test", "es raw", "dev"]
    assert asked("uxla", replace(ES, test=None, dev=None)) == ["es raw", "dev"]
