"""How often 95 % intervals hold the truth: those of `uxla grid`, simulated, beside the ways that were not taken.

    python bench/coverage.py [--short] [--rivals | --means] [--jobs 2]

Each case draws test sets of labels many times from one model, in which the true gain is known, and counts how often the
interval of `uxla.report.paired.difference` holds it. Whether an example is got right depends on its difficulty, which
all share, on its oddity, which is of one method and the same at every seed that has the example, and on chance; an
example is one label, or a sentence with entities and made-up ones beside. Seeds have luck of their own or none.

Prints a row for each kind of test set, number of seeds and luck, a column for metric, size and true gain. The standard
error of a share of 95 % is 0.35 points with 4,000 repetitions. The second table is about three models of one run that
teach each other, of which a part of the luck is the run's: Welch's interval over them.

--means is about `uxla.report.paired.mean_difference`: the mean over three languages of the difference of the mean
scores of three models each. One half of a seed's luck is shared by its languages, as warm-ups are, the other half is
each model's own. The languages have examples of their own, or translations of the same ones.
"""

import argparse
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, partial

import numpy as np
from common import table
from scipy.stats import t, ttest_ind

from uxla.report.paired import Pair, difference, mean_difference

Interval = tuple[float, float]
SEEDS = (3, 5, 10)
DIFFICULTY, CHANCE, BASE, GOLD, MADE_UP = 1.5, 0.5, 0.8, 1.3, 0.4
LUCK = {"no": 0.0, "2 points": 0.08, "6 points": 0.24}
"""A seed's luck with a method on the logit scale, by the deviation of a difference that comes of it."""
TESTS = {"a seed's own": None, "shared, little in common": 0.5, "shared, much in common": 2.0}
"""A test set's oddities on the logit scale; None: a little, and each seed has examples of its own."""

OWN_ODDITY = 0.5
"""The oddity of an example that is of one language, on the logit scale, with `--means`."""


@dataclass(frozen=True)
class Case:
    """What is drawn: `oddity` and `luck` are deviations on the logit scale, `gain` the first method's there."""

    seeds: int
    size: int = 500
    spans: bool = False
    shared: bool = True
    oddity: float = 0.5
    luck: float = 0.0
    gain: float = 0.0

    def luck_of_seeds(self, rng: np.random.Generator) -> np.ndarray:
        """(S, 1, 2)"""
        return self.luck * rng.standard_normal((self.seeds, 1, 2))

    def pairs(self, rng: np.random.Generator, luck: np.ndarray) -> list[Pair]:
        """The counts of both methods at each seed."""
        examples = (1 if self.shared else self.seeds, self.size)
        drawn = rng.standard_normal
        logits = BASE + luck + [self.gain, 0.0] + DIFFICULTY * drawn((*examples, 1))
        logits = logits + self.oddity * drawn((*examples, 2)) + CHANCE * drawn((self.seeds, self.size, 2))
        sure = 1 / (1 + np.exp(-logits))
        gold = rng.poisson(GOLD, (*examples, 1)) if self.spans else np.ones((*examples, 1), int)
        gold = np.broadcast_to(gold, sure.shape)
        right = rng.binomial(gold, sure)
        found = right + rng.poisson(MADE_UP * (1 - sure)) if self.spans else gold
        counts = np.stack([gold, found, right], axis=-1)  # (S, N, 2, 3)
        return [Pair(c[:, 0], c[:, 1], 0 if self.shared else i) for i, c in enumerate(counts)]

    def truth(self, luck: np.ndarray | None = None) -> float:
        """The true gain in points: over all seeds and examples, or of seeds with this luck over all examples."""
        nodes, weights = np.polynomial.hermite_e.hermegauss(80)
        weights = weights / weights.sum()
        if luck is None:
            luck, over = np.repeat(self.luck * nodes[:, None, None], 2, axis=2), weights
        else:
            over = np.full(len(luck), 1 / len(luck))
        spread = np.sqrt(DIFFICULTY**2 + self.oddity**2 + CHANCE**2)
        right = weights @ (1 / (1 + np.exp(-(BASE + luck + [self.gain, 0.0] + spread * nodes[:, None]))))  # (S, 2)
        score = 2 * GOLD * right / (GOLD + GOLD * right + MADE_UP * (1 - right)) if self.spans else right
        return float(100 * over @ (score[:, 0] - score[:, 1]))


def coverage(
    case: Case, interval: Callable[[Sequence[Pair]], Interval], repetitions: int, *, here: bool = False
) -> float:
    """How often the interval holds the true gain, in percent; `here`: that of the seeds drawn."""
    rng, held, truth = np.random.default_rng(0), 0, case.truth()
    for _ in range(repetitions):
        luck = case.luck_of_seeds(rng)
        low, high = interval(case.pairs(rng, luck))
        held += low <= (case.truth(luck) if here else truth) <= high
    return 100 * held / repetitions


def coverage_of_mean(case: Case, parallel: bool, repetitions: int) -> float:
    """How often the interval of the mean over languages holds the true gain, in percent; accuracy, shared examples."""
    rng, held = np.random.default_rng(0), 0
    truth = replace(case, oddity=float(np.hypot(case.oddity, OWN_ODDITY))).truth()
    for _ in range(repetitions):
        found = mean_difference(languages(case, parallel, rng), parallel=parallel)
        held += found.low <= truth <= found.high
    return 100 * held / repetitions


def languages(
    case: Case, parallel: bool, rng: np.random.Generator, count: int = 3, models: int = 3
) -> list[list[Pair]]:
    """The pairs of each language at each seed, counts of a method's models together."""
    drawn, of = rng.standard_normal, 1 if parallel else count
    luck = case.luck / np.sqrt(2) * (drawn((case.seeds, 1, 1, 1, 2)) + drawn((case.seeds, count, 1, models, 2)))
    logits = BASE + luck + [case.gain, 0.0] + DIFFICULTY * drawn((1, of, case.size, 1, 1))
    logits = logits + case.oddity * drawn((1, of, case.size, 1, 2)) + OWN_ODDITY * drawn((1, count, case.size, 1, 2))
    logits = logits + CHANCE * drawn((case.seeds, count, case.size, models, 2))
    right = (rng.random(logits.shape) < 1 / (1 + np.exp(-logits))).sum(axis=3)  # (S, languages, N, 2)
    counts = np.stack([np.full_like(right, models), np.full_like(right, models), right], axis=-1)
    return [[Pair(c[:, 0], c[:, 1], place) for c in counts[:, place]] for place in range(count)]


def of_the_grid(pairs: Sequence[Pair]) -> Interval:
    """The interval that `uxla grid` shows."""
    found = difference(pairs)
    return found.low, found.high


def student(pairs: Sequence[Pair]) -> Interval:
    """Student's t over the seeds' differences and nothing else."""
    gains = gains_of(pairs)
    half = t.ppf(0.975, len(gains) - 1) * gains.std(ddof=1) / np.sqrt(len(gains))
    return gains.mean() - half, gains.mean() + half


def over_examples(pairs: Sequence[Pair]) -> Interval:
    """The paired interval over examples, the seeds being what they are, as a bootstrap has it to first order."""
    gains, moves = gains_of(pairs), moves_of(pairs)
    shared = len({pair.identity for pair in pairs}) == 1
    total = (moves.sum(axis=0) ** 2).sum() if shared else (moves**2).sum()
    half = 1.96 * np.sqrt(total) / len(pairs)
    return gains.mean() - half, gains.mean() + half


def wider(pairs: Sequence[Pair]) -> Interval:
    """The wider of `student` and `over_examples`."""
    return max(student(pairs), over_examples(pairs), key=lambda found: found[1] - found[0])


def parts(pairs: Sequence[Pair]) -> tuple[np.ndarray, float, float]:
    """The gains, and the two parts of the variance that `uxla.report.paired` adds."""
    gains, moves, seeds = gains_of(pairs), moves_of(pairs), len(pairs)
    common = ((moves.sum(axis=0) ** 2).sum() - (moves**2).sum()) / (seeds * (seeds - 1))
    shared = len({pair.identity for pair in pairs}) == 1
    return gains, gains.var(ddof=1) / seeds, max(common, 0.0) if shared else 0.0


def satterthwaite(pairs: Sequence[Pair]) -> Interval:
    """As `uxla grid`, with Satterthwaite's degrees of freedom."""
    gains, own, common = parts(pairs)
    own = max(own, 1e-9)
    freedom = (own + common) ** 2 / (own**2 / (len(pairs) - 1) + common**2 / (len(pairs[0].one) - 1))
    half = t.ppf(0.975, freedom) * np.sqrt(own + common)
    return gains.mean() - half, gains.mean() + half


def cochran(pairs: Sequence[Pair]) -> Interval:
    """As `uxla grid`, with the quantiles averaged instead of the degrees of freedom (Cochran and Cox)."""
    gains, own, common = parts(pairs)
    own = max(own, 1e-9)
    quantiles = t.ppf(0.975, [len(pairs) - 1, len(pairs[0].one) - 1])
    half = quantiles @ [own, common] / np.sqrt(own + common)
    return gains.mean() - half, gains.mean() + half


def percentile(pairs: Sequence[Pair]) -> Interval:
    """Seeds and examples drawn anew, much as `uxla grid` had it until 2026-11."""
    seeds, size = len(pairs), len(pairs[0].one)
    counts = np.stack([np.concatenate([pair.one, pair.other], axis=1) for pair in pairs])  # (S, N, 6)
    shared = len({pair.identity for pair in pairs}) == 1
    sums = np.stack([times(size, 0 if shared else i) @ counts[i] for i in range(seeds)])  # (S, draws, 6)
    scores = 200 * sums[..., [2, 5]] / np.maximum(sums[..., [0, 3]] + sums[..., [1, 4]], 1)
    found = (times(seeds, seeds).T * (scores[..., 0] - scores[..., 1])).sum(axis=0) / seeds
    low, high = np.quantile(found, [0.025, 0.975])
    return low, high


@cache
def times(size: int, key: int, draws: int = 500) -> np.ndarray:
    """(draws, size): how often each of so many things is drawn."""
    return np.random.default_rng([size, key]).multinomial(size, np.full(size, 1 / size), draws).astype(float)


RIVALS = {
    "t over seeds": student,
    "over examples": over_examples,
    "the wider of both": wider,
    "Satterthwaite's df": satterthwaite,
    "Cochran's quantile": cochran,
    "percentile bootstrap": percentile,
    "uxla grid": of_the_grid,
}


HARD = {
    "5 seeds that vary by 12 points": Case(5, luck=0.48),
    "5 seeds, much in common": Case(5, oddity=2.0),
    "3 seeds with examples of their own": Case(3, shared=False),
    "3 seeds that vary by 12 points, much in common": Case(3, luck=0.48, oddity=1.0),
}
"""Cases in which one way or another does not hold 95 %."""


def gains_of(pairs: Sequence[Pair]) -> np.ndarray:
    """(S): the score of the first method less the second's."""
    sums = np.stack([np.stack([pair.one.sum(axis=0), pair.other.sum(axis=0)]) for pair in pairs])
    scores = 200 * sums[..., 2] / (sums[..., 0] + sums[..., 1])
    return scores[:, 0] - scores[:, 1]


def moves_of(pairs: Sequence[Pair]) -> np.ndarray:
    """(S, N): by how much an example moves that difference, to first order."""
    counts = np.stack([np.stack([pair.one, pair.other]) for pair in pairs])  # (S, 2, N, 3)
    both = (counts[..., 0] + counts[..., 1]).sum(axis=-1, keepdims=True)
    score = 200 * counts[..., 2].sum(axis=-1, keepdims=True) / both
    moves = (200 * counts[..., 2] - score * (counts[..., 0] + counts[..., 1])) / both
    return moves[:, 0] - moves[:, 1]


def welch(seeds: int, run_share: float, repetitions: int) -> float:
    """How often Welch's interval over `seeds` models a method holds a true gain of 0, in percent.

    `run_share`: the part of the variance of a model's score that all models of its run share.
    """
    rng = np.random.default_rng(0)
    own = rng.standard_normal((2, repetitions, seeds)) * np.sqrt(1 - run_share)
    found = own + rng.standard_normal((2, repetitions, 1)) * np.sqrt(run_share)
    interval = ttest_ind(*found, axis=1, equal_var=False).confidence_interval(0.95)
    return float(100 * ((interval.low <= 0) & (interval.high >= 0)).mean())


def cases(sizes: Sequence[int]) -> dict[str, Case]:
    """The columns: metric, test examples, and the true gain of the first method."""
    found = {}
    for spans in (False, True):
        for size in sizes:
            for gain in (0.0, 0.4):
                case = Case(0, size, spans, gain=gain)
                metric = "F1" if spans else "accuracy"
                found[f"{metric}, {size}, {'+6' if gain else '0'}"] = case
    return found


def rows() -> list[tuple[str, str, int]]:
    """Kind of test set, luck, seeds."""
    return [(tests, luck, seeds) for tests in TESTS for luck in LUCK for seeds in SEEDS]


def placed(case: Case, tests: str, luck: str, seeds: int) -> Case:
    """A column's case in a row."""
    oddity = TESTS[tests]
    kind = {"shared": oddity is not None, "oddity": 0.5 if oddity is None else oddity}
    return replace(case, seeds=seeds, luck=LUCK[luck], **kind)


def main() -> None:
    """Print the tables."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--short", action="store_true", help="half a minute")
    made.add_argument("--rivals", action="store_true", help="only other intervals, in cases that are hard")
    made.add_argument("--means", action="store_true", help="only the mean over languages, two minutes")
    made.add_argument("--jobs", type=int, default=1)
    asked = made.parse_args()
    columns, repetitions = cases([100] if asked.short else [100, 500]), 300 if asked.short else 4000
    with ProcessPoolExecutor(asked.jobs) as pool:
        if asked.rivals:
            return rivals(pool, repetitions)
        if asked.means:
            return means(pool, repetitions // 4)
        grid = [[placed(case, *row) for case in columns.values()] for row in rows()]
        flat = [case for line in grid for case in line]
        found = list(pool.map(partial(coverage, interval=of_the_grid, repetitions=repetitions), flat))
        lines = [found[i : i + len(columns)] for i in range(0, len(found), len(columns))]
        shown = [[*map(str, row), *(f"{share:.1f}" for share in line)] for row, line in zip(rows(), lines, strict=True)]
        table(["test examples", "seeds vary", "seeds", *columns], shown)
        if not asked.short:
            single(pool, columns, repetitions // 10)
    print()
    shares = (0.0, 0.25, 0.5, 0.75, 0.9)
    table(
        ["the run's share of the variance", *(f"{share:.0%}" for share in shares)],
        [["Welch's interval over three models", *(f"{welch(3, share, 20_000):.1f}" for share in shares)]],
    )


def single(pool: ProcessPoolExecutor, columns: dict[str, Case], repetitions: int) -> None:
    """One or two seeds: the bootstrap over examples, against the true gain of these very seeds."""
    print()
    of = partial(coverage, interval=of_the_grid, repetitions=repetitions, here=True)
    shown = []
    for seeds in (1, 2):
        asked = [replace(case, seeds=seeds, luck=LUCK["2 points"]) for case in columns.values()]
        shown.append([str(seeds), *(f"{share:.1f}" for share in pool.map(of, asked))])
    table(["seeds, these only", *columns], shown)


def means(pool: ProcessPoolExecutor, repetitions: int) -> None:
    """The mean over three languages of three single models: accuracy, 500 examples."""
    columns = {
        f"seeds vary by {luck}, {'+6' if gain else '0'}": (LUCK[luck], gain) for luck in LUCK for gain in (0.0, 0.4)
    }
    shown = []
    for parallel in (False, True):
        for seeds in (3, 5):
            asked = [Case(seeds, luck=luck, gain=gain) for luck, gain in columns.values()]
            found = pool.map(partial(coverage_of_mean, parallel=parallel, repetitions=repetitions), asked)
            kind = "translations" if parallel else "of their own"
            shown.append([kind, str(seeds), *(f"{share:.1f}" for share in found)])
    table(["examples", "seeds", *columns], shown)


def rivals(pool: ProcessPoolExecutor, repetitions: int) -> None:
    """The coverage of each interval in the hard cases: accuracy, 500 examples, no gain."""
    shown = []
    for name, interval in RIVALS.items():
        found = pool.map(partial(coverage, interval=interval, repetitions=repetitions), HARD.values())
        shown.append([name, *(f"{share:.1f}" for share in found)])
    table(["interval", *HARD], shown)


if __name__ == "__main__":
    main()
