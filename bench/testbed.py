"""The testbed's protocol: fresh worlds, their own masked LMs, several trainings; every method on every target.

    python bench/testbed.py [--short] [--more] [--worlds W…] [--methods M…] [--jobs N] [--out DIR] [--json FILE]

Nothing was chosen on these worlds (300 to 303). Each has two masked LMs of its own, pretrained with the world's
number as seed: the backbone, of the shipped one's size, and a stronger one that makes the vicinity samples. On each
world seeds 1, 2 and 3 draw sentences and trainings anew: twelve runs of `uxla run testbed` with the frozen settings
below, four targets each. Hours; interrupted, the same command goes on (with other settings runs are made anew, but a
changed pretraining needs another --out). Prints Markdown:

1. scores: entity F1, mean over the runs of the mean of three models (an ensemble is one); after the last epoch
   where none is named;
2. differences, run by run;
3. what each method trained on beside the warm-up, from the journals.

How far the scores estimated without labels are from the true ones: bench/estimates.py, on more worlds.

With --more also seeds 4, 5 and 6 of each world, near and far, tri-training and UXLA alone, and the difference over all
six seeds: a second look, decided on when eleven of the first twelve runs had been seen.

`± a (± b)`: 95 % intervals by Student's t. a is over the runs, as if all were independent; b over the worlds' means, as
runs of one world share its languages and its masked LM. * marks a difference whose a is clear of zero, ** if b is too.
"""

import math
import multiprocessing
import os
import shutil
import sys
from argparse import Namespace
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from common import parser, table, write_json
from scipy.stats import t

from uxla import api
from uxla.config.run import RunConfig, load_config
from uxla.console import showing
from uxla.methods.registry import METHODS
from uxla.progress import bar, note
from uxla.report.grid import GridRun
from uxla.store.journal import read
from uxla.study.grid import Planned, make
from uxla.testbed.pretrain import build

ROOT = Path(__file__).parents[1]
WORLDS, SEEDS, TARGETS = (300, 301, 302, 303), (1, 2, 3), "near,far,low,joined"
WANTED = (
    *("zero_shot", "penalty", "ensemble", "self_training", "tri_training", "uxla"),
    *("no_agreement", "supervised"),
)
MORE_SEEDS, MORE_TARGETS, MORE_WANTED = (4, 5, 6), "near,far", ("tri_training", "uxla")
FROZEN: tuple[str, ...] = (
    *("testbed.unlabelled=50", "testbed.labelled=1000", "testbed.test=1500"),
    *("agree=exact", "vicinity.top=5", "vicinity.share=0.5", "vicinity.copies=10"),
    *("adaptation.epochs=null", "adaptation.max_steps=300", "trace=0"),
    "schedule=[{data: [source, target], select: {kind: confidence, share: 1.0}}, "
    "{data: [source, target, target_vicinity], select: {kind: confidence, share: 1.0}}, "
    "{data: [source, target, target_vicinity], select: {kind: confidence, share: 1.0}}]",
)
"""As for `uxla run`; chosen on development worlds (0, 1, 200, 201, 202) before the first run on WORLDS."""
STRONG_LM = {"sentences": 100_000, "pieces": 9_000, "steps": 4_000, "hidden": 128, "layers": 3}
"""The vicinity model, chosen there too: half of the entity words are one piece of its vocabulary."""
LMS = {"model": "model", "vicinity.model": "vicinity"}
"""By key of the configuration: the folder's name, before the world's number."""

TINY = (
    *("testbed.train=60", "testbed.unlabelled=30", "testbed.labelled=60", "testbed.dev=15", "testbed.test=20"),
    *("warmup.epochs=2", "warmup.learning_rate=4e-3", "vicinity.copies=1"),
    *("adaptation.epochs=null", "adaptation.max_steps=10"),
)
TINY_LM = {"sentences": 1500, "pieces": 600, "steps": 100}

COMPARED = (
    ("uxla", "zero_shot"),
    ("uxla", "ensemble"),
    ("uxla_ensemble", "ensemble"),
    ("uxla", "tri_training, epoch 1"),
    ("uxla", "tri_training"),
    ("uxla, epoch 2", "tri_training, epoch 2"),
    ("uxla", "no_agreement"),
    ("uxla", "supervised"),
)

Scores = dict[tuple[str, str], dict[int, list[float]]]
"""By method and target: the runs' scores by world, seeds in order."""


def main(given: Namespace) -> None:
    worlds, seeds, targets = (WORLDS[:1], (1, 2), "near,far") if given.short else (WORLDS, SEEDS, TARGETS)
    worlds = given.worlds or worlds
    folder = given.out / "short" if given.short else given.out
    sizes = {"model": TINY_LM if given.short else {}, "vicinity": TINY_LM if given.short else STRONG_LM}
    with showing():
        models = [(folder / f"{part}-{world}", world, size) for world in worlds for part, size in sizes.items()]
        every(build_model, [model for model in models if not model[0].is_dir()], given.jobs, "masked LMs")
        plans = [planned(w, s, targets, folder, given.short, given.methods) for w in worlds for s in seeds]
        if given.more:
            more = [planned(w, s, MORE_TARGETS, folder, given.short, MORE_WANTED) for w in worlds for s in MORE_SEEDS]
            plans += more
        made = every(make_run, [(one, folder) for one in plans], given.jobs, "runs")
    cells = finished(made)
    figures = show(cells[: len(worlds) * len(seeds)])
    if given.more:
        figures |= show_more(cells)
    write_json(given.json, {"frozen": FROZEN, **figures})


def build_model(place: Path, world: int, sizes: dict[str, int]) -> None:
    """The masked LM of a world, whole or absent."""
    unfinished = place.with_name(f"{place.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    build(unfinished, world=world, seed=world, **sizes)
    os.replace(unfinished, place)


def planned(world: int, seed: int, targets: str, folder: Path, short: bool, wanted: Sequence[str] = WANTED) -> Planned:
    """One run of the protocol."""
    methods = ", ".join(method for method in wanted if method in METHODS)
    models = (f"{key}={(folder / f'{part}-{world}').absolute()}" for key, part in LMS.items())
    own = (f"testbed.world={world}", f"testbed.seed={seed}", f"seed={seed}", f"target=[{targets}]", *models)
    config = load_config("testbed", (*FROZEN, *own, f"methods=[{methods}]", *(TINY if short else ())))
    return Planned(f"world-{world}-seed-{seed}", (str(world),), config)


def make_run(one: Planned, folder: Path) -> tuple[list[GridRun], dict[str, str]]:
    """The run's folder, made anew if it is not there with the same configuration; or its error by its name."""
    return make([one], folder, api.run, overwrite=True)


def finished(made: list[tuple[list[GridRun], dict[str, str]]]) -> list[GridRun]:
    """The runs that `make_run` gave; ends the program where one failed."""
    failed = {name: error for _, errors in made for name, error in errors.items()}
    if failed:
        sys.exit("\n".join(f"{name}: failed: {error}" for name, error in failed.items()))
    return [cell for cells, _ in made for cell in cells]


def every(work: Callable[..., Any], cases: list[tuple[Any, ...]], jobs: int, label: str) -> list[Any]:
    """What `work` gives for each case, in order; in so many processes, or in this one, where all progress is shown."""
    with bar(label, len(cases)) as shown:
        if jobs == 1:
            return [(work(*case), shown.advance())[0] for case in cases]
        with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
            running = [pool.submit(work, *case) for case in cases]
            for number, _ in enumerate(as_completed(running), start=1):
                note(f"{label}: {number} of {len(cases)} done")
                shown.advance()
        return [one.result() for one in running]


def show(cells: list[GridRun]) -> dict[str, Any]:
    """Prints the tables of the first look; their figures."""
    scores, names = collected(cells), [*cells[0].run.targets, "all"]
    methods = list(dict.fromkeys(method for method, _ in scores))
    print("## Scores\n")
    table(["method", *names], [[m, *(interval(scores[m, name]) for name in names)] for m in methods])
    pairs = [(one, other) for one, other in COMPARED if one in methods and other in methods]
    gains = {(f"{a} − {b}", name): less(scores[a, name], scores[b, name]) for a, b in pairs for name in names}
    print("\n## Differences\n")
    labels = [f"{one} − {other}" for one, other in pairs]
    table(["difference", *names], [[label, *(marked(gains[label, name]) for name in names)] for label in labels])
    steps = list(training_rows(cells))
    print("\n## Training beside the warm-up, mean over runs and targets\n")
    table(["method", "trainings of a model", "examples drawn", "optimizer steps"], steps)
    figures = {"scores": scores, "differences": gains}
    nested = {kind: {f"{name}: {label}": by for (label, name), by in found.items()} for kind, found in figures.items()}
    return nested | {"training": steps}


def show_more(cells: list[GridRun]) -> dict[str, Any]:
    """Prints UXLA − tri-training over the seeds of both looks, and over those of the second alone; the figures."""
    names, looks = MORE_TARGETS.split(","), {"all seeds": cells}
    looks["the second look alone"] = [cell for cell in cells if cell.seed in MORE_SEEDS]
    gains = {look: {name: gain(chosen, name) for name in names} for look, chosen in looks.items()}
    print(f"\n## With {len(MORE_SEEDS)} more seeds of each world\n")
    rows = [[look, *(marked(found[name]) for name in names)] for look, found in gains.items()]
    table(["uxla − tri_training", *names], rows)
    return {"more": gains}


def gain(cells: Iterable[GridRun], target: str) -> dict[int, list[float]]:
    """UXLA − tri-training on one target, run by run."""
    found: dict[int, list[float]] = defaultdict(list)
    for cell in cells:
        scores = dict(named(cell.run.results["targets"][target]))
        found[int(cell.values[0])].append(scores["uxla"] - scores["tri_training"])
    return found


def collected(cells: Iterable[GridRun]) -> Scores:
    """Every method's scores on each target, and their mean over the targets as those on `all`."""
    scores: Scores = defaultdict(lambda: defaultdict(list))
    for cell in cells:
        for target, found in cell.run.results["targets"].items():
            for method, score in named(found):
                scores[method, target][int(cell.values[0])].append(score)
    for method in dict.fromkeys(method for method, _ in scores):
        by_target = [found for (name, _), found in scores.items() if name == method]
        scores[method, "all"] = {
            world: [fmean(run) for run in zip(*(found[world] for found in by_target), strict=True)]
            for world in by_target[0]
        }
    return scores


def named(found: dict[str, Any]) -> Iterator[tuple[str, float]]:
    """Methods and their scores on one target, in the order of WANTED; the last epoch is the method's own."""
    epochs = {"uxla": found["uxla"], "tri_training": found.get("by_epoch", {}).get("tri_training", [])}
    for method in WANTED:
        for epoch, score in enumerate(epochs.get(method, [])[:-1], start=1):
            yield f"{method}, epoch {epoch}", score["mean"]
        if method in found:
            yield method, (found[method][-1] if method == "uxla" else found[method])["mean"]
    yield "uxla_ensemble", found["uxla_ensemble"]["mean"]


def less(one: dict[int, list[float]], other: dict[int, list[float]]) -> dict[int, list[float]]:
    """Run by run."""
    return {world: [a - b for a, b in zip(one[world], other[world], strict=True)] for world in one}


def interval(by_world: dict[int, list[float]], sign: str = "") -> str:
    """`61.2 ± 1.3 (± 2.4)`; without a half where there is one run, or world, only."""
    values = [value for found in by_world.values() for value in found]
    halves = half(values), half([fmean(found) for found in by_world.values()])
    return f"{fmean(values):{sign}.1f} ± {halves[0]:.1f} (± {halves[1]:.1f})".replace(" (± inf)", "")


def marked(by_world: dict[int, list[float]]) -> str:
    """The interval of a difference, with its stars."""
    values = [value for found in by_world.values() for value in found]
    means = [fmean(found) for found in by_world.values()]
    clear = [abs(fmean(found)) > half(found) for found in (values, means)]
    return f"{interval(by_world, '+')} {'*' * (1 + clear[1]) if clear[0] else ''}".rstrip()


def half(values: list[float]) -> float:
    """Half the 95 % interval of a mean, by Student's t."""
    if len(values) < 2:
        return math.inf
    return float(t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / math.sqrt(len(values)))


def training_rows(cells: list[GridRun]) -> Iterator[tuple[str, str, str, str]]:
    """Each method's trainings of one model, the examples drawn and the steps made in them, from the journals."""
    totals: dict[str, Counter[str]] = defaultdict(Counter)
    for cell in cells:
        size = config_of(cell).adaptation.batch_size * config_of(cell).adaptation.accumulation
        for (method, *_), drawn in drawn_by_training(cell).items():
            totals[method] += Counter(trainings=1, drawn=drawn, steps=math.ceil(drawn / size))
    share = 1 / (3 * sum(len(cell.run.targets) for cell in cells))
    for method, total in totals.items():
        yield method, *(f"{total[key] * share:,.1f}" for key in ("trainings", "drawn", "steps"))


def drawn_by_training(cell: GridRun) -> dict[tuple[Any, ...], int]:
    """A run that was made again has told each training twice: the last counts."""
    events = [event for event in read(cell.run.path / "journal.jsonl") if event["event"] == "train"]
    key = ("method", "target", "epoch", "k", "j", "l")
    return {tuple(event[name] for name in key): sum(event["drawn"].values()) for event in events}


def config_of(cell: GridRun) -> RunConfig:
    return load_config(str(cell.run.path / "config.yaml"))


if __name__ == "__main__":
    wanted = parser(__doc__)
    wanted.add_argument("--jobs", type=int, default=1, metavar="N", help="processes; each is busy on one core")
    wanted.add_argument("--more", action="store_true", help="seeds 4 to 6 too, near and far, two methods")
    wanted.add_argument("--worlds", type=int, nargs="+", metavar="W", help="other worlds than the protocol's")
    wanted.add_argument("--methods", nargs="+", default=WANTED, choices=WANTED, metavar="M", help="uxla and others")
    wanted.add_argument("--out", type=Path, default=ROOT / "runs/testbed", metavar="DIR", help="models and runs")
    chosen = wanted.parse_args()
    if "uxla" not in chosen.methods:
        wanted.error("--methods: uxla must be among them, the differences are from it")
    main(chosen)
