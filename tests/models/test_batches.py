from itertools import combinations, pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from uxla.models.batches import cheapest_cuts, chunks, equal_length


def cost(lengths, ends, overhead):
    return sum((stop - start) * lengths[stop - 1] + overhead for start, stop in pairwise([0, *ends]))


@given(
    lengths=st.lists(st.integers(1, 40), min_size=1, max_size=8).map(sorted),
    tokens=st.integers(1, 120),
    overhead=st.integers(0, 60),
)
def test_no_other_way_to_cut_costs_less(lengths, tokens, overhead):
    def allowed(ends):
        return all(
            stop - start == 1 or (stop - start) * lengths[stop - 1] <= tokens for start, stop in pairwise([0, *ends])
        )

    inner = range(1, len(lengths))
    every = [[*some, len(lengths)] for size in range(len(lengths)) for some in combinations(inner, size)]
    best = min(cost(lengths, ends, overhead) for ends in every if allowed(ends))
    found = cheapest_cuts(lengths, tokens=tokens, overhead=overhead)
    assert allowed(found)
    assert cost(lengths, found, overhead) == best


def test_a_long_sentence_does_not_pad_the_short_ones():
    assert cheapest_cuts([5, 5, 5, 50], tokens=1000, overhead=10) == [3, 4]
    assert cheapest_cuts([5, 5, 5, 6], tokens=1000, overhead=10) == [4]


@given(lengths=st.lists(st.integers(1, 5)), tokens=st.integers(1, 20))
def test_groups_of_one_length_hold_every_row_once_in_order_within_the_budget(lengths, tokens):
    groups = [group.tolist() for group in equal_length(np.array(lengths, dtype=np.int64), tokens)]
    assert [row for group in groups for row in group] == sorted(range(len(lengths)), key=lengths.__getitem__)
    for group in groups:
        [length] = {lengths[row] for row in group}
        assert len(group) == 1 or len(group) * length <= tokens


def test_chunks_keep_the_order_and_end_short():
    assert list(chunks("abcde", 2)) == [["a", "b"], ["c", "d"], ["e"]]
