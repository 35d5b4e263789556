"""Which of a run's scores a reader takes."""

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
