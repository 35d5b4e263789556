"""Each baseline differs from UXLA in what its name says, and in nothing else."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from uxla.algorithm.cotraining import CoTraining
from uxla.algorithm.distil import CleanCluster, MostConfident, length
from uxla.config.run import Method, load_config
from uxla.models.tasks import Tagging
from uxla.records import Corpus, Example, ModelHandle
from uxla.study import study as study_module
from uxla.study.inputs import Inputs, Target
from uxla.study.methods import METHODS
from uxla.study.study import Study, generates

HANDLE = ModelHandle(Path("m"), "digest")
SOURCE = Corpus.from_examples("en", ("O",), [Example("0", "en", ("a",), (0,))])
TARGET = Corpus.from_examples("es", ("O",), [Example("0", "es", ("b",), None)])
TRANSLATED = Corpus.from_examples("es translated", ("O",), [Example("0", "es", ("c",), (0,))])
INPUTS = Inputs(SOURCE, None, None, (Target("es", TARGET, None, None, SOURCE, TRANSLATED),))


class _Store:
    """Remembers what trainings are asked for instead of making them."""

    journal = None

    def __init__(self):
        self.fits = []

    def folder(self, stage, inputs, make):
        self.fits.append(inputs)
        return Path("m"), {"weights": f"weights {len(self.fits)}"}


@pytest.fixture
def settings_of(monkeypatch):
    """From a method's name to the settings with which it calls Algorithm 1, the schedule line by line."""
    made = []

    def keep(self, source, target, models):
        made.append((self, models))
        return [models]

    monkeypatch.setattr(CoTraining, "__call__", keep)

    def settings(method, *overrides):
        store = SimpleNamespace(folder=_Store().folder, journal=None)
        config = load_config("testbed", ["warmup.selection=last", *overrides])
        study = Study(config, Tagging(), INPUTS, HANDLE, HANDLE, store)
        METHODS[method](study, INPUTS.targets[0])
        called, models = made[-1]
        values = {field.name: getattr(called, field.name) for field in fields(CoTraining)} | {"models": models}
        for name in ("record", "watch", "draws", "learner", "vicinity"):  # functions; the learner differs in its label
            del values[name]
        return values

    return settings


def differing(one, other):
    return {name for name in one if one[name] != other[name]}


def data(schedule):
    return [
        {name for name in ("source", "target", "source_vicinity", "target_vicinity") if getattr(epoch, name)}
        for epoch in schedule
    ]


def test_no_agreement_differs_in_the_agreement_alone(settings_of):
    found = settings_of("no_agreement")
    assert differing(found, settings_of("uxla")) == {"agreement"}
    assert found["agreement"] == "none"


@pytest.mark.parametrize("overrides", [[], ["schedule.0.select.kind=clustering", "schedule.0.select.threshold=0.5"]])
def test_no_distillation_differs_in_the_selection_alone(settings_of, overrides):
    found, uxla = settings_of("no_distillation", *overrides), settings_of("uxla", *overrides)
    assert differing(found, uxla) == {"schedule"}
    assert data(found["schedule"]) == data(uxla["schedule"])
    assert [epoch.select for epoch in found["schedule"]] == [MostConfident(1.0)] * 3


def test_tri_training_selects_all_and_has_no_vicinity_samples(settings_of):
    found = settings_of("tri_training")
    assert differing(found, settings_of("uxla")) == {"schedule"}
    assert data(found["schedule"]) == [{"source", "target"}] * 3
    assert {epoch.select for epoch in found["schedule"]} == {MostConfident(1.0)}


@pytest.mark.parametrize("agreement", ["exact", "token", "none", "union"])
def test_the_papers_tri_training_is_one_epoch_with_exact_agreement_whatever_the_run_has(agreement, settings_of):
    papers, own = (settings_of(name, f"agree={agreement}") for name in ("tri_training_paper", "tri_training"))
    assert papers["schedule"] == own["schedule"][:1]
    assert (papers["agreement"], own["agreement"]) == ("exact", agreement)
    assert differing(papers, own) == {"schedule", *(["agreement"] if agreement != "exact" else [])}


def test_three_heads_differ_in_the_encoder_they_have_in_common_alone(settings_of):
    found = settings_of("three_heads")
    assert differing(found, settings_of("uxla")) == {"share", "models"}
    assert [model.head for model in found["models"]] == [0, 1, 2]
    assert len({model.digest for model in found["models"]}) == 1
    trained = replace(found["models"][1], digest="new")
    assert found["share"](found["models"][0], trained) == replace(trained, head=0)


def test_self_training_has_no_peers_and_no_vicinity_samples(settings_of):
    found, uxla = settings_of("self_training"), settings_of("uxla")
    assert differing(found, uxla) == {"schedule", "order"}
    assert data(found["schedule"]) == [{"source", "target"}] * 3
    assert [epoch.select for epoch in found["schedule"]] == [epoch.select for epoch in uxla["schedule"]]


def test_source_vicinity_reads_no_sentence_of_the_target(settings_of):
    found, uxla = settings_of("source_vicinity"), settings_of("uxla")
    assert differing(found, uxla) == {"schedule"}
    assert data(found["schedule"]) == [{"source", "source_vicinity"}] * 3
    assert [epoch.select for epoch in found["schedule"]] == [epoch.select for epoch in uxla["schedule"]]


def test_a_runs_settings_reach_algorithm_one(settings_of):
    plain = settings_of("uxla")
    for override, name in (
        ("agree=union", "agreement"),
        ("order=alone", "order"),
        ("alpha=0.3", "alpha"),
        ("schedule.0.select.share=0.5", "schedule"),
    ):
        assert differing(settings_of("uxla", override), plain) == {name}
    token = settings_of("uxla", "agree={kind: token, min_agreed: 0.9}")
    assert (token["agreement"], token["min_agreed"]) == ("token", 0.9)


def test_the_features_of_clustering_reach_the_selection(settings_of):
    values = ["schedule.0.select={kind: clustering, threshold: 0.5, features: [length]}"]
    assert settings_of("uxla", *values)["schedule"][0].select == CleanCluster(0.5, (length,))


def test_translate_train_learns_from_the_source_and_its_translation_without_penalty():
    store, seen = _Store(), []
    study = Study(load_config("testbed", ["warmup.selection=last"]), Tagging(), INPUTS, HANDLE, HANDLE, store)
    METHODS["translate_train"](study, INPUTS.targets[0])
    assert [fit["settings"]["penalty"] for fit in store.fits] == [0.0] * 3
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(study_module.StoredLearner, "fit", lambda self, model, mix, seed: seen.append(mix) or HANDLE)
        METHODS["translate_train"](study, INPUTS.targets[0])
    assert {text for mix in seen for example in mix for text in example.segments} == {"a", "c"}


def test_every_method_of_a_configuration_is_there():
    assert set(METHODS) == set(Method.__args__)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["methods=[tri_training,self_training]"], False),
        (["methods=[uxla]"], True),
        (["methods=[no_agreement]"], True),
        (["methods=[source_vicinity]"], True),
        (
            [
                "methods=[self_training]",
                "schedule.0.select={kind: clustering, threshold: 0.5, features: [fluency]}",
            ],
            True,
        ),
        (["methods=[uxla]", "schedule=[{data: [source, target], select: {kind: confidence, share: 0.8}}]"], False),
        (
            [
                "methods=[uxla]",
                "schedule.0.select={kind: clustering, threshold: 0.5, features: [fluency]}",
            ],
            True,
        ),
    ],
)
def test_the_vicinity_model_is_looked_at_first_where_a_method_will_ask_it(values, expected):
    assert generates(load_config("testbed", values)) is expected


def test_the_tuned_masked_lm_differs_in_the_backbone_alone(monkeypatch):
    study = Study(load_config("testbed", ["warmup.selection=last"]), Tagging(), INPUTS, HANDLE, HANDLE, _Store())
    METHODS["penalty"](study, INPUTS.targets[0])
    plain = list(study.store.fits)
    study.store.fits.clear()
    seen = []
    tuned = ModelHandle(Path("tuned"), "tuned")
    monkeypatch.setattr(study_module, "tuned", lambda model, corpora, *rest, **more: seen.append(corpora) or tuned)
    METHODS["mlm_tuned"](study, INPUTS.targets[0])
    assert [
        {name for name in one if one[name] != other[name]} for one, other in zip(plain, study.store.fits, strict=True)
    ] == [{"model", "backbone"}] * 3
    assert [[corpus.name for corpus in corpora] for corpora in seen] == [["en", "es"]]
    assert study.vicinity().inputs["lm"] == HANDLE.digest
