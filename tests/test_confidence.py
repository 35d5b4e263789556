"""Calibrated confidences and their error."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from uxla.confidence import Scaling, fitted, reliability


def test_the_error_is_the_mean_distance_of_confidence_and_right_answers_by_bin():
    found = reliability([0.95, 0.95, 0.95, 0.95, 0.25, 0.35], [1, 1, 1, 0, 1, 0])
    assert found.error == pytest.approx(100 * (4 * 0.2 + 0.75 + 0.35) / 6)
    assert found.size.tolist() == [0, 0, 1, 1, 0, 0, 0, 0, 0, 4]
    assert reliability([], []).error == 0


def test_a_confidence_of_one_is_in_the_last_bin():
    assert reliability([1.0, 1.0], [1, 1]).error == 0


def test_what_is_fitted_undoes_a_known_distortion():
    generator = np.random.default_rng(0)
    true = generator.uniform(0.05, 0.95, 20_000)
    right = (generator.random(20_000) < true).astype(float)
    told = 1 / (1 + np.exp(-(3 * np.log(true / (1 - true)) + 1)))  # overconfident
    scaling = fitted(told, right)
    assert scaling.scale == pytest.approx(1 / 3, abs=0.02)
    assert scaling.shift == pytest.approx(-1 / 3, abs=0.05)
    assert reliability(told, right).error > 10
    assert reliability(scaling(told), right).error < 1.5


@pytest.mark.parametrize("right", [0.0, 1.0])
def test_answers_that_are_all_right_or_all_wrong_make_no_confidence_certain(right):
    scaling = fitted(np.linspace(0.6, 0.99, 50), np.full(50, right))
    sure = scaling(np.array([0.6, 0.99]))
    assert np.all((sure > 0) & (sure < 1))
    assert abs(sure - right).max() < 0.1


def test_no_scaling_makes_sure_answers_less_sure_than_others():
    told = np.linspace(0.4, 0.9, 60)
    scaling = fitted(told, (told < 0.6).astype(float))
    assert np.ptp(scaling(told)) == 0
    assert scaling(told)[0] == pytest.approx((told < 0.6).mean(), abs=0.02)


def test_a_few_answers_show_nothing():
    assert fitted(np.full(19, 0.5), np.ones(19)) is None
    assert fitted(np.zeros(0), np.zeros(0)) is None


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20), st.floats(0.125, 8), st.floats(-4, 4))
def test_a_scaling_keeps_the_order_and_stays_within_bounds(confidence, scale, shift):
    given_ = np.sort(np.array(confidence))
    sure = Scaling(scale, shift)(given_)
    assert np.all(np.diff(sure) >= 0)
    assert np.all((sure >= 0) & (sure <= 1))
    assert (Scaling()(given_) == given_).all()
