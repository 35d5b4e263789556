"""The table of a run, made from `results.json`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from uxla.errors import ArtifactError
from uxla.markup import Figure, Row, Table
from uxla.methods.registry import row_titles
from uxla.phrases import enumerated, signed
from uxla.report.scores import Score, every_score, final_method_of, of_methods, own_methods

VERSION = 2
"""The version of `results.json` that is read here; docs/results-schema.md describes it."""

METHODS = row_titles()
"""The methods' names in tables, in the order of their rows."""

WARNING = "Warning: "
"""How a note begins that is one of the run's warnings."""

METRICS = {"f1": "Entity F1 (as seqeval and conlleval count)", "accuracy": "Accuracy"}
"""What `mean` in `results.json` is, by the `metric` there."""

STRICT = (
    "strict: an I- tag that continues no entity counts as none; equal to F1 where all labels are valid IOB2, as here"
)
ESTIMATE = "{score:.0f} [{low:.0f}, {high:.0f}]"
"""How an estimate is shown: in whole points, since it is no more precise."""
ENSEMBLE = "An ensemble is a method's three models together: the mean of their probabilities"
SECOND = {"strict_f1": ("strict", STRICT), "macro_f1": ("macro-F1", "macro-F1: the mean of the classes' F1")}
"""A second figure of a score: its column's name, and what is said of it below the table."""
SINGLE = {"averaged": "one model, averaged", "compressed": "one model, compressed"}
_HOW = {"averaged": "the mean of the three models' weights", "compressed": "it learned what the three say together"}
"""The one model in place of three: the name of its row, and how it was made."""
_THIRD = 1 / 3
_COUNTS = {2: "two", 3: "three", 4: "four", 5: "five"}
_AGREEMENTS = {
    "exact": "peers agree on the whole sentence (agree: exact)",
    "token": "peers agree word by word, on at least {:.0f} % of a sentence (agree: token)",
    "none": "peers need not agree (agree: none)",
    "union": "one of the two peers is enough (agree: union)",
}
_UNFAIR = (
    "TARGET LABELS WERE USED to select checkpoints (adaptation.selection: target_dev, as in the paper): "
    "these figures are not zero-resource"
)


def run_table(results: Mapping[str, Any]) -> Table:
    """One row a method, in the paper's order, then the estimates and the source. ArtifactError for another version.

    Each target has a column and, where its scores have a second figure, another one.
    """
    require_version(results)
    scores = [score for *_, score in every_score(results)]
    second = next((name for name in SECOND for score in scores if name in score), None)
    heads = ("",) if second is None else ("", f", {SECOND[second][0]}")
    estimates = list(_estimates(results))
    named = [*_methods(results), *estimates, *_source(results)]
    return Table(
        names=("method",),
        columns=tuple(f"{target}{head}" for target in results["targets"] for head in heads),
        rows=tuple(_row(name, values, second) for name, values in named),
        notes=(
            *_what_scores_are(results, scores, second),
            *_losses(results),
            *agreement_notes(results),
            *_doubts(results, estimated=bool(estimates)),
        ),
        warnings=unfair(results),
    )


def require_version(results: Mapping[str, Any]) -> None:
    """ArtifactError for results of another version."""
    if results.get("version") != VERSION:
        got, remedy = results.get("version"), "run `uxla run` again with this version of uxla"
        raise ArtifactError(f"results.json: got version {got!r}, expected {VERSION}; {remedy}")


def unfair(results: Mapping[str, Any]) -> tuple[str, ...]:
    """A warning if target labels were used, so that the figures are not zero-resource."""
    return (_UNFAIR,) if results.get("selection") == "target_dev" else ()


def score_text(score: Score) -> str:
    """`41.20 ± 0.53`; one model has no deviation."""
    mean = f"{score['mean']:.2f}"
    return f"{mean} ± {score['sd']:.2f}" if len(score["models"]) > 1 else mean


def agreement_notes(results: Mapping[str, Any]) -> list[str]:
    """How peers had to agree in the rows of tri-training: the run's way, or the paper's."""
    found, how = list(results["targets"].values()), _AGREEMENTS.get(results.get("agreement", ""))
    notes = []
    if how and any("tri_training" in methods for methods in found):
        epochs = max(len(methods.get("by_epoch", {}).get("tri_training", [0])) for methods in found)
        agreed = how.format(100 * results.get("min_agreed", 0))
        notes.append(f"{METHODS['tri_training']}: {agreed}; {epochs} epoch{'s' * (epochs > 1)}")
    if any("tri_training_paper" in methods for methods in found):
        notes.append(f"{METHODS['tri_training_paper']}: {_AGREEMENTS['exact']}; one epoch (Table 5, η = 100 %, ∩)")
    return notes


Named = tuple[str, Sequence[Score | None]]
"""A row's name, and a score or an estimate for each target."""


def _methods(results: Mapping[str, Any]) -> Iterator[Named]:
    """Each method that was scored, and behind it its three models together where they were scored so."""
    targets = results["targets"].values()
    others = {name for found in targets for name in of_methods(found)} - {"uxla_ensemble"}
    final = final_method_of(results)
    last_row = "uxla_ensemble" if final == "uxla" else final
    for method, title in row_titles(others, own_methods(results)).items():
        yield from _by_epoch(method, title, targets)
        together = [found.get("ensembles", {}).get(method) for found in targets]
        if any(together):
            yield f"{title} (ensemble)".replace(") (", ", "), together
        if method == last_row:
            yield from _single(targets)


def _single(targets: Iterable[Mapping[str, Any]]) -> Iterator[Named]:
    """The one model in place of the final method's three."""
    for kind, title in SINGLE.items():
        scores = [found.get("single", {}).get(kind) for found in targets]
        if any(scores):
            yield title, scores


def _losses(results: Mapping[str, Any]) -> Iterator[str]:
    """What is lost by one model in place of the ensemble of three."""
    targets = {name: found["single"] for name, found in results["targets"].items() if "single" in found}
    for kind, title in SINGLE.items():
        gains = {t: found[kind]["mean"] - found["ensemble"]["mean"] for t, found in targets.items() if kind in found}
        if gains:
            said = enumerated([f"{signed(gain, digits=2)} on {t}" for t, gain in gains.items()])
            cost = min(found.get("cost", _THIRD) if kind == "compressed" else _THIRD for found in targets.values())
            share = "a third" if abs(cost - _THIRD) < 0.005 else f"{100 * cost:.0f} %"
            yield f"{title.capitalize()}: {_HOW[kind]}; {said} against their ensemble, at {share} of its cost"


def _estimates(results: Mapping[str, Any]) -> Iterator[Named]:
    found = [results.get("estimates", {}).get(target, {}) for target in results["targets"]]
    for method, title in METHODS.items():
        yield from _by_epoch(method, f"estimated, no labels: {title}", found)


def _by_epoch(method: str, title: str, targets: Sequence[Mapping[str, Any]]) -> Iterator[Named]:
    if method == "uxla":
        epochs = zip_longest(*(found.get("uxla", ()) for found in targets))
        yield from ((title.format(number), scores) for number, scores in enumerate(epochs, start=1))
    elif any(method in found for found in targets):
        yield title, [found.get(method) for found in targets]


def _source(results: Mapping[str, Any]) -> Iterator[Named]:
    source, targets = results["source"], results["targets"]
    if source.get("before") is not None:
        yield f"source ({source['name']}), before", [source["before"]] * len(targets)
    if source.get("after"):
        yield f"source ({source['name']}), after", [source["after"].get(target) for target in targets]


def _row(name: str, values: Sequence[Score | None], second: str | None) -> Row:
    cells = [Figure(text) for value in values for text in _texts(value, second)]
    return Row((name,), tuple(cells), strong=name.startswith("UXLA"))


def _texts(value: Score | None, second: str | None) -> Iterator[str]:
    if value is None:
        yield ""
    else:
        yield ESTIMATE.format(**value) if "low" in value else score_text(value)
    if second is not None:
        yield f"{value[second]:.2f}" if value and second in value else ""


def _doubts(results: Mapping[str, Any], *, estimated: bool) -> Iterator[str]:
    """Notes on estimates and on the epochs that they chose, and the run's warnings."""
    if estimated:
        yield (
            "Estimated, no labels: the score as estimated from the models' labels of raw target text, with an 80 % "
            "interval. On a target far from the source it can be far off"
        )
    for target, epoch in results.get("kept_epoch", {}).items():
        chosen = f"the models of epoch {epoch}" if epoch else "the warm-up's models: no epoch seems better"
        yield f"{target}: the estimate chose {chosen}"
    yield from (f"{WARNING}{warning}" for warning in results.get("warnings", ()))


def _what_scores_are(results: Mapping[str, Any], scores: Sequence[Score], second: str | None) -> tuple[str, ...]:
    if not scores:
        return ("No scores: no labelled test set was given (target_data.test, source.test)",)
    size = max(len(score["models"]) for score in scores)
    what = f"{METRICS[results['metric']]} in percent on the test set, mean ± standard deviation of"
    notes = f"{what} {_COUNTS.get(size, size)} models", ENSEMBLE
    return notes if second is None else (*notes, SECOND[second][1])
