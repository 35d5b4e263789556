"""Events of a run: one channel, typed.

Whatever does the work is given `emit` and calls it with each event. Journal, trace, messages, trackers, a run's history
and the library's `on_event` are functions of an event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, fields
from typing import Any, ClassVar
from uuid import uuid4
from weakref import WeakValueDictionary


@dataclass(frozen=True)
class Event:
    """Something that happened: what `on_event` receives, and a line of the journal. `facts` are its numbers and names.

    >>> class Rested(Event):
    ...     name = "rested"
    >>> print(Rested(), Rested().facts)
    rested {}
    """

    name: ClassVar[str] = "event"
    """What the journal calls it."""
    in_journal: ClassVar[bool] = True

    @property
    def facts(self) -> dict[str, Any]:
        """What of it is counted or named, as JSON values."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        return " ".join([self.name, *(f"{name}={value}" for name, value in self.facts.items())])


Emit = Callable[[Event], None]


def unheard(event: Event) -> None:
    """An `Emit` that nobody listens to."""


class Channel:
    """An `Emit` that can be pickled: in another process it is told what its listener here will hear.

    Whoever made the block of `redirected` that an event was emitted in passes it on.
    """

    def __init__(self, listener: Emit | None, key: str | None = None) -> None:
        self._listener, self._key = listener, key or uuid4().hex
        _CHANNELS[self._key] = self

    @property
    def is_here(self) -> bool:
        """Whether its listener is in this process."""
        return self._listener is not None

    def __call__(self, event: Event) -> None:
        """Tell the listener, or whoever redirects."""
        redirect = _REDIRECT.get()
        if redirect is None:
            self.tell(event)
        else:
            redirect(self, event)

    def tell(self, event: Event) -> None:
        """Tell the listener, if it is here."""
        if self._listener is not None:
            self._listener(event)

    def __reduce__(self) -> tuple[Any, ...]:
        return _channel, (self._key,)


_CHANNELS: WeakValueDictionary[str, Channel] = WeakValueDictionary()
_REDIRECT: ContextVar[Callable[[Channel, Event], None] | None] = ContextVar("redirect", default=None)


def _channel(key: str) -> Channel:
    """The channel of this process with the key; in another one there is a new one, without a listener."""
    return _CHANNELS.get(key) or Channel(None, key)


@contextmanager
def redirected(to: Callable[[Channel, Event], None]) -> Iterator[None]:
    """Inside the block, `to` receives each event that goes into a channel, with the channel, to pass it on later."""
    token = _REDIRECT.set(to)
    try:
        yield
    finally:
        _REDIRECT.reset(token)


def heard_by(listeners: Iterable[Emit]) -> Emit:
    """One `Emit` that tells every listener, in their order."""
    every = tuple(listeners)

    def emit(event: Event) -> None:
        for listener in every:
            listener(event)

    return emit


@dataclass(frozen=True)
class Began(Event):
    """All arguments were checked, and the work begins."""

    name: ClassVar[str] = "began"
    in_journal: ClassVar[bool] = False


@dataclass(frozen=True)
class DataRead(Event):
    """How many examples there are for one target."""

    name: ClassVar[str] = "data"
    language: str
    source: int
    target: int
    test: int
    test_sentences_also_in_train: int


@dataclass(frozen=True)
class Doubted(Event):
    """Something about the data or the models that may be a mistake."""

    name: ClassVar[str] = "doubt"
    about: str
    kind: str
    text: str


@dataclass(frozen=True)
class Planned(Event):
    """How many models will be trained; those that the store has are not counted."""

    name: ClassVar[str] = "planned"
    trainings: int


@dataclass(frozen=True)
class StageEnded(Event):
    """A piece of work was done or, with `hit`, found in the store; `details` are its own figures."""

    name: ClassVar[str] = "stage"
    stage: str
    key: str
    hit: bool
    seconds: float
    details: Mapping[str, Any]

    @property
    def facts(self) -> dict[str, Any]:
        """With the details as facts of their own."""
        return {"stage": self.stage, "key": self.key, "hit": self.hit, "seconds": self.seconds, **self.details}


@dataclass(frozen=True)
class Damaged(Event):
    """An artifact of the store was damaged, and was moved away."""

    name: ClassVar[str] = "damaged"
    stage: str
    key: str
    fault: str
    moved: str


@dataclass(frozen=True)
class TextsCut(Event):
    """Texts of a data set are longer than the model reads."""

    name: ClassVar[str] = "cut"
    in_journal: ClassVar[bool] = False
    data: str
    cut: int
    of: int
    pieces: int


@dataclass(frozen=True)
class Measured(Event):
    """Numbers of work under way, as the loss of a training step."""

    name: ClassVar[str] = "measured"
    in_journal: ClassVar[bool] = False
    label: str
    values: Mapping[str, float]


@dataclass(frozen=True)
class TrainingEnded(Event):
    """What one training learned from, and what came of it: an entry of `trainings` in `results.json`."""

    name: ClassVar[str] = "training"
    method: str
    target: str | None
    model: int | None
    """From 1; None for three models with one encoder."""
    epoch: int | None
    peers: list[int] | None
    learned_from: list[dict[str, Any]] | None
    steps: int | None = None
    examples: int | None = None
    loss: float | None = None
    dev: float | None = None
    """The score on the source's dev set."""
    epochs: int = 0
    """The number of all epochs."""

    @property
    def facts(self) -> dict[str, Any]:
        """The entry of `trainings`."""
        return {name: value for name, value in super().facts.items() if name != "epochs"}


@dataclass(frozen=True)
class Warned(Event):
    """Something in the results to doubt, and what to do."""

    name: ClassVar[str] = "warning"
    text: str


@dataclass(frozen=True)
class Scored(Event):
    """The scores are known: what `results.json` holds."""

    name: ClassVar[str] = "results"
    in_journal: ClassVar[bool] = False
    results: Mapping[str, Any]


@dataclass(frozen=True)
class Finished(Event):
    """The run folder is written but for `results.json`."""

    name: ClassVar[str] = "finished"
