"""What is lost by one model in place of three? The averaged and the compressed model of testbed runs.

    python bench/compress.py [--worlds 0 1] [--seeds 3] [--targets far near] [--out DIR] [--short]

Prints the F1 of zero-shot transfer (mean of three models), of UXLA's ensemble, and of the two single models, and what
share of the ensemble's gain over zero-shot each of them keeps. Interrupted, the same command with an `--out` goes on.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from common import of_runs, short_or_given, testbed_config

from uxla.api import run
from uxla.compress.run import compress_in_place
from uxla.store.opening import default_root
from uxla.store.store import Store


def measure(world: int, target: str, seed: int, folder: Path, more: list[str]) -> list[float]:
    """The F1 of zero-shot, the ensemble, the averaged and the compressed model."""
    out = folder / f"{world}-{target}-{seed}"
    run(testbed_config(world, target, seed, folder, more), out)
    found = compress_in_place(out, Store(default_root()))["targets"][target]
    return [
        found["zero_shot"]["mean"],
        *(found["single"][kind]["mean"] for kind in ("ensemble", "averaged", "compressed")),
    ]


def row(name: str, scores: Sequence[Sequence[float]]) -> str:
    """A row of the table: of several runs their mean, and the share of their summed gains."""
    zero_shot, ensemble, *single = np.mean(scores, axis=0)
    kept = [f"{score:.2f} | {100 * (score - zero_shot) / (ensemble - zero_shot):.0f} %" for score in single]
    return f"| {name} | {zero_shot:.2f} | {ensemble:.2f} | {' | '.join(kept)} |"


def main(worlds: Sequence[int], seeds: int, targets: Sequence[str], folder: Path, more: list[str]) -> None:
    print("| world, target, seed | zero-shot | ensemble | averaged | gain kept | compressed | gain kept |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    found = {}
    for world in worlds:
        for target in targets:
            for seed in range(seeds):
                found[world, target, seed] = measure(world, target, seed, folder, more)
                print(row(f"{world}, {target}, {seed}", [found[world, target, seed]]), flush=True)
    for world in worlds:
        for target in targets:
            print(row(f"{world}, {target}, mean", [found[world, target, seed] for seed in range(seeds)]))
    print(row("all", list(found.values())))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        main(*short_or_given(of_runs(__doc__).parse_args(), Path(made)))
