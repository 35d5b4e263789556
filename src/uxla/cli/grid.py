"""`uxla grid`."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from uxla.cli.executor_options import ExecutorName, UnitHours, chosen_executor
from uxla.cli.options import Fresh, OneShard, Overwrite
from uxla.cli.tables import show
from uxla.errors import ArtifactError, UxlaError
from uxla.files import write_file, write_table
from uxla.shards import check_shard

if TYPE_CHECKING:
    from uxla.executors.choice import Choice
    from uxla.markup import Table
    from uxla.shards import Shard
    from uxla.study.grid import GridPlan


def grid(
    config: Annotated[str, typer.Argument(metavar="CONFIG", help="A preset, such as xner or testbed, or a YAML file.")],
    settings: Annotated[
        list[str] | None,
        typer.Argument(metavar="KEY=VALUE", help="Settings; commas separate several values: agree=exact,token."),
    ] = None,
    seeds: Annotated[
        int, typer.Option(min=1, help="How many seeds for each setting, counted up from the configuration's.")
    ] = 1,
    out: Annotated[
        Path | None,
        typer.Option(help="The folder of the runs and tables. Default: runs/CONFIG-grid, and the fixed settings."),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(
            metavar="BASELINE",
            help="What to compare with: a method, or a varied KEY=VALUE. "
            "Default: tri_training, else zero_shot, else penalty.",
        ),
    ] = None,
    fresh: Fresh = False,
    overwrite: Overwrite = False,
    shard: OneShard = None,
    executor: ExecutorName = None,
    unit_hours: UnitHours = None,
) -> None:
    """Run every combination of settings at several seeds, and compare.

    Work that runs share is done once. An interrupted grid resumes when you repeat the command. More: docs/grid.md.
    """
    from uxla.console import showing
    from uxla.study.grid import grid_plan
    from uxla.study.run_folder import grid_folder

    doing = chosen_executor(executor, unit_hours)
    check_shard(shard, doing, fresh=fresh)
    with showing():
        planned = grid_plan(config, settings or [], seeds=seeds, against=against)
        folder = out or grid_folder(config, planned.fixed)
        table, failed = _compared(planned, folder, fresh=fresh, overwrite=overwrite, shard=shard, executor=doing)
    if table is not None:
        show(table)
        typer.echo(f"written to {folder}", err=True)
    if failed:
        name, error = next(iter(failed.items()))
        said = f"{len(failed)} of {len(planned.runs)} runs failed and are left out: {name}: {error}"
        remedy = "; for the tables of the others repeat the command without --shard, when these are done"
        raise UxlaError(said + remedy * (table is None and shard is not None))


def _compared(
    planned: GridPlan, folder: Path, *, fresh: bool, overwrite: bool, shard: Shard | None, executor: Choice
) -> tuple[Table | None, dict[str, str]]:
    """Make the runs and write their tables. The values are the table, where any run ended, and the runs that failed."""
    from uxla import api
    from uxla.shards import UnfinishedError, shared
    from uxla.study.grid import units
    from uxla.study.run_folder import is_finished

    _check_folder(folder)
    failed = dict[str, str]()
    own = units(planned.runs, folder, api.run, failed, overwrite=overwrite)
    try:
        return shared(
            shard,
            lambda shard: shard.do(own, lambda runs: [is_finished(folder / one.name, one.config) for one in runs]),
            partial(_made, planned, folder, fresh=fresh, overwrite=overwrite, executor=executor),
        )
    except UnfinishedError:
        if failed:
            return None, failed
        raise


def _made(
    planned: GridPlan, folder: Path, *, fresh: bool, overwrite: bool, executor: Choice
) -> tuple[Table | None, dict[str, str]]:
    from uxla import api
    from uxla.report.grid import summary, tidy
    from uxla.report.grid_table import grid_table
    from uxla.study.grid import REMEDY, make
    from uxla.study.run_folder import locked_folder

    with locked_folder(folder):
        runs, failed = make(planned.runs, folder, api.run, fresh=fresh, overwrite=overwrite, executor=executor)
        if not runs:
            return None, failed
        table = grid_table(planned.keys, runs, summary(runs, planned.baseline), planned.baseline)
        write_table(folder / "grid.parquet", tidy(planned.keys, runs), REMEDY)
        write_file(folder / "grid.md", table.markdown(), REMEDY)
    return table, failed


def _check_folder(folder: Path) -> None:
    """UxlaError for a file, for the folder of a run, and for a `grid.md` of a person: a grid's own stands beside
    `grid.parquet`, which is written first."""
    from uxla.study.run_folder import is_run

    if folder.exists() and not folder.is_dir():
        raise UxlaError(f"--out {folder}: is a file, expected a folder; give another one")
    if is_run(folder):
        fault = "is the folder of a run, which a grid's runs and tables would mix with"
        raise ArtifactError(f"{folder}: {fault}; give another --out")
    if os.path.lexists(folder / "grid.md") and not (folder / "grid.parquet").is_file():
        fault = "has grid.md, which no grid wrote and this one would overwrite"
        raise ArtifactError(f"{folder}: {fault}; give another --out, or move it away")
