"""bench/estimates.py: fresh worlds are fresh, shares are over worlds, and the fit finds the error that was put in."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.special import ndtr, ndtri

from uxla.algorithm.estimates import ERROR, REACH


@pytest.fixture(scope="module")
def estimates(bench):
    return bench("estimates")


def state(estimates, true, score, *, world="400", low=0.0, high=100.0, epoch=0, before=None):
    guess = {"score": score, "low": low, "high": high, **dict.fromkeys(("atc", "doc", "agreement"), score)}
    earlier = guess if before is None else dict.fromkeys(("atc", "doc", "agreement"), before)
    return estimates.State("fresh, protocol", world, "far", epoch, true, 90.0, guess, earlier)


def test_each_world_has_its_own_model_and_each_case_its_sentences(estimates, tmp_path):
    worlds = estimates.DEVELOPMENT + estimates.FRESH
    runs = [estimates.planned(case, world, tmp_path, False) for world in worlds for case in estimates.CASES]
    assert len({run.name for run in runs}) == len(runs)
    for run in runs:
        group, world = run.values
        assert run.config.testbed.world == int(world)
        assert run.config.model == str(tmp_path / f"model-{world}")
        assert run.config.vicinity.model is None
        assert {"penalty", "uxla"} <= set(run.config.methods)
        assert group.startswith("fresh" if int(world) in estimates.FRESH else "development")


def test_no_fresh_world_was_ever_a_development_world(estimates):
    assert min(estimates.FRESH) >= 100
    assert not {0, 1, 100, 101, 102, 200, 201, 202, *estimates.DEVELOPMENT} & {*estimates.FRESH}


def test_the_share_that_intervals_hold_is_over_worlds(estimates):
    inside = [state(estimates, 50, 55, world=world, low=45, high=65) for world in ("400", "400", "400", "401")]
    outside = [state(estimates, 44, 55, world="401", low=45, high=65)]
    assert estimates.held(inside + outside) == "75 % ± 318"  # 100 and 50, Student's t with one degree of freedom
    assert estimates.held(inside[:3]) == "100 %"


def test_a_gain_is_believed_in_parts(estimates):
    found = state(estimates, 50, 60, epoch=1, before=50)
    assert [found.three(part)[0] for part in (0.0, 0.5, 1.0)] == [50.0, 60.0, 70.0]


def test_the_part_of_chance_is_read_back_from_the_interval(estimates):
    reach = REACH * np.hypot(ERROR, 0.1)
    low, high = (float(100 * ndtr(ndtri(0.6) + side)) for side in (-reach, reach))
    assert state(estimates, 50, 60, low=low, high=high).by_chance == pytest.approx(0.1)


def test_the_fit_finds_the_error_that_was_put_in(estimates):
    rng = np.random.default_rng(0)
    states = []
    for world in map(str, range(20)):
        for error in rng.normal(0, 0.3, 100):
            reach = REACH * ERROR  # chance has no part in it
            low, high = (float(100 * ndtr(ndtri(0.6) + side)) for side in (-reach, reach))
            true = float(100 * ndtr(ndtri(0.6) + error))
            states.append(state(estimates, true, 60, world=world, low=low, high=high))
    row = estimates.fit_row(states, 0.6, 0.5)
    assert float(row[4]) == pytest.approx(0.3, abs=0.02)
    assert row[5] in ("79 %", "80 %", "81 %")


def test_states_are_those_of_the_results_each_beside_its_estimate(estimates):
    def guess(value):
        return {"score": value, "low": 0, "high": 100, "atc": value, "doc": value, "agreement": value}

    found = {"zero_shot": {"mean": 1}, "penalty": {"mean": 2}, "uxla": [{"mean": 3}, {"mean": 4}]}
    guesses = {"zero_shot": guess(10), "penalty": guess(20), "uxla": [guess(30), guess(40)]}
    results = {"source": {"before": {"mean": 90}}, "targets": {"far": found}, "estimates": {"far": guesses}}
    cell = SimpleNamespace(values=("fresh, protocol", "400"), run=SimpleNamespace(results=results))
    states = list(estimates.states_of(cell))
    assert [(one.epoch, one.true, one.estimate["score"], one.before["score"]) for one in states] == [
        *((0, 1, 10, 10), (0, 2, 20, 20), (1, 3, 30, 20), (2, 4, 40, 20))
    ]
    assert list(estimates.selection_rows([cell])) == [("fresh, protocol", 1, "2.0", "4.0", "4.0", "4.0")]


def test_a_group_s_rows_come_before_those_of_all_of_its_kind(estimates):
    cases = [state(estimates, 50, 55, world=world) for world in ("400", "401")]
    other, given = (dataclasses.replace(cases[0], group=group) for group in ("fresh, preset", "given"))
    groups = estimates.grouped([cases[0], other, cases[1], given])
    sizes = [(name, len(found)) for name, found in groups.items()]
    assert sizes == [("fresh, protocol", 2), ("fresh, preset", 1), ("fresh", 3), ("given, far", 1), ("given", 1)]


def test_a_given_run_counts_as_one_of_its_world(estimates, synchronous):
    cell = estimates.told(synchronous.out)
    assert cell.values == ("given", "0")
    states = list(estimates.states_of(cell))
    assert [*estimates.grouped(states)] == [*(f"given, {target}" for target in cell.run.targets), "given"]
