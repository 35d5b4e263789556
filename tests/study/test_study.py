"""What the methods of a run ask for: of each training its penalty and its checkpoints, of the store its keys."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from uxla.algorithm.cotraining import CoTraining
from uxla.config.run import load_config
from uxla.errors import ModelError
from uxla.models.tasks import Tagging
from uxla.records import Corpus, Example, ModelHandle
from uxla.study import study as study_module
from uxla.study.inputs import Inputs, Target
from uxla.study.methods import METHODS
from uxla.study.study import Study

HANDLE = ModelHandle(Path("m"), "digest")


def corpus(name, *, labelled=True):
    return Corpus.from_examples(name, ("O",), [Example("0", "x", (name,), (0,) if labelled else None)])


TARGET = Target(
    "es", corpus("raw", labelled=False), *(corpus(name) for name in ("es dev", "es test", "labelled", "translated"))
)
INPUTS = Inputs(corpus("train"), corpus("dev"), corpus("test"), (TARGET,))


def study_of(*overrides, inputs=INPUTS):
    """A study whose trainings are not made, and what they are asked for."""
    asked = []

    def folder(stage, given, make):
        asked.append(given)
        return Path("m"), {"weights": f"weights {len(asked)}"}

    config = load_config("testbed", overrides)
    return Study(config, Tagging(), inputs, HANDLE, HANDLE, SimpleNamespace(folder=folder, journal=None)), asked


@pytest.fixture
def cotraining(monkeypatch):
    """Every Algorithm 1 that is called; it gives the models it began with."""
    called = []
    monkeypatch.setattr(CoTraining, "__call__", lambda self, source, target, models: [called.append(self) or models])
    return called


@pytest.mark.parametrize(
    ("method", "penalty"), [("penalty", 0.5), ("zero_shot", 0.0), ("translate_train", 0.0), ("supervised", 0.0)]
)
def test_the_confidence_penalty_is_the_warm_ups_alone(method, penalty):
    study, asked = study_of("warmup.penalty=0.5")
    METHODS[method](study, TARGET)
    assert [given["settings"]["penalty"] for given in asked] == [penalty] * 3


@pytest.mark.parametrize(
    ("method", "dev"),
    [("penalty", "dev"), ("zero_shot", "dev"), ("translate_train", "dev"), ("supervised", "es dev")],
)
def test_checkpoints_of_a_method_are_chosen_in_the_language_it_has_labels_of(method, dev):
    study, asked = study_of("warmup.selection=source_dev")
    METHODS[method](study, TARGET)
    assert [given["dev"] for given in asked] == [corpus(dev).digest] * 3


def test_the_upper_bound_without_a_dev_set_of_its_own_keeps_its_last_weights():
    study, asked = study_of("warmup.selection=source_dev")
    METHODS["supervised"](study, replace(TARGET, dev=None))
    assert [(given["dev"], given["settings"]["selection"]) for given in asked] == [(None, "last")] * 3


@pytest.mark.parametrize(
    ("selection", "dev"), [("last", None), ("average", None), ("source_dev", "dev"), ("target_dev", "es dev")]
)
def test_target_labels_choose_a_checkpoint_only_where_that_is_asked_for(selection, dev, cotraining):
    study, _ = study_of(f"adaptation.selection={selection}")
    METHODS["uxla"](study, TARGET)
    found = cotraining[0].learner.dev
    assert (found and found.name) == dev


def test_the_seed_and_the_length_of_a_training_reach_algorithm_one(cotraining):
    study, _ = study_of("seed=7", "collapse_share=0.9", "adaptation.epochs=0.5")
    METHODS["uxla"](study, TARGET)
    [called] = cotraining
    assert (called.seed, called.collapse_share, called.draws(100)) == (7, 0.9, 50)


def test_no_sentence_of_a_test_set_reaches_a_training_or_the_tuned_masked_lm(monkeypatch, cotraining):
    study, _ = study_of("warmup.selection=last")
    read = set()
    watched = lambda self, model, mix, seed: read.update(example.segments[0] for example in mix) or HANDLE  # noqa: E731
    monkeypatch.setattr(study_module.StoredLearner, "fit", watched)
    tuned = lambda model, corpora, *rest, **more: read.update(one.name for one in corpora) or HANDLE  # noqa: E731
    monkeypatch.setattr(study_module, "tuned", tuned)
    for method in METHODS.values():
        method(study, TARGET)
    assert read == {"train", "raw", "labelled", "translated"}


def test_a_model_with_three_heads_is_a_training_of_its_own_with_the_first_warm_ups_sentences():
    study, asked = study_of("warmup.selection=last")
    study.warm_up(penalty=True)
    study.three_heads()
    first, heads = asked[0], asked[-1]
    assert {name for name in first if first[name] != heads[name]} == {"task"}


def test_the_trace_is_of_uxla_whatever_comes_after_it(cotraining):
    study, _ = study_of("warmup.selection=last")
    for method in ("uxla", "three_heads", "tri_training"):
        METHODS[method](study, TARGET)
    assert study.traces["es"] is cotraining[0].watch
    assert [called.watch.limit > 0 for called in cotraining] == [True, False, False]


def test_the_default_number_of_samples_written_out_is_the_same_work():
    plain, three, four = (study_of(*more)[0] for more in ((), ("vicinity.copies=3",), ("vicinity.copies=4",)))
    assert plain.vicinity().inputs == three.vicinity().inputs
    assert plain.vicinity().inputs != four.vicinity().inputs


def test_fluency_is_kept_by_the_vicinity_model_and_its_precision():
    plain, _ = study_of()
    lower, _ = study_of("precision=bf16")
    other = replace(plain, vicinity_model=ModelHandle(Path("m"), "another"))
    kept = plain.fluency().inputs
    assert lower.fluency().inputs == kept | {"precision": "bf16"}
    assert other.fluency().inputs == kept | {"lm": "another"}


def test_every_run_looks_at_the_models_that_it_needs_before_the_warm_up(monkeypatch):
    """What one run found is nothing that a later one, of another library or machine, may rely on."""
    looked = []

    def refused(*arguments, **more):
        raise ModelError("no masked-LM head")

    monkeypatch.setattr(study_module.StoredLearner, "check", lambda self, names: looked.append("backbone") or "")
    monkeypatch.setattr(study_module.TrainableLM, "open", refused)
    study, asked = study_of("methods=[penalty]", "schedule=[{data: [target], select: {kind: confidence, share: 1.0}}]")
    for _ in range(2):
        study.check_models()
    for _ in range(2):
        with pytest.raises(ModelError):
            replace(study, config=study_of("methods=[penalty, mlm_tuned]")[0].config).check_models()
    assert looked == ["backbone"] * 4
    assert asked == []
