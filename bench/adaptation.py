"""Whether to adapt, and how far: rules that see no label of the target, and what each of them loses.

    python bench/adaptation.py RUN… [--json FILE]

RUN are folders of `uxla run` with the methods zero_shot, tri_training and uxla, and with a test set. A rule takes one
of their ensembles by what the models say of the test sentences, by the estimates, or by the scores on the source's dev
set; the test labels only tell how good the choice was. The regret is the best ensemble's score minus that of the one
taken. Prints Markdown:

1. each run and target: the scores, how much the ensembles agree, and the regret of each rule;
2. each rule: its mean and its largest regret, and how often it took what;
3. which epoch to take of a method, by the mean score of its three models: the mean regret of taking the last, the best
   on source dev, or the best by the estimate.

Agreement is the F1 (for sentence tasks the share of equal labels) of one ensemble's labels against another's.
"""

import sys
from argparse import Namespace
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, combinations
from pathlib import Path
from statistics import fmean
from typing import Any

from common import parser, table, write_json

from uxla.algorithm.estimates import Estimate
from uxla.report.folder import RunFolder
from uxla.report.scores import ensembles
from uxla.report.scoring import counts, score

STATES = {"zero_shot": "zero-shot", "tri_training": "tri-training", "uxla": "UXLA"}
"""What a rule chooses from: the ensembles of these methods."""


@dataclass(frozen=True)
class Cell:
    """One target of one run: by method the ensemble's score, and how far two ensembles agree."""

    name: str
    true: Mapping[str, float]
    agreed: Mapping[frozenset[str], float]
    estimates: tuple[float, float] | None
    """Those of the penalised warm-up and of UXLA's last epoch, by which `keep: estimated` compares them."""
    at_home: tuple[float, float] | None
    """The mean score on source dev of the penalised warm-up, and of tri-training's last epoch."""

    def regret(self, method: str) -> float:
        """What is lost by this method against the best of all."""
        return max(self.true.values()) - self.true[method]

    def company(self, method: str) -> float:
        """How far an ensemble agrees with the two others, on average."""
        return fmean(value for pair, value in self.agreed.items() if method in pair)


def company(cell: Cell) -> str:
    """The ensemble that agrees most with the others.

    If three labellers err independently, the product of two agreements over the third is a squared accuracy (Platanios
    et al. 2014): who agrees more with the other two is right more often. Adapted ensembles come from one warm-up and
    share errors, so zero-shot is chosen only where both went apart from each other further than from it.
    """
    return max(STATES, key=cell.company)


def unless_lost(cell: Cell) -> str:
    """Tri-training, unless the estimate says that adaptation lost a tenth of the warm-up's score: then zero-shot."""
    if cell.estimates is not None and cell.estimates[1] < 0.9 * cell.estimates[0]:
        return "zero_shot"
    return "tri_training"


def unless_forgot(cell: Cell) -> str:
    """Tri-training, unless its models label the source's dev set worse, by a point, than those that it began with.

    The labelled source is in every training of theirs: what costs them there are pseudo labels that contradict it.
    """
    if cell.at_home is not None and cell.at_home[1] < cell.at_home[0] - 1.0:
        return "zero_shot"
    return "tri_training"


def nearer(cell: Cell) -> str:
    """Of the two adapted ensembles the one that agrees more with zero-shot."""
    return max(("tri_training", "uxla"), key=lambda method: cell.agreed[frozenset({"zero_shot", method})])


def estimated(cell: Cell) -> str:
    """UXLA where the estimate of its last epoch is above the warm-up's, else zero-shot."""
    return "uxla" if cell.estimates is not None and cell.estimates[1] > cell.estimates[0] else "zero_shot"


RULES: dict[str, Callable[[Cell], str]] = {
    **{f"always {title}": lambda cell, method=method: method for method, title in STATES.items()},
    "who agrees most with the others": company,
    "adapted, the nearer to zero-shot": nearer,
    "tri-training, unless the estimate falls": unless_lost,
    "tri-training, unless source dev falls": unless_forgot,
    "UXLA or zero-shot by the estimate": estimated,
}


def main(given: Namespace) -> None:
    """Read every run, print the tables."""
    found = {path: list(cells_of(RunFolder.read(path))) for path in given.runs}
    cells = list(chain(*found.values()))
    if not cells:
        sys.exit(f"no run has the methods {', '.join(STATES)} and a test set")
    if left_out := [str(path) for path in found if not found[path]]:
        print(f"left out, without the three methods or a test set: {', '.join(left_out)}", file=sys.stderr)
    rows = [row(cell) for cell in cells]
    pairs = [f"{STATES[one]}, {STATES[other]}" for one, other in combinations(STATES, 2)]
    table(["run", *STATES.values(), *(f"agree: {pair}" for pair in pairs), *RULES], rows)
    print()
    summary = [summed(name, cells) for name in RULES]
    table(["rule", "mean regret", "largest", "took"], summary)
    print()
    epochs = [found for method in ("tri_training", "uxla") for found in epoch_rows(method, given.runs)]
    table(["method", "targets", "last epoch", "best on source dev", "best estimate"], epochs)
    write_json(given.json, {"cells": rows, "rules": summary, "epochs": epochs})


def epoch_rows(method: str, paths: Sequence[Path]) -> Iterator[tuple[object, ...]]:
    """The third table's row of one method; no regret where no run tells what a rule looks at."""
    regrets: dict[str, list[float]] = {"last": [], "dev": [], "estimate": []}
    for results in (RunFolder.read(path).results for path in paths):
        for target, found in results["targets"].items():
            scores = {**found.get("by_epoch", {}), "uxla": found.get("uxla")}.get(method) or []
            true = [score["mean"] for score in scores]
            dev = [dev_score(results["trainings"], method, target, epoch) for epoch in range(1, len(true) + 1)]
            estimates = results.get("estimates", {}).get(target, {}).get(method, [])
            looks = {"last": range(len(true)), "dev": dev, "estimate": [Estimate(**one).mean for one in estimates]}
            for rule, seen in looks.items():
                if len(true) > 1 and len(seen) == len(true) and None not in seen:
                    regrets[rule].append(max(true) - true[list(seen).index(max(seen))])
    yield method, len(regrets["last"]), *(f"{fmean(found):.2f}" if found else "" for found in regrets.values())


def dev_score(trainings: Sequence[Mapping[str, Any]], method: str, target: str | None, epoch: int | None) -> Any:
    """The mean score on source dev of a method's models after an epoch; None where it is not known of any."""
    of = (method, target, epoch)
    found = [one["dev"] for one in trainings if (one["method"], one["target"], one["epoch"]) == of]
    known = [score for score in found if score is not None]
    return fmean(known) if known else None


def cells_of(run: RunFolder) -> Iterator[Cell]:
    """A cell for each target that all three methods were scored on."""
    for target, found in run.results["targets"].items():
        test, scored = run.test_set(target), ensembles(found)
        if test is None or not STATES.keys() <= scored.keys():
            continue
        spans = run.results["task"] == "ner"
        agreed = {
            frozenset({one, other}): score(counts(replace(test, gold=test.labels[one]), other, spans=spans))
            for one, other in combinations(STATES, 2)
        }
        true = {method: scored[method]["mean"] for method in STATES}
        estimates = _estimates(run.results.get("estimates", {}).get(target, {}))
        trainings, last = run.results["trainings"], len(found.get("by_epoch", {}).get("tri_training", [1]))
        before = dev_score(trainings, "penalty", None, None)
        after = dev_score(trainings, "tri_training", target, last)
        at_home = None if before is None or after is None else (before, after)
        yield Cell(f"{run.name}, {target}", true, agreed, estimates, at_home)


def _estimates(found: Mapping[str, object]) -> tuple[float, float] | None:
    if not {"penalty", "uxla"} <= found.keys():
        return None
    before, after = Estimate(**found["penalty"]), Estimate(**found["uxla"][-1])
    return before.mean, after.mean


def row(cell: Cell) -> tuple[str, ...]:
    """The first table's row of one cell."""
    figures = [*cell.true.values(), *cell.agreed.values(), *(cell.regret(rule(cell)) for rule in RULES.values())]
    return cell.name, *(f"{figure:.1f}" for figure in figures)


def summed(name: str, cells: Sequence[Cell]) -> tuple[str, ...]:
    """The second table's row of one rule."""
    taken = [RULES[name](cell) for cell in cells]
    regrets = [cell.regret(method) for cell, method in zip(cells, taken, strict=True)]
    counted = Counter(taken)
    took = ", ".join(f"{STATES[method]} {counted[method]}" for method in STATES if method in counted)
    return name, f"{fmean(regrets):.2f}", f"{max(regrets):.1f}", took


if __name__ == "__main__":
    wanted = parser(__doc__)
    wanted.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="folders of finished runs")
    main(wanted.parse_args())
