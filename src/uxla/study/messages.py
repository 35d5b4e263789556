"""Log messages of a run: events as lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from uxla import events, progress
from uxla.algorithm.agreement import kind_of
from uxla.algorithm.events import Part, Skipped, Step, Trains
from uxla.events import Event
from uxla.methods.method import Method
from uxla.methods.registry import title, trainings_of
from uxla.phrases import enumerated, models, one_label_only
from uxla.report.table import WARNING
from uxla.report.trainings import NOUNS


class Messages:
    """Listens to a run and shows a line for each event that a person should see."""

    def __init__(self, task: str, source: str, methods: Sequence[Method] = ()) -> None:
        self._task, self._source, self._methods = task, source, methods
        self._cut: set[str] = set()

    def __call__(self, event: Event) -> None:
        """Show the lines of an event."""
        for line in self._lines(event):
            progress.note(line)

    def _lines(self, event: Event) -> Iterator[str]:
        match event:
            case Trains() | Skipped():
                yield learned_line(event, NOUNS[self._task], self._methods)
            case events.TrainingEnded():
                if event.loss is not None:
                    yield result(event, self._task, self._methods)
            case events.DataRead():
                yield from self._sizes(event)
            case events.Doubted():
                yield event.text if event.kind == "classification layer" else f"{event.about}: {event.text}"
            case events.Warned():
                yield f"{WARNING}{event.text}"
            case events.TextsCut():
                yield from self._cut_once(event)

    def _sizes(self, event: events.DataRead) -> Iterator[str]:
        yield f"{self._source} → {event.language}: {event.source} labelled, {event.target} raw sentences"
        if shared := event.test_sentences_also_in_train:
            yield f"{event.language}: {shared} of {event.test} test sentences are also in its training data"

    def _cut_once(self, event: events.TextsCut) -> Iterator[str]:
        """Three models cut the same texts: one line for all of them."""
        line = f"{event.data}: {event.cut} of {event.of} longer than {event.pieces} pieces, cut"
        if line not in self._cut:
            self._cut.add(line)
            yield line


def metric(task: str) -> str:
    """What a score of a task is called."""
    return "F1" if task == "ner" else "accuracy"


def learned_line(event: Trains | Skipped, noun: str, methods: Sequence[Method] = ()) -> str:
    """What a model of Algorithm 1 is about to learn from, or why it stays as it is."""
    name, model = title(event.method or "", methods), f"model {event.step.l + 1}"
    where = _place(name, event.target, event.step.e, event.epochs)
    kind = "alone" if event.agreement is None else kind_of(event.agreement)
    peers = [event.step.k + 1, event.step.j + 1]
    k, j = peers if kind == "none" else sorted(peers)
    labelled = [part for part in event.parts if part.labelled is not None]
    collapsed = _collapsed(labelled, event.step)
    gold = [part for part in event.parts if part.kind(event.target) == "target_labelled"]
    if not any(part.size for part in labelled):
        alone = "labelled text" if gold else "the source"
        rest = f"{model} {'stays as it is' if isinstance(event, Skipped) else f'learns from {alone} alone'}"
        none = enumerated([_counted(part, event, noun) for part in labelled])
        if not labelled:
            return f"{where} {rest}"
        if collapsed:
            return f"{where} nothing is left of {none}, since {one_label_only(collapsed)}: {rest}"
        if kind not in ("exact", "token"):
            return f"{where} nothing is left of {none}: {rest}"
        return f"{where} {models([k, j])} agree on none of {none}: {rest}"
    parts = [f"{part.size:,} of {_counted(part, event, noun)}" for part in labelled]
    but = f", and not from data to which {one_label_only(collapsed)}" if collapsed else ""
    more = "".join(f", and from {part.size:,} labelled target {noun}" for part in gold)
    return f"{where} {model} learns from {enumerated(parts)} {_agreed(event, k, j)}{more}{but}"


def result(event: events.TrainingEnded, task: str, methods: Sequence[Method] = ()) -> str:
    """What a training gave: `warm-up 1 of 3: loss 0.10, dev F1 71.2`."""
    dev = "" if event.dev is None else f", dev {metric(task)} {event.dev:.1f}"
    return f"{_training(event, methods)}: loss {event.loss:.2f}{dev}"


def _training(event: events.TrainingEnded, methods: Sequence[Method]) -> str:
    """Which training it is, of how many."""
    if event.epoch is not None:
        place = _place(title(event.method, methods), event.target, event.epoch, event.epochs)
        return f"{place} model {event.model}"
    name = f"{trainings_of(event.method, methods)}{f' {event.target}' if event.target else ''}"
    return f"{name} {event.model} of 3" if event.model else name


def _place(method: str, target: str | None, epoch: int, epochs: int) -> str:
    return f"[{method} {target}, epoch {epoch}/{epochs}]"


def _agreed(event: Trains | Skipped, k: int, j: int) -> str:
    if event.agreement is None:
        return "of whose labels it is surest"
    own = f"that the agreement {kind_of(event.agreement)} of models {k} and {j} leaves"
    agreement = getattr(event.agreement, "part", event.agreement)  # of a plug-in
    return str(getattr(agreement, "sentence", own)).format(k=k, j=j)


def _collapsed(labelled: list[Part], step: Step) -> list[int]:
    peers = {"k": step.k + 1, "j": step.j + 1}
    return sorted({peers[peer] for part in labelled for peer in (part.labelled or {})["collapsed"]})


def _counted(part: Part, event: Trains | Skipped, noun: str) -> str:
    return f"{(part.labelled or {})['of']:,} {part.kind(event.target).replace('_', ' ')} {noun}"
