"""How far the scores estimated without labels are from the true ones, and how often their interval holds the truth.

    python bench/estimates.py [--short] [--fit] [--jobs N] [--out DIR] [--json FILE]
    python bench/estimates.py RUN… [--json FILE]

Worlds with a masked LM of their own, pretrained with the world's number as seed, which also makes the vicinity samples.
On each four runs: `protocol`, with the frozen settings of bench/testbed.py (50 raw sentences of each target), `preset`
(1,000 of them, the preset's own schedule), topics and paraphrases. The estimate's constants were chosen on
development worlds; fresh worlds were opened when they had been. `--fit` prints what the constants were chosen by, from
the development worlds alone. Interrupted, the same command goes on. With RUN folders of `uxla run` or a grid, scored on
test sets, nothing is made, and the tables are about these. Prints Markdown:

1. errors over all targets and states of a group (of given runs for each target, then for all); `as at home` takes the
   source's test score for the target's. `in the interval ± a`: the share of states whose truth the interval holds, a
   the 95 % interval by Student's t over worlds, since the states of one share its languages and its masked LM;
2. which state the estimate would keep: true scores.
"""

from argparse import Namespace
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean

import numpy as np
from common import parser, table, write_json
from scipy.stats import spearmanr
from testbed import FROZEN, ROOT, TINY, TINY_LM, build_model, config_of, every, finished, half, make_run

from uxla.algorithm.estimates import ERROR, REACH, SHARE, Estimate, probit
from uxla.config.run import load_config
from uxla.console import showing
from uxla.report.folder import RunFolder
from uxla.report.grid import GridRun
from uxla.study.grid import Planned

DEVELOPMENT, FRESH = (300, 301, 302, 303), (400, 401, 402, 403, 404, 405)
SENTENCES = ("testbed.train=600", "testbed.unlabelled=300", "vicinity.copies=1", "methods=[penalty,uxla]")
CASES: dict[str, tuple[int, str, tuple[str, ...]]] = {
    "protocol": (1, "near,far,low,joined", (*FROZEN, "methods=[zero_shot,penalty,uxla]")),
    "preset": (2, "near,far,low", ("testbed.test=1000", "methods=[penalty,uxla]")),
    "classification": (3, "near,far,low", ("task=classification", *SENTENCES)),
    "paraphrase": (3, "near,far,low", ("task=paraphrase", *SENTENCES)),
}
"""Of each world: the seed of sentences and trainings, targets, settings as for `uxla run testbed`."""


@dataclass(frozen=True)
class State:
    """The models at one point of a run: `epoch` 0 for a warm-up."""

    group: str
    world: str
    target: str
    epoch: int
    true: float
    at_home: float
    estimate: Mapping[str, float]
    before: Mapping[str, float]

    @property
    def held(self) -> bool:
        """Whether the interval holds the truth."""
        return self.estimate["low"] <= self.true <= self.estimate["high"]

    @property
    def by_chance(self) -> float:
        """The part of the interval that the choice of sentences has, as a standard deviation on the probit scale."""
        low, high = (probit(self.estimate[end]) for end in ("low", "high"))
        return float(np.sqrt(max(((high - low) / 2 / REACH) ** 2 - ERROR**2, 0)))

    def three(self, believed: float) -> tuple[float, ...]:
        """atc, doc and agreement with so much of what an epoch seems to have changed; they themselves have half."""
        pairs = ((self.before[name], self.estimate[name]) for name in ("atc", "doc", "agreement"))
        return tuple(before + 2 * believed * (value - before) for before, value in pairs)


def main(given: Namespace) -> None:
    """Make every run, print the tables."""
    cells = [told(path) for path in given.runs] or made(given)
    states = [state for cell in cells for state in states_of(cell)]
    if given.fit:
        show_fit(states)
        return
    rows = [row for group, chosen in grouped(states).items() for row in accuracy_rows(group, chosen)]
    table(["states", "estimate", "n", "mean error", "bias", "rank correlation", "in the interval"], rows)
    print()
    kept = list(selection_rows(cells))
    table(["group", "targets", "warm-up", "last epoch", "best estimate", "best of all"], kept)
    write_json(given.json, {"accuracy": rows, "selection": kept})


def told(path: Path) -> GridRun:
    """A finished run; what shares its errors is its world, all that is not of the testbed being one."""
    run = GridRun(("given", "given"), 0, RunFolder.read(path))
    config = config_of(run)
    return run if config.testbed is None else replace(run, values=("given", str(config.testbed.world)))


def made(given: Namespace) -> list[GridRun]:
    """Every world's runs."""
    folder = given.out / "short" if given.short else given.out
    worlds = DEVELOPMENT[:1] if given.short else DEVELOPMENT if given.fit else DEVELOPMENT + FRESH
    sizes = TINY_LM if given.short else {}
    with showing():
        models = [(folder / f"model-{world}", world, sizes) for world in worlds]
        every(build_model, [model for model in models if not model[0].is_dir()], given.jobs, "masked LMs")
        plans = [planned(case, world, folder, given.short) for world in worlds for case in CASES]
        return finished(every(make_run, [(one, folder) for one in plans], given.jobs, "runs"))


def planned(case: str, world: int, folder: Path, short: bool) -> Planned:
    """One run on a world; `values` are its group and what shares its errors."""
    seed, targets, settings = CASES[case]
    own = (f"testbed.world={world}", f"testbed.seed={seed}", f"seed={seed}", f"target=[{targets}]", "trace=0")
    model = f"model={(folder / f'model-{world}').absolute()}"
    config = load_config("testbed", (*settings, *own, model, *(TINY if short else ())))
    return Planned(f"{case}-{world}", (f"{'fresh' if world in FRESH else 'development'}, {case}", str(world)), config)


def states_of(cell: GridRun) -> Iterator[State]:
    """Every state whose score is known and estimated, for each target."""
    group, world = cell.values
    at_home = cell.run.results["source"]["before"]["mean"]
    for target, found in cell.run.results["targets"].items():
        guesses = cell.run.results["estimates"][target]
        for method in ("zero_shot", "penalty"):
            if method in guesses:
                guess = guesses[method]
                yield State(group, world, target, 0, found[method]["mean"], at_home, guess, guess)
        for epoch, (score, guess) in enumerate(zip(found["uxla"], guesses["uxla"], strict=True), start=1):
            yield State(group, world, target, epoch, score["mean"], at_home, guess, guesses["penalty"])


def grouped(states: list[State]) -> dict[str, list[State]]:
    """The states of each group, of given runs of each target; those of all its kind at the end of theirs."""
    groups: dict[str, list[State]] = {}
    for whole in dict.fromkeys(state.group.split(", ")[0] for state in states):
        own = [state for state in states if state.group.split(", ")[0] == whole]
        for state in own:
            name = f"{whole}, {state.target}" if state.group == whole else state.group
            groups.setdefault(name, []).append(state)
        groups[whole] = own
    return groups


def selection_rows(cells: Sequence[GridRun]) -> Iterator[tuple[object, ...]]:
    """By group the mean true scores: of the warm-up, the last epoch, the best estimate's state, the best state."""
    kept: dict[str, list[tuple[float, ...]]] = defaultdict(list)
    for cell in cells:
        for target, found in cell.run.results["targets"].items():
            guess = cell.run.results["estimates"][target]
            true = [found["penalty"]["mean"], *(score["mean"] for score in found["uxla"])]
            guesses = [Estimate(**state).mean for state in (guess["penalty"], *guess["uxla"])]
            kept[cell.values[0]].append((true[0], true[-1], true[int(np.argmax(guesses))], max(true)))
    for group, cases in kept.items():
        yield group, len(cases), *(f"{fmean(scores):.1f}" for scores in zip(*cases, strict=True))


def accuracy_rows(group: str, states: list[State]) -> Iterator[tuple[object, ...]]:
    """The rows of the first table for one group."""
    for part, chosen in (("warm-up", [s for s in states if s.epoch == 0]), ("epochs", [s for s in states if s.epoch])):
        true = np.array([state.true for state in chosen])
        for name in ("score", "atc", "doc", "agreement", "as at home"):
            guess = np.array([state.at_home if name == "as at home" else state.estimate[name] for state in chosen])
            rank = f"{spearmanr(guess, true)[0]:.2f}" if len(set(guess)) > 1 < len(set(true)) else ""
            error = (f"{abs(guess - true).mean():.1f}", f"{(guess - true).mean():+.1f}", rank)
            yield f"{group}, {part}", name, len(chosen), *error, held(chosen) if name == "score" else ""


def show_fit(states: list[State]) -> None:
    """What WEIGHTS, the half of a gain that is believed, and ERROR rest on; worlds, cases and targets weigh alike.

    ERROR: the smallest with which the intervals hold the truth as often as they say; `held`: how often they do in
    each world with the ERROR of the others. (The score is capped here by that on the source's test set.)
    """
    kinds = {"entities": ("protocol", "preset"), "examples": ("classification", "paraphrase"), "all": tuple(CASES)}
    header = [
        "states",
        "weight of atc",
        "gain believed",
        "mean error",
        "bias",
        "ERROR for 80 %",
        "held, world left out",
    ]
    rows = []
    for kind, cases in kinds.items():
        chosen = [state for state in states if state.group.split(", ")[1] in cases]
        rows += [(kind, *fit_row(chosen, atc, 0.5)) for atc in (1 / 3, 0.4, 0.5, 0.6, 0.7, 1.0)]
        rows += [(kind, *fit_row(chosen, 0.5, believed)) for believed in (0.0, 0.25, 0.75, 1.0)]
    table(header, rows)


def fit_row(states: list[State], atc: float, believed: float) -> tuple[str, ...]:
    """Errors with this weight of atc, the rest shared by the other two, and with this part of a gain."""
    sizes = Counter((state.group, state.world, state.target, state.epoch > 0) for state in states)
    weight = np.array([1 / sizes[state.group, state.world, state.target, state.epoch > 0] for state in states])
    true, world = np.array([state.true for state in states]), np.array([state.world for state in states])
    three = np.array([state.three(believed) for state in states])
    rest = (1 - atc) / 2
    score = np.minimum(three @ (atc, rest, rest), [state.at_home for state in states])
    error, chance = probit(true) - probit(score), np.array([state.by_chance for state in states])
    ours = smallest(error, chance, weight)
    held = np.zeros(len(states))
    for left_out in dict.fromkeys(world):
        others = world != left_out
        half = smallest(error[others], chance[others], weight[others])
        held[~others] = abs(error[~others]) <= REACH * np.hypot(chance[~others], half)
    figures = np.average([abs(score - true), score - true, 100 * held], axis=1, weights=weight)
    return (
        *(f"{atc:.2f}", f"{believed:.2f}", f"{figures[0]:.1f}", f"{figures[1]:+.1f}", f"{ours:.2f}"),
        f"{figures[2]:.0f} %",
    )


def smallest(error: np.ndarray, chance: np.ndarray, weight: np.ndarray) -> float:
    """The smallest ERROR with which the intervals hold the truth as often as they say."""
    tried = np.arange(0.01, 1.0, 0.01)
    return next(
        value
        for value in tried
        if np.average(abs(error) <= REACH * np.hypot(chance, value), weights=weight) >= SHARE or value == tried[-1]
    )


def held(states: list[State]) -> str:
    """`81 % ± 7`: the share of states whose interval holds the truth, and its interval over the worlds."""
    by_world: dict[str, list[float]] = defaultdict(list)
    for state in states:
        by_world[state.world].append(100.0 * state.held)
    shares = [fmean(found) for found in by_world.values()]
    return f"{fmean(shares):.0f} % ± {half(shares):.0f}".replace(" ± inf", "")


if __name__ == "__main__":
    wanted = parser(__doc__)
    wanted.add_argument("runs", nargs="*", type=Path, metavar="RUN", help="folders of finished runs; none: the worlds")
    wanted.add_argument("--fit", action="store_true", help="development worlds alone, and what the constants rest on")
    wanted.add_argument("--jobs", type=int, default=1, metavar="N", help="processes; each is busy on one core")
    wanted.add_argument("--out", type=Path, default=ROOT / "runs/estimates", metavar="DIR", help="models and runs")
    chosen = wanted.parse_args()
    if chosen.fit and chosen.runs:
        wanted.error("--fit is about the worlds; leave out RUN or --fit")
    main(chosen)
