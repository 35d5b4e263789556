"""What a run can say about itself without target labels: estimated scores, what to doubt, which models to keep."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
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
    zero_shot, epochs = trained.get("zero_shot", [])[-1:], trained.get("uxla", [])
    warm_up = [study.warm_up(penalty=True)] if epochs or "penalty" in trained else []
    states = {"zero_shot": zero_shot, "penalty": warm_up, "uxla": epochs}
    raw = target.train.part(0, LOOKED_AT)
    fallen = tuple(f"{target.name}: {doubt}" for doubt in _collapsed(study, raw, states))
    dev = study.inputs.dev
    if dev is None or not (zero_shot or warm_up):
        return Verdict(last, warnings=fallen)
    view = _View(study, dev.part(0, LOOKED_AT), raw)
    before = [view.estimate(models) for models in (*zero_shot, *warm_up)]
    uxla = tuple(view.estimate(models, warm_up[0], before[-1]) for models in epochs)
    warnings = (*_doubts(target, [*before, *uxla]), *fallen)
    found = Verdict(last, before[0] if zero_shot else None, before[-1] if warm_up else None, uxla, warnings)
    return _chosen(found, target, [*warm_up, *epochs], asked=study.config.adaptation.selection == "estimated")


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
        return replace(found, warnings=warnings)
    return replace(found, kept=states[best], warnings=warnings, kept_epoch=best)


def _doubts(target: Target, found: Sequence[Estimate]) -> Iterator[str]:
    apart = max(state.apart for state in found)
    if apart > APART:
        yield f"{target.name}: the estimates lie up to {apart:.0f} points apart; trust none of them without a look"


def _collapsed(study: Study, raw: Corpus, states: Mapping[str, Sequence[Triple]]) -> Iterator[str]:
    """Which models, by number, give nearly one label only, where the source's labels are not so."""
    limit, known = study.config.collapse_share, study.inputs.dev or study.inputs.train
    if majority_share(gold_labels(known.part(0, LOOKED_AT))) > limit:
        return
    for method, epochs in states.items():
        for number, models in enumerate(epochs, start=1):
            shares = [majority_share(study.predict(model, raw).labels) for model in models]
            fallen = [str(i) for i, share in enumerate(shares, start=1) if share > limit]
            if fallen:
                place = f"{method}, epoch {number}" if method == "uxla" else method
                yield f"{place}: model {' and '.join(fallen)} gives nearly one label only: collapsed"
