"""How far the scores estimated without labels are from the true ones, and which epoch they would keep.

python bench/estimates.py [--short] [--real] [--fresh N] [--out DIR] [--json FILE]

Runs the testbed on development seeds, which had a part in choosing the interval, and on fresh ones; each is a new draw
of sentences and new trainings, for several targets at once, some of which adaptation helps and some it harms. `--real`
adds CoNLL English to Spanish and German with the small encoder, where the shared folder is there. Work is kept in the
store: the same command goes on where it was stopped. A row of the first table is one kind of estimate over all targets
and states of a group; `as at home` takes the source's test score for the target's. The second table has true scores.
"""

import argparse
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from common import table, write_json
from scipy.stats import spearmanr

from uxla.run.config import RunConfig, load_config
from uxla.run.pipeline import run

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"
ALL, SPACED = "near,far,low,joined", "near,far,low"
METHODS = "methods=[zero_shot,penalty,uxla]"
DEVELOPMENT = [("ner", 0, 1000, 1000, SPACED), ("ner", 1, 300, 300, ALL), ("classification", 1, 600, 300, SPACED)]
FRESH = [
    ("ner", 100, 600, 300, ALL),
    ("ner", 101, 400, 400, ALL),
    ("classification", 100, 600, 300, SPACED),
    ("ner", 102, 800, 300, ALL),
    ("ner", 103, 500, 500, ALL),
    ("classification", 101, 400, 300, SPACED),
    ("ner", 104, 600, 300, ALL),
    ("ner", 105, 800, 500, ALL),
]
"""Task, seed of sentences and trainings, sentences of the source and of each target, targets."""


@dataclass(frozen=True)
class State:
    """The models at one point of a run: `epoch` 0 for a warm-up."""

    group: str
    epoch: int
    true: float
    at_home: float
    estimate: Mapping[str, float]


def main(arguments: argparse.Namespace) -> None:
    """Run everything, print the tables."""
    logging.getLogger("transformers").setLevel(logging.ERROR)
    states: list[State] = []
    kept: dict[str, list[tuple[float, float, float, float]]] = {}
    for group, name, config in configurations(arguments):
        results = run(config, arguments.out / name)
        for target, scores in results["targets"].items():
            found = {**scores, "estimate": results["estimates"][target]}
            states += list(seen(group, results, found))
            kept.setdefault(group, []).append(selected(found))
            print(f"{name} {target}: true, estimated:", *map(shown, seen(group, results, found)), flush=True)
    rows = [row for group in kept for row in accuracy_rows(group, [state for state in states if state.group == group])]
    table(["group, states", "estimate", "n", "mean error", "bias", "rank correlation", "in the interval"], rows)
    print()
    selection = [
        (group, len(cases), *(f"{fmean(case[i] for case in cases):.1f}" for i in range(4)))
        for group, cases in kept.items()
    ]
    table(["group", "targets", "warm-up", "last epoch", "best estimate", "best of all"], selection)
    write_json(arguments.json, {"accuracy": rows, "selection": selection})


def configurations(arguments: argparse.Namespace) -> Iterator[tuple[str, str, RunConfig]]:
    """Group, name and configuration of each run."""
    if arguments.short:
        yield "short", "short", testbed("ner", 1, 150, 60, "near,low", "testbed.dev=50", "testbed.test=60")
        return
    for group, cases in (("development", DEVELOPMENT), ("fresh", FRESH[: arguments.fresh])):
        for task, seed, train, unlabelled, targets in cases:
            size = () if seed == 0 else ("testbed.dev=200", "testbed.test=300")
            yield f"{group}, {task}", f"{task}-{seed}", testbed(task, seed, train, unlabelled, targets, *size)
    if arguments.real and (SHARED / "data/conll").is_dir() and (SHARED / "models/encoder-en-es-de-nl").is_dir():
        for target in ("es", "de"):
            values = ("threads=1", METHODS, f"target={target}")
            yield "conll", f"conll-{target}", load_config(str(ROOT / "bench/conll.yaml"), values)


def testbed(task: str, seed: int, train: int, unlabelled: int, targets: str, *more: str) -> RunConfig:
    sizes = (f"testbed.train={train}", f"testbed.unlabelled={unlabelled}", *more)
    few = ("vicinity.copies=1",) if task == "classification" else ()
    seeds = (f"testbed.seed={seed}", f"seed={seed}")
    return load_config("testbed", (f"task={task}", METHODS, f"target=[{targets}]", *seeds, *sizes, *few))


def seen(group: str, results: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[State]:
    at_home = results["source"]["before"]["mean"]
    for method in ("zero_shot", "penalty"):
        yield State(group, 0, found[method]["mean"], at_home, found["estimate"][method])
    for epoch, (score, guess) in enumerate(zip(found["uxla"], found["estimate"]["uxla"], strict=True), start=1):
        yield State(group, epoch, score["mean"], at_home, guess)


def selected(found: Mapping[str, Any]) -> tuple[float, float, float, float]:
    """True scores: of the warm-up, of the last epoch, of the state with the best estimate, of the best state."""
    true = [found["penalty"]["mean"], *(score["mean"] for score in found["uxla"])]
    guesses = [found["estimate"]["penalty"]["score"], *(guess["score"] for guess in found["estimate"]["uxla"])]
    return true[0], true[-1], true[int(np.argmax(guesses))], max(true)


def accuracy_rows(group: str, states: list[State]) -> Iterator[tuple[object, ...]]:
    for part, chosen in (("warm-up", [s for s in states if s.epoch == 0]), ("epochs", [s for s in states if s.epoch])):
        true = np.array([state.true for state in chosen])
        held = fmean(s.estimate["low"] <= s.true <= s.estimate["high"] for s in chosen)
        for name in ("score", "atc", "doc", "agreement", "as at home"):
            guess = np.array([state.at_home if name == "as at home" else state.estimate[name] for state in chosen])
            rank = f"{spearmanr(guess, true)[0]:.2f}" if len(set(guess)) > 1 < len(set(true)) else ""
            error = (f"{abs(guess - true).mean():.1f}", f"{(guess - true).mean():+.1f}", rank)
            yield (f"{group}, {part}", name, len(chosen), *error, f"{held:.0%}" if name == "score" else "")


def shown(state: State) -> str:
    return (
        f"{state.true:.0f}, {state.estimate['score']:.0f} [{state.estimate['low']:.0f} {state.estimate['high']:.0f}];"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="one tiny run, under two minutes")
    parser.add_argument("--real", action="store_true", help="CoNLL English to Spanish and German too")
    parser.add_argument("--fresh", type=int, default=len(FRESH), metavar="N", help="only the first N fresh runs")
    parser.add_argument("--out", type=Path, default=ROOT / "runs/estimates", metavar="DIR", help="the runs' folders")
    parser.add_argument("--json", type=Path, default=None, metavar="FILE", help="write the figures there too")
    main(parser.parse_args())
