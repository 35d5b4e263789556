"""95 % intervals hold the truth in about 95 % of simulated cases: a share outside of 92.5 to 97.5 % would be chance in
one of a hundred such tests, and the seed is fixed."""

import numpy as np
import pytest

from uxla.report.paired import mean_difference


@pytest.fixture(scope="session")
def simulated(bench):
    return bench("coverage")


def holds(share):
    return 92.5 <= share <= 97.5


@pytest.mark.parametrize("spans", [False, True], ids=["accuracy", "f1"])
@pytest.mark.parametrize("luck", [0.0, 0.24], ids=["seeds alike", "seeds vary"])
@pytest.mark.parametrize("test", [{"shared": False}, {"oddity": 0.5}, {"oddity": 2.0}], ids=str)
@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_the_interval_of_a_grid_holds_the_true_gain(simulated, seeds, test, luck, spans):
    case = simulated.Case(seeds, 100, spans, luck=luck, gain=0.4 * spans, **test)
    assert holds(simulated.coverage(case, simulated.of_the_grid, 500))


@pytest.mark.parametrize(
    ("rival", "case"),
    [
        ("percentile bootstrap", "5 seeds that vary by 12 points"),  # too narrow: five seeds are too few to draw from
        ("t over seeds", "5 seeds, much in common"),  # too narrow: what is odd about an example is odd at each seed
        ("the wider of both", "3 seeds with examples of their own"),  # too wide
    ],
)
def test_other_intervals_do_not(simulated, rival, case):
    assert not holds(simulated.coverage(simulated.HARD[case], simulated.RIVALS[rival], 500))
    assert holds(simulated.coverage(simulated.HARD[case], simulated.of_the_grid, 500))


@pytest.mark.parametrize("spans", [False, True], ids=["accuracy", "f1"])
def test_the_interval_of_one_seed_holds_the_true_gain_of_its_models(simulated, spans):
    case = simulated.Case(1, 100, spans, luck=0.24, gain=0.4)
    assert 90 <= simulated.coverage(case, simulated.of_the_grid, 100, here=True) <= 99


@pytest.mark.parametrize("parallel", [False, True], ids=["examples of their own", "translations"])
def test_the_interval_of_a_mean_over_languages_holds_the_true_gain(simulated, parallel):
    case = simulated.Case(5, 60, luck=0.08, oddity=2.0, gain=0.4)
    assert holds(simulated.coverage_of_mean(case, parallel, 500))


def test_translations_taken_for_examples_of_their_own_do_not_hold_it(simulated):
    case, rng = simulated.Case(5, 60, oddity=2.0), np.random.default_rng(0)
    held = 0
    for _ in range(500):
        found = mean_difference(simulated.languages(case, True, rng))  # as if they had nothing in common
        held += found.low <= 0 <= found.high
    assert held / 5 < 90


def test_three_models_that_teach_each_other_have_no_interval_by_their_spread(simulated):
    assert holds(simulated.welch(3, 0.0, 4000))
    assert simulated.welch(3, 0.5, 4000) < 85
