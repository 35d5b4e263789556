"""Who does work that does not depend on each other: the three warm-ups, the three trainings of a synchronous epoch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeVar

from uxla import plugins
from uxla.errors import ConfigError

Item = TypeVar("Item")
Result = TypeVar("Result")


class Executor(Protocol):
    """Calls a function on several items, in this process, for the calls tell the run what happens.

    Whatever the order or the thread in which the calls are made, the results are the same bytes.
    """

    def map(self, function: Callable[[Item], Result], items: Iterable[Item], /) -> Iterator[Result]:
        """The function's results, in the order of the items."""


@dataclass(frozen=True)
class Serial:
    """One after the other, in this process.

    >>> list(Serial().map(len, ["a", "bc"]))
    [1, 2]
    """

    def map(self, function: Callable[[Item], Result], items: Iterable[Item], /) -> Iterator[Result]:
        """The function's results, in the order of the items."""
        return map(function, items)


def executor_of(given: Executor | str) -> Executor:
    """The executor itself, or by name that of another package. ConfigError where that is none."""
    if not isinstance(given, str):
        return given
    part = plugins.load("uxla.executors", given)
    made: Executor = part() if isinstance(part, type) else part
    if not callable(getattr(made, "map", None)):
        raise ConfigError(f"uxla.executors: {given} has no method map(function, items); mend its package")
    return made
