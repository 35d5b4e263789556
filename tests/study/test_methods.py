"""Each method differs from UXLA in what its name says, and in nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from uxla.algorithm.agreement import Exact, NoAgreement, Token, Union
from uxla.algorithm.cotraining import Epoch
from uxla.algorithm.distil import CleanCluster, MostConfident
from uxla.algorithm.events import Trains
from uxla.config.run import load_config
from uxla.config.training import Adaptation, WarmUp
from uxla.methods.description import describe, described
from uxla.methods.method import PENALISED, Method, Start
from uxla.methods.registry import (
    METHODS,
    final_method,
    find,
    makes_models,
    names,
    ordered,
    row_titles,
    title,
    trainings_of,
)
from uxla.records import Corpus, Example, ModelHandle
from uxla.study.inputs import Inputs
from uxla.study.pipeline import asks_vicinity
from uxla.study.settings import UXLA, method_of
from uxla.targets import Target

HANDLE = ModelHandle(Path("m"), "digest")
SOURCE = Corpus.from_examples("en", ("O",), [Example("0", "en", ("a",), (0,))])
TARGET = Corpus.from_examples("es", ("O",), [Example("0", "es", ("b",), None)])
TRANSLATED = Corpus.from_examples("es translated", ("O",), [Example("0", "es", ("c",), (0,))])
INPUTS = Inputs(SOURCE, None, None, (Target(TARGET, labelled=SOURCE, translated=TRANSLATED, name="es"),))


class Lab:
    """Remembers with what Algorithm 1 is called; the run's epochs select in three ways."""

    epochs = (
        Epoch(MostConfident(0.8), source=True, target=True),
        Epoch(CleanCluster(0.5), target_vicinity=True),
        Epoch(MostConfident(0.9, per_class=True), source=True, source_vicinity=True, target_vicinity=True),
    )

    def cotrain(self, method, target, models, epochs, *, agreement=None, order=None):
        self.called = {"models": models, "epochs": list(epochs), "agreement": agreement, "order": order}
        return [models]

    def three_heads(self):
        return tuple(replace(HANDLE, head=head) for head in range(3))

    def warm_up(self, method, *, penalty=True, **how):
        return tuple(ModelHandle(Path(method), f"{method} {penalty} {i}") for i in range(3))


def called(name):
    """With what a method calls Algorithm 1."""
    lab, method = Lab(), METHODS[name]
    method.run(lab, INPUTS.targets[0], method.start.make(lab))
    return lab.called


def differing(one, other="uxla"):
    found, own = called(one), called(other)
    return {name for name in found if found[name] != own[name]}


def data(epochs):
    names = ("source", "target", "source_vicinity", "target_vicinity")
    return [{name for name in names if getattr(epoch, name)} for epoch in epochs]


def test_uxla_is_algorithm_1_as_the_run_has_it_and_begins_with_the_penalised_warm_up():
    found = called("uxla")
    assert found["epochs"] == list(Lab.epochs)
    assert (found["agreement"], found["order"]) == (None, None)
    assert {model.path for model in found["models"]} == {Path("penalty")}


def test_no_agreement_differs_in_the_agreement_alone():
    assert differing("no_agreement") == {"agreement"}
    assert called("no_agreement")["agreement"] == "none"


def test_no_distillation_differs_in_the_selection_alone():
    found = called("no_distillation")
    assert differing("no_distillation") == {"epochs"}
    assert data(found["epochs"]) == data(Lab.epochs)
    assert [epoch.select for epoch in found["epochs"]] == [MostConfident(1.0)] * 3


def test_tri_training_selects_all_and_has_no_vicinity_samples():
    found = called("tri_training")
    assert differing("tri_training") == {"epochs"}
    assert data(found["epochs"]) == [{"source", "target"}] * 3
    assert {epoch.select for epoch in found["epochs"]} == {MostConfident(1.0)}


def test_the_papers_tri_training_is_one_epoch_with_exact_agreement_whatever_the_run_has():
    papers, own = called("tri_training_paper"), called("tri_training")
    assert papers["epochs"] == own["epochs"][:1]
    assert (papers["agreement"], own["agreement"]) == ("exact", None)
    assert differing("tri_training_paper", "tri_training") == {"epochs", "agreement"}


def test_three_heads_differ_in_the_encoder_they_have_in_common_alone():
    assert differing("three_heads") == {"models"}
    assert [model.head for model in called("three_heads")["models"]] == [0, 1, 2]


def test_self_training_has_no_peers_and_no_vicinity_samples():
    found = called("self_training")
    assert differing("self_training") == {"epochs", "order"}
    assert found["order"] == "alone"
    assert data(found["epochs"]) == [{"source", "target"}] * 3
    assert [epoch.select for epoch in found["epochs"]] == [epoch.select for epoch in Lab.epochs]


def test_source_vicinity_reads_no_sentence_of_the_target():
    found = called("source_vicinity")
    assert differing("source_vicinity") == {"epochs"}
    assert data(found["epochs"]) == [{"source", "source_vicinity"}] * 3
    assert [epoch.select for epoch in found["epochs"]] == [epoch.select for epoch in Lab.epochs]


@pytest.mark.parametrize(
    ("override", "value"),
    [
        ("agree=union", {"agreement": Union()}),
        ("agree={kind: token, min_agreed: 0.9}", {"agreement": Token(0.9)}),
        ("agree=none", {"agreement": NoAgreement()}),
        ("order=alone", {"order": "alone"}),
        ("alpha=0.3", {"alpha": 0.3}),
        ("collapse_share=0.9", {"collapse_share": 0.9}),
    ],
)
def test_a_runs_settings_reach_algorithm_one(override, value):
    plain, found = (method_of(load_config("testbed", overrides)) for overrides in ((), (override,)))
    assert found == replace(plain, **value)
    assert plain.agreement == Exact()


def test_the_selection_of_an_epoch_reaches_algorithm_one():
    clustering = "schedule.0.select={kind: clustering, threshold: 0.5, features: [length]}"
    epochs = method_of(load_config("testbed", [clustering])).epochs
    assert [epoch.select for epoch in epochs] == [
        CleanCluster(0.5, ("length",)),
        MostConfident(1.0),
        MostConfident(1.0),
    ]


def test_the_length_of_a_training_and_the_seed_reach_algorithm_one(make_study, no_work):
    told, store = [], no_work()
    study = make_study(["adaptation.epochs=3.0", "seed=7"], INPUTS, store=store, emit=told.append)
    [_] = study.cotrain("uxla", INPUTS.targets[0], (HANDLE,) * 3, [Epoch(MostConfident(1.0), source=True)])
    trains = [event for event in told if isinstance(event, Trains)]
    assert [event.parts[0].drawn for event in trains] == [3] * 3
    assert {(event.method, event.target, event.epochs) for event in trains} == {("uxla", "es", 1)}
    other = no_work()
    study = make_study(["adaptation.epochs=3.0", "seed=8"], INPUTS, store=other)
    study.cotrain("uxla", INPUTS.targets[0], (HANDLE,) * 3, [Epoch(MostConfident(1.0), source=True)])
    assert {given["seed"] for _, given in store.asked}.isdisjoint(given["seed"] for _, given in other.asked)


def test_no_sentence_of_a_test_set_reaches_a_training(make_study, no_work, train):
    """Whatever a training is given comes from these corpora, by the digests of all mixes of one example each."""
    store = no_work()
    test = Corpus.from_examples("es test", ("O",), [Example("0", "es", ("secret",), (0,))])
    target = replace(INPUTS.targets[0], test=test)
    study = make_study(["warmup.selection=last", "warmup.epochs=1"], replace(INPUTS, targets=(target,)), store=store)
    train(study, [METHODS[name] for name in ("zero_shot", "supervised")])
    assert {given["mix"] for _, given in store.asked} == {SOURCE.renamed("mix").digest}


def test_translate_train_learns_from_the_source_and_its_translation():
    lab = Lab()
    lab.source, lab.dev, seen = SOURCE, None, []
    lab.train = lambda method, target, corpora, dev: seen.append((method, corpora, dev)) or (HANDLE,) * 3
    METHODS["translate_train"].run(lab, INPUTS.targets[0], None)
    METHODS["supervised"].run(lab, INPUTS.targets[0], None)
    assert seen == [("translate_train", [SOURCE, TRANSLATED], None), ("supervised", [SOURCE], None)]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["methods=[tri_training,self_training]"], False),
        (["methods=[uxla]"], True),
        (["methods=[no_agreement]"], True),
        (["methods=[source_vicinity]"], True),
        (["methods=[self_training]", "schedule=[{data: [target], select: CLUSTER}]"], True),
        (["methods=[uxla]", "schedule=[{data: [source, target], select: {kind: confidence, share: 0.8}}]"], False),
        (["methods=[uxla]", "schedule=[{data: [target], select: CLUSTER}]"], True),
        (["methods=[penalty,supervised]"], False),
    ],
)
def test_the_vicinity_model_is_looked_at_first_where_a_method_will_ask_it(values, expected):
    cluster = "{kind: clustering, threshold: 0.5, features: [fluency]}"
    config = load_config("testbed", [value.replace("CLUSTER", cluster) for value in values])
    assert asks_vicinity([METHODS[name] for name in config.methods], method_of(config)) is expected


def test_every_name_is_a_method_and_has_a_row_in_the_order_of_tables():
    assert names()[: len(METHODS)] == list(METHODS)
    assert list(ordered({"uxla", "penalty", "supervised"})) == ["penalty", "uxla", "supervised"]
    assert list(row_titles(["half"]))[-5:] == ["uxla_ensemble", "few_shot", "translate_train", "supervised", "half"]
    assert row_titles()["uxla"] == "UXLA, epoch {}"
    assert title("half") == "half", "a method that is not installed here"


def test_trainings_on_labels_are_called_after_what_begins_with_them():
    assert trainings_of("penalty") == PENALISED.trainings == "warm-up"
    assert trainings_of("supervised") == "supervised (target labels)"


@pytest.mark.parametrize(
    ("asked", "final"),
    [
        (("zero_shot", "penalty", "uxla", "supervised"), "uxla"),
        (("penalty", "three_heads"), "penalty"),
        (("ensemble", "supervised"), "ensemble"),
        (("zero_shot", "half"), "half"),
        (("half", "uxla"), "uxla"),
    ],
)
def test_the_models_of_a_run_are_those_of_its_highest_method(asked, final):
    assert final_method(map(find, asked)).name == final


def test_a_method_as_a_value_keeps_its_title_its_trainings_and_its_rank():
    mine = Start("mine", lambda lab: lab.warm_up("mine"), "my warm-up")
    half = Method("half", "the surer half", start=mine)
    assert (title("half", [half]), row_titles(["half"], [half])["half"]) == ("the surer half",) * 2
    assert (trainings_of("mine", [half]), trainings_of("half", [half])) == ("my warm-up", "the surer half")
    ranked = [find("uxla"), replace(half, rank=200), replace(half, name="never", rank=None)]
    assert final_method(ranked).name == "half"
    assert final_method(ranked[2:]) is None
    assert [makes_models(one, ranked) for one in ranked] == [True, True, False]


def test_what_results_describe_of_a_method_is_all_that_a_report_says_of_it():
    mine = Start("mine", lambda lab: lab.warm_up("mine"), "my warm-up")
    given = {"in_sentence": "half of it", "needs": ("labelled",), "reads_target": False, "baseline": True}
    half = Method("half", "the surer half", **given, start=mine)
    again = described("half", json.loads(json.dumps(describe(half))))
    assert replace(again, start=mine) == half
    assert trainings_of("mine", [again]) == "my warm-up"
    without = replace(half, start=None, steps=lambda lab, target, models: [])
    assert describe(described("half", describe(without))) == describe(replace(half, start=PENALISED))


def test_the_paper_is_the_default():
    assert UXLA().epochs[0] == Epoch(MostConfident(0.8), source=True, target=True)


def test_a_training_draws_so_many_passes_or_so_many_steps():
    given = {"batch_size": 4, "accumulation": 2, "learning_rate": 1e-3}
    assert WarmUp(**given, epochs=1.5).draws(101) == 152
    assert WarmUp(**given, epochs=0.001).draws(10) == 1, "one at least"
    assert Adaptation(**given, max_steps=7).draws(10_000) == 7 * 4 * 2
