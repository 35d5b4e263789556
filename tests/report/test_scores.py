"""Which of a run's scores a reader takes."""

import pytest

from uxla.adapted import Adapted
from uxla.errors import ConfigError
from uxla.report.scores import final_method_of, selected_on_dev


def score(mean):
    return {"mean": mean, "sd": 0.0, "models": [mean]}


def test_selection_on_the_targets_dev_set_takes_the_best_epoch_there_and_of_equal_ones_the_first():
    found = {
        "zero_shot": score(60.0),
        "tri_training": score(63.0),
        "uxla": [score(61.0), score(62.0), score(65.0)],
        "uxla_ensemble": score(66.0),
        "by_epoch": {"tri_training": [score(61.0), score(64.0), score(63.0)]},
        "dev": {
            "penalty": score(58.0),
            "zero_shot": score(59.0),
            "tri_training": [score(57.0), score(58.0), score(58.0)],
            "uxla": [score(70.0), score(50.0), score(69.0)],
        },
    }
    assert selected_on_dev(found) == {"zero_shot": score(60.0), "tri_training": score(64.0), "uxla": score(61.0)}
    assert selected_on_dev({name: one for name, one in found.items() if name != "dev"}) == {}


def test_the_scores_of_a_target_are_none_of_the_source():
    score = {"mean": 50.0, "sd": 0.0, "models": [50.0]}
    source = {"name": "en", "before": score, "after": {"far": score, "near": score}}
    targets = {"far": {"penalty": score}, "near": {}}
    found = Adapted({"task": "ner", "source": source, "targets": targets}, {})
    assert {target: [*scores] for target, scores in found.scores.items()} == {"far": ["penalty"], "near": []}
    said = r"^targets far, near: name one: suggest\(…, target='far'\), ensemble_of\('far'\)$"
    for ask in (lambda: found.ensemble, lambda: found.suggest(["a"], 1), lambda: found.evaluate([(["a"], ["O"])])):
        with pytest.raises(ConfigError, match=said):
            ask()


GUESS = {"low": 0.0, "high": 99.0, "atc": 1.0, "doc": 1.0, "agreement": 1.0}


@pytest.mark.parametrize(
    ("final", "kept", "score"),
    [
        ("uxla", None, 66.0),
        ("uxla", 1, 65.0),
        ("uxla", 0, 60.0),
        ("penalty", None, 60.0),
        ("zero_shot", None, 50.0),
        ("tri_training", None, None),
        ("few_shot", None, None),
    ],
)
def test_the_estimate_is_of_the_final_models_and_there_is_none_of_a_method_that_is_not_estimated(final, kept, score):
    states = {"zero_shot": 50.0, "penalty": 60.0, "uxla": [65.0, 66.0]}
    found = {
        name: [{"score": one, **GUESS} for one in means] if isinstance(means, list) else {"score": means, **GUESS}
        for name, means in states.items()
    }
    results = {"targets": {"far": {}}, "estimates": {"far": found}, "final": final}
    results |= {} if kept is None else {"kept_epoch": {"far": kept}}
    assert {target: one.score for target, one in Adapted(results, {}).estimate.items()} == (
        (score and {"far": score}) or {}
    )


def test_results_that_do_not_say_what_the_run_was_for_are_for_the_highest_that_was_scored_or_else_trained():
    scored = {"targets": {"far": {"penalty": score(50.0), "uxla": [score(60.0)], "uxla_ensemble": score(61.0)}}}
    assert final_method_of(scored) == "uxla"
    assert final_method_of(scored | {"final": "mine"}) == "mine"
    trained = {"targets": {"far": {}}, "trainings": [{"method": "penalty"}, {"method": "tri_training"}]}
    assert final_method_of(trained) == "tri_training"
    assert final_method_of({"targets": {"far": {}}}) == ""
