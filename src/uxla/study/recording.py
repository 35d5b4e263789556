"""Recording a run as it happens: the journal in its folder, and the experiment trackers."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from uxla.config.run import RunConfig
from uxla.errors import UxlaError, printable
from uxla.events import Began, Emit, Event
from uxla.store.journal import JOURNAL, Journal
from uxla.study.run_folder import taken
from uxla.study.tracking import Tracking, tracking


@dataclass(frozen=True)
class Placed(Event):
    """The machine that a run goes on, in this start of it."""

    name: ClassVar[str] = "placed"
    machine: str


@dataclass(frozen=True)
class Failed(Event):
    """The run ends with an error."""

    name: ClassVar[str] = "failed"
    text: str


@contextmanager
def recording(out: Path, config: RunConfig, *, overwrite: bool = False) -> Iterator[Emit]:
    """What listens to a run. From its beginning, when all was checked, the folder is kept to this process.

    Raises UxlaError where the folder cannot be had, or a tracker cannot be opened.
    """
    journal, trackers = Journal(out / JOURNAL), Tracking()
    with ExitStack() as opened:

        def record(event: Event) -> None:
            if isinstance(event, Began):
                opened.enter_context(taken(out, config, overwrite=overwrite))
                opened.enter_context(tracking(config, out, trackers))
                journal.open()
                journal(Placed(platform.node()))
            journal(event)
            trackers(event)

        try:
            yield record
        except Exception as error:
            if journal.is_open:
                journal(Failed(printable(f"{error}" if isinstance(error, UxlaError) else repr(error))))
            raise
