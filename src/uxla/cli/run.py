"""`uxla run`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from uxla.cli.options import Fresh, Overwrite
from uxla.cli.tables import show
from uxla.errors import UxlaError


def run(
    config: Annotated[str, typer.Argument(metavar="CONFIG", help="A preset, such as xner or testbed, or a YAML file.")],
    overrides: Annotated[
        list[str] | None,
        typer.Argument(metavar="KEY=VALUE", help="Settings in place of the configuration's, such as target=es."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The run folder. Default: runs/CONFIG-TARGET, and the settings.")
    ] = None,
    fresh: Fresh = False,
    overwrite: Overwrite = False,
) -> None:
    """Adapt to a target language: train, compare methods, write a run folder.

    An interrupted run resumes when you repeat the command. All settings: docs/configuration.md.
    """
    from uxla.config.run import load_config
    from uxla.console import showing
    from uxla.study.run_folder import check_folder, run_folder

    with showing():
        settings = load_config(config, overrides or [])
    folder = out or run_folder(config, overrides or [], settings.target)
    if folder.exists() and not folder.is_dir():
        raise UxlaError(f"--out {folder}: is a file, expected a folder; give another one")
    check_folder(folder, settings, overwrite=overwrite)
    with showing():
        from uxla import api
        from uxla.report.table import run_table

        results = api.run(settings, folder, fresh=fresh, overwrite=overwrite)
    show(run_table(results))
    typer.echo(f"written to {folder}", err=True)
