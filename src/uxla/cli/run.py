"""`uxla run`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from uxla.cli.executor_options import ExecutorName, UnitHours, chosen_executor
from uxla.cli.options import Config, Fresh, Json, OneShard, Overwrite, Quiet, Settings, showing_unless
from uxla.cli.plan import NoProbe, show_plan
from uxla.cli.tables import show
from uxla.errors import printable
from uxla.events import Event, unheard
from uxla.shards import check_shard


def run(
    config: Config,
    overrides: Settings = None,
    out: Annotated[
        Path | None, typer.Option(help="The run folder. Default: runs/CONFIG-TARGET, and the settings.")
    ] = None,
    shard: OneShard = None,
    fresh: Fresh = False,
    overwrite: Overwrite = False,
    executor: ExecutorName = None,
    unit_hours: UnitHours = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan of the run, and do nothing.")] = False,
    no_probe: NoProbe = False,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Print every event of the run.")] = False,
) -> None:
    """Adapt to a target language: train, compare methods, write a run folder.

    An interrupted run resumes when you repeat the command. All settings: docs/configuration.md.
    """
    from uxla.cli.checks import check_writable, checked
    from uxla.study.run_folder import check_folder, run_folder

    doing = chosen_executor(executor, unit_hours)
    check_shard(shard, doing, fresh=fresh)
    with showing_unless(quiet):
        settings = checked(config, overrides or [])
    folder = out or run_folder(config, overrides or [], settings.target)
    check_writable(folder)
    check_folder(folder, settings, overwrite=overwrite)
    if dry_run:
        show_plan(settings, probed=not no_probe, fresh=fresh, as_json=as_json, quiet=quiet)
        return
    with showing_unless(quiet):
        from uxla import api
        from uxla.report.table import run_table

        listen = _print if verbose else unheard
        results = api.run(
            settings, folder, fresh=fresh, overwrite=overwrite, shard=shard, executor=doing, on_event=listen
        )
    if as_json:
        typer.echo(json.dumps(results, indent=1, ensure_ascii=False))
    else:
        show(run_table(results))
    if not quiet:
        typer.echo(f"written to {folder}", err=True)


def _print(event: Event) -> None:
    if event.in_journal:
        typer.echo(printable(str(event)), err=True)
