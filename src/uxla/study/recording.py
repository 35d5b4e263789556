"""Recording a run as it happens: the journal in its folder, and the experiment trackers."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from uxla.config.run import RunConfig
from uxla.events import Began, Event
from uxla.store.journal import Journal
from uxla.study.run_folder import JOURNAL, taken
from uxla.study.tracking import Tracking, tracking


class Recording:
    """Listens to a run. From its beginning, when all was checked, the folder is kept to this process.

    Raises UxlaError where the folder cannot be had, or a tracker cannot be opened.
    """

    def __init__(self, out: Path, config: RunConfig, *, overwrite: bool = False) -> None:
        self._out, self._config, self._overwrite = out, config, overwrite
        self._journal, self._trackers = Journal(out / JOURNAL), Tracking({})
        self._open = ExitStack()

    def __enter__(self) -> Recording:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return self._open.__exit__(kind, error, trace)

    def __call__(self, event: Event) -> None:
        """Record an event."""
        if isinstance(event, Began):
            self._open.enter_context(taken(self._out, self._config, overwrite=self._overwrite))
            self._open.enter_context(tracking(self._config, self._out, self._trackers))
            self._journal.open()
        self._journal(event)
        self._trackers(event)
