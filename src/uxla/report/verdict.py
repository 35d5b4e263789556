"""The first thing a report says: whether adaptation helped, by how much, and how sure that is."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from uxla.algorithm.estimates import Estimate
from uxla.methods import registry
from uxla.phrases import enumerated
from uxla.report import table
from uxla.report.folder import RunFolder, TestSet
from uxla.report.paired import Pair, difference
from uxla.report.scoring import counts, score
from uxla.report.trainings import untaught

Kind = Literal["helped", "mixed", "hurt", "unclear", "unknown", "untaught"]
"""`untaught`: the target's raw text taught nothing, whatever was measured.
`mixed`: no worse than the first baseline, worse than another. `unknown`: nothing was measured, or nothing else."""

METHODS = table.METHODS | {name: method.spoken for name, method in registry.METHODS.items()}
"""The methods' names within a sentence."""
_BASELINES = ("zero_shot", "penalty", "tri_training")
_LABELLED = frozenset(name for name, method in registry.METHODS.items() if method.needs)
"""They had labels in the target language: nothing that others are measured by."""
_ADAPTED = frozenset(name for name, method in registry.METHODS.items() if method.reads_target)
"""They read the target's raw text: only of them it can be said that adaptation helped."""
_CLEAR = {1: "better than", -1: "worse than", 0: "not clearly different from"}
_SCORED = {1: "above", -1: "below", 0: "equal to"}
_LEARNED_NOTHING = "Nothing was learned from the raw text of {}: no sentence of it taught any model"
_NO_LABELS = "Not measured: there is no labelled test set"
_INTERVALS = (
    "95 % intervals: paired bootstrap over {:,} test examples, each method as an ensemble of three (its row of that "
    "name in the table). They are about other test examples for these models: one seed, so that differences between "
    "seeds are not in them"
)
_NO_INTERVALS = (
    "Means of three models each, without intervals: the test labels are missing, and three models of one run, "
    "which teach each other, do not tell how another run would end"
)


@dataclass(frozen=True)
class Comparison:
    """The final models against a `method`: its score, by how much they exceed it, and the 95 % interval of that, or
    None where nothing tells how sure it is."""

    method: str
    score: float
    gain: float
    interval: tuple[float, float] | None = None

    @property
    def baseline(self) -> str:
        """The method's name in a sentence."""
        return METHODS.get(self.method) or registry.find(self.method).spoken

    @property
    def sign(self) -> int:
        """1 or -1 where the interval is clear of zero or, without one, where the gain is; else 0."""
        low, high = self.interval or (self.gain, self.gain)
        return int(low > 0) - int(high < 0)

    @property
    def said(self) -> str:
        """How the final models compare."""
        return (_CLEAR if self.interval else _SCORED)[self.sign]


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
    """The run's warnings about this target and about all."""


@dataclass(frozen=True)
class _Measured:
    """The final models: whose they are, their score, what they are compared with, and what that rests on."""

    method: str
    epoch: int | None
    """The epoch that the estimate chose, 0 for the warm-up; None where it did not choose."""
    score: float
    comparisons: tuple[Comparison, ...]
    basis: str

    @property
    def name(self) -> str:
        """Their name in a sentence."""
        return _name(self.method, self.epoch)


def verdict(run: RunFolder, target: str, test: TestSet | None) -> Verdict:
    """Whether adaptation to `target` helped."""
    results = run.results
    epoch = results.get("kept_epoch", {}).get(target)
    estimates = _last_states(results.get("estimates", {}).get(target, {}), epoch)
    measured = _by_test(test, epoch, spans=results["task"] == "ner") if test is not None else None
    measured = measured or _by_models(_last_states(results["targets"][target], epoch), epoch)
    kind, headline = _judged(measured) if measured else ("unknown", _estimated(estimates, epoch))
    trainings = results.get("trainings", ())
    final = test.final if test is not None else _adapted(trainings, target)
    nothing = epoch != 0 and untaught(trainings, target, final)
    if nothing:
        kind, headline = "untaught", _LEARNED_NOTHING.format(target)
    return Verdict(
        kind,
        headline,
        measured.score if measured else None,
        measured.comparisons if measured else (),
        measured.basis if measured else "",
        estimate=tuple(_estimates_in_words(estimates, epoch)),
        warnings=tuple(warnings_of(results, target)),
    )


def warnings_of(results: Mapping[str, Any], target: str) -> Iterator[str]:
    """The run's warnings but for those of other targets."""
    others = tuple(f"{name}: " for name in results["targets"] if name != target)
    return (warning for warning in results.get("warnings", ()) if not warning.startswith(others))


def _adapted(trainings: Sequence[Mapping[str, Any]], target: str) -> str:
    """The method that the run is for, where no test set says: UXLA, else the last that adapted."""
    methods = [training["method"] for training in trainings if training["target"] == target]
    return "uxla" if "uxla" in methods or not methods else str(methods[-1])


def _by_test(test: TestSet, epoch: int | None, *, spans: bool) -> _Measured:
    """From the labels of each test example."""
    final = counts(test, test.final, spans=spans)
    found = []
    for method in _compared_with(test.labels, test.final, epoch):
        other = counts(test, method, spans=spans)
        gain = difference([Pair(final, other, 0)])
        found += [Comparison(method, score(other), gain.value, (gain.low, gain.high))] if gain else []
    return _Measured(test.final, epoch, score(final), tuple(found), _INTERVALS.format(len(test)))


def _by_models(states: Mapping[str, Any], epoch: int | None) -> _Measured | None:
    """From the scores of each method's models, where the test labels are missing; None without scores."""
    tried = [method for method in METHODS if method in states and method not in {*_LABELLED, "ensemble"}]
    if not tried:
        return None
    final = "uxla" if "uxla" in states else tried[-1]
    own = states[final]
    found = [
        Comparison(method, states[method]["mean"], own["mean"] - states[method]["mean"])
        for method in _compared_with(states, final, epoch)
        if len(states[method]["models"]) == len(own["models"])  # an ensemble is not compared with a mean of models
    ]
    return _Measured(final, epoch, own["mean"], tuple(found), _NO_INTERVALS)


def _compared_with(measured: Collection[str], final: str, epoch: int | None) -> list[str]:
    """The baselines that were measured; without any, every other method that had no labels of the target."""
    own = {final, "penalty" if final == "uxla" and epoch == 0 else final, "uxla_ensemble"}
    others = [method for method in METHODS if method in measured and method not in own]
    usual = [method for method in _BASELINES if method in others]
    return usual or [method for method in others if method not in _LABELLED]


def _judged(found: _Measured) -> tuple[Kind, str]:
    if not found.comparisons:
        return "unknown", "Measured, with nothing to compare it with"
    first = found.comparisons[0]
    name, over = found.name + "," * ("," in found.name), first.baseline
    better = enumerated([comparison.baseline for comparison in found.comparisons if comparison.sign < 0])
    if first.interval is None:
        side = "below" if first.gain < 0 else "above"
        lower = f", and lower than {better}" if better and first.gain >= 0 else ""
        scored = f"{name} scores {abs(first.gain):.1f} points {side} {over}{lower}"
        return "unclear", f"{_capitalised(scored)}; how sure that is is unknown"
    if first.sign == 0:
        headline = f"No clear effect: {name} differs from {over} by {_signed(first.gain)} points"
        return ("mixed", f"{headline}, and is worse than {better}") if better else ("unclear", headline)
    gains = f"{name} gains {first.gain:.1f} points over {over}"
    if first.sign > 0 and better:
        return "mixed", _capitalised(f"{gains}, but less than {better}")
    kind: Kind = "helped" if first.sign > 0 else "hurt"
    told = gains if first.sign > 0 else f"{name} loses {-first.gain:.1f} points against {over}"
    adapting = not (found.method == "uxla" and found.epoch == 0) and found.method in _ADAPTED
    return kind, f"Adaptation {kind}: {told}" if adapting and first.method not in _ADAPTED else _capitalised(told)


def _estimated(estimates: Mapping[str, Any], epoch: int | None) -> str:
    """The headline where nothing was measured. It calls an estimated gain sure only where the intervals of the warm-up
    and of the adapted models do not overlap."""
    if not {"penalty", "uxla"} <= estimates.keys():
        return _NO_LABELS
    before, after = Estimate(**estimates["penalty"]), Estimate(**estimates["uxla"])
    begin, gain = "Not measured; adaptation is estimated", after.score - before.score
    if epoch == 0:
        return f"{begin} not to help: the warm-up's models were kept"
    points = round(abs(gain))
    if points == 0 or gain * (after.mean - before.mean) < 0:  # the score is capped; epochs are chosen by the mean
        return f"{begin} to make no clear difference"
    doubt = ", which is not sure" if before.low <= after.high and after.low <= before.high else ""
    amount = f"about {points} point{'s' * (points > 1)}{doubt}"
    return f"{begin} to gain {amount}" if gain > 0 else f"{begin} not to help: it loses {amount}"


def _last_states(found: Mapping[str, Any], epoch: int | None) -> dict[str, Any]:
    """The scores or estimates of each method's last models; of UXLA those of the epoch chosen (0: the warm-up)."""
    states = {method: value for method, value in found.items() if value and method in METHODS}
    epochs = states.pop("uxla", None)
    if epochs and epoch != 0:
        return {**states, "uxla": epochs[-1 if epoch is None else epoch - 1]}
    warm_up = [states[name] for name in ("penalty", "uxla_ensemble") if name in states]
    return {**states, "uxla": warm_up[0]} if epochs and warm_up else states


def _estimates_in_words(estimates: Mapping[str, Any], epoch: int | None) -> Iterator[str]:
    """`UXLA, epoch 2: 61 (55 to 67)`: whole points, since no estimate is surer."""
    for method, values in estimates.items():
        warm_up = method == "uxla" and epoch == 0
        name = "UXLA (the warm-up was kept)" if warm_up else _name(method, epoch)
        yield "{name}: {score:.0f} ({low:.0f} to {high:.0f})".format(name=name, **values)


def _name(method: str, epoch: int | None) -> str:
    """The name of a method's last models in a sentence."""
    if method != "uxla" or epoch is None:
        return METHODS.get(method, method)
    return f"UXLA, epoch {epoch}" if epoch else "the warm-up, kept in place of UXLA"


def _capitalised(text: str) -> str:
    return text[0].upper() + text[1:]


def _signed(value: float) -> str:
    return f"{value:+.1f}".replace("-", "\N{MINUS SIGN}")
