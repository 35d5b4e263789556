"""Which units a shard does, and when there is a result."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uxla.errors import BeingWrittenError, ConfigError, spelled_as
from uxla.shards import Shard, UnfinishedError, Unit, check_shard, shared


@given(of=st.integers(1, 40), units=st.integers(0, 200))
def test_every_unit_belongs_to_one_shard_and_a_longer_input_moves_none(of, units):
    shares = [{unit for unit in range(units) if Shard(number, of).has(unit)} for number in range(1, of + 1)]
    assert sorted(unit for share in shares for unit in share) == list(range(units))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


@pytest.mark.parametrize("text", ["0/3", "4/3", "1/0", "3", "1/3/3", "-1/3", "1/3 ", "a/b", "", "1/٣", "1/10000000000"])
def test_what_is_no_shard_is_refused_with_what_is_expected(text):
    with pytest.raises(ConfigError, match=r"--shard: got .*, expected I/N with I from 1 to N, as 2/7"):
        Shard.parse(text)


def test_a_shard_is_written_as_it_is_counted():
    assert Shard.parse("2/7") == Shard(2, 7)
    assert Shard.parse("7/7").has(6)


def work_of(done, numbers):
    """The arguments of `Shard.do`: units that append their numbers to `done`."""
    units = [Unit(lambda number=number: done.append(number), number) for number in numbers]
    return units, finished_in(done)


def finished_in(done):
    return lambda numbers: [number in done for number in numbers]


def test_the_last_shard_writes_the_result_in_any_order_of_them():
    done = []
    for number in (3, 1):
        with pytest.raises(UnfinishedError, match=rf"shard {number}/3 is done; \d of 7 units are not"):
            shared(Shard(number, 3), lambda shard: shard.do(*work_of(done, range(7))), lambda: "written")
    assert done == [2, 5, 0, 3, 6]
    assert shared(Shard(2, 3), lambda shard: shard.do(*work_of(done, range(7))), lambda: "written") == "written"


def test_without_a_shard_the_result_is_written_and_no_unit_is_looked_at():
    assert shared(None, lambda shard: 1 / 0, lambda: "written") == "written"


def test_where_another_process_writes_the_result_this_one_has_ended_well():
    def write():
        raise BeingWrittenError("out.tsv")

    with pytest.raises(UnfinishedError, match=r"all units are done, and another process writes the result \(out.tsv\)"):
        shared(Shard(1, 1), lambda shard: None, write)
    with pytest.raises(BeingWrittenError):
        shared(None, lambda shard: None, write)


def test_what_others_did_meanwhile_is_seen_at_the_end():
    done = []

    def first():
        done.extend([0, 1, 2])  # the other shards end while this one works

    units = [
        Unit(first, 0),
        Unit(lambda: 1 / 0, 1),
        Unit(lambda: 1 / 0, 2),
    ]
    finished = finished_in(done)
    assert shared(Shard(1, 3), lambda shard: shard.do(units, finished), lambda: "written") == "written"
    done.clear()
    last = [Unit(lambda: 1 / 0, 0), Unit(first, 1)]
    assert shared(Shard(2, 2), lambda shard: shard.do(last, finished), lambda: "written") == "written"


def test_all_units_are_asked_for_at_once():
    asked = []
    units, finished = work_of([], range(5))
    with pytest.raises(UnfinishedError):
        Shard(1, 2).do(units, lambda numbers: asked.append(list(numbers)) or finished(numbers))
    assert asked == [[0, 1, 2, 3, 4]]


@pytest.mark.parametrize("given", [{"fresh": True}, {"fresh": False, "executor": "serial"}])
def test_a_shard_that_would_do_the_work_of_others_again_is_refused_in_the_words_of_who_asks(given):
    check_shard(None, **{"executor": "serial", "fresh": True})
    check_shard(Shard(1, 2), None, fresh=False)
    name = "executor" if "executor" in given else "fresh"
    with pytest.raises(ConfigError, match=rf"^{name}: cannot be given with shard, which"):
        check_shard(Shard(1, 2), **given)
    with spelled_as("yaml"), pytest.raises(ConfigError, match=rf"^--{name}: cannot be given with --shard, which"):
        check_shard(Shard(1, 2), **given)
