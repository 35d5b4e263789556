"""The command line in processes that are forked from one that has imported everything."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path


def begun(arguments: Sequence[object], log: Path, around: Mapping[str, str]) -> multiprocessing.Process:
    """`uxla` with these arguments and variables; what it prints is added to `log`."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["uxla.api", "uxla.testbed.world", "uxla.cli.app"])
    process = context.Process(target=_command, args=([*map(str, arguments)], log, dict(around)))
    process.start()
    return process


def _command(arguments: list[str], log: Path, around: dict[str, str]) -> None:
    os.environ.update(around)
    opened = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.dup2(opened, 1)
    os.dup2(opened, 2)
    sys.argv = ["uxla", *arguments]
    from uxla.cli.app import main

    main()
