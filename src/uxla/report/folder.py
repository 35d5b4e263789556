"""Reading a run folder: results, configuration, test labels, trace. Never loads torch."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from ruamel.yaml.error import YAMLError

from uxla.config.yaml_text import parse
from uxla.corpus_table import names_in
from uxla.errors import ArtifactError, ConfigError, in_python
from uxla.records import Ints
from uxla.report.forms import config_fault, environment_fault, results_fault
from uxla.report.table import require_version

MADE_BY_RUN = "expected a folder written by `uxla run`"
_TABLE = "a table that `uxla run` wrote"
_REBUILT = "run again to rebuild it"
_TEST_SET = ("segments", "gold", "confidence")
_SELECTED = ("selected_by_k", "selected_by_j")
_CONFIDENCES = ("confidence_k", "confidence_j")
_LABELS = ("labels_k", "labels_j", "labels")
_DECISIONS = ("epoch", "k", "j", "data", "id", *_SELECTED, "used", *_CONFIDENCES, *_LABELS)
_TEXTS = ("data", "epoch", "id", "segments", "parent", "changed", "gold")
"""The columns of `uxla.study.trace` that reports need."""
_PLAIN = {*_DECISIONS, "parent", "method", "model", "agreed"}.difference(_LABELS)
"""The columns that hold no lists."""
_NAME = re.compile(r"\w[\w.+-]*")


@dataclass(frozen=True, eq=False)
class TestSet:
    """A target's test set with the labels of every method: example i owns rows `offsets[i]:offsets[i+1]`."""

    __test__ = False  # not pytest's

    label_names: tuple[str, ...]
    final: str
    """The method whose models the run is for; `confidence` (R,) is theirs."""
    segments: list[list[str]]
    offsets: Ints
    gold: Ints
    confidence: npt.NDArray[np.float64]
    labels: dict[str, Ints]
    """(R,) by method, the final one first."""

    def __len__(self) -> int:
        return len(self.segments)


@dataclass(frozen=True)
class RunFolder:
    """A run folder with its `results.json`; all else is read when it is asked for."""

    path: Path
    results: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path) -> RunFolder:
        """The run in `path`. ArtifactError if there is none, or it is unfinished or of another version."""
        try:
            results = _results(path / "results.json")
        except (FileNotFoundError, NotADirectoryError):
            found, remedy = "no results.json", "if the run was interrupted, run it again to resume it"
            if not path.exists():
                found, remedy = "no such folder", "check the path"
            elif _is_target(path):
                found = "is one target of a run, not a run"
                remedy = (
                    f"load {path.parent}, then ensemble_of({path.name!r})" if in_python() else f"give {path.parent}"
                )
            raise ArtifactError(f"{path}: {found}, {MADE_BY_RUN}; {remedy}") from None
        return cls(path, results)

    @property
    def name(self) -> str:
        """The folder's own name."""
        return self.path.resolve().name

    @cached_property
    def targets(self) -> tuple[str, ...]:
        """The target languages."""
        return tuple(self.results["targets"])

    @cached_property
    def agreement(self) -> str:
        """How peers had to agree; `exact`, the default, if the results do not say."""
        return str(self.results.get("agreement", "exact"))

    @cached_property
    def environment(self) -> Mapping[str, Any]:
        """What `environment.json` holds; empty where it is missing or damaged."""
        with suppress(OSError, ValueError):
            found = json.loads((self.path / "environment.json").read_bytes())
            return {} if environment_fault(found) else found
        return {}

    @cached_property
    def config(self) -> Mapping[str, Any]:
        """What `config.yaml` holds. ArtifactError where it is missing, damaged, or not the one that the run had."""
        path = self.path / "config.yaml"
        try:
            text = path.read_bytes()
            found, _ = parse(text.decode(), name=str(path))
        except (OSError, UnicodeDecodeError, YAMLError, ConfigError) as error:
            wrong = "no such file" if isinstance(error, FileNotFoundError) else f"damaged ({type(error).__name__})"
            raise ArtifactError(f"{path}: {wrong}, expected what `uxla run` wrote; run again to rebuild it") from None
        if self.environment.get("config") not in (None, hashlib.sha256(text).hexdigest()):
            wrong = "was changed after the run, so it no longer says what the run did"
            raise ArtifactError(f"{path}: {wrong}; undo the change, or run again")
        if fault := config_fault(found):
            wrong = f"damaged, or of another version ({fault}), expected what `uxla run` wrote"
            raise ArtifactError(f"{path}: {wrong}; run again to rebuild it")
        return cast("Mapping[str, Any]", found)

    @cached_property
    def config_text(self) -> str:
        """The text of `config.yaml`; empty if there is none."""
        path = self.path / "config.yaml"
        return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""

    def test_set(self, target: str) -> TestSet | None:
        """The target's test set; None if the run had none."""
        path = self.path / "predictions" / f"{target}.parquet"
        found = _parquet(path, _TEST_SET)
        if found is None:
            return None
        metadata = {key.decode(): value.decode() for key, value in (found.schema.metadata or {}).items()}
        gold = found["gold"].combine_chunks()
        methods = [name for name in found.column_names if name not in ("id", "segments", "gold", "confidence")]
        final = metadata.get("final", "")
        test = TestSet(
            names_in(found.schema),
            final,
            found["segments"].to_pylist(),
            np.concatenate([[0], np.cumsum(gold.value_lengths().to_numpy(zero_copy_only=False))]).astype(np.int64),
            _flat(gold),
            np.asarray(found["confidence"].combine_chunks().flatten(), dtype=np.float64),
            {name: _flat(found[name].combine_chunks()) for name in sorted(methods, key=lambda name: name != final)},
        )
        _require_labels(test, path)
        return test

    def scored_labels(self, target: str) -> dict[tuple[str, int | None], list[Ints]]:
        """The labels (R,) of each model behind each score on the target's test set, by the method and epoch that
        `every_score` names; empty if the run had no test set."""
        found = _parquet(self.path / "predictions/models" / f"{target}.parquet", ("method", "epoch", "labels"))
        labels: dict[tuple[str, int | None], list[Ints]] = {}
        for row in [] if found is None else found.to_pylist():
            labels.setdefault((row["method"], row["epoch"]), []).append(np.asarray(row["labels"], dtype=np.int64))
        return labels

    def trace(self, target: str) -> tuple[pa.Table, pa.Table] | None:
        """Decisions and texts, as `uxla.study.trace` describes them; None if the run wrote none."""
        decisions = _parquet(self.path / "trace" / f"{target}.parquet", _DECISIONS)
        texts = _parquet(self.path / "trace" / f"{target}-texts.parquet", _TEXTS)
        return None if decisions is None or texts is None else (decisions, texts)


def _is_target(path: Path) -> bool:
    """Whether the folder is that of one of several targets."""
    with suppress(OSError, ValueError, LookupError, TypeError):
        return path.name in json.loads((path.parent / "results.json").read_text(encoding="utf-8"))["targets"]
    return False


def _results(file: Path) -> Mapping[str, Any]:
    """What `results.json` holds. ArtifactError where it is damaged, of another version, or has a target's name that
    could lead to another folder: names become parts of paths."""
    try:
        results = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ArtifactError(f"{file}: damaged ({type(error).__name__}), {MADE_BY_RUN}; {_REBUILT}") from None
    if isinstance(results, dict) and "version" in results:
        require_version(results)
    if fault := results_fault(results):
        raise ArtifactError(f"{file}: damaged ({fault}), {MADE_BY_RUN}; {_REBUILT}")
    for name in results["targets"]:
        if not _NAME.fullmatch(name):
            message = f"target {name!r}, expected a name of letters, digits and - _ . +; {MADE_BY_RUN}"
            raise ArtifactError(f"{file}: {message}")
    return cast("Mapping[str, Any]", results)


def _require_labels(test: TestSet, path: Path) -> None:
    """ArtifactError where a test set has not one label and one confidence for each gold label."""
    rows, names = int(test.offsets[-1]), len(test.label_names)
    sizes = {len(values) for values in (test.gold, test.confidence, *test.labels.values())}
    known = all(((labels >= 0) & (labels < names)).all() for labels in test.labels.values())
    if sizes != {rows} or not known or (test.gold >= names).any() or test.final not in test.labels:
        raise ArtifactError(f"{path}: damaged (labels that do not fit together), expected {_TABLE}; {_REBUILT}")


def _parquet(path: Path, columns: Collection[str]) -> pa.Table | None:
    """The table, where there is one; ArtifactError where it is damaged or lacks one of the columns."""
    if not path.is_file():
        return None
    try:
        found = pq.read_table(path)
        found.validate(full=True)
    except (OSError, pa.ArrowException) as error:
        if isinstance(error, OSError) and error.errno:  # Arrow's own errors of a damaged table have none
            raise ArtifactError(f"{path}: cannot be read ({os.strerror(error.errno)}); check its rights") from None
        raise ArtifactError(f"{path}: damaged ({type(error).__name__}), expected {_TABLE}; {_REBUILT}") from None
    if missing := [name for name in columns if name not in found.column_names]:
        message = f"no column {missing[0]}: damaged, or of another version, expected {_TABLE}"
        raise ArtifactError(f"{path}: {message}; {_REBUILT}")
    lists = [column.type for name, column in zip(found.column_names, found.columns, strict=True) if name not in _PLAIN]
    if not all(pa.types.is_list(one) or pa.types.is_large_list(one) for one in lists):
        raise ArtifactError(f"{path}: damaged (labels that are no lists), expected {_TABLE}; {_REBUILT}")
    return found


def _flat(lists: pa.Array) -> Ints:
    return np.asarray(lists.flatten().to_numpy(zero_copy_only=False), dtype=np.int64)
