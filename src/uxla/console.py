"""Progress shown on stderr: bars on a terminal, elsewhere a line from time to time."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console, RenderableType
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

from uxla.progress import Bar, is_heard, listening

SHOWN_AFTER = 2.0
"""Seconds of work before a bar appears; shorter work is never shown."""

LINE_EVERY = 10.0
"""Seconds between two lines of one bar where there is no terminal."""

Clock = Callable[[], float]


@contextmanager
def showing(console: Console | None = None, clock: Clock = time.monotonic) -> Iterator[None]:
    """Show the progress of everything inside the block on `console` (default: stderr)."""
    console = console or Console(stderr=True)
    if not console.is_terminal or console.is_dumb_terminal:
        with listening(PlainLines(console, clock)):
            yield
        return
    with LiveBars(console, clock) as bars, listening(bars):
        yield


@contextmanager
def showing_to_caller() -> Iterator[None]:
    """Show the progress of a library call inside the block: bars in a notebook and on a terminal, elsewhere nothing.

    Where somebody listens already, all goes there.
    """
    if is_heard():
        yield
    elif _in_notebook():
        with listening(NotebookBars()):
            yield
    elif sys.stderr is not None and sys.stderr.isatty():
        with showing():
            yield
    else:
        yield


def _in_notebook() -> bool:
    """Whether the code runs in a kernel of Jupyter."""
    if "IPython" not in sys.modules:
        return False
    from IPython import get_ipython

    return hasattr(get_ipython(), "kernel")


class NotebookBars:
    """Bars of tqdm, in HTML if ipywidgets are installed. They appear after `after` seconds of work."""

    def __init__(self, after: float = SHOWN_AFTER) -> None:
        self._after = after

    def start(self, label: str, total: int) -> Bar:
        """A bar that disappears with the end of its work."""
        return _TqdmBar(_tqdm()(total=total, desc=label, delay=self._after, leave=False))

    def note(self, text: str) -> None:
        """`text` as a line of the cell's output."""
        _tqdm().write(text, file=sys.stderr)


class _TqdmBar:
    def __init__(self, shown: Any) -> None:
        self._shown = shown

    def advance(self, amount: int = 1) -> None:
        self._shown.update(amount)

    def stop(self) -> None:
        self._shown.close()


def _tqdm() -> Any:
    try:
        import ipywidgets  # noqa: F401 (whether it is there)
        from tqdm.notebook import tqdm
    except ImportError:
        from tqdm.std import tqdm
    return tqdm


class LiveBars:
    """Live bars with notes above them; bars of finished work disappear."""

    def __init__(self, console: Console, clock: Clock = time.monotonic) -> None:
        self.progress = _LateProgress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            _TimeLeft(),
            console=console,
            get_time=clock,
            transient=True,
        )

    def __enter__(self) -> LiveBars:
        self.progress.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self.progress.stop()

    def start(self, label: str, total: int) -> Bar:
        """A bar that appears once its work has lasted over two seconds."""
        return _LiveBar(self.progress, self.progress.add_task(label, total=total))

    def note(self, text: str) -> None:
        """`text` as it is, above the bars."""
        self.progress.console.print(text, markup=False, highlight=False, soft_wrap=True)


class PlainLines:
    """For logs and pipes: a line for each bar every ten seconds, and one when long work has ended."""

    def __init__(self, console: Console, clock: Clock = time.monotonic) -> None:
        self._console = console
        self._clock = clock

    def start(self, label: str, total: int) -> Bar:
        """A bar of lines."""
        return _PlainBar(label, total, self._clock, self.note)

    def note(self, text: str) -> None:
        """`text` as one line."""
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)


class _LiveBar:
    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress = progress
        self._task = task

    def advance(self, amount: int = 1) -> None:
        self._progress.advance(self._task, amount)

    def stop(self) -> None:
        self._progress.remove_task(self._task)


class _PlainBar:
    def __init__(self, label: str, total: int, clock: Clock, write: Callable[[str], None]) -> None:
        self._label, self._total, self._done = label, total, 0
        self._clock, self._write = clock, write
        self._began = self._said = clock()

    def advance(self, amount: int = 1) -> None:
        self._done += amount
        now = self._clock()
        if now - self._said >= LINE_EVERY and self._done < self._total:
            self._said = now
            passed = now - self._began
            left = seconds_left(self._done, self._total, passed)
            self._write(f"{self._label}: {self._done}/{self._total}, {_clock_time(passed)}, {left}")

    def stop(self) -> None:
        passed = self._clock() - self._began
        if passed > SHOWN_AFTER:
            self._write(f"{self._label}: {self._done}/{self._total} in {_clock_time(passed)}")


class _LateProgress(Progress):
    """Draws only work that has lasted over two seconds, even if it reports nothing meanwhile."""

    def get_renderables(self) -> Iterator[RenderableType]:
        yield self.make_tasks_table([task for task in self.tasks if (task.elapsed or 0.0) > SHOWN_AFTER])


class _TimeLeft(ProgressColumn):
    """The time left at the mean pace so far, which is steadier than rich's pace of the last thirty seconds."""

    def render(self, task: Task) -> Text:
        return Text(seconds_left(int(task.completed), int(task.total or 0), task.elapsed or 0.0), style="cyan")


def seconds_left(done: int, total: int, passed: float) -> str:
    """The time that `total - done` more units take at the pace of the first `done`, in words."""
    if done <= 0:
        return "time left unknown"
    return f"{_clock_time(passed * max(total - done, 0) / done)} left"


def _clock_time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
