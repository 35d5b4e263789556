"""The verdict of a report: whether adaptation helped, by how much, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from uxla.algorithm.estimates import Estimate
from uxla.methods import registry
from uxla.methods.method import Method
from uxla.phrases import enumerated, signed
from uxla.report.folder import RunFolder, TestSet
from uxla.report.paired import Pair, difference
from uxla.report.scores import ensembles, final_method_of, last_states, own_methods
from uxla.report.scoring import counts, score
from uxla.report.trainings import taught_nothing

Kind = Literal["helped", "mixed", "hurt", "unclear", "unknown", "untaught"]
"""`untaught`: the target's raw text taught nothing, whatever was measured.
`mixed`: no worse than the first baseline, no better than another. `unknown`: nothing was measured, or nothing else."""

_SIGNIFICANT = {1: "significantly better", -1: "significantly worse", 0: "no significant difference"}
_LEARNED_NOTHING = "Nothing was learned from the raw text of {}: no sentence of it taught any model"
_NO_LABELS = "Not measured: there is no labelled test set"
_INTERVALS = (
    "Each method is scored as an ensemble of its three models. 95 % intervals by paired bootstrap over {:,} test "
    "examples; how much another seed would change is not in them"
)
_NO_INTERVALS = "Each method is scored as an ensemble of its three models. There are no intervals without test labels"


@dataclass(frozen=True)
class Comparison:
    """The final models against a `method`: its score, by how much they exceed it, and the 95 % interval of that, or
    None where nothing tells how sure it is."""

    method: str
    baseline: str
    """The method's name in a sentence."""
    score: float
    gain: float
    interval: tuple[float, float] | None = None

    @property
    def sign(self) -> int:
        """1 or -1 where the interval is clear of zero or, without one, where the gain is; else 0."""
        low, high = self.interval or (self.gain, self.gain)
        return int(low > 0) - int(high < 0)

    @property
    def said(self) -> str:
        """How the final models compare."""
        return _SIGNIFICANT[self.sign] if self.interval else "no interval"


@dataclass(frozen=True)
class Verdict:
    """A `headline`, the `comparisons` behind it, and `basis`: how they were made."""

    kind: Kind
    headline: str
    score: float | None
    comparisons: tuple[Comparison, ...]
    basis: str
    estimate: tuple[str, ...]
    """The scores estimated without labels; empty if there are no estimates."""
    warnings: tuple[str, ...]
    """The run's warnings about this target and about all."""


@dataclass(frozen=True)
class _Measured:
    """The final models: their method and score, comparisons with others, and how these were made."""

    method: Method
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
    results, known = run.results, own_methods(run.results)
    epoch = results.get("kept_epoch", {}).get(target)
    estimates = last_states(results.get("estimates", {}).get(target, {}), epoch)
    if test is not None:
        measured: _Measured | None = _by_test(test, epoch, known, spans=results["task"] == "ner")
    else:
        measured = _by_scores(results["targets"][target], epoch, known, final_method_of(results))
    kind, headline = _judged(measured, known) if measured else ("unknown", _estimated(estimates, epoch))
    nothing = epoch != 0 and taught_nothing(
        results.get("trainings", ()), target, test.final if test else final_method_of(results)
    )
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
    """The run's warnings, without those about other targets."""
    others = tuple(f"{name}: " for name in results["targets"] if name != target)
    return (warning for warning in results.get("warnings", ()) if not warning.startswith(others))


def _by_test(test: TestSet, epoch: int | None, known: Sequence[Method], *, spans: bool) -> _Measured:
    """From the labels of each test example."""
    final = counts(test, test.final, spans=spans)
    found = []
    for method in _compared_with(test.labels, test.final, epoch, known):
        other = counts(test, method.name, spans=spans)
        if gain := difference([Pair(final, other, 0)]):
            interval = (gain.low, gain.high)
            found.append(Comparison(method.name, method.spoken, score(other), gain.value, interval))
    return _Measured(registry.find(test.final, known), epoch, score(final), tuple(found), _INTERVALS.format(len(test)))


def _by_scores(found: Mapping[str, Any], epoch: int | None, known: Sequence[Method], final: str) -> _Measured | None:
    """From the ensembles' scores, where the test labels are missing; None without scores."""
    together = {method: one["mean"] for method, one in ensembles(found).items()}
    if final not in together:
        return None
    own = together[final]
    others = [(method, together[method.name]) for method in _compared_with(together, final, epoch, known)]
    compared = tuple(Comparison(method.name, method.spoken, its, own - its) for method, its in others)
    return _Measured(registry.find(final, known), epoch, own, compared, _NO_INTERVALS)


def _compared_with(measured: Iterable[str], final: str, epoch: int | None, known: Sequence[Method]) -> list[Method]:
    """The baselines that were measured; without any, every other method that had no labels of the target."""
    own = {final, *(["penalty"] if final == "uxla" and epoch == 0 else [])}
    others = [method for name, method in registry.ordered(measured, known).items() if name not in own]
    return [method for method in others if method.baseline] or [method for method in others if not method.needs]


def _judged(found: _Measured, known: Sequence[Method]) -> tuple[Kind, str]:
    if not found.comparisons:
        return "unknown", "Measured, with nothing to compare it with"
    first, *others = found.comparisons
    name, over = found.name + "," * ("," in found.name), first.baseline
    better = enumerated([one.baseline for one in others if one.sign < 0])
    level = " or ".join(one.baseline for one in others if one.sign == 0)
    if first.interval is None:
        lower = f", but below {better}" if better and first.gain >= 0 else ""
        side = "below" if first.gain < 0 else "above"
        scored = f"{name} scores {abs(first.gain):.1f} points {side} {over}{lower}"
        return "unclear", f"{_capitalised(scored)}; without test labels nothing tells how sure that is"
    if first.sign == 0:
        headline = f"No significant effect: {name} differs from {over} by {signed(first.gain)} points"
        return ("mixed", f"{headline}, and is worse than {better}") if better else ("unclear", headline)
    if first.sign > 0 and better:
        return "mixed", _capitalised(f"{name} gains {first.gain:.1f} points over {over}, but less than {better}")
    kind: Kind = "helped" if first.sign > 0 else "hurt"
    more = f", but not significantly more than {level}" if level else ""
    gains, loses = f"gains {first.gain:.1f} points over {over}{more}", f"loses {-first.gain:.1f} points against {over}"
    said = f"{name} {gains if first.sign > 0 else loses}"
    adapting = not (found.method.name == "uxla" and found.epoch == 0) and found.method.reads_target
    compares = adapting and not registry.find(first.method, known).reads_target
    headline = f"Adaptation {kind}: {said}" if compares else _capitalised(said)
    return "mixed" if kind == "helped" and level else kind, headline


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


def _estimates_in_words(estimates: Mapping[str, Any], epoch: int | None) -> Iterator[str]:
    """`UXLA, epoch 2: 61 (55 to 67)`: whole points, since no estimate is surer."""
    for method, values in estimates.items():
        warm_up = method == "uxla" and epoch == 0
        name = "UXLA (the warm-up was kept)" if warm_up else _name(registry.find(method), epoch)
        yield "{name}: {score:.0f} ({low:.0f} to {high:.0f})".format(name=name, **values)


def _name(method: Method, epoch: int | None) -> str:
    """The name of a method's last models in a sentence."""
    if method.name != "uxla" or epoch is None:
        return method.spoken
    return f"UXLA, epoch {epoch}" if epoch else "the warm-up, kept in place of UXLA"


def _capitalised(text: str) -> str:
    return text[0].upper() + text[1:]
