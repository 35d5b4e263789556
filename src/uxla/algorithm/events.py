"""What happens in a step of Algorithm 1."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from uxla.algorithm.agreement import Agree, Agreed
from uxla.events import Event
from uxla.records import Bools, Corpus, Predictions


class Step(NamedTuple):
    """The epoch `e`, from 1; the two peers `k` and `j` and the model `l` that they teach, from 0."""

    e: int
    k: int
    j: int
    l: int


class Part(NamedTuple):
    """A data set of a training: how many of its examples teach, how many were drawn, and how it was labelled."""

    name: str
    size: int
    drawn: int = 0
    labelled: Mapping[str, Any] | None = None
    """The counts of `CoLabelled`; None for gold labels."""

    def kind(self, target: str | None) -> str:
        """`source`, `target`, `virtual_source`, `virtual_target` or, with labels of its own, `target_labelled`."""
        if self.name == f"{target} labelled":
            return "target_labelled"
        language = "target" if self.name.rstrip("~") == target else "source"
        return f"virtual_{language}" if self.name.endswith("~") else language


@dataclass(frozen=True, kw_only=True)
class StepEvent(Event):
    """What happens in one step; `method` and `target` are the run's names for what the step is a part of."""

    step: Step
    method: str | None = None
    target: str | None = None

    @property
    def facts(self) -> dict[str, Any]:
        """The step as a person counts: models, too, from 1."""
        whose = {} if self.method is None else {"method": self.method, "target": self.target}
        e, k, j, l = self.step
        return {**whose, "epoch": e, "k": k + 1, "j": j + 1, "l": l + 1, **self.counts}

    @property
    def counts(self) -> dict[str, Any]:
        """What is counted, as JSON values."""
        return {}


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class CoLabelled(StepEvent):
    """One labelling of one corpus by two peers. Pairs are (of k, of j)."""

    name: ClassVar[str] = "co_label"
    corpus: Corpus
    predictions: tuple[Predictions, Predictions]
    selected: tuple[Bools, Bools]
    """(N,) what each peer was trusted on (DISTIL)."""
    found: Agreed
    """What the two have in common (AGREEMENT)."""
    chosen: Bools
    """(N,) what teaches: what the agreement left; nothing where a peer has collapsed."""
    classes: Mapping[str, int]
    """How often each label is among what teaches."""
    collapsed: tuple[str, ...] = ()
    """Which of the peers, "k" and "j", have collapsed."""

    @property
    def counts(self) -> dict[str, Any]:
        """How many examples each stage left."""
        return {
            "data": self.corpus.name,
            "of": len(self.corpus),
            "selected_by_k": int(self.selected[0].sum()),
            "selected_by_j": int(self.selected[1].sum()),
            "agreed": int(self.chosen.sum()),
            "classes": dict(self.classes),
            "collapsed": list(self.collapsed),
        }


@dataclass(frozen=True, kw_only=True)
class _OfTraining(StepEvent):
    """What happens to a training: its data sets, how many epochs there are, and what its peers must agree on.

    `agreement` is None where the model learns from its own labels alone.
    """

    parts: tuple[Part, ...]
    epochs: int
    agreement: Agree | None = None

    @property
    def counts(self) -> dict[str, Any]:
        """How many examples of each data set there are."""
        return {"sizes": {part.name: part.size for part in self.parts}}

    def learned_from(self, target: str) -> list[dict[str, Any]]:
        """What became of each data set, as `results.json` has it. `kept`, by k and by j, is None for gold labels."""
        peers = {"k": self.step.k + 1, "j": self.step.j + 1}
        found = []
        for part in self.parts:
            one: dict[str, Any] = {"kind": part.kind(target), "of": part.size, "kept": None, "taught": part.size}
            one |= {"drawn": part.drawn, "collapsed": []}
            if part.labelled is not None:
                kept = [part.labelled["selected_by_k"], part.labelled["selected_by_j"]]
                one |= {"of": part.labelled["of"], "kept": kept}
                one |= {"collapsed": [peers[peer] for peer in part.labelled["collapsed"]]}
            found.append(one)
        return found


@dataclass(frozen=True, kw_only=True)
class Trains(_OfTraining):
    """A training begins."""

    name: ClassVar[str] = "train"

    @property
    def counts(self) -> dict[str, Any]:
        """How many examples of each data set there are, and were drawn."""
        return {**super().counts, "drawn": {part.name: part.drawn for part in self.parts}}


@dataclass(frozen=True, kw_only=True)
class Skipped(_OfTraining):
    """A training does not take place, since distillation left nothing at all; the model stays as it is."""

    name: ClassVar[str] = "skip"


@dataclass(frozen=True, kw_only=True)
class Trained(_OfTraining):
    """A training has ended with this model."""

    name: ClassVar[str] = "trained"
    model: Any
    began_with: Any
    """The model that was trained on."""


@dataclass(frozen=True)
class EpochEnded(Event):
    """An epoch has ended, from 1, with these three models."""

    name: ClassVar[str] = "epoch"
    in_journal: ClassVar[bool] = False
    e: int
    models: tuple[Any, Any, Any]
