"""`uxla compress`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from uxla.cli.options import Fresh
from uxla.cli.tables import show


def compress(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    backbone: Annotated[
        str | None,
        typer.Option(help="Begin with this model, a folder or Hub id, instead of the mean of the run's three."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="A new folder for it. Default: the run folder itself.")] = None,
    epochs: Annotated[float | None, typer.Option(help="Passes over the text. Default: 1; with --backbone 3.")] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="Default: half of the adaptation's; with --backbone the warm-up's.")
    ] = None,
    fresh: Fresh = False,
) -> None:
    """Train one model on what the three models of a run say together about its text.

    The run's data must still be there. An interrupted training resumes when you repeat the command.
    """
    from uxla.console import showing

    with showing():
        from uxla.compress.run import Length, compress_in_place, teachers
        from uxla.compress.run import compress as into
        from uxla.report.table import run_table
        from uxla.store.opening import open_store

        store, how = open_store(fresh=fresh), Length(epochs, learning_rate)
        if out is None:
            results = compress_in_place(run, store, backbone=backbone, length=how)
        else:
            into(teachers(run, store), out, backbone=backbone, length=how)
    if out is None:
        show(run_table(results))
    typer.echo(f"written to {out or run}", err=True)
