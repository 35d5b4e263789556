"""Reading a run folder: results, configuration, test labels, trace. Never loads torch."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from ruamel.yaml.error import YAMLError

from uxla.config.yaml_text import parse
from uxla.corpus_table import names_in
from uxla.errors import ArtifactError, ConfigError, in_python
from uxla.records import Ints
from uxla.report.table import run_table

MADE_BY_RUN = "expected a folder written by `uxla run`"
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
            results = json.loads((path / "results.json").read_text(encoding="utf-8"))
            run_table(results)
            _require_names(path, results)
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
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            message = f"damaged ({type(error).__name__}), {MADE_BY_RUN}; run again to rebuild it"
            raise ArtifactError(f"{path / 'results.json'}: {message}") from None
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
            return found if isinstance(found, dict) else {}
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
        if not isinstance(found, dict):
            raise ArtifactError(f"{path}: no mapping, expected what `uxla run` wrote; run again to rebuild it")
        if self.environment.get("config") not in (None, hashlib.sha256(text).hexdigest()):
            wrong = "was changed after the run, so it no longer says what the run did"
            raise ArtifactError(f"{path}: {wrong}; undo the change, or run again")
        return found

    @cached_property
    def config_text(self) -> str:
        """The text of `config.yaml`; empty if there is none."""
        path = self.path / "config.yaml"
        return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""

    def test_set(self, target: str) -> TestSet | None:
        """The target's test set; None if the run had none."""
        found = _parquet(self.path / "predictions" / f"{target}.parquet")
        if found is None:
            return None
        metadata = {key.decode(): value.decode() for key, value in (found.schema.metadata or {}).items()}
        gold = found["gold"].combine_chunks()
        methods = [name for name in found.column_names if name not in ("id", "segments", "gold", "confidence")]
        final = metadata["final"]
        return TestSet(
            names_in(found.schema),
            final,
            found["segments"].to_pylist(),
            np.concatenate([[0], np.cumsum(gold.value_lengths().to_numpy(zero_copy_only=False))]).astype(np.int64),
            _flat(gold),
            np.asarray(found["confidence"].combine_chunks().flatten(), dtype=np.float64),
            {name: _flat(found[name].combine_chunks()) for name in sorted(methods, key=lambda name: name != final)},
        )

    def scored_labels(self, target: str) -> dict[tuple[str, int | None], list[Ints]]:
        """The labels (R,) of each model behind each score on the target's test set, by the method and epoch that
        `every_score` names; empty if the run had no test set."""
        found = _parquet(self.path / "predictions/models" / f"{target}.parquet")
        labels: dict[tuple[str, int | None], list[Ints]] = {}
        for row in [] if found is None else found.to_pylist():
            labels.setdefault((row["method"], row["epoch"]), []).append(np.asarray(row["labels"], dtype=np.int64))
        return labels

    def trace(self, target: str) -> tuple[pa.Table, pa.Table] | None:
        """Decisions and texts, as `uxla.study.trace` describes them; None if the run wrote none."""
        decisions = _parquet(self.path / "trace" / f"{target}.parquet")
        texts = _parquet(self.path / "trace" / f"{target}-texts.parquet")
        return None if decisions is None or texts is None else (decisions, texts)


def _is_target(path: Path) -> bool:
    """Whether the folder is that of one of several targets."""
    with suppress(OSError, ValueError, LookupError, TypeError):
        return path.name in json.loads((path.parent / "results.json").read_text(encoding="utf-8"))["targets"]
    return False


def _require_names(path: Path, results: Mapping[str, Any]) -> None:
    """Names become parts of paths: ArtifactError for one that could lead to another folder."""
    for name in results["targets"]:
        if not _NAME.fullmatch(name):
            message = f"target {name!r}, expected a name of letters, digits and - _ . +; {MADE_BY_RUN}"
            raise ArtifactError(f"{path / 'results.json'}: {message}")


def _parquet(path: Path) -> pa.Table | None:
    if not path.is_file():
        return None
    try:
        return pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        if isinstance(error, OSError) and error.errno:  # Arrow's own errors of a damaged table have none
            raise ArtifactError(f"{path}: cannot be read ({os.strerror(error.errno)}); check its rights") from None
        message = f"damaged ({type(error).__name__}), expected a table that `uxla run` wrote; run again to rebuild it"
        raise ArtifactError(f"{path}: {message}") from None


def _flat(lists: pa.Array) -> Ints:
    return np.asarray(lists.flatten().to_numpy(zero_copy_only=False), dtype=np.int64)
