"""What is lost by one model in place of three? The averaged and the compressed model of testbed runs.

    python bench/compress.py [--seeds 3] [--targets far near] [--short]

Prints the F1 of zero-shot transfer (mean of three models), of UXLA's ensemble, and of the two single models, and what
share of the ensemble's gain over zero-shot each of them keeps. With UXLA_CACHE finished runs are found again.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

import numpy as np

from uxla.api import run
from uxla.compress.run import compress_in_place
from uxla.config.run import load_config
from uxla.store.store import Store, default_root

SHORT = ["testbed.train=100", "testbed.unlabelled=100", "testbed.test=100", "warmup.epochs=1"]


def measure(target: str, seed: int, out: Path, more: list[str]) -> list[float]:
    """The F1 of zero-shot, the ensemble, the averaged and the compressed model."""
    run(load_config("testbed", [f"target={target}", f"seed={seed}", "methods=[zero_shot,uxla]", *more]), out)
    found = compress_in_place(out, Store(default_root()))["targets"][target]
    return [
        found["zero_shot"]["mean"],
        *(found["single"][kind]["mean"] for kind in ("ensemble", "averaged", "compressed")),
    ]


def row(name: str, scores: np.ndarray) -> str:
    """A row of the table: of several runs their mean, and the share of their summed gains."""
    zero_shot, ensemble, *single = scores.mean(axis=0)
    kept = [f"{score:.2f} | {100 * (score - zero_shot) / (ensemble - zero_shot):.0f} %" for score in single]
    return f"| {name} | {zero_shot:.2f} | {ensemble:.2f} | {' | '.join(kept)} |"


def main(seeds: int, targets: list[str], folder: Path, more: list[str]) -> None:
    os.environ.setdefault("UXLA_CACHE", str(folder / "store"))
    print("| target, seed | zero-shot | ensemble | averaged | gain kept | compressed | gain kept |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    found = {}
    for target in targets:
        for seed in range(seeds):
            found[target, seed] = np.array([measure(target, seed, folder / f"{target}-{seed}", more)])
            print(row(f"{target}, {seed}", found[target, seed]), flush=True)
    for target in targets:
        print(row(f"{target}, mean", np.concatenate([found[target, seed] for seed in range(seeds)])))
    print(row("all", np.concatenate(list(found.values()))))


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--seeds", type=int, default=3)
    asked.add_argument("--targets", nargs="+", default=["far", "near"])
    asked.add_argument("--short", action="store_true", help="tiny runs of one seed, which show that it works")
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as made:
        main(1 if given.short else given.seeds, given.targets, Path(made), SHORT if given.short else [])
    sys.exit()
