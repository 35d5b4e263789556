"""What finished cells of `bench/languages.py` say: rows of tables with their counts, and paired differences of them."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, reduce
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from uxla.report.folder import RunFolder
from uxla.report.paired import Difference, Pair, mean_difference
from uxla.report.scores import every_score, selected_on_dev
from uxla.report.scoring import counts, f1

Key = tuple[str, str]
"""Corpus and target."""
Keep = Callable[["Finished"], np.ndarray | slice]
"""Which test sentences of a cell are looked at."""


def everything(cell: "Finished") -> slice:
    """All test sentences."""
    return slice(None)


def unshared(cell: "Finished") -> np.ndarray:
    """Those that do not also stand in the target's training files."""
    return np.delete(np.arange(len(cell.test)), cell.facts["shared"])


def in_all(cells: Sequence["Finished"], keep: Keep) -> Keep:
    """The sentences that `keep` keeps in each of these cells, whose test sets are translations of each other."""
    kept = [np.arange(len(cell.test))[keep(cell)] for cell in cells]
    return lambda cell: reduce(np.intersect1d, kept)


@dataclass(frozen=True, eq=False)
class Finished:
    """A finished cell: its `cell.json` and its run folder."""

    facts: dict[str, Any]
    run: RunFolder

    @property
    def key(self) -> Key:
        """Corpus and target."""
        return self.facts["corpus"], self.facts["target"]

    @property
    def digest(self) -> str:
        """Of the run folder: the SHA-256 of its results.json, which has those of its data and models."""
        return str(self.facts["results"])

    @property
    def found(self) -> dict[str, Any]:
        """The scores of the target."""
        return self.run.results["targets"][self.facts["target"]]

    @cached_property
    def rows(self) -> dict[str, tuple[str, int | None]]:
        """The rows of the cell's table, and the method and epoch of each; the last epoch is the method's own row."""
        states = [(method, epoch) for target, method, epoch, _ in every_score(self.run.results) if target is not None]
        last = {method: epoch for method, epoch in states if epoch is not None}
        named = {}
        for method, epoch in states:
            if epoch is None or (epoch == last[method] and method == "uxla"):
                named[method] = (method, epoch)
            elif epoch < last[method]:
                named[f"{method}, epoch {epoch}"] = (method, epoch)
        return named

    @cached_property
    def test(self) -> Any:
        """The test set."""
        return self.run.test_set(self.facts["target"])

    @cached_property
    def _labels(self) -> dict[tuple[str, int | None], list[np.ndarray]]:
        return self.run.scored_labels(self.facts["target"])

    @cached_property
    def _counted(self) -> dict[str, np.ndarray]:
        return {}

    def counts(self, row: str) -> np.ndarray:
        """(models, N, 3) gold, predicted and correct of each test sentence."""
        if row not in self._counted:
            spans, labels = self.facts["task"] == "ner", self._labels[self.rows[row]]
            one = [counts(replace(self.test, labels={row: found}), row, spans=spans) for found in labels]
            self._counted[row] = np.array(one)
        return self._counted[row]

    def score(self, row: str, keep: Keep = everything) -> float:
        """The mean score of the row's models."""
        return float(f1(self.counts(row)[:, keep(self)].sum(axis=1)).mean())

    def with_target_labels(self) -> dict[str, float]:
        """By method, the score at its best epoch on labelled target sentences."""
        return {method: score["mean"] for method, score in selected_on_dev(self.found).items()}


def finished(folder: Path) -> list[Finished]:
    """The finished cells, in the order of their folders' names; those that are made anew are none."""
    found = []
    for file in sorted(folder.glob("*/cell.json")):
        facts, results = json.loads(file.read_text(encoding="utf-8")), file.with_name("results.json")
        if results.is_file() and sha256(results.read_bytes()).hexdigest() == facts["results"]:
            found.append(Finished(facts, RunFolder.read(file.parent)))
    return found


def by_key(cells: Iterable[Finished]) -> dict[Key, list[Finished]]:
    """The cells of each corpus and target, seeds in order."""
    found: dict[Key, list[Finished]] = {}
    for cell in sorted(cells, key=lambda cell: cell.facts["seed"]):
        found.setdefault(cell.key, []).append(cell)
    return found


def identity(cell: Finished) -> int:
    """A number that identifies the test set's texts and gold labels."""
    return hash((cell.test.gold.tobytes(), str(cell.test.segments)))


def paired(one: Finished, row: str, other: Finished, other_row: str, keep: Keep = everything) -> tuple[Pair, float]:
    """The counts of two rows, those of a row's models taken together, and the difference of their scores."""
    kept = keep(one)
    both = (cell.counts(name)[:, kept].sum(axis=0) for cell, name in ((one, row), (other, other_row)))
    pair = Pair(*both, identity(one))
    return pair, one.score(row, keep) - other.score(other_row, keep)


def difference(
    languages: Sequence[Sequence[Finished]], row: str, other: str, keep: Keep = everything
) -> Difference | None:
    """The mean over languages of the difference of two rows, over the seeds at which all languages have both."""
    seeds = [{c.facts["seed"]: c for c in cells if {row, other} <= c.rows.keys()} for cells in languages]
    common = sorted(set.intersection(*map(set, seeds))) if seeds else []
    if not common:
        return None
    parallel = languages[0][0].facts["parallel"]
    if parallel:
        keep = in_all([cells[seed] for cells in seeds for seed in common], keep)
    found = [[paired(cells[seed], row, cells[seed], other, keep) for seed in common] for cells in seeds]
    return _mean(found, parallel=parallel)


def change(cells: Sequence[Finished], mains: Sequence[Finished], row: str) -> Difference | None:
    """The difference that a variant's settings make to a row, on one language, over the seeds that both have.

    A seed at which the test sets differ is left out.
    """
    others = {(cell.facts["seed"], identity(cell)): cell for cell in mains if row in cell.rows}
    keys = [((cell.facts["seed"], identity(cell)), cell) for cell in cells if row in cell.rows]
    found = [paired(cell, row, others[key], row) for key, cell in keys if key in others]
    return _mean([found], parallel=False) if found else None


def _mean(found: Sequence[Sequence[tuple[Pair, float]]], *, parallel: bool) -> Difference | None:
    pairs = [[pair for pair, _ in cells] for cells in found]
    return mean_difference(pairs, parallel=parallel, gains=np.array([[gain for _, gain in cells] for cells in found]))
