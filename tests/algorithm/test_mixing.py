from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from uxla.algorithm.mixing import MOST_JUDGED, balanced_mix, judging_sample, sampling_probabilities
from uxla.records import Corpus, Example

SIZES = st.lists(st.integers(0, 10_000), min_size=1, max_size=6).filter(any)
ALPHAS = st.floats(0, 2)


def corpus(name: str, size: int) -> Corpus:
    return Corpus.from_examples(name, ["O"], [Example(f"{name}{i}", "x", ("w",), (0,)) for i in range(size)])


def test_probabilities_equal_a_value_worked_out_by_hand():
    """Sizes 100, 400, 500, α = 0.7: f = .1 .4 .5; f^.7 = .199526 .526555 .615572, sum 1.341654."""
    expected = [0.199526 / 1.341654, 0.526555 / 1.341654, 0.615572 / 1.341654]
    assert sampling_probabilities([100, 400, 500], 0.7) == pytest.approx(expected, abs=1e-5)


@given(SIZES, ALPHAS)
def test_probabilities_sum_to_one_and_empty_sets_have_none(sizes, alpha):
    found = sampling_probabilities(sizes, alpha)
    assert found.sum() == pytest.approx(1)
    assert all((p == 0) == (n == 0) for p, n in zip(found, sizes, strict=True))


@given(SIZES, ALPHAS)
def test_probabilities_follow_the_order_of_sizes(sizes, alpha):
    found = sampling_probabilities(sizes, alpha)
    order = np.argsort(sizes, kind="stable")
    assert (np.diff(found[order]) >= -1e-12).all()


@given(SIZES)
def test_alpha_one_is_proportional_and_alpha_zero_is_equal(sizes):
    filled = np.count_nonzero(sizes)
    assert sampling_probabilities(sizes, 1.0) == pytest.approx(np.array(sizes) / sum(sizes))
    assert sampling_probabilities(sizes, 0.0)[np.array(sizes) > 0] == pytest.approx(1 / filled)


def test_nothing_to_draw_from_is_an_error():
    with pytest.raises(ValueError, match="empty"):
        sampling_probabilities([0, 0], 0.7)


@given(st.lists(st.integers(0, 30), min_size=1, max_size=4).filter(any), st.integers(0, 2**32))
def test_each_stream_is_used_up_before_an_example_comes_again(sizes, seed):
    corpora = [corpus(chr(97 + i), size) for i, size in enumerate(sizes)]
    mix, counts = balanced_mix(corpora, alpha=0.5, rng=np.random.default_rng(seed), draws=100)
    ids = [example.id for example in mix]
    for part, size, count in zip(corpora, sizes, counts, strict=True):
        stream = [id_ for id_ in ids if id_[0] == part.name]
        assert len(stream) == count
        for start in range(0, count, size or 1):
            lap = stream[start : start + size]
            assert len(set(lap)) == len(lap)


def test_one_epoch_draws_as_many_examples_as_there_are():
    mix, counts = balanced_mix([corpus("a", 30), corpus("b", 12)], alpha=0.7, rng=np.random.default_rng(0))
    assert len(mix) == sum(counts) == 42


def test_one_data_set_alone_comes_once_in_a_new_order():
    mix, _ = balanced_mix([corpus("a", 50)], alpha=0.7, rng=np.random.default_rng(0))
    ids = [example.id for example in mix]
    assert sorted(ids) == sorted(f"a{i}" for i in range(50))
    assert ids != [f"a{i}" for i in range(50)]


def test_drawn_shares_follow_equation_two():
    _, counts = balanced_mix(
        [corpus("a", 100), corpus("b", 900)], alpha=0.5, rng=np.random.default_rng(1), draws=20_000
    )
    assert counts[0] / 20_000 == pytest.approx(0.25, abs=0.01)  # sqrt(.1) : sqrt(.9) = 1 : 3


def test_a_set_with_a_share_of_its_own_has_it_and_the_others_divide_the_rest_by_equation_two():
    """By sizes alone (α = 1) 100, 300 and 50 are 2/9, 6/9 and 1/9; with half for the last, a and b have 1/8 and 3/8."""
    given = sampling_probabilities([100, 300, 50], 1.0, [None, None, 0.5])
    assert given.tolist() == pytest.approx([0.125, 0.375, 0.5])
    assert sampling_probabilities([100, 300, 0], 1.0, [None, None, 0.5]).tolist() == pytest.approx([0.25, 0.75, 0.0])
    assert sampling_probabilities([0, 0, 50], 1.0, [None, None, 0.5]).tolist() == [0.0, 0.0, 1.0]
    sets = [corpus("a", 100), corpus("b", 300), corpus("c", 50)]
    _, counts = balanced_mix(sets, alpha=1.0, rng=np.random.default_rng(1), draws=20_000, shares=[None, None, 0.5])
    assert counts[2] / 20_000 == pytest.approx(0.5, abs=0.01)


def test_without_shares_of_their_own_the_draws_are_as_ever():
    sets = [corpus("a", 30), corpus("b", 12)]
    plain, own = (balanced_mix(sets, alpha=0.7, rng=np.random.default_rng(0), shares=s)[0] for s in ((), [None] * 2))
    assert plain.digest == own.digest


def test_what_is_looked_at_is_drawn_from_all_of_a_corpus_in_its_order():
    """A file sorted by where its sentences come from would be judged by its first source alone."""
    large = Corpus.from_examples("x", (), (Example(str(i), "x", ("w",)) for i in range(3 * MOST_JUDGED)))
    seen = [int(example.id) for example in judging_sample(large, seed=1)]
    assert len(seen) == MOST_JUDGED
    assert seen == sorted(set(seen))
    assert abs(sum(place < MOST_JUDGED for place in seen) - MOST_JUDGED / 3) < MOST_JUDGED / 30
    assert [int(example.id) for example in judging_sample(large, seed=1)] == seen
    assert [int(example.id) for example in judging_sample(large, seed=2)] != seen


def test_of_a_corpus_that_is_no_larger_all_is_looked_at():
    small = Corpus.from_examples("x", (), (Example(str(i), "x", ("w",)) for i in range(MOST_JUDGED)))
    assert judging_sample(small, seed=1) is small
