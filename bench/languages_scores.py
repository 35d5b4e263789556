"""Paired differences of rows of finished cells of `bench/languages.py`, over their seeds and test sentences."""

from collections.abc import Callable, Iterable, Sequence
from functools import reduce

import numpy as np
from languages_records import Finished, Key

from uxla.report.paired import Difference, Pair, mean_difference

Keep = Callable[[Finished], np.ndarray | slice]
"""Which test sentences of a cell are looked at."""


def everything(cell: Finished) -> slice:
    """All test sentences."""
    return slice(None)


def unshared(cell: Finished) -> np.ndarray:
    """Those that do not also stand in the target's training files."""
    return np.delete(np.arange(cell.size), cell.facts["shared"])


def in_all(cells: Sequence[Finished], keep: Keep) -> Keep:
    """The sentences that `keep` keeps in each of these cells, whose test sets are translations of each other."""
    kept = [np.arange(cell.size)[keep(cell)] for cell in cells]
    return lambda cell: reduce(np.intersect1d, kept)


def by_key(cells: Iterable[Finished]) -> dict[Key, list[Finished]]:
    """The cells of each corpus and target, seeds in order."""
    found: dict[Key, list[Finished]] = {}
    for cell in sorted(cells, key=lambda cell: cell.facts["seed"]):
        found.setdefault(cell.key, []).append(cell)
    return found


def paired(one: Finished, row: str, other: Finished, other_row: str, keep: Keep = everything) -> tuple[Pair, float]:
    """The counts of two rows, those of a row's models taken together, and the difference of their scores."""
    kept = keep(one)
    both = (cell.counted[name][:, kept].sum(axis=0) for cell, name in ((one, row), (other, other_row)))
    return Pair(*both, one.identity), one.score(row, kept) - other.score(other_row, kept)


def difference(
    languages: Sequence[Sequence[Finished]], row: str, other: str, keep: Keep = everything
) -> Difference | None:
    """The mean over languages of the difference of two rows, over the seeds at which all languages have both."""
    common = common_seeds(languages, row, other)
    seeds = [{cell.facts["seed"]: cell for cell in cells} for cells in languages]
    if not common:
        return None
    parallel = languages[0][0].facts["parallel"]
    if parallel:
        keep = in_all([cells[seed] for cells in seeds for seed in common], keep)
    found = [[paired(cells[seed], row, cells[seed], other, keep) for seed in common] for cells in seeds]
    return _mean(found, parallel=parallel)


def common_seeds(languages: Sequence[Sequence[Finished]], row: str, other: str) -> list[int]:
    """The seeds at which all languages have both rows."""
    seeds = [{c.facts["seed"] for c in cells if {row, other} <= c.counted.keys()} for cells in languages]
    return sorted(set.intersection(*seeds)) if seeds else []


def change(languages: Sequence[tuple[Sequence[Finished], Sequence[Finished]]], row: str) -> Difference | None:
    """The difference that a variant's settings make to a row: the mean over languages, each with the variant's cells
    and the main ones, over the seeds that all have.

    A seed at which the test sets differ is left out.
    """
    found = []
    for cells, mains in languages:
        others = {(cell.facts["seed"], cell.identity): cell for cell in mains if row in cell.counted}
        keys = {cell.facts["seed"]: (cell.facts["seed"], cell.identity) for cell in cells if row in cell.counted}
        own = {cell.facts["seed"]: cell for cell in cells}
        found.append({seed: paired(own[seed], row, others[key], row) for seed, key in keys.items() if key in others})
    common = sorted(set.intersection(*map(set, found))) if found else []
    return _mean([[of[seed] for seed in common] for of in found], parallel=False) if common else None


def _mean(found: Sequence[Sequence[tuple[Pair, float]]], *, parallel: bool) -> Difference | None:
    pairs = [[pair for pair, _ in cells] for cells in found]
    return mean_difference(pairs, parallel=parallel, gains=np.array([[gain for _, gain in cells] for cells in found]))
