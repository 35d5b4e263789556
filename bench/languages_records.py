"""What is kept of a finished cell of `bench/languages.py`: all that tables, pictures and claims read, in one file.

A run folder is large, has the texts of its test set and lives where it was made. A record is small and has no text, so
that the repository keeps it and days of computing can go on elsewhere. It names by their digests the run folder's
results, and the data and models that they are of.

A record is two lines of JSON, compressed: what is asked often comes first.
"""

import json
import lzma
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from adaptation import Cell as Choice
from adaptation import cells_of
from languages_cells import name_of
from languages_label_free import State, label_free

from uxla.errors import UxlaError
from uxla.files import write_file
from uxla.report.folder import RunFolder
from uxla.report.scores import every_score, selected_on_dev
from uxla.report.scoring import counts, f1
from uxla.store.journal import read

Key = tuple[str, str]
"""Corpus and target."""
_VERSION, _ENDING = 2, ".json.xz"
_FIRST = ("facts", "seconds")
"""The fields on a record's first line."""


@dataclass(frozen=True, eq=False)
class Finished:
    """A finished cell."""

    facts: dict[str, Any]
    """Its `cell.json`: which cell it is, under which protocol and commit; the digest of results.json as `results`."""
    found: Mapping[str, Any]
    """What results.json says of the target."""
    estimates: Mapping[str, Any]
    """Without labels, by method."""
    source_dev: Mapping[str, list[float]]
    """The scores on the source's dev set of each method's trainings."""
    inputs: Mapping[str, Any]
    """The digests of the data sets and models."""
    counted: dict[str, np.ndarray]
    """By row (models, N, 3): gold, predicted and correct of each test sentence. The last epoch is the method's own
    row."""
    identity: int
    """Of the test set's texts and gold labels."""
    seconds: Mapping[str, float]
    """What was done for the cell, by the journal's stage, of trainings (`fit METHOD`) by method too: what it found in
    the store took nothing."""
    seen_by_rules: Choice | None
    """What rules of when to adapt look at; None where a method is missing."""
    label_free: Mapping[str, Any]
    """What else a rule may look at (bench/languages_label_free.py)."""

    @property
    def name(self) -> str:
        """Of the run folder."""
        return name_of(self.facts)

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
    labels, counted, rows = run.scored_labels(target), dict[str, np.ndarray](), _rows(run.results)
    for row, state in rows.items():
        models = [replace(test, labels={row: found}) for found in labels[state]]
        counted[row] = np.array([counts(model, row, spans=facts["task"] == "ner") for model in models])
    text = sha256(test.gold.astype("<i8").tobytes() + json.dumps(test.segments).encode())
    return Finished(
        facts,
        run.results["targets"][target],
        run.results.get("estimates", {}).get(target, {}),
        _source_dev(run.results["trainings"]),
        run.results["inputs"],
        counted,
        int(text.hexdigest()[:12], 16),
        _seconds(folder),
        next(cells_of(run), None),
        label_free(run, target, rows),
    )


def _rows(results: Mapping[str, Any]) -> dict[str, State]:
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


def _source_dev(trainings: Sequence[Mapping[str, Any]]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for one in trainings:
        if one["dev"] is not None:
            found.setdefault(one["method"], []).append(one["dev"])
    return found


def _seconds(folder: Path) -> dict[str, float]:
    """By stage, as the journal says; a training's method is told right after its work, unless that was interrupted."""
    spent, training = Counter[str](), 0.0
    for event in read(folder / "journal.jsonl"):
        if event["event"] == "stage" and not event["hit"]:
            spent[event["stage"]] += event["seconds"]
            if event["stage"] == "fit":
                training = event["seconds"]
        elif event["event"] == "training" and training:
            spent["fit"] -= training
            spent[f"fit {event['method']}"] += training
            training = 0.0
    return {stage: seconds for stage, seconds in spent.items() if seconds}


def record(cell: Finished, records: Path) -> None:
    """Write a cell's record, whole or not at all."""
    said = vars(cell) | {"counted": {row: found.tolist() for row, found in cell.counted.items()}}
    if (seen := cell.seen_by_rules) is not None:
        agreed = [[*sorted(pair), value] for pair, value in seen.agreed.items()]
        said["seen_by_rules"] = asdict(seen) | {"agreed": agreed}
    first = {"version": _VERSION} | {name: said.pop(name) for name in _FIRST}
    lines = "\n".join(json.dumps(part, separators=(",", ":")) for part in (first, said))
    records.mkdir(parents=True, exist_ok=True)
    write_file(_file(cell.name, records), lzma.compress(lines.encode()))


def facts_of(name: str, records: Path) -> tuple[dict[str, Any], dict[str, float]] | None:
    """The `facts` and `seconds` of the cell with this name, where it is recorded."""
    file = _file(name, records)
    if not file.is_file():
        return None
    first, _ = _lines(file)
    return first["facts"], first["seconds"]


def finished(records: Path) -> Iterator[Finished]:
    """All cells that are recorded, in the order of their names."""
    for file in sorted(records.glob(f"*{_ENDING}")):
        yield _read(file)


def _file(name: str, records: Path) -> Path:
    return records / f"{name}{_ENDING}"


def _lines(file: Path) -> tuple[dict[str, Any], str]:
    """The first line as it was written, and the second one as text."""
    try:
        first, second = lzma.decompress(file.read_bytes()).decode().splitlines()
        said = json.loads(first)
    except (lzma.LZMAError, ValueError) as error:
        raise UxlaError(f"{file}: damaged ({error}); restore it from git, or record its run folder again") from None
    if said.pop("version") != _VERSION:
        raise UxlaError(f"{file}: a record of another version, expected {_VERSION}; record its run folder again")
    return said, second


def _read(file: Path) -> Finished:
    first, second = _lines(file)
    said = first | json.loads(second)
    if (seen := said.pop("seen_by_rules")) is not None:
        seen["agreed"] = {frozenset(pair): value for *pair, value in seen["agreed"]}
        pairs = {name: seen[name] and tuple(seen[name]) for name in ("estimates", "at_home")}
        seen = Choice(**seen | pairs)
    counted = {row: np.array(found) for row, found in said.pop("counted").items()}
    return Finished(**said, counted=counted, seen_by_rules=seen)
