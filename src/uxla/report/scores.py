"""The scores of `results.json`, one by one or of the last models: tables, CSV and verdicts are made from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from uxla.methods import registry
from uxla.methods.description import described
from uxla.methods.method import Method

if TYPE_CHECKING:
    from uxla.algorithm.estimates import Estimate

Score = Mapping[str, Any]
"""A score as `results.json` has it: `mean`, `sd`, `models` and perhaps a second figure. An estimate has `score`."""


def of_methods(found: Mapping[str, Any]) -> dict[str, Any]:
    """The score or estimate of each method, a list for one with several epochs, from what results have of a target."""
    return {name: one for name, one in found.items() if isinstance(one, list) or "mean" in one or "score" in one}


def every_score(results: Mapping[str, Any]) -> Iterator[tuple[str | None, str, int | None, Score]]:
    """Target, method, epoch (None: the last one) and score of all that was scored on test sets.

    `METHOD_ensemble` is a method's three models together; `averaged` and `compressed` are one model in place of the
    final ones. `source:before` and `source:after` are scores on the source's test set.
    """
    for target, found in results["targets"].items():
        ensembles = {f"{method}_ensemble": score for method, score in found.get("ensembles", {}).items()}
        single = {kind: found["single"][kind] for kind in ("averaged", "compressed") if kind in found.get("single", {})}
        for methods in (of_methods(found), found.get("by_epoch", {}), ensembles, single):
            for method, epoch, score in by_epoch(methods):
                yield target, method, epoch, score
    source = results["source"]
    if source.get("before"):
        yield None, "source:before", None, source["before"]
    for target, score in (source.get("after") or {}).items():
        yield target, "source:after", None, score


def summary(results: Mapping[str, Any]) -> str:
    """The task, the source, and each target with the score of the three models together, where there is one."""
    single = {name: found.get("single") for name, found in results["targets"].items()}
    targets = [f"{name} {found['ensemble']['mean']:.1f}" if found else name for name, found in single.items()]
    return f"{results['task']}: {results['source']['name']} to {', '.join(targets)}"


def by_epoch(methods: Mapping[str, Any]) -> Iterator[tuple[str, int | None, Score]]:
    """Method, epoch and score or estimate; a method with one entry has no epoch."""
    for method, found in methods.items():
        if isinstance(found, list):
            yield from ((method, epoch, one) for epoch, one in enumerate(found, start=1))
        else:
            yield method, None, found


def last_states(found: Mapping[str, Any], epoch: int | None = None) -> dict[str, Score]:
    """The scores or estimates of each method's last models; of UXLA those of the `epoch` chosen (0: the warm-up)."""
    states = of_methods(found)
    if epoch == 0 and "uxla" in states:
        states["uxla"] = states.get("penalty") or states.get("uxla_ensemble")
    elif epoch and "uxla" in states:
        states["uxla"] = states["uxla"][epoch - 1]
    return {method: one[-1] if isinstance(one, list) else one for method, one in states.items() if one}


def own_methods(results: Mapping[str, Any]) -> list[Method]:
    """The run's methods that are none of uxla's, as far as reports need them."""
    return [described(name, found) for name, found in results.get("methods", {}).items()]


def final_method_of(results: Mapping[str, Any]) -> str:
    """The method that the run is for; where results do not say it, the highest that was scored, or else trained."""
    if "final" in results:
        return str(results["final"])
    scored = {name for found in results["targets"].values() for name in of_methods(found)} - {"uxla_ensemble"}
    names = scored or {one["method"] for one in results.get("trainings", ())}
    found = registry.final_method(map(registry.find, names))
    return "" if found is None else found.name


def final_estimates(results: Mapping[str, Any]) -> dict[str, Estimate]:
    """By target that of the final models; none of those of another method than `zero_shot`, `penalty` and `uxla`."""
    from uxla.algorithm.estimates import Estimate  # late: it loads numpy and scipy, which no table needs

    kept, final = results.get("kept_epoch", {}), final_method_of(results)
    last = {target: last_states(found, kept.get(target)) for target, found in results["estimates"].items()}
    return {target: Estimate(**states[final]) for target, states in last.items() if final in states}


def selected_on_dev(found: Mapping[str, Any]) -> dict[str, Score]:
    """The score of each method after its epoch with the best score on the target's dev set, of equal ones the first.

    These scores used target labels: the paper's selection (App. D) by epochs, read from a run that selected without
    them. Empty where the run had no dev set of the target.
    """
    states = {**of_methods(found), **found.get("by_epoch", {})}
    chosen = {}
    for method, on_dev in found.get("dev", {}).items():
        scores = states.get(method)
        if isinstance(on_dev, list) and scores:
            means = [one["mean"] for one in on_dev]
            chosen[method] = scores[means.index(max(means))]
        elif scores:
            chosen[method] = scores
    return chosen


def ensembles(found: Mapping[str, Any]) -> dict[str, Score]:
    """The score of each method's three models together."""
    own = {"zero_shot": found.get("ensemble"), "uxla": found.get("uxla_ensemble")}
    return {method: one for method, one in {**own, **found.get("ensembles", {})}.items() if one}
