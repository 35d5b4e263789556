"""The first thing a report says: whether adaptation helped, by how much, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Any, Literal

from uxla.report import table
from uxla.report.folder import RunFolder, TestSet
from uxla.report.scoring import Difference, counts, difference, score

Kind = Literal["helped", "mixed", "hurt", "unclear", "unknown"]
"""`mixed`: better than the first baseline, worse than another."""

METHODS = table.METHODS | {
    "penalty": "the confidence penalty alone",
    "uxla": "UXLA",
    "supervised": "training on target labels",
}
"""The methods' names within a sentence."""
_BASELINES = ("zero_shot", "penalty", "tri_training")
_SAID = {1: "better than", -1: "worse than", 0: "not clearly different from"}


@dataclass(frozen=True)
class Comparison:
    """The final models against one baseline, each as an ensemble of three."""

    baseline: str
    score: float
    difference: Difference
    said: str


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


def verdict(run: RunFolder, target: str, test: TestSet | None) -> Verdict:
    """Whether adaptation to `target` helped."""
    found = run.results["targets"][target]
    estimate = tuple(_estimates(run.results.get("estimates", {}).get(target, {})))
    if test is not None:
        spans = run.results["task"] == "ner"
        final = counts(test, test.final, spans=spans)
        compared = [_compared(test, name, final, spans) for name in _BASELINES if name in test.labels]
        basis = (
            f"95 % intervals: paired bootstrap over {len(test):,} test examples, each method as an ensemble of three"
        )
        return _verdict(test.final, score(final), [c for c in compared if c is not None], basis, estimate)
    if found.get("uxla"):
        last = found["uxla"][-1]
        compared = [_by_spread(name, last, found[name]) for name in _BASELINES if name in found]
        basis = "95 % intervals: from the spread of three models, since the test labels are not at hand"
        return _verdict("uxla", last["mean"], [c for c in compared if c is not None], basis, estimate)
    return Verdict("unknown", "Not measured: there is no labelled test set", None, (), "", estimate)


def _verdict(final: str, value: float, compared: list[Comparison], basis: str, estimate: tuple[str, ...]) -> Verdict:
    others = tuple(comparison for comparison in compared if comparison.baseline != METHODS.get(final, final))
    if not others:
        return Verdict("unknown", "Measured, with nothing to compare it with", value, (), "", estimate)
    first = others[0]
    gain, name = first.difference, METHODS.get(final, final)
    kinds: dict[int, tuple[Kind, str]] = {
        1: ("helped", f"Adaptation helped: {name} gains {gain.value:.1f} points over {first.baseline}"),
        -1: ("hurt", f"Adaptation hurt: {name} loses {-gain.value:.1f} points against {first.baseline}"),
        0: ("unclear", f"No clear effect: {name} differs from {first.baseline} by {_signed(gain.value)} points"),
    }
    kind, headline = kinds[gain.sign]
    better = [comparison.baseline for comparison in others if comparison.difference.sign < 0]
    if kind == "helped" and better:
        kind, headline = (
            "mixed",
            f"{name} gains {gain.value:.1f} points over {first.baseline}, but less than {_and(better)}",
        )
    return Verdict(kind, headline, value, others, basis, estimate)


def _compared(test: TestSet, name: str, final: Any, spans: bool) -> Comparison | None:
    other = counts(test, name, spans=spans)
    gain = difference(final, other)
    return None if gain is None else Comparison(METHODS[name], score(other), gain, _SAID[gain.sign])


def _by_spread(name: str, last: Mapping[str, Any], other: Mapping[str, Any]) -> Comparison | None:
    if min(len(last["models"]), len(other["models"])) < 2:
        return None
    half = 1.96 * sqrt(last["sd"] ** 2 / len(last["models"]) + other["sd"] ** 2 / len(other["models"]))
    value = last["mean"] - other["mean"]
    gain = Difference(value, value - half, value + half)
    return Comparison(METHODS[name], other["mean"], gain, _SAID[gain.sign])


def _estimates(found: Mapping[str, Any]) -> list[str]:
    """`UXLA 61 (55 to 67)`: whole points, since no estimate is surer; of methods with epochs the last."""
    latest = {method: values[-1] if isinstance(values, list) else values for method, values in found.items()}
    said = "{name} {score:.0f} ({low:.0f} to {high:.0f})"
    return [said.format(name=METHODS.get(method, method), **values) for method, values in latest.items()]


def _and(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _signed(value: float) -> str:
    return f"{value:+.1f}".replace("-", "\N{MINUS SIGN}")
