"""A shard does its own items, and takes what the others left in the store."""

import random
from functools import partial

import pytest

from uxla.errors import UxlaError
from uxla.executors.executor import beforehand, executing, in_turn, independent, side_by_side
from uxla.executors.sharded import Sharded
from uxla.shards import Shard, UnfinishedError
from uxla.store.store import Store


def made(root, asked, number):
    """The double of a number, by way of the store; `asked` has what was done here."""

    def make(into, scratch):
        asked.append(number)
        return {"double": 2 * number}

    return Store(root).folder("augment", {"number": number}, make)[1]["double"]


@pytest.fixture
def shards(tmp_path):
    """The shard `number` of 3 at work on a function of what it did: its result, or None, and what it did."""

    def work(number, function):
        asked = []
        with executing(Sharded(Shard(number, 3))):
            try:
                return function(partial(made, tmp_path, asked)), asked
            except UnfinishedError as unfinished:
                return (None if unfinished.again else unfinished), asked

    return work


@pytest.mark.parametrize("seed", range(6))
def test_each_item_is_done_once_by_its_shard_and_the_results_come_in_order(shards, seed):
    done, ended = [], set()
    while len(ended) < 3:
        for number in random.Random(seed + len(done)).sample([1, 2, 3], 3):
            found, asked = shards(number, lambda double: list(independent(double, range(7))))
            assert all(item % 3 == number - 1 for item in asked)
            done += asked
            if found is not None:
                assert found == [0, 2, 4, 6, 8, 10, 12]
                ended.add(number)
    assert sorted(done) == list(range(7))


def test_what_is_done_of_the_work_ahead_moves_no_item_to_another_shard(shards, tmp_path):
    work = [*range(7)]
    made(tmp_path, [], 0)  # by somebody else

    def ahead(double):
        beforehand(double, work, lambda item: Store(tmp_path).has("augment", {"number": item}))
        return True

    assert shards(2, ahead) == (None, [1, 4])
    assert shards(3, ahead) == (None, [2, 5])
    assert shards(1, ahead) == (True, [3, 6])
    assert shards(1, ahead) == (True, [])


def test_what_goes_on_side_by_side_is_spread_over_the_shards_and_one_that_waits_holds_up_no_other(shards):
    def flows(double):
        return list(side_by_side(lambda start: list(independent(double, [start])), [10, 20, 30, 40]))

    assert shards(2, flows) == (None, [20])
    assert shards(3, flows) == (None, [30])
    assert shards(1, flows) == ([[20], [40], [60], [80]], [10, 40])
    assert shards(2, flows) == ([[20], [40], [60], [80]], [])


def test_a_job_has_its_own_work_done_here_and_a_fault_of_it_is_raised(shards):
    def refuse(item):
        assert in_turn()
        raise UxlaError("no")

    with pytest.raises(UxlaError, match="no"):
        shards(1, lambda double: list(independent(refuse, [1, 2])))


def test_what_is_needed_again_is_made_by_any_shard(tmp_path):
    asked, store = [], Store(tmp_path)
    made(tmp_path, asked, 1)
    place = next((tmp_path / "augment").iterdir())
    (place / "meta.json").unlink()  # as weights that are gone, and whose maker has ended
    store.seen.needed.add(place)

    def make(into, scratch):
        return {"double": 2}

    with executing(Sharded(Shard(1, 2))):
        found = list(independent(lambda item: store.folder("augment", {"number": item}, make)[1]["double"], [1, 1]))
    assert found == [2, 2]
