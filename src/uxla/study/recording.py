"""Recording a run as it happens: the journal in its folder, and the experiment trackers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from uxla.config.run import RunConfig
from uxla.events import Began, Emit, Event
from uxla.store.journal import Journal
from uxla.study.run_folder import JOURNAL, taken
from uxla.study.tracking import Tracking, tracking


@contextmanager
def recording(out: Path, config: RunConfig, *, overwrite: bool = False) -> Iterator[Emit]:
    """What listens to a run. From its beginning, when all was checked, the folder is kept to this process.

    Raises UxlaError where the folder cannot be had, or a tracker cannot be opened.
    """
    journal, trackers = Journal(out / JOURNAL), Tracking({})
    with ExitStack() as opened:

        def record(event: Event) -> None:
            if isinstance(event, Began):
                opened.enter_context(taken(out, config, overwrite=overwrite))
                opened.enter_context(tracking(config, out, trackers))
                journal.open()
            journal(event)
            trackers(event)

        yield record
