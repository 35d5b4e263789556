"""What can be checked of a run before torch is imported: answers within a second."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory

from uxla.config.run import RunConfig, load_config
from uxla.devices import names
from uxla.errors import ModelError, UxlaError
from uxla.executors.forking import prepare
from uxla.hub_id import has_hub_form
from uxla.study.sharing import downloaded_run

_GPU_FILES = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")
"""What Linux has where there is a GPU that torch can use: NVIDIA's, AMD's, one seen from WSL."""
SUFFIXES = {"jsonl": (".jsonl",), "doccano": (".jsonl",), "label-studio": (".json",)}
"""How the names of files for annotation tools end; of other forms that is left open."""


def checked(config: str, overrides: Sequence[str]) -> RunConfig:
    """The configuration; UxlaError where it or its device cannot be used."""
    settings = load_config(config, overrides)
    asked = names(settings.devices)
    if any(name.startswith("cuda") for name in asked) and not _may_have_gpu():
        raise ModelError(f"devices {asked[0]}: this machine has no CUDA device that torch can use; set devices=cpu")
    if len(asked) > 1:
        prepare()
    return settings


def folder_of_run(run: Path) -> Path:
    """The folder of a run: one that is here, or `user/name` on the Hub, downloaded. UxlaError where there is neither.

    A name whose first part is a folder here is a wrong path; the Hub is not asked.
    """
    name = str(run).removeprefix("hf:/")  # of hf://user/name a path keeps one slash
    if not run.is_dir() and has_hub_form(name) and not run.parent.exists():
        return downloaded_run(name, None)
    if not run.is_dir():
        raise UxlaError(f"{run}: no such folder, expected one written by `uxla run`; check the path")
    return run


def check_writable(out: Path) -> None:
    """UxlaError where `out` is a file, or nothing can be written there."""
    if out.exists() and not out.is_dir():
        raise UxlaError(f"--out {out}: is a file, expected a folder; give another one")
    above = next(folder for folder in (out.absolute(), *out.absolute().parents) if folder.exists())
    try:
        with TemporaryDirectory(prefix=".uxla-", dir=above):
            pass
    except OSError as error:
        raise UxlaError(
            f"--out {out}: nothing can be written in {above} ({error.strerror}); give another folder"
        ) from None


def _may_have_gpu() -> bool:
    if metadata.version("torch").endswith("+cpu"):
        return False
    return sys.platform != "linux" or any(map(os.path.exists, _GPU_FILES))
