"""Which models are scored on which test set: a study that only says what it was asked for stands in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

from uxla.algorithm.agreement import Exact, Token
from uxla.methods.description import describe
from uxla.methods.method import Method
from uxla.methods.registry import final_method, find
from uxla.models.runtime import Runtime
from uxla.records import Corpus, Example, ModelHandle
from uxla.study.choose_epoch import Outcome
from uxla.study.inputs import Inputs
from uxla.study.results import run_results
from uxla.study.settings import UXLA
from uxla.targets import Target

EXACT = Exact()
HANDLE = ModelHandle(Path("m"), "digest")


def corpus(name):
    return Corpus.from_examples(name, ("O",), [Example("0", "x", (name,), (0,))])


ES = Target(corpus("es train"), test=corpus("es test"), name="es")
DE = Target(corpus("de train"), name="de")
TRAINED = {"penalty": ["penalty"], "ensemble": ["zero-shot"], "tri_training": ["tri 1", "tri 2"], "uxla": ["1", "2"]}


def found(*targets, trained=TRAINED, kept="2", test="src test", agreement=EXACT, own=()):
    """`results.json` of these targets, of each of which the models `kept` were kept; `own` are no methods of uxla."""
    methods = [find(name, own) for name in trained]
    inputs = Inputs(corpus("src train"), corpus("src dev"), test and corpus(test), targets)
    labelling = SimpleNamespace(
        task_name="ner",
        backbone=HANDLE,
        runtime=Runtime(),
        score=lambda models, on: f"{models} on {on.name}",
        score_ensemble=lambda models, on: f"{models} together on {on.name}",
    )
    study = SimpleNamespace(
        inputs=inputs,
        targets=targets,
        source=SimpleNamespace(name="src"),
        dev=inputs.dev,
        as_one=lambda method, models: {"ensemble": models, "weight_mean": f"mean of {models}"}.get(method),
        labelling=labelling,
        vicinity=SimpleNamespace(model=HANDLE),
        uxla=UXLA(agreement=agreement),
        methods=methods,
        final=final_method(methods),
    )
    names = [target.name for target in targets]
    every, outcomes = dict.fromkeys(names, trained), dict.fromkeys(names, Outcome(kept))
    trainings = [{"method": "mlm_tuned", "epoch": None, "dev": None}]
    single = dict.fromkeys(names, f"mean of {kept}")
    return run_results(study, every, outcomes, single, {"penalty": "penalty"}, trainings, selection="last")


def single(kept):
    """What is said of the one model in place of the models `kept`."""
    return {"single": {"ensemble": f"{kept} together on es test", "averaged": f"['mean of {kept}'] on es test"}}


def test_a_method_has_the_score_after_its_last_epoch_and_those_of_all_epochs_beside():
    assert found(ES)["targets"]["es"] == {
        "penalty": "penalty on es test",
        "ensemble": "zero-shot together on es test",
        "tri_training": "tri 2 on es test",
        "uxla": ["1 on es test", "2 on es test"],
        "uxla_ensemble": "2 together on es test",
        "by_epoch": {"tri_training": ["tri 1 on es test", "tri 2 on es test"]},
        "ensembles": {"penalty": "penalty together on es test", "tri_training": "tri 2 together on es test"},
        **single("2"),
    }


def test_of_zero_shot_the_three_models_together_are_scored_once():
    trained = {"zero_shot": ["zero-shot"]}
    alone = found(ES, trained=trained, kept="zero-shot")["targets"]["es"]
    together = {"ensembles": {"zero_shot": "zero-shot together on es test"}}
    assert alone == {"zero_shot": "zero-shot on es test", **together, **single("zero-shot")}
    both = found(ES, trained=trained | {"ensemble": ["zero-shot"]}, kept="zero-shot")
    assert "ensembles" not in both["targets"]["es"]
    assert both["targets"]["es"]["ensemble"] == "zero-shot together on es test"


def test_of_models_that_are_one_by_their_weights_the_one_is_scored_and_nothing_else():
    trained = {"penalty": ["penalty"], "weight_mean": ["from one layer"]}
    scores = found(ES, trained=trained, kept="penalty")["targets"]["es"]
    assert scores["weight_mean"] == "mean of from one layer together on es test"
    assert set(scores["ensembles"]) == {"penalty"}


def test_the_ensemble_and_all_other_languages_are_of_the_models_that_were_kept():
    results = found(ES, kept="1")
    assert results["targets"]["es"]["uxla_ensemble"] == "1 together on es test"
    assert results["source"]["after"] == {"es": "1 on src test"}
    assert results["transfer"]["after"]["es"] == {
        "src": "1 together on src test",
        "es": "1 together on es test",
    }


def test_languages_are_compared_with_the_warm_up_that_adaptation_began_with():
    results = found(ES)
    assert results["source"]["before"] == "penalty on src test"
    assert set(results["transfer"]["before"].values()) == {
        "penalty together on src test",
        "penalty together on es test",
    }


def test_a_language_without_a_test_set_has_no_scores_and_is_none_to_score_on():
    results = found(ES, DE)
    assert results["targets"]["de"] == {}
    with_dev = found(ES, replace(DE, dev=corpus("de dev")))["targets"]["de"]
    assert set(with_dev) == {"dev"}
    assert with_dev["dev"]["uxla"] == ["1 on de dev", "2 on de dev"]
    assert set(results["transfer"]["before"]) == {"src", "es"}
    assert set(results["transfer"]["after"]["de"]) == {"src", "es"}
    assert "transfer" not in found(DE)
    assert found(ES, test=None)["source"] == {"name": "src"}


def test_scores_on_target_labels_for_development_are_there_only_where_such_are_given():
    assert "dev" not in found(ES)["targets"]["es"]
    given = found(replace(ES, dev=corpus("es dev")))["targets"]["es"]
    assert given["dev"] == {
        "penalty": "penalty on es dev",
        "ensemble": "zero-shot together on es dev",
        "tri_training": ["tri 1 on es dev", "tri 2 on es dev"],
        "uxla": ["1 on es dev", "2 on es dev"],
    }
    alone = found(replace(ES, dev=corpus("es dev")), trained={"supervised": ["gold"]}, kept="gold")["targets"]["es"]
    assert alone["dev"] == {"penalty": "penalty on es dev", "supervised": "gold on es dev"}


def test_without_uxla_there_is_nothing_about_other_languages():
    results = found(ES, trained={"penalty": ["penalty"]}, kept="penalty")
    assert results["source"] == {"name": "src"}
    assert "transfer" not in results
    assert results["targets"]["es"] == {
        "penalty": "penalty on es test",
        "ensembles": {"penalty": "penalty together on es test"},
        **single("penalty"),
    }


def test_the_results_say_which_method_the_run_is_for_and_describe_those_that_are_none_of_uxla():
    assert found(ES)["final"] == "uxla"
    assert "methods" not in found(ES)
    mine = Method("mine", "my own", rank=200, baseline=True)
    never = Method("never", "never delivered", rank=None)
    results = found(ES, trained=TRAINED | {"mine": ["m"], "never": ["n"]}, kept="m", own=[mine, never])
    assert results["final"] == "mine"
    assert results["methods"] == {"mine": describe(mine), "never": describe(never)}
    assert results["targets"]["es"]["uxla_ensemble"] == "2 together on es test", "its last epoch, not the final models"


def test_the_share_that_must_agree_is_there_for_the_agreement_that_has_one():
    assert found(ES, agreement=Token(0.7))["min_agreed"] == 0.7
    assert "min_agreed" not in found(ES)
