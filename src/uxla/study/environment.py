"""`environment.json`: versions and hardware of a run, and the commits of the models and data that are from the Hub."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from uxla import __version__
from uxla.config.consistency import data_paths
from uxla.config.run import RunConfig
from uxla.data import hub
from uxla.errors import ArtifactError
from uxla.records import ModelHandle
from uxla.store.versions import PACKAGES

_PACKAGES = (*PACKAGES, "safetensors", "datasets", "pyarrow")
"""What computes, and what reads and writes data and weights."""


def environment(
    config: RunConfig, models: Mapping[str, ModelHandle], made_with: Mapping[str, Collection[str]]
) -> dict[str, Any]:
    """JSON values: the SHA-256 of `config.yaml`, `versions` of now, `made_with`, `hardware`, `threads`, `precision`,
    `cpu_products` (`onednn` or `torch`: who multiplies float32 matrices on a CPU), when it `finished`, `deterministic`,
    and in `hub` the commit of every model and data set of the Hub, by its key in the configuration.

    `made_with` has the versions that made what the run used of the store, by package, several where they differ.
    `models` are those of the run by their keys (`model`, `vicinity.model`). To be called when all data was read.
    """
    import torch

    from uxla.models.hub import hub_commit
    from uxla.models.linear import products_by_onednn

    commits = {key: hub_commit(handle.path) for key, handle in models.items()} | _data_commits(config)
    return {
        "config": hashlib.sha256(config.to_yaml().encode()).hexdigest(),
        "versions": {"uxla": __version__, "python": platform.python_version(), **_versions()},
        "made_with": {name: sorted(found) for name, found in made_with.items()},
        "hardware": {
            "platform": platform.platform(),
            "cpu": _cpu(),
            "cores": os.cpu_count(),
            "memory_gib": _memory(),
            "gpus": [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())],
            "cuda": torch.version.cuda,
        },
        "threads": torch.get_num_threads(),
        "precision": config.settled_precision,
        "cpu_products": "onednn" if products_by_onednn() else "torch",
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "hub": {key: commit for key, commit in commits.items() if commit is not None},
    }


def _versions() -> dict[str, str]:
    """The versions of the packages; none of them is imported."""
    return {name: metadata.version(name) for name in _PACKAGES}


def _data_commits(config: RunConfig) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for (section, name), path in data_paths(config):
        if not path.startswith(hub.HUB):
            continue
        for target in config.target if section == "target_data" else ("",):
            uri = path.replace("{target}", target)
            place = f"{target or section}.{name}"
            found[place if place not in found else f"{place} {uri}"] = hub.commit(uri)
    return found


def _cpu() -> str:
    """The processor's name as Linux tells it, elsewhere its kind."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.processor() or platform.machine()


def _memory() -> float | None:
    """Physical memory; None where the system does not tell (Windows)."""
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    except (AttributeError, ValueError, OSError):
        return None


def read_environment(run: Path) -> dict[str, Any]:
    """What `environment.json` of a run folder holds. ArtifactError where it cannot be read."""
    file = run / "environment.json"
    try:
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ArtifactError(f"{file}: cannot be read ({error}); run again") from None
    return found
