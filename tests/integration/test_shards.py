"""Shards of a run: in any order of them the bytes are those of one command, and no training is done twice."""

import random
import shutil
from collections import Counter

import pytest

from uxla.api import run
from uxla.config.run import load_config
from uxla.errors import ConfigError
from uxla.events import StageEnded
from uxla.shards import Shard, UnfinishedError
from uxla.study.run_folder import locked_folder

SETTINGS = ("methods=[penalty, uxla]", "keep_weights=last")


def rounds(adapt, out, store, of, *overrides, seed=0):
    """Each shard again and again, in an order of chance, until all have ended well: how often each was called."""
    random_order, due = random.Random(seed), [Shard(number, of) for number in range(1, of + 1)]
    calls, ends = Counter(), []
    while due:
        for shard in random_order.sample(due, len(due)):
            calls[shard.number] += 1
            try:
                adapt(out, store, *overrides, shard=shard)
                due.remove(shard)
            except UnfinishedError as unfinished:
                ends.append(
                    (unfinished.again, str(unfinished).partition("units, ")[2], (out / "results.json").exists())
                )
        assert sum(calls.values()) < 100
    assert set(ends) == {
        (True, "of other shards, are not done, and the rest needs them; repeat the command to go on", False)
    }
    return calls


@pytest.mark.parametrize("of", [2, pytest.param(7, marks=pytest.mark.slow)])
def test_shards_of_a_run_in_any_order_end_with_the_bytes_of_one_command(of, synchronous, adapt, tiny, tmp_path):
    store = tmp_path / "whole"  # one of its own, since weights go from it
    shutil.copytree(synchronous.store, store, ignore=shutil.ignore_patterns("running", "locks"))
    one = adapt(tmp_path / "one", store, *tiny, *SETTINGS)
    calls = rounds(adapt, tmp_path / "out", tmp_path / "store", of, *tiny, *SETTINGS)
    assert len(calls) == of
    assert files(tmp_path / "out") == files(tmp_path / "one")
    made = [path.name for path in (tmp_path / "store/fit").iterdir()]
    assert len(made) == len({event["key"] for event in one.stages if event["stage"] == "fit"})


def test_a_shard_that_finds_all_done_leaves_the_folder_to_the_one_that_writes_it(synchronous, adapt, tiny, tmp_path):
    overrides = [*tiny, "methods=[penalty]"]
    with locked_folder(tmp_path / "out"), pytest.raises(UnfinishedError, match="another process writes") as unfinished:
        adapt(tmp_path / "out", synchronous.store, *overrides, shard=Shard(1, 1))
    assert not unfinished.value.again
    written = adapt(tmp_path / "out", synchronous.store, *overrides, shard=Shard(1, 1))
    results = (written.out / "results.json").stat().st_mtime_ns
    adapt(tmp_path / "out", synchronous.store, *overrides, shard=Shard(1, 1))
    assert (written.out / "results.json").stat().st_mtime_ns == results


def test_a_shard_tells_of_its_events(synchronous, adapt, tiny, tmp_path):
    events = []
    with pytest.raises(UnfinishedError):
        adapt(
            tmp_path / "out", tmp_path / "store", *tiny, "methods=[penalty]", shard=Shard(1, 2), on_event=events.append
        )
    assert [event.stage for event in events if isinstance(event, StageEnded) and not event.hit].count("fit") > 0


@pytest.mark.parametrize("given", [{"fresh": True}, {"executor": "serial"}])
def test_a_shard_is_refused_what_it_cannot_do(given, tmp_path):
    config = load_config("testbed", ["target=near"])
    with pytest.raises(ConfigError, match=f"^{next(iter(given))}: cannot be given with shard"):
        run(config, tmp_path / "out", shard=Shard(1, 2), **given)


def files(out):
    """What a run's results, models and predictions are."""
    names = ["results.json", "table.md", "config.yaml"]
    names += [str(file.relative_to(out)) for part in ("models", "predictions") for file in (out / part).rglob("*.*")]
    return {name: (out / name).read_bytes() for name in names}
