"""The mean of differences over several test sets, and Holm's correction: known values, and intervals that hold the
truth as often as they say."""

import numpy as np
import pytest
from scipy import stats

from uxla.errors import ArtifactError
from uxla.report.paired import Pair, difference, holm, mean_difference
from uxla.report.scoring import score

SEEDS, SIZE = 3, 60


def labels(right):
    """(N,) booleans -> (N, 3) counts of examples with one label each."""
    return np.stack([np.ones(len(right)), np.ones(len(right)), right], axis=1).astype(int)


def drawn(rng, oddity, luck, size=SIZE):
    """A test set at several seeds: of two methods that are equally good, what seeds have in common and what not."""
    pairs = []
    for of_seed in luck:
        logits = 0.8 + oddity + np.array([of_seed, 0.0]) + 0.5 * rng.standard_normal((size, 2))
        right = rng.random((size, 2)) < 1 / (1 + np.exp(-logits))
        pairs.append(Pair(labels(right[:, 0]), labels(right[:, 1]), 0))
    return pairs


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("parallel", [False, True])
@pytest.mark.parametrize("seeds", [1, 2, 3, 5])
def test_of_one_test_set_it_is_the_difference(rng, seeds, parallel):
    pairs = drawn(rng, rng.standard_normal((SIZE, 2)), np.zeros(seeds))
    found, expected = mean_difference([pairs], parallel=parallel), difference(pairs)
    assert (found.value, found.low, found.high) == pytest.approx((expected.value, expected.low, expected.high))
    assert found.p == pytest.approx(expected.p)


def test_a_lopsided_interval_stays_so_and_follows_the_gains():
    """One method errs on one sentence of sixty more: the bootstrap cannot draw fewer than none of it."""
    every = np.ones(SIZE, dtype=bool)
    pairs = [Pair(labels(every), labels(np.arange(SIZE) > 0), 0)]
    found, moved = mean_difference([pairs]), mean_difference([pairs], gains=np.array([[10.0]]))
    assert found.low == pytest.approx(0)
    assert found.high > 2 * found.value
    by = 10 - found.value
    assert (moved.value, moved.low, moved.high) == pytest.approx((10, by, found.high + by))


def test_where_seeds_share_no_example_it_is_student_s_t_over_the_seeds_means(rng):
    tests = [[pair._replace(identity=i) for i, pair in enumerate(drawn(rng, 0, np.zeros(4)))] for _ in range(3)]
    by_seed = np.mean([[score(p.one) - score(p.other) for p in pairs] for pairs in tests], axis=0)
    found, known = mean_difference(tests), stats.ttest_1samp(by_seed, 0)
    interval = known.confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert found.p == pytest.approx(known.pvalue)


def test_differences_of_another_score_take_the_place_of_those_of_the_pairs(rng):
    tests = [drawn(rng, 0, np.zeros(3)) for _ in range(2)]
    gains = np.array([[1.0, 2.0, 3.0], [3.0, 4.0, 5.0]])
    assert mean_difference(tests, gains=gains).value == pytest.approx(3.0)


def test_translations_have_their_sentences_in_common(rng):
    pairs = drawn(rng, rng.standard_normal((SIZE, 2)), np.zeros(3))
    one, twice, apart = mean_difference([pairs]), *(mean_difference([pairs] * 2, parallel=p) for p in (True, False))
    assert twice.high - twice.low == pytest.approx(one.high - one.low)
    assert apart.high - apart.low < one.high - one.low


def test_translations_of_unequal_sizes_are_refused(rng):
    tests = [drawn(rng, 0, np.zeros(3), size=size) for size in (60, 60, 58)]
    with pytest.raises(ArtifactError, match="test sets of 60, 60, 58 examples of translations, expected one size"):
        mean_difference(tests, parallel=True)
    assert mean_difference(tests) is not None


def test_it_needs_every_test_set_at_every_seed(rng):
    pairs = drawn(rng, 0, np.zeros(3))
    assert mean_difference([]) is None
    assert mean_difference([pairs, pairs[:2]]) is None
    assert mean_difference([pairs, []]) is None


@pytest.mark.parametrize("parallel", [False, True])
@pytest.mark.parametrize("luck", [0.0, 0.24], ids=["seeds alike", "seeds vary"])
def test_its_interval_holds_the_truth(rng, luck, parallel):
    """Three test sets; a seed's luck is the same on all. A share outside of 92.5 to 97.5 % of 500 is chance in one of a
    hundred such tests."""
    held = 0
    for _ in range(500):
        of_seeds = luck * rng.standard_normal(SEEDS)
        oddity = rng.standard_normal((3, SIZE, 2)) + rng.standard_normal((3, SIZE, 1))
        if parallel:
            oddity[1:] = oddity[0]
        found = mean_difference([drawn(rng, own, of_seeds) for own in oddity], parallel=parallel)
        held += found.low <= 0 <= found.high
    assert 92.5 <= held / 5 <= 97.5


def test_holm_s_adjusted_values_are_the_smallest_levels_at_which_his_steps_reject(rng):
    for _ in range(20):
        p_values = rng.random(6) ** 3
        for level in (0.01, 0.05, 0.2):
            rejected = set()
            for step, place in enumerate(np.argsort(p_values)):
                if p_values[place] > level / (6 - step):
                    break
                rejected.add(place)
            assert {i for i, value in enumerate(holm(p_values)) if value <= level} == rejected


def test_holm_of_known_values():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
