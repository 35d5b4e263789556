"""What is kept of a finished cell of `bench/languages.py`: all that tables, pictures and claims read, in one file.

A run folder is large, has the texts of its test set and lives where it was made. A record is small and has no text, so
that the repository keeps it and days of computing can go on elsewhere. It names the run folder's results by digest.
"""

import json
import lzma
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from adaptation import Cell, cells_of

from uxla.files import write_file
from uxla.report.folder import RunFolder
from uxla.report.scores import every_score, selected_on_dev
from uxla.report.scoring import counts, f1
from uxla.store.journal import read

Key = tuple[str, str]
"""Corpus and target."""
_ENDING = ".json.xz"
_READ = ("method", "target", "epoch", "dev")
"""What is read of a training."""


@dataclass(frozen=True, eq=False)
class Finished:
    """A finished cell."""

    facts: dict[str, Any]
    """Its `cell.json`: which cell it is, under which protocol and commit; the digest of results.json as `results`."""
    found: Mapping[str, Any]
    """What results.json says of the target."""
    estimates: Mapping[str, Any]
    """Without labels, by method."""
    trainings: list[dict[str, Any]]
    """Method, target, epoch and score on the source's dev set of each."""
    counted: dict[str, np.ndarray]
    """By row (models, N, 3): gold, predicted and correct of each test sentence. The last epoch is the method's own
    row."""
    identity: int
    """Of the test set's texts and gold labels."""
    seconds: Mapping[str, float]
    """What was done for the cell, by the journal's stage, of trainings (`fit METHOD`) by method too: what it found in
    the store took nothing."""
    choice: Cell | None
    """What rules of when to adapt see; None where a method is missing."""

    @property
    def name(self) -> str:
        """Of the run folder."""
        return "{variant}_{corpus}-{target}_seed={seed}".format(**self.facts)

    @property
    def key(self) -> Key:
        """Corpus and target."""
        return self.facts["corpus"], self.facts["target"]

    @property
    def size(self) -> int:
        """How many test sentences there are."""
        return next(iter(self.counted.values())).shape[1]

    def score(self, row: str, keep: np.ndarray | slice = slice(None)) -> float:
        """The mean score of the row's models, on the test sentences to keep."""
        return float(f1(self.counted[row][:, keep].sum(axis=1)).mean())

    def with_target_labels(self) -> dict[str, float]:
        """By method, the score at its best epoch on labelled target sentences."""
        return {method: score["mean"] for method, score in selected_on_dev(self.found).items()}


def of_run(folder: Path) -> Finished:
    """The finished cell that a run folder with a `cell.json` is of."""
    run, facts = RunFolder.read(folder), json.loads((folder / "cell.json").read_bytes())
    target, test = facts["target"], run.test_set(facts["target"])
    assert test is not None, f"{folder}: a cell has a test set"
    labels, counted = run.scored_labels(target), dict[str, np.ndarray]()
    for row, state in _rows(run.results).items():
        models = [replace(test, labels={row: found}) for found in labels[state]]
        counted[row] = np.array([counts(model, row, spans=facts["task"] == "ner") for model in models])
    text = sha256(test.gold.astype("<i8").tobytes() + json.dumps(test.segments).encode())
    return Finished(
        facts,
        run.results["targets"][target],
        run.results.get("estimates", {}).get(target, {}),
        [{name: one[name] for name in _READ} for one in run.results["trainings"]],
        counted,
        int(text.hexdigest()[:12], 16),
        _seconds(folder),
        next(cells_of(run), None),
    )


def _rows(results: Mapping[str, Any]) -> dict[str, tuple[str, int | None]]:
    """The rows of the cell's table, and the method and epoch of each."""
    states = [(method, epoch) for target, method, epoch, _ in every_score(results) if target is not None]
    last = {method: epoch for method, epoch in states if epoch is not None}
    named = {}
    for method, epoch in states:
        if epoch is None or (epoch == last[method] and method == "uxla"):
            named[method] = (method, epoch)
        elif epoch < last[method]:
            named[f"{method}, epoch {epoch}"] = (method, epoch)
    return named


def _seconds(folder: Path) -> dict[str, float]:
    """By stage, as the journal says; a training's method is told right after its work."""
    spent, training = dict[str, float](), 0.0
    for event in read(folder / "journal.jsonl"):
        done = event["event"] == "stage" and not event["hit"]
        if done and event["stage"] == "fit":
            training = event["seconds"]
        elif done:
            spent[event["stage"]] = spent.get(event["stage"], 0.0) + event["seconds"]
        elif event["event"] == "training" and training:
            stage = f"fit {event['method']}"
            spent[stage], training = spent.get(stage, 0.0) + training, 0.0
    return spent


def record(cell: Finished, records: Path) -> None:
    """Write a cell's record, whole or not at all."""
    said = {name: value for name, value in vars(cell).items() if name not in ("counted", "choice")}
    said["counted"] = {row: found.tolist() for row, found in cell.counted.items()}
    if cell.choice is not None:
        agreed = [[*sorted(pair), value] for pair, value in cell.choice.agreed.items()]
        said["choice"] = asdict(cell.choice) | {"agreed": agreed}
    records.mkdir(parents=True, exist_ok=True)
    write_file(_file(cell.name, records), lzma.compress(json.dumps(said, separators=(",", ":")).encode()))


def recorded(name: str, records: Path) -> Finished | None:
    """The record of the cell with this name."""
    file = _file(name, records)
    return _read(file) if file.is_file() else None


def finished(records: Path) -> Iterator[Finished]:
    """All cells that are recorded, in the order of their names."""
    for file in sorted(records.glob(f"*{_ENDING}")):
        yield _read(file)


def _file(name: str, records: Path) -> Path:
    return records / f"{name}{_ENDING}"


def _read(file: Path) -> Finished:
    said = json.loads(lzma.decompress(file.read_bytes()))
    choice = said.pop("choice", None)
    if choice is not None:
        choice = Cell(**choice | {"agreed": {frozenset(pair): value for *pair, value in choice["agreed"]}})
    counted = {row: np.array(found) for row, found in said.pop("counted").items()}
    return Finished(**said, counted=counted, choice=choice)
