"""A command of many units by an executor: each job is one of its shards, and one that ends last writes the result."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TypeVar

from uxla.devices import Placement
from uxla.errors import ConfigError
from uxla.executors.choice import Choice, running
from uxla.executors.executor import Serial
from uxla.shards import Shard, UnfinishedError
from uxla.store.opening import default_root, shared_url

Result = TypeVar("Result")

SHARES = 32
"""So many jobs are made of a command. Each of them reads the input and loads the models."""


def in_shares(
    given: Choice, placement: Placement, do: Callable[..., Result], out: Path, *, fresh: bool = False
) -> Result:
    """What `do(shard=…)` gives for the shard that writes `out`: all machines must see that folder, and the store.

    Where no executor is `given`, what `do()` gives. ConfigError with `fresh`, as jobs find each other's work.
    """
    if given is None or isinstance(given, Serial):
        return do()
    if fresh:
        raise ConfigError("--fresh: cannot be given with --executor, whose jobs find each other's work; leave it out")
    seen = [out.absolute().parent, *([] if shared_url() else [default_root()])]
    with running(given, placement, shared=seen) as executor:
        results = executor.map(partial(_of_shard, do), [Shard(number, SHARES) for number in range(1, SHARES + 1)])
        *_, written = chain.from_iterable(results)
        return written


def _of_shard(do: Callable[..., Result], shard: Shard) -> list[Result]:
    """What came of the command; nothing where units of other shards were not done yet."""
    try:
        return [do(shard=shard)]
    except UnfinishedError:
        return []
