"""`uxla augment`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from uxla.cli.executor_options import PartsExecutor, UnitHours, chosen_executor
from uxla.cli.options import Fresh, OneShard, Options, Seed, Task, TextOptions, open_file, with_options
from uxla.config.compute import LMSource
from uxla.config.method import MaskedLMVicinity
from uxla.shards import check_shard


@with_options
def augment(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="CoNLL, TSV, CSV, JSON lines, Parquet, or text with a sentence a line."),
    ],
    out: Annotated[Path, typer.Option(help="The file to write. A table may get another format by its suffix.")],
    lm: LMSource,
    settings: Annotated[MaskedLMVicinity, Options(without=("kind", "model", "revision", "fresh"))],
    files: TextOptions,
    task: Task = None,
    seed: Seed = 0,
    originals: Annotated[bool, typer.Option(help="Write each sentence before its samples.")] = False,
    shard: OneShard = None,
    executor: PartsExecutor = None,
    unit_hours: UnitHours = None,
    fresh: Fresh = False,
) -> None:
    """Make virtual sentences: replace words, keep labels and columns.

    A masked language model chooses the words. An interrupted augmentation resumes when you repeat the command. More:
    docs/augment.md.
    """
    doing = chosen_executor(executor, unit_hours, one_device=True)
    check_shard(shard, doing, fresh=fresh)
    source = open_file(file, files, task)

    from uxla.augmentation.files import FileAugmentation
    from uxla.console import showing
    from uxla.executors.shares import in_shares
    from uxla.store.opening import open_store

    with showing():
        store = open_store(fresh=fresh)
        work = partial(FileAugmentation(source, out, settings, lm, store, seed, originals).run, shard=shard)
        report = in_shares(doing, lm.placement, work, out, fresh=fresh)
    typer.echo(f"{out}: {report.line(keep_unchanged=settings.keep_unchanged)}", err=True)
