"""What each training of a run learned from and what came of it: one fact for the journal, `results.json` and the
screen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from uxla import progress
from uxla.config.run import Method
from uxla.records import ModelHandle
from uxla.report.trainings import NOUNS
from uxla.store.journal import Journal
from uxla.study.messages import lesson, result
from uxla.study.remembered import Ended

Made = dict[str, Any]
"""An entry of `trainings` in `results.json`; docs/results-schema.md describes it."""

_NAMES = ("method", "target", "epoch", "peers", "model")
"""What tells a training from the others of a run."""


@dataclass
class Course:
    """The trainings of one method, in the order they are made. `made` are those of the whole run, None where nobody
    asks; `score` is a model's score on the source's dev set, None where there is none."""

    method: Method
    target: str | None
    task: str
    journal: Journal
    made: list[Made] | None
    score: Callable[[ModelHandle], float | None]
    epochs: int = 0
    agreement: str = "exact"
    labelled: list[Mapping[str, Any]] = field(default_factory=list)
    now: Made = field(default_factory=dict)

    def record(self, event: str, **counts: Any) -> None:
        """An event of Algorithm 1 as `CoTraining.record` is told it."""
        self.journal.write(event, method=self.method, target=self.target, **counts)
        if event == "co_label":
            self.labelled.append(counts)
            return
        found, self.labelled = self.labelled, []
        self.begin(counts["l"], epoch=counts["epoch"], peers=[counts["k"], counts["j"]], learned_from=[])
        self.now["learned_from"] = [self._learned(name, counts, found) for name in counts["sizes"]]
        if event == "skip":
            self.now["steps"] = 0
            self._keep(self.now)
        progress.note(lesson(self.now, self.epochs, agreement=self.agreement, noun=NOUNS[self.task]))

    def begin(self, model: int | None, **more: Any) -> Ended:
        """The training of `model`, from 1, is next; the value is what hears of its end."""
        empty = {"epoch": None, "peers": None, "learned_from": None}
        empty |= {"steps": None, "examples": None, "loss": None, "dev": None}
        self.now = {"method": self.method, "target": self.target, "model": model} | empty | more
        return self.ended

    def ended(self, model: ModelHandle, facts: Mapping[str, Any]) -> None:
        """What the training gave: its facts as the store has them."""
        if self.made is None or any(self._same(self.now, other) for other in self.made):
            return
        told = {name: facts[name] for name in ("steps", "examples", "loss")}
        self._keep(self.now | told | {"dev": self.score(model)})
        progress.note(result(self.made[-1], self.epochs, task=self.task))

    def _keep(self, training: Made) -> None:
        if self.made is not None:
            self.made.append(training)
            self.journal.write("training", **training)

    @staticmethod
    def _same(one: Made, other: Made) -> bool:
        return all(one[name] == other[name] for name in _NAMES)

    def _learned(self, name: str, counts: Mapping[str, Any], labelled: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """What became of one data set. `kept`, by k and by j, is None for gold labels."""
        drawn, taught = counts.get("drawn", {}).get(name, 0), counts["sizes"][name]
        found = next((event for event in labelled if event["data"] == name), None)
        kind = ("virtual_" if name.endswith("~") else "") + ("target" if name.rstrip("~") == self.target else "source")
        if found is None:
            return {"kind": kind, "of": taught, "kept": None, "taught": taught, "drawn": drawn, "collapsed": []}
        kept = [found["kept_by_k"], found["kept_by_j"]]
        collapsed = [counts[peer] for peer in found["collapsed"]]
        return {"kind": kind, "of": found["of"], "kept": kept, "taught": taught, "drawn": drawn, "collapsed": collapsed}
