"""In place or synchronous? Both update orders of Algorithm 1 on the testbed, over several seeds, side by side.

    python bench/order.py [--seeds 5] [--targets far near low] [--short]

A seed draws the sentences, the models and everything else anew. Prints the ensemble's F1 of both orders, the mean
difference with its 95 % interval (Student's t over the seeds), and what each order costs in trainings.
"""

import argparse
import os
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
from scipy.stats import t

from uxla.api import run
from uxla.config.run import load_config
from uxla.store.journal import read

ORDERS = ("synchronous", "in_place")
SHORT = ["testbed.train=100", "testbed.unlabelled=100", "testbed.test=100", "warmup.epochs=1"]


def measure(seed: int, target: str, order: str, folder: Path, more: list[str]) -> tuple[float, int]:
    """The ensemble's F1 after the last epoch and the number of trainings inside Algorithm 1."""
    values = [f"seed={seed}", f"testbed.seed={seed}", f"target={target}", f"order={order}", "methods=[uxla]", *more]
    out = folder / f"{target}-{seed}-{order}"
    results = run(load_config("testbed", ["threads=1", *values]), out)
    trainings = Counter(event["event"] for event in read(out / "journal.jsonl"))["train"]
    return results["targets"][target]["uxla_ensemble"]["mean"], trainings


def interval(differences: np.ndarray) -> str:
    """The mean of paired differences with its 95 % interval."""
    if len(differences) < 2:
        return f"{differences.mean():+.2f}"
    half = t.ppf(0.975, len(differences) - 1) * differences.std(ddof=1) / np.sqrt(len(differences))
    return f"{differences.mean():+.2f} ± {half:.2f}"


def main(seeds: int, targets: list[str], folder: Path, more: list[str]) -> None:
    os.environ.setdefault("UXLA_CACHE", str(folder / "store"))
    print("| target | synchronous | in place | in place − synchronous | trainings |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for target in targets:
        found = {order: [measure(s, target, order, folder, more) for s in range(1, seeds + 1)] for order in ORDERS}
        scores = {order: np.array([score for score, _ in found[order]]) for order in ORDERS}
        cost = " / ".join(str(found[order][0][1]) for order in ORDERS)
        means = " | ".join(f"{scores[order].mean():.2f} ± {scores[order].std(ddof=1):.2f}" for order in ORDERS)
        print(f"| {target} | {means} | {interval(scores['in_place'] - scores['synchronous'])} | {cost} |", flush=True)
        print({order: scores[order].round(2).tolist() for order in ORDERS}, file=sys.stderr, flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--targets", nargs="+", default=["far", "near", "low"])
    parser.add_argument("--short", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        main(2 if given.short else given.seeds, given.targets, Path(place), SHORT if given.short else [])
