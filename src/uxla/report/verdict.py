"""The first thing a report says: whether adaptation helped, by how much, and how sure that is."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from uxla.algorithm.estimates import Estimate
from uxla.phrases import enumerated
from uxla.report import table
from uxla.report.folder import RunFolder, TestSet
from uxla.report.paired import Difference, Pair, difference
from uxla.report.scoring import counts, score
from uxla.report.trainings import untaught

Kind = Literal["helped", "mixed", "hurt", "unclear", "unknown", "untaught"]
"""`untaught`: the target's raw text taught nothing, whatever was measured.
`mixed`: no worse than the first baseline, worse than another. `unknown`: nothing was measured, or nothing else."""

METHODS = table.METHODS | {
    "penalty": "the confidence penalty alone",
    "ensemble": "the ensemble of zero-shot",
    "mlm_tuned": "a masked LM tuned first",
    "no_distillation": "UXLA without distillation",
    "no_agreement": "UXLA without agreement",
    "three_heads": "UXLA with three heads",
    "uxla": "UXLA",
    "supervised": "training on target labels",
}
"""The methods' names within a sentence."""
_BASELINES = ("zero_shot", "penalty", "tri_training")
_LABELLED = frozenset({"translate_train", "supervised"})
"""They had labels in the target language: nothing that others are measured by."""
_ADAPTED = frozenset(
    {
        "mlm_tuned",
        "self_training",
        "tri_training",
        "tri_training_paper",
        "no_distillation",
        "no_agreement",
        "three_heads",
        "uxla",
    }
)
"""They read the target's raw text: only of them it can be said that adaptation helped."""
_SAID = {1: "better than", -1: "worse than", 0: "not clearly different from"}
_SCORED = {1: "above", -1: "below", 0: "equal to"}
_LEARNED_NOTHING = "Nothing was learned from the raw text of {}: no sentence of it taught any model"
_NO_LABELS = "Not measured: there is no labelled test set"


@dataclass(frozen=True)
class Comparison:
    """The final models against one baseline: its score, by how much they exceed it, with a 95 % interval or None where
    nothing tells how sure the gain is."""

    baseline: str
    score: float
    gain: float
    interval: tuple[float, float] | None
    said: str

    @property
    def sign(self) -> int:
        """1 or -1 where the interval is clear of zero or, without one, where the gain is; else 0."""
        low, high = self.interval or (self.gain, self.gain)
        return int(low > 0) - int(high < 0)


@dataclass(frozen=True)
class Verdict:
    """`headline` in a few words, `comparisons` behind it, `basis`: what the intervals rest on."""

    kind: Kind
    headline: str
    score: float | None
    comparisons: tuple[Comparison, ...]
    basis: str
    estimate: tuple[str, ...]
    """What the run itself estimates the scores to be, without labels; empty where it did not."""
    warnings: tuple[str, ...]
    """What the run itself doubts, of this target and of all."""


@dataclass(frozen=True)
class _Measured:
    """The final models: whose they are, their name in a sentence, their score; and what they are compared with."""

    method: str
    name: str
    score: float
    against: list[tuple[str, Comparison]]
    basis: str


def verdict(run: RunFolder, target: str, test: TestSet | None) -> Verdict:
    """Whether adaptation to `target` helped."""
    kept = run.results.get("kept_epoch", {}).get(target)
    estimates = _states(run.results.get("estimates", {}).get(target, {}), kept)
    measured = _by_test(test, kept, spans=run.results["task"] == "ner") if test is not None else None
    measured = measured or _by_models(_states(run.results["targets"][target], kept), kept)
    trainings = run.results.get("trainings", ())
    final = test.final if test is not None else _adapted(trainings, target)
    about = {"estimate": tuple(_said(estimates, kept)), "warnings": tuple(warnings_of(run.results, target))}
    nothing = kept != 0 and untaught(trainings, target, final)
    if measured is None:
        headline = _LEARNED_NOTHING.format(target) if nothing else _estimated(estimates, kept)
        return Verdict("untaught" if nothing else "unknown", headline, None, (), "", **about)
    kind, headline = _judged(measured)
    if nothing:
        kind, headline = "untaught", _LEARNED_NOTHING.format(target)
    comparisons = tuple(comparison for _, comparison in measured.against)
    return Verdict(kind, headline, measured.score, comparisons, measured.basis, **about)


def _adapted(trainings: Sequence[Mapping[str, Any]], target: str) -> str:
    """The method that the run is for, where no test set says: UXLA, else the last that adapted."""
    methods = [training["method"] for training in trainings if training["target"] == target]
    return "uxla" if "uxla" in methods or not methods else str(methods[-1])


def _by_test(test: TestSet, kept: int | None, *, spans: bool) -> _Measured:
    """From the labels of each test example."""
    method, name = _kept(test.final, kept)
    final = counts(test, test.final, spans=spans)
    found = []
    for baseline in _compared_with(test.labels, {test.final, method}):
        other = counts(test, baseline, spans=spans)
        gain = difference([Pair(final, other, 0)])
        found += [_sure(baseline, score(other), gain)] if gain is not None else []
    basis = (
        f"95 % intervals: paired bootstrap over {len(test):,} test examples, each method as an ensemble of three "
        "(its row of that name in the table). They are about other test examples for these models: one seed, so that "
        "differences between seeds are not in them"
    )
    return _Measured(method, name, score(final), found, basis)


def _by_models(states: Mapping[str, Any], kept: int | None) -> _Measured | None:
    """From the scores of each method's models, where the test labels are not at hand; None without scores."""
    scores = {method: found for method, found in states.items() if method in METHODS}
    tried = [method for method in METHODS if method in scores and method not in {*_LABELLED, "ensemble"}]
    if not tried:
        return None
    final = "uxla" if "uxla" in scores else tried[-1]
    method, name = _kept(final, kept)
    own = scores[final]
    found = [
        _unsure(baseline, scores[baseline]["mean"], own["mean"])
        for baseline in _compared_with(scores, {final, method})
        if len(scores[baseline]["models"]) == len(own["models"])  # an ensemble is not compared with a mean of models
    ]
    basis = (
        "Means of three models each, without intervals: the test labels are not at hand, and three models of one run, "
        "which teach each other, do not tell how another run would end"
    )
    return _Measured(method, name, own["mean"], found, basis)


def _judged(found: _Measured) -> tuple[Kind, str]:
    if not found.against:
        return "unknown", "Measured, with nothing to compare it with"
    (baseline, first), *_ = found.against
    name, over = found.name + "," * ("," in found.name), first.baseline
    better = enumerated([comparison.baseline for _, comparison in found.against if comparison.sign < 0])
    if first.interval is None:
        return "unclear", _apart(name, first, better)
    adapting = found.method in _ADAPTED and baseline not in _ADAPTED
    if first.sign < 0:
        return "hurt", _opening("Adaptation hurt", f"{name} loses {-first.gain:.1f} points against {over}", adapting)
    if first.sign == 0:
        headline = f"No clear effect: {name} differs from {over} by {_signed(first.gain)} points"
        return ("mixed", f"{headline}, and is worse than {better}") if better else ("unclear", headline)
    said = f"{name} gains {first.gain:.1f} points over {over}"
    if better:
        return "mixed", _opening("", f"{said}, but less than {better}", False)
    return "helped", _opening("Adaptation helped", said, adapting)


def _apart(name: str, first: Comparison, better: str) -> str:
    """The headline without intervals: what the scores are, and that this is all."""
    side = "below" if first.gain < 0 else "above"
    said = f"{name} scores {abs(first.gain):.1f} points {side} {first.baseline}"
    lower = f", and lower than {better}" if better and first.gain >= 0 else ""
    return f"{_opening('', said, False)}{lower}; how sure that is cannot be told"


def _opening(claim: str, said: str, adapting: bool) -> str:
    return f"{claim}: {said}" if adapting else said[0].upper() + said[1:]


def _estimated(estimates: Mapping[str, Any], kept: int | None) -> str:
    """The headline where nothing was measured: an estimated gain is told as one, and surely only where the intervals
    of warm-up and adapted models do not meet."""
    if not {"penalty", "uxla"} <= estimates.keys():
        return _NO_LABELS
    before, after = Estimate(**estimates["penalty"]), Estimate(**estimates["uxla"])
    begin, gain = "Not measured; adaptation is estimated", after.score - before.score
    if kept == 0:
        return f"{begin} not to help: the warm-up's models were kept"
    points = round(abs(gain))
    if points == 0 or gain * (after.mean - before.mean) < 0:  # the score is capped, the mean is what epochs are kept by
        return f"{begin} to make no difference that can be told"
    doubt = ", which is not sure" if before.low <= after.high and after.low <= before.high else ""
    amount = f"about {points} point{'s' * (points > 1)}{doubt}"
    return f"{begin} to gain {amount}" if gain > 0 else f"{begin} not to help: it loses {amount}"


def _states(found: Mapping[str, Any], kept: int | None) -> dict[str, Any]:
    """The last state of each method, of UXLA the kept one: 0 is the warm-up."""
    states = {method: values for method, values in found.items() if values}
    epochs = states.pop("uxla", None)
    if epochs and kept != 0:
        return {**states, "uxla": epochs[-1 if kept is None else kept - 1]}
    warm_up = [states[name] for name in ("penalty", "uxla_ensemble") if name in states]
    return {**states, "uxla": warm_up[0]} if epochs and warm_up else states


def _kept(method: str, kept: int | None) -> tuple[str, str]:
    """Whose models a method's final ones are in truth, and their name."""
    if method != "uxla" or kept is None:
        return method, METHODS.get(method, method)
    return ("uxla", f"UXLA, epoch {kept}") if kept else ("penalty", "the warm-up, kept in place of UXLA")


def _compared_with(measured: Collection[str], own: Collection[str]) -> list[str]:
    """The baselines that were measured; without any, every other method that had no labels of the target."""
    others = [method for method in METHODS if method in measured and method not in {*own, "uxla_ensemble"}]
    usual = [method for method in _BASELINES if method in others]
    return usual or [method for method in others if method not in _LABELLED]


def _sure(baseline: str, value: float, gain: Difference) -> tuple[str, Comparison]:
    interval = (gain.low, gain.high)
    return baseline, Comparison(METHODS[baseline], value, gain.value, interval, _SAID[gain.sign])


def _unsure(baseline: str, value: float, own: float) -> tuple[str, Comparison]:
    gain = own - value
    return baseline, Comparison(METHODS[baseline], value, gain, None, _SCORED[(gain > 0) - (gain < 0)])


def _said(estimates: Mapping[str, Any], kept: int | None) -> Iterator[str]:
    """`UXLA, epoch 2: 61 (55 to 67)`: whole points, since no estimate is surer."""
    for method, values in estimates.items():
        name = "UXLA (the warm-up was kept)" if method == "uxla" and kept == 0 else _kept(method, kept)[1]
        yield "{name}: {score:.0f} ({low:.0f} to {high:.0f})".format(name=name, **values)


def warnings_of(results: Mapping[str, Any], target: str) -> Iterator[str]:
    """The run's warnings but for those of other targets."""
    others = [f"{name}: " for name in results["targets"] if name != target]
    for warning in results.get("warnings", ()):
        if not any(warning.startswith(other) for other in others):
            yield warning


def _signed(value: float) -> str:
    return f"{value:+.1f}".replace("-", "\N{MINUS SIGN}")
