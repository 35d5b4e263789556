"""Figure 1 of the paper with a run's own counts: what each epoch labels, selects, agrees on and draws."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from statistics import fmean
from typing import Any


@dataclass(frozen=True)
class Stream:
    """How many examples of one data set are left after each stage of an epoch; means over the epoch's trainings.

    `selected` (by k, by j) and `agreed` are None for the source, whose labels are gold.
    """

    data: str
    of: float
    selected: tuple[float, float] | None
    agreed: float | None
    drawn: float

    @property
    def virtual(self) -> bool:
        """Whether Gen-LM made it."""
        return self.data.endswith("~")


@dataclass(frozen=True)
class EpochFlow:
    """One epoch of Algorithm 1: what went into its trainings."""

    epoch: int
    trainings: int
    skipped: int
    """Trainings that did not take place, since nothing was left to learn from."""
    collapsed: tuple[str, ...]
    """Data sets of which a peer labelled nearly everything alike, so that it taught nobody."""
    streams: tuple[Stream, ...]


def flow(events: Iterable[Mapping[str, Any]], target: str) -> tuple[EpochFlow, ...]:
    """The epochs of UXLA for `target` in the last run that finished, which is the one that wrote the results.

    Where the journal names no finished run it is read to its end.
    """
    trainings: list[tuple[Mapping[str, Any], list[Mapping[str, Any]]]] = []
    waiting: list[Mapping[str, Any]] = []
    for event in _finished(list(events)):
        if event["event"] == "data":
            if event.get("language") == target:
                trainings, waiting = [], []
        elif event.get("method") != "uxla" or event.get("target") != target:
            continue
        elif event["event"] == "co_label":
            waiting.append(event)
        elif event["event"] in ("train", "skip"):
            trainings.append((event, waiting))
            waiting = []
    return tuple(_epoch(epoch, list(group)) for epoch, group in groupby(trainings, lambda pair: pair[0]["epoch"]))


def _finished(events: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The events up to the last `finished`; what follows belongs to a run that did not end."""
    ends = [place for place, event in enumerate(events) if event["event"] == "finished"]
    return events[: ends[-1]] if ends else events


def _epoch(epoch: int, trainings: list[tuple[Mapping[str, Any], list[Mapping[str, Any]]]]) -> EpochFlow:
    names = dict.fromkeys(name for training, _ in trainings for name in training["sizes"])
    streams = [_stream(name, trainings) for name in names]
    labelled = [event for _, events in trainings for event in events]
    return EpochFlow(
        epoch,
        len(trainings),
        sum(training["event"] == "skip" for training, _ in trainings),
        tuple(dict.fromkeys(event["data"] for event in labelled if event["collapsed"])),
        tuple(streams),
    )


def _stream(data: str, trainings: list[tuple[Mapping[str, Any], list[Mapping[str, Any]]]]) -> Stream:
    found = [event for _, events in trainings for event in events if event["data"] == data]
    drawn = fmean(training.get("drawn", {}).get(data, 0) for training, _ in trainings)
    if not found:
        return Stream(data, fmean(training["sizes"][data] for training, _ in trainings), None, None, drawn)
    of, k, j, agreed = (
        fmean(event[key] for event in found) for key in ("of", "selected_by_k", "selected_by_j", "agreed")
    )
    return Stream(data, of, (k, j), agreed, drawn)
