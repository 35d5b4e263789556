"""`uxla report RUN…`: one self-contained HTML file about runs, with its tables and figures beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN…", help="Run folders.")],
    out: Annotated[
        Path | None, typer.Option(metavar="FILE.html", help="Default: RUN/report.html, for several runs report.html.")
    ] = None,
) -> None:
    """Write a report: did adaptation help, how sure is that, what happened to each sentence.

    One HTML file that needs no network; its table (Markdown, CSV) and figures (PNG, SVG) go beside it.
    """
    from uxla.report.write import write_report

    file = out or (runs[0] / "report.html" if len(runs) == 1 else Path("report.html"))
    write_report(runs, file)
    typer.echo(f"written to {file}", err=True)
