"""How far are the ensemble's confidences from the truth, on the source and on targets?

    python bench/calibration.py [--worlds 0 1] [--seeds 3] [--targets far near] [--out DIR] [--short]

Prints the expected calibration error (ECE, ten bins) of entities in percent, of runs of the testbed: on the source's
dev set as confidences come, scaled by what was fitted on all of it (as a run does it), and each half scaled by what was
fitted on the other; and on the target's test set as they come, and scaled. Means over the seeds, the largest in
brackets. With the `--out` of bench/compress.py its runs are used again.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from common import of_runs, short_or_given, table, testbed_config

from uxla.api import adapt
from uxla.confidence import Scaling, fitted, reliability
from uxla.store.opening import default_root
from uxla.store.store import Store
from uxla.study.arguments import arguments_of
from uxla.study.confidence import judged
from uxla.study.inputs import load_inputs

COLUMNS = ("dev, raw", "dev, scaled", "dev, halves", "test, raw", "test, scaled", "entities in dev")


def measure(world: int, target: str, seed: int, folder: Path, more: list[str]) -> list[float]:
    """The figures of one run, by `COLUMNS`."""
    config, store = testbed_config(world, target, seed, folder, more), Store(default_root())
    run = adapt(**arguments_of(config, load_inputs(config, store)), store=store).run
    labelling, models, dev = run.study.labelling, run.final[target], run.study.dev
    halves = [judged(labelling, models, dev.take(np.arange(first, len(dev), 2))) for first in (0, 1)]
    (one, right), (other, other_right) = halves
    crossed = [(fitted(other, other_right) or Scaling())(one), (fitted(one, right) or Scaling())(other)]
    scaling = run.scaling[target] or Scaling()
    found = [judged(labelling, models, corpus) for corpus in (dev, run.study.targets[0].test)]
    (dev_raw, dev_scaled), tested = (
        [reliability(sure, hits).error for sure in (raw, scaling(raw))] for raw, hits in found
    )
    return [
        dev_raw,
        dev_scaled,
        reliability(np.concatenate(crossed), [*right, *other_right]).error,
        *tested,
        len(found[0][0]),
    ]


def main(worlds: Sequence[int], seeds: int, targets: Sequence[str], folder: Path, more: list[str]) -> None:
    rows = []
    for world in worlds:
        for target in targets:
            found = np.array([measure(world, target, seed, folder, more) for seed in range(seeds)])
            errors = [f"{mean:.1f} ({most:.1f})" for mean, most in zip(found.mean(0), found.max(0), strict=True)]
            rows.append([f"{world}, {target}", *errors[:-1], f"{found[:, -1].mean():.0f}"])
    table(("world, target", *COLUMNS), rows)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        main(*short_or_given(of_runs(__doc__).parse_args(), Path(made)))
