"""`--shard i/n`: one command as n processes that share a store, and which of its units each of them does."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from uxla.errors import BeingWrittenError, ConfigError, in_python

Result = TypeVar("Result")


class Unit(NamedTuple):
    """A piece of work that does not depend on others: what does it, and by what to ask whether anybody did it."""

    do: Callable[[], object]
    work: Any


class UnfinishedError(Exception):
    """There is no result yet, because units of other processes are not done. It is no fault.

    `again` says that the same process has more to do when they are: the command ends with the code that asks to repeat
    it.
    """

    def __init__(self, text: str, *, again: bool = False) -> None:
        super().__init__(text)
        self.again = again


@dataclass(frozen=True)
class Shard:
    """One of the `of` processes: it does each `of`-th unit, beginning with unit `number`.

    Units are numbered by the content of the work alone, not by what is done of it, so all processes agree.

    >>> [unit for unit in range(1, 8) if Shard(2, 3).has(unit - 1)]
    [2, 5]
    """

    number: int
    of: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """The shard that is written as `2/7`. ConfigError for anything else."""
        found = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text, re.ASCII)
        shard = cls(*map(int, found.groups())) if found else cls(0, 0)
        if not 1 <= shard.number <= shard.of:
            raise ConfigError(f"--shard: got {text!r}, expected I/N with I from 1 to N, as 2/7")
        return shard

    def has(self, unit: int) -> bool:
        """Whether this process does a unit, by its number from 0 up."""
        return unit % self.of == self.number - 1

    def do(self, units: Iterable[Unit], finished: Callable[[Sequence[Any]], Iterable[bool]]) -> None:
        """Do the shard's units; then UnfinishedError, unless all units are `finished`, which is asked of the work of
        all together. Of those shards that end last at least one finds that they are."""
        every = []
        for number, unit in enumerate(units):
            if self.has(number):
                unit.do()
            every.append(unit.work)
        missing = sum(not done for done in finished(every))
        if missing:
            said = f"shard {self.number}/{self.of} is done; {missing} of {len(every)} units are not"
            remedy = "the last shard to end writes the result, and so does the same command without --shard"
            raise UnfinishedError(f"{said}; {remedy}")


def check_shard(shard: Shard | None, executor: object = None, *, fresh: bool) -> None:
    """ConfigError where a shard would do again what it is to find: the other shards' work."""
    dashes = "" if in_python() else "--"
    for name, given, why in (
        ("fresh", fresh, "which finds the work of other shards"),
        ("executor", executor is not None, "which is one of several processes"),
    ):
        if shard is not None and given:
            raise ConfigError(f"{dashes}{name}: cannot be given with {dashes}shard, {why}; leave it out")


def shared(shard: Shard | None, do: Callable[[Shard], object], write: Callable[[], Result]) -> Result:
    """The result that `write` makes; of a shard, after `do` has done its units. UnfinishedError, by `do`, where there
    can be none yet, and where another shard is writing it."""
    if shard is None:
        return write()
    do(shard)
    try:
        return write()
    except BeingWrittenError as error:
        raise UnfinishedError(f"all units are done, and another process writes the result ({error.filename})") from None
