"""Which of a run's scores a reader takes."""

import pytest

from uxla.adapted import Adapted
from uxla.errors import ConfigError
from uxla.report.scores import selected_on_dev


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
