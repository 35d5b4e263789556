"""What jobs say while they are done, and how it is passed on: progress at once, events in the order of the items."""

from __future__ import annotations

import queue
from collections import deque
from collections.abc import Iterator
from typing import Any, NamedTuple

from uxla import progress


class Message(NamedTuple):
    """What the job of item number `item` says: `done` or `failed` is its last word."""

    item: int
    kind: str
    content: Any = None


Inbox = queue.SimpleQueue[Message]


def results_in_order(inbox: Inbox, size: int) -> Iterator[Any]:
    """The results of `size` jobs, in their order, as they come.

    An event waits until all jobs before its own have ended, so that they come as from one job after the other. What
    one of them raised is raised at once.
    """
    waiting, bars = [deque[Message]() for _ in range(size)], _Bars()
    try:
        for said in waiting:
            while not (said and said[0].kind == "done"):
                if said:
                    _pass_on(said.popleft())
                elif not bars.show(message := inbox.get()):
                    waiting[message.item].append(message)
            yield said[0].content
    finally:
        bars.stop()


def _pass_on(message: Message) -> None:
    if message.kind == "event":
        channel, event = message.content
        channel(event)
    else:
        label, values = message.content
        progress.measured(label, **values)


class _Bars:
    """The bars of the jobs, and what else is shown at once."""

    def __init__(self) -> None:
        self._shown: dict[tuple[int, int], progress.Bar] = {}

    def show(self, message: Message) -> bool:
        """Whether the message was for the screen. Raises what a job raised."""
        item, kind, content = message
        match kind:
            case "bar":
                number, label, total = content
                self._shown[item, number] = progress.started(label, total)
            case "advance":
                number, amount = content
                self._shown[item, number].advance(amount)
            case "stop":
                self._shown.pop((item, content)).stop()
            case "note":
                progress.note(content)
            case "lost":
                self.stop(item)
            case "failed":
                raise content
            case _:
                return False
        return True

    def stop(self, of: int | None = None) -> None:
        """End the bars of one item, or all."""
        for item, number in list(self._shown):
            if of in (item, None):
                self._shown.pop((item, number)).stop()
