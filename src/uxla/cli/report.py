"""`uxla report`: a self-contained HTML file about runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from uxla.errors import UxlaError


def report(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN", help="Run folders.")],
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The .html file. Default: RUN/report.html; for several runs report.html."),
    ] = None,
) -> None:
    """Write an HTML report: did it help, how sure is that, sentence by sentence.

    The file needs no network. Its table (Markdown, CSV) and its figures (PNG, SVG) are written beside it.
    """
    from uxla.report.write import write_report

    for folder in runs:
        if not folder.exists():
            raise UxlaError(f"{folder}: no such folder, expected one written by `uxla run`; check the path")
        if (folder / "grid.parquet").is_file() and not (folder / "results.json").exists():
            raise UxlaError(f"{folder}: is the folder of a grid, expected runs; give its runs: uxla report {folder}/*/")
    file = out or (runs[0] / "report.html" if len(runs) == 1 else Path("report.html"))
    write_report(runs, file)
    typer.echo(f"written to {file}", err=True)
