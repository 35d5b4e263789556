"""What a run can say about itself without target labels: estimated scores, what to doubt, which models to keep."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from uxla.algorithm.cotraining import gold_labels
from uxla.algorithm.distil import majority_share
from uxla.estimates import APART, Estimate, Labelled, estimate
from uxla.records import Corpus
from uxla.run.card import FINAL
from uxla.run.config import Method
from uxla.run.inputs import Target
from uxla.run.study import Study, Triple

LOOKED_AT = 8192
"""The first sentences of the target, and of source dev, that an estimate reads: a part that the store keeps whole."""

NO_DEV = "no estimate of the target's score: source.dev, the reference, is not given; give source.dev=FILE"

Trained = Mapping[Method, list[Triple]]


@dataclass(frozen=True)
class Verdict:
    """One target's estimates, in the order zero-shot, penalty, epochs; what to doubt; and the models to keep.

    `kept_epoch` is the epoch they come from, 0 for the warm-up; None where the estimate was not asked to choose.
    """

    kept: Triple
    zero_shot: Estimate | None = None
    penalty: Estimate | None = None
    uxla: tuple[Estimate, ...] = ()
    warnings: tuple[str, ...] = ()
    kept_epoch: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """The target's entry of `estimates` in `results.json`; empty where there is none."""
        single = {"zero_shot": self.zero_shot, "penalty": self.penalty}
        found: dict[str, Any] = {name: value.as_dict() for name, value in single.items() if value is not None}
        if self.uxla:
            found["uxla"] = [epoch.as_dict() for epoch in self.uxla]
        return found


def verdict(study: Study, target: Target, trained: Trained) -> Verdict:
    """The verdict on what was `trained` for a target; reads its raw training sentences, and of source dev the gold."""
    last = trained[next(method for method in FINAL if method in trained)][-1]
    dev = study.inputs.dev
    if dev is None or not ({"zero_shot", "penalty", "uxla"} & trained.keys()):
        return Verdict(last)
    view = _View(study, dev.part(0, LOOKED_AT), target.train.part(0, LOOKED_AT))
    epochs = trained.get("uxla", [])
    zero_shot = view.estimate(trained["zero_shot"][-1]) if "zero_shot" in trained else None
    if "penalty" not in trained and not epochs:
        return Verdict(last, zero_shot, warnings=tuple(_doubts(view, target, trained, [zero_shot])))
    warm_up = study.warm_up(penalty=True)
    penalty = view.estimate(warm_up)
    uxla = tuple(view.estimate(models, warm_up, penalty) for models in epochs)
    found = Verdict(last, zero_shot, penalty, uxla, tuple(_doubts(view, target, trained, [zero_shot, penalty, *uxla])))
    return _chosen(found, target, [warm_up, *epochs], asked=study.config.adaptation.selection == "estimated")


@dataclass(frozen=True)
class _View:
    """What the estimates look at."""

    study: Study
    dev: Corpus
    raw: Corpus

    def estimate(self, models: Triple, judges: Triple | None = None, before: Estimate | None = None) -> Estimate:
        ours = self.labelled(models)
        theirs = ours if judges is None else self.labelled(judges)
        tags = self.dev.label_names if self.study.config.task == "ner" else None
        return estimate(ours, theirs, gold_labels(self.dev), tags, before=before, seed=self.study.config.seed)

    def labelled(self, models: Triple) -> Labelled:
        source, target = ([self.study.predict(model, part) for model in models] for part in (self.dev, self.raw))
        return Labelled(source, target)

    def collapsed(self, models: Triple) -> list[str]:
        """The models, by number, that give nearly one label only, where source dev does not."""
        limit = self.study.config.collapse_share
        if majority_share(gold_labels(self.dev)) > limit:
            return []
        tables = self.labelled(models).target
        return [str(i) for i, table in enumerate(tables, start=1) if majority_share(table.labels) > limit]


def _chosen(found: Verdict, target: Target, states: Sequence[Triple], *, asked: bool) -> Verdict:
    """With the models kept that the estimate finds best, the earliest of equals, where it was `asked` to choose."""
    if not found.uxla:
        return found
    assert found.penalty is not None
    scores = [state.mean for state in (found.penalty, *found.uxla)]
    best = max(range(len(scores)), key=lambda epoch: scores[epoch])
    warnings = found.warnings
    if best == 0:
        figures = f"warm-up {scores[0]:.1f}, best epoch {max(scores[1:]):.1f}"
        done = "the warm-up's models are kept" if asked else "adaptation.selection=estimated would keep the warm-up"
        warnings = (*warnings, f"{target.name}: adaptation did not help, by the estimate ({figures}); {done}")
    if not asked:
        return Verdict(found.kept, found.zero_shot, found.penalty, found.uxla, warnings)
    return Verdict(states[best], found.zero_shot, found.penalty, found.uxla, warnings, best)


def _doubts(view: _View, target: Target, trained: Trained, found: Sequence[Estimate | None]) -> Iterator[str]:
    apart = max(state.apart for state in found if state is not None)
    if apart > APART:
        yield f"{target.name}: the estimates lie up to {apart:.0f} points apart; trust none of them without a look"
    for method, epochs in trained.items():
        for number, models in enumerate(epochs, start=1):
            if method in ("zero_shot", "penalty", "uxla") and (fallen := view.collapsed(models)):
                place = f"{method}, epoch {number}" if method == "uxla" else method
                yield f"{target.name}: {place}: model {' and '.join(fallen)} gives nearly one label only: collapsed"
