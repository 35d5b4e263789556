"""A job that takes several devices: it has others called, and what becomes of one becomes of all."""

from functools import partial

import pytest

from uxla.config.run import load_config
from uxla.devices import Placement
from uxla.errors import ConfigError, UxlaError, WriteError
from uxla.executors.choice import running
from uxla.executors.cluster import Ray
from uxla.executors.devices import on_devices
from uxla.executors.executor import Serial, call_others, executing, independent
from uxla.executors.sharded import Sharded
from uxla.shards import Shard


@pytest.fixture(scope="module")
def three(jobs):
    """Three processes."""
    with on_devices(["cpu"] * 3) as made, executing(made):
        yield made


def test_a_job_has_the_others_of_its_devices_called_and_none_of_another_job(three, jobs, tmp_path):
    work = partial(jobs.pid_and_others, tmp_path, 2)
    found = list(independent(work, range(4), devices=2))
    assert all(len({own, *others}) == 2 for own, others in found)
    [(own, others)] = independent(partial(jobs.pid_and_others, tmp_path, 3), [9], devices=3)
    assert len({own, *others}) == 3
    assert list(three.map(len, ["a", "ab", "abc"])) == [1, 2, 3]


def test_a_shard_gives_its_jobs_to_so_many_devices(three, jobs, tmp_path):
    with executing(Sharded(Shard(1, 1), three)):
        [(own, others)] = independent(partial(jobs.pid_and_others, tmp_path, 2), [1], devices=2)
    assert len({own, *others}) == 2


def test_what_one_of_several_raises_ends_the_job_and_the_others(three, jobs):
    with pytest.raises(WriteError, match=r"^place: cannot be written \(cause\); remedy$"):
        list(independent(partial(jobs.waits_for_a_failure, "raises"), [1], devices=2))
    assert list(three.map(len, ["a", "ab", "abc"])) == [1, 2, 3], "others have taken their places"


def test_who_answers_an_earlier_call_late_is_not_taken_for_free(three, jobs, tmp_path):
    with pytest.raises(WriteError):
        list(independent(partial(jobs.fails_in_its_second_call, tmp_path / "late"), [1], devices=2))
    assert list(three.map(len, ["a", "ab", "abc"])) == [1, 2, 3]
    assert not (tmp_path / "late").exists(), "its process has ended"


def test_one_of_several_that_is_killed_twice_ends_the_job(three, jobs, hearing):
    with hearing() as lines, pytest.raises(UxlaError, match=r"^a process for cpu died \(.*\) twice; free memory"):
        list(independent(partial(jobs.waits_for_a_failure, "killed"), [1], devices=3))
    assert lines == ["a process for cpu died (killed, or out of memory); its work is done again"]
    assert list(three.map(len, ["a", "ab", "abc"])) == [1, 2, 3]


def test_more_devices_than_there_are_is_an_error(three, jobs):
    with pytest.raises(UxlaError, match=r"^4 devices share a training, and only 3 have a process; free memory"):
        list(independent(len, ["a"], devices=4))
    with pytest.raises(ConfigError, match=r"^devices_per_training: got 3, and the run has 2 .cpu ….; give at most 2"):
        running(None, Placement({"cpu": 2}, devices_per_training=3))
    with pytest.raises(UxlaError, match=r"^devices_per_training: only the processes of `devices` can share a training"):
        call_others(len, ["a"])


@pytest.mark.parametrize("executor", [Serial(), Ray()])
def test_other_executors_are_refused(executor):
    with pytest.raises(ConfigError, match=r"^devices_per_training: got 2, but only .*; give 1, or leave the executor"):
        running(executor, Placement("cpu", devices_per_training=2))


def test_settings_that_contradict_each_other_are_refused():
    with pytest.raises(ConfigError, match=r"devices_per_training=2: got 2 beside jobs_per_device=3: .* to 1"):
        load_config("testbed", ["devices_per_training=2", "jobs_per_device=3"])
    with pytest.raises(ConfigError, match=r"devices_per_training=0: got 0, expected at least 1"):
        load_config("testbed", ["devices_per_training=0"])
