"""`uxla run`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from uxla.cli.options import Config, Fresh, Json, Overwrite, Settings
from uxla.cli.plan import NoProbe, show_plan
from uxla.cli.tables import show


def run(
    config: Config,
    overrides: Settings = None,
    out: Annotated[
        Path | None, typer.Option(help="The run folder. Default: runs/CONFIG-TARGET, and the settings.")
    ] = None,
    fresh: Fresh = False,
    overwrite: Overwrite = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan of the run, and do nothing.")] = False,
    no_probe: NoProbe = False,
    as_json: Json = False,
) -> None:
    """Adapt to a target language: train, compare methods, write a run folder.

    An interrupted run resumes when you repeat the command. All settings: docs/configuration.md.
    """
    from uxla.cli.checks import check_writable, checked
    from uxla.console import showing
    from uxla.study.run_folder import check_folder, run_folder

    with showing():
        settings = checked(config, overrides or [])
    folder = out or run_folder(config, overrides or [], settings.target)
    check_writable(folder)
    check_folder(folder, settings, overwrite=overwrite)
    if dry_run:
        show_plan(settings, probed=not no_probe, fresh=fresh, as_json=as_json)
        return
    with showing():
        from uxla import api
        from uxla.report.table import run_table

        results = api.run(settings, folder, fresh=fresh, overwrite=overwrite)
    if as_json:
        typer.echo(json.dumps(results, indent=1, ensure_ascii=False))
    else:
        show(run_table(results))
    typer.echo(f"written to {folder}", err=True)
