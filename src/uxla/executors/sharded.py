"""An executor for one of several processes that share a run: it does its share, and looks for what the others did."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from typing import TypeVar

from uxla.executors.executor import Executor, Serial, executing
from uxla.shards import Shard, UnfinishedError
from uxla.store.locks import BusyError, looking

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Sharded:
    """Has `inner` do a shard's items. The results of the other items are found in the store, where they are finished.

    What goes on side by side in `together` has a `turn` each, so that several sets of three trainings go to different
    shards.
    """

    shard: Shard
    inner: Executor = field(default_factory=Serial)
    turn: int = 0

    @contextmanager
    def around(self, executor: AbstractContextManager[Executor]) -> Iterator[Sharded]:
        """The same with another executor inside, while the block lasts."""
        with executor as inner:
            yield replace(self, inner=inner)

    def map(self, function: Callable[[Item], Result], items: Iterable[Item], /, **several: int) -> list[Result]:
        """The function's results, in the order of the items. UnfinishedError where the shard's own items are done and
        others are not."""
        every = list(items)
        own = [number for number in range(len(every)) if self.shard.has(number + self.turn * len(every))]
        found = dict(zip(own, self.inner.map(function, [every[number] for number in own], **several), strict=True))
        with looking():
            for number in sorted(set(range(len(every))) - found.keys()):
                try:
                    found[number] = function(every[number])
                except BusyError:
                    continue
        if missing := len(every) - len(found):
            said = f"{missing} of {len(every)} units, of other shards, are not done, and the rest needs them"
            raise UnfinishedError(f"{said}; repeat the command to go on", again=True)
        return [found[number] for number in range(len(every))]

    def together(
        self, function: Callable[[Item], Result], items: Iterable[Item], work: Callable[[Item], int], /
    ) -> list[Result]:
        """The function's results, one call after the other. Where one has to wait for other shards, the next goes
        on."""
        results, waits = [], list[UnfinishedError]()
        for number, item in enumerate(items):
            try:
                with executing(replace(self, turn=number)):
                    results.append(function(item))
            except UnfinishedError as unfinished:
                waits.append(unfinished)
        if waits:
            raise waits[0]
        return results
