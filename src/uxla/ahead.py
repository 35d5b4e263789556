"""Work done one piece ahead, in a thread."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Generic, Self, TypeVar

T = TypeVar("T")


class Ahead(Generic[T]):
    """`make(0)`, `make(1)`, … up to `count` of them, each when it is asked for; the next one meanwhile, in a thread.

    Inside a `with` block; at its end the thread is gone. What `make` raises comes out where the piece is asked for.

    >>> with Ahead(str, 3) as ahead:
    ...     [ahead(number) for number in range(3)]
    ['0', '1', '2']
    """

    def __init__(self, make: Callable[[int], T], count: int) -> None:
        self._make, self._count = make, count
        self._thread = ThreadPoolExecutor(1, "uxla-ahead")
        self._next: dict[int, Future[T]] = {}

    def __call__(self, number: int) -> T:
        """`make(number)`, which may be there already."""
        found = self._next.pop(number, None)
        result = self._make(number) if found is None else found.result()
        following = number + 1
        self._next = {following: self._thread.submit(self._make, following)} if following < self._count else {}
        return result

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.shutdown(cancel_futures=True)
