import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from uxla.data.load import subset
from uxla.errors import ConfigError

N = st.integers(0, 300)
PERCENT = st.integers(1, 100)
SEED = st.integers(0, 10)


@given(n=N, percent=PERCENT, seed=SEED)
def test_a_share_is_floored_and_in_the_order_of_the_corpus(n, percent, seed):
    chosen = subset(n, share=percent / 100, seed=seed)
    assert len(chosen) == n * percent // 100
    assert (np.diff(chosen) > 0).all()
    assert set(chosen.tolist()) <= set(range(n))


@given(n=N, percent=PERCENT, take=st.integers(1, 300), seed=SEED)
def test_take_is_an_upper_bound_and_part_of_the_same_share(n, percent, take, seed):
    share = percent / 100
    both, alone = subset(n, share=share, take=take, seed=seed), subset(n, share=share, seed=seed)
    assert len(both) == min(take, len(alone))
    assert set(both.tolist()) <= set(alone.tolist())


def test_the_same_seed_draws_the_same_and_another_seed_other_examples():
    assert subset(1000, share=0.05, seed=1).tolist() == subset(1000, share=0.05, seed=1).tolist()
    assert len(set(subset(1000, share=0.05, seed=1)) & set(subset(1000, share=0.05, seed=2))) < 15


def test_a_share_is_meant_as_written_not_as_its_nearest_float():
    """0.29 times 100 is 28.999… in floats; a share of 0.29 of 100 is 29."""
    assert [len(subset(100, share=percent / 100)) for percent in range(1, 101)] == list(range(1, 101))


def test_all_is_all():
    assert subset(4).tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "options", [{"share": 0.0}, {"share": 1.5}, {"share": -1}, {"share": float("nan")}, {"take": 0}]
)
def test_a_share_or_count_out_of_range_is_refused(options):
    with pytest.raises(ConfigError, match="expected"):
        subset(10, **options)
