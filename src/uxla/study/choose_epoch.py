"""What a run can say about itself without target labels: estimated scores, what to doubt, which models to keep."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from uxla.algorithm.cotraining import gold_labels
from uxla.algorithm.estimates import APART, Estimate, Labelled, estimate
from uxla.algorithm.mixing import looked_at
from uxla.config.run import Method
from uxla.records import Corpus
from uxla.study import doubts
from uxla.study.card import FINAL
from uxla.study.inputs import Target
from uxla.study.study import ADAPTED, Study, Triple

NO_DEV = "no estimate of the target's score: source.dev, the reference, is not given; give source.dev=FILE"

_ADAPTED: frozenset[Method] = ADAPTED | {"tri_training", "tri_training_paper", "self_training", "source_vicinity"}
"""The methods that adapt models epoch by epoch."""

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
    method = next(method for method in FINAL if method in trained)
    found = _estimated(study, target, trained, trained[method][-1])
    before = _begun_with(study, method)
    raw = looked_at(target.train, study.config.seed)
    states = {name: trained[name][-1:] for name in ("zero_shot", "penalty") if name in trained}
    states |= {method: trained[method]}
    seen = (
        *doubts.untaught(study, target),
        *doubts.collapsed(study, raw, states, before),
        *doubts.vanished(study, target, raw, found.kept, before),
    )
    return replace(found, warnings=(*found.warnings, *(f"{target.name}: {doubt}" for doubt in seen)))


def _begun_with(study: Study, method: Method) -> Triple | None:
    """The models that a method's adaptation began with; None where it does not adapt any."""
    if method == "three_heads":
        return study.three_heads()
    return study.warm_up(penalty=True) if method in _ADAPTED else None


def _estimated(study: Study, target: Target, trained: Trained, last: Triple) -> Verdict:
    """The estimates where there are any, and the models that are kept by them, else the `last`."""
    zero_shot, epochs = trained.get("zero_shot", [])[-1:], trained.get("uxla", [])
    warm_up = [study.warm_up(penalty=True)] if epochs or "penalty" in trained else []
    dev, seed = study.inputs.dev, study.config.seed
    if dev is None or not (zero_shot or warm_up):
        return Verdict(last)
    view = _View(study, looked_at(dev, seed), looked_at(target.train, seed))
    before = [view.estimate(models) for models in (*zero_shot, *warm_up)]
    uxla = tuple(view.estimate(models, warm_up[0], before[-1]) for models in epochs)
    warnings = tuple(_doubts(target, [*before, *uxla]))
    found = Verdict(last, before[0] if zero_shot else None, before[-1] if warm_up else None, uxla, warnings)
    return _chosen(found, target, [*warm_up, *epochs], asked=study.config.keep == "estimated")


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
        done = "the warm-up's models are kept" if asked else "keep=estimated would keep the warm-up"
        warnings = (*warnings, f"{target.name}: adaptation did not help, by the estimate ({figures}); {done}")
    if not asked:
        return replace(found, warnings=warnings)
    return replace(found, kept=states[best], warnings=warnings, kept_epoch=best)


def _doubts(target: Target, found: Sequence[Estimate]) -> Iterator[str]:
    apart = max(state.apart for state in found)
    if apart > APART:
        yield f"{target.name}: the estimates lie up to {apart:.0f} points apart; trust none of them without a look"
