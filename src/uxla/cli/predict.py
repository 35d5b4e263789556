"""`uxla predict`. Heavy modules are imported when the command runs, so that help and refusals answer at once."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer

from uxla.choices import BATCH_SIZE
from uxla.cli.executor_options import PartsExecutor, UnitHours, chosen_executor
from uxla.cli.options import LABELLING, FileOptions, OneShard, Quiet, showing_unless, with_options
from uxla.config.compute import DeviceSettings
from uxla.errors import UxlaError
from uxla.executors.executor import Serial
from uxla.files import check_file
from uxla.shards import check_shard
from uxla.study.sharing import folder_of_run

_CACHES = ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY")
"""Caches of torch's that have an entry for each shape of input, up to 1,024: hundreds of megabytes."""


@with_options
def predict(
    run: Annotated[Path, typer.Argument(help="A run folder, or user/name on the Hub.")],
    file: Annotated[
        str, typer.Argument(metavar="FILE|-", help="Text, CoNLL, TSV, CSV, JSON lines or Parquet; - reads stdin.")
    ],
    files: FileOptions,
    device: Annotated[DeviceSettings, LABELLING],
    out: Annotated[
        Path | None, typer.Option(help="Write here instead of stdout; its suffix may ask for another format.")
    ] = None,
    label_column: Annotated[
        int | None,
        typer.Option(help="CoNLL column to write labels into; -1 is the last. Default: the last, if it holds labels."),
    ] = None,
    batch_size: Annotated[
        int, typer.Option(min=1, help="The most sentences labelled together: fewer take less memory.")
    ] = BATCH_SIZE,
    threshold: Annotated[
        float, typer.Option(min=0, max=1, help="Drop entities, and labels of texts, with less confidence.")
    ] = 0.0,
    top: Annotated[int, typer.Option(min=1, max=2, help="2: add the second-best label, and how sure it is.")] = 1,
    shard: OneShard = None,
    executor: PartsExecutor = None,
    unit_hours: UnitHours = None,
    quiet: Quiet = False,
) -> None:
    """Label text with a run's ensemble. The output is the input with labels. More: docs/predict.md."""
    run, source, doing = folder_of_run(run), _input(file), chosen_executor(executor, unit_hours, one_device=True)
    check_shard(shard, doing, fresh=False)
    if out in (None, Path("-")) and (shard or doing):
        raise UxlaError(f"{'--shard' if shard else '--executor'}: needs --out FILE, which the last shard to end writes")
    if doing is not None and not isinstance(doing, Serial) and not isinstance(source, Path):
        raise UxlaError("--executor: other processes cannot read standard input; give a FILE that all machines see")
    if out is not None:
        check_file(out, source=source if isinstance(source, Path) else None)
    os.environ.update({name: os.environ.get(name, "64") for name in _CACHES})
    how: dict[str, Any] = {**files.keywords, "label_column": label_column}
    if label_column is None:
        del how["label_column"]
    with showing_unless(quiet):
        from uxla.executors.shares import in_shares
        from uxla.predict.files import predict as label

        how |= {"device": device, "batch_size": batch_size, "threshold": threshold, "second": top == 2, "shard": shard}
        to = None if out == Path("-") else out
        in_shares(doing, device.placement, partial(label, run, source, to, **how), out or Path())


def _input(file: str) -> Path | BinaryIO:
    """A file or standard input. UxlaError where it is not there."""
    source = Path(file)
    if file != "-" and not source.exists():
        expected = "expected text or a table with one sentence or pair a line"
        raise UxlaError(f"{source}: no such file, {expected}; check the path")
    return sys.stdin.buffer if file == "-" else source
