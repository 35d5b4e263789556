"""How many models a run has on the disk at once and in the end, counted on small runs; what that is for XLM-R large.

    python bench/disk.py [--short]

The default methods, each run on an empty store. Checkpoints, of which short trainings have none, are added by formula.
"""

import os
import tempfile
from pathlib import Path

from common import arguments, table

SMALL = ["testbed.train=100", "testbed.unlabelled=40", "testbed.dev=20", "testbed.test=30", "threads=1"]
SMALL += ["warmup.epochs=3", "warmup.learning_rate=4e-3", "warmup.penalty=0.1"]
DEFAULT = "methods=[zero_shot,penalty,ensemble,uxla]"
RUNS = {
    "one target": ["target=far"],
    "two targets": ["target=[near,far]"],
    "one target, keep_weights=warmup": ["target=far", "keep_weights=warmup"],
    "one target, keep_weights=all": ["target=far", "keep_weights=all"],
    "one target, keep=estimated": ["target=far", "keep=estimated"],
    "one target, order=in_place": ["target=far", "order=in_place"],
}
XLMR_LARGE = 4 * 558_850_057
"""Bytes of its weights in float32, without a language model's layer."""


class Disk:
    """Listens to a run: bytes and models in its store after each piece of work."""

    def __init__(self, store: Path) -> None:
        self.store = store
        self.bytes: list[int] = []
        self.models: list[int] = []

    def __call__(self, event: object) -> None:
        """Look at the store when work has ended."""
        if getattr(event, "name", "") == "stage" and not event.hit:
            files = [path for path in self.store.glob("*/*/*") if path.parents[1].name not in ("scratch", "world")]
            self.bytes.append(sum(file.stat().st_size for file in files))
            self.models.append(sum(file.name == "model.safetensors" for file in files))


def measured(folder: Path, overrides: list[str]) -> Disk:
    """A run in an empty folder."""
    os.environ["UXLA_CACHE"] = str(folder / "store")
    from uxla import api
    from uxla.config.run import load_config

    disk = Disk(folder / "store")
    api.run(load_config("testbed", [*SMALL, DEFAULT, *overrides]), folder / "run", on_event=disk)
    return disk


def main(runs: dict[str, list[str]]) -> None:
    rows = []
    for name, overrides in runs.items():
        with tempfile.TemporaryDirectory() as folder:
            found = measured(Path(folder), overrides)
        most, last = max(found.models), found.models[-1]
        rows.append([name, most, last, *(f"{models * XLMR_LARGE / 1e9:.1f} GB" for models in (most, most + 8, last))])
    head = ["default methods", "models at once", "in the end"]
    table([*head, "XLM-R large: at once", "with a checkpoint", "in the end"], rows)


if __name__ == "__main__":
    given = arguments(__doc__)
    main(dict(list(RUNS.items())[: 2 if given.short else None]))
