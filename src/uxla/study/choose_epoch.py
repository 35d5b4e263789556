"""Without target labels: estimate the scores, warn of the models, and choose the epoch to take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from uxla.algorithm.estimates import APART, Estimate, Labelled, estimate
from uxla.algorithm.mixing import judging_sample
from uxla.records import Corpus
from uxla.study.labelling import Triple
from uxla.study.run_warnings import collapsed, untaught, vanished
from uxla.study.study import Study
from uxla.targets import Target

NO_DEV = "no estimate of the target's score: source.dev, the reference, is not given; give source.dev=FILE"

ByMethod = Mapping[str, Sequence[Triple]]
"""By method the three models after each epoch."""


@dataclass(frozen=True)
class Outcome:
    """For one target the estimated scores, the warnings, and the models that the run is for.

    `chosen_epoch` is the epoch these come from, 0 for the warm-up; None where the estimate was not asked to choose.
    """

    final: Triple
    zero_shot: Estimate | None = None
    penalty: Estimate | None = None
    uxla: tuple[Estimate, ...] = ()
    warnings: tuple[str, ...] = ()
    chosen_epoch: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """The target's entry of `estimates` in `results.json`; empty where there is none."""
        single = {"zero_shot": self.zero_shot, "penalty": self.penalty}
        found: dict[str, Any] = {name: value.as_dict() for name, value in single.items() if value is not None}
        if self.uxla:
            found["uxla"] = [epoch.as_dict() for epoch in self.uxla]
        return found


def choose_epoch(
    study: Study,
    target: Target,
    trained: ByMethod,
    starts: Mapping[str, Triple],
    trainings: Sequence[Mapping[str, Any]],
    *,
    asked: bool,
) -> Outcome:
    """Judge what was trained for a target, on its raw training sentences and on the source's labelled dev set.

    `starts` are the models that methods began with, by the methods that these are of. The estimate chooses where it
    was `asked` to; else the models are the last ones of the run's method.
    """
    final = study.final
    found = _estimated(study, target, trained, starts.get("penalty"), trained[final.name][-1], asked=asked)
    before = starts[final.start.method] if final.adapts and final.start is not None else None
    raw = judging_sample(target.train, study.seed)
    states = {name: trained[name][-1:] for name in ("zero_shot", "penalty") if name in trained}
    states |= {final.name: trained[final.name]}
    seen = (
        *untaught(study, target, trainings),
        *collapsed(study, raw, states, before),
        *vanished(study, target, raw, found.final, before),
    )
    return replace(found, warnings=(*found.warnings, *(f"{target.name}: {warning}" for warning in seen)))


def _estimated(
    study: Study, target: Target, trained: ByMethod, start: Triple | None, last: Triple, *, asked: bool
) -> Outcome:
    """The estimates, where there is something to estimate by, and the best models by them; else the `last` models."""
    zero_shot, epochs = trained.get("zero_shot", [])[-1:], trained.get("uxla", [])
    warm_up = [start] if start is not None and (epochs or "penalty" in trained) else []
    if study.dev is None or not (zero_shot or warm_up):
        return Outcome(last)
    view = _View(study, judging_sample(study.dev, study.seed), judging_sample(target.train, study.seed))
    before = [view.estimate(models) for models in (*zero_shot, *warm_up)]
    uxla = tuple(view.estimate(models, warm_up[0], before[-1]) for models in epochs)
    warnings = tuple(_far_apart(target, [*before, *uxla]))
    found = Outcome(last, before[0] if zero_shot else None, before[-1] if warm_up else None, uxla, warnings)
    return _chosen(found, target, [*warm_up, *epochs], asked=asked)


@dataclass(frozen=True)
class _View:
    """The two corpora that estimates are made on."""

    study: Study
    dev: Corpus
    raw: Corpus

    def estimate(self, models: Triple, judges: Triple | None = None, before: Estimate | None = None) -> Estimate:
        ours = self.labelled(models)
        theirs = ours if judges is None else self.labelled(judges)
        tags = self.dev.label_names if self.study.labelling.task_name == "ner" else None
        return estimate(ours, theirs, self.dev.gold_labels, tags, before=before, seed=self.study.seed)

    def labelled(self, models: Triple) -> Labelled:
        source, target = (self.study.labelling.predictions(models, part) for part in (self.dev, self.raw))
        return Labelled(source, target)


def _chosen(found: Outcome, target: Target, states: Sequence[Triple], *, asked: bool) -> Outcome:
    """With the best models by the estimate, where it was `asked` to choose; of equally good ones the earliest."""
    if not found.uxla:
        return found
    assert found.penalty is not None
    scores = [state.mean for state in (found.penalty, *found.uxla)]
    best = max(range(len(scores)), key=lambda epoch: scores[epoch])
    warnings = found.warnings
    if best == 0:
        figures = f"warm-up {scores[0]:.1f}, best epoch {max(scores[1:]):.1f}"
        done = "the warm-up's models are kept" if asked else "keep=estimated would keep the warm-up"
        warnings = (*warnings, f"{target.name}: adaptation did not help, according to the estimate ({figures}); {done}")
    if not asked:
        return replace(found, warnings=warnings)
    return replace(found, final=states[best], warnings=warnings, chosen_epoch=best)


def _far_apart(target: Target, found: Sequence[Estimate]) -> Iterator[str]:
    apart = max(state.apart for state in found)
    if apart > APART:
        yield f"{target.name}: the estimates lie up to {apart:.0f} points apart; check before you trust any of them"
