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
