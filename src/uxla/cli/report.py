"""`uxla report RUN…`: one self-contained HTML file about runs, with its tables and figures beside it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from uxla.errors import UxlaError
from uxla.files import write_file
from uxla.report.names import file_names, named
from uxla.write_errors import writing

if TYPE_CHECKING:
    from uxla.report.folder import RunFolder


def report(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN…", help="Run folders.")],
    out: Annotated[
        Path | None, typer.Option(metavar="FILE.html", help="Default RUN/report.html; of several, report.html here.")
    ] = None,
) -> None:
    """Write a report: did adaptation help, how sure is that, what happened to each sentence.

    One HTML file that needs no network; its table (Markdown, CSV) and figures (PNG, SVG) go beside it.
    """
    file = out or (runs[0] / "report.html" if len(runs) == 1 else Path("report.html"))
    _check(file)
    folders = named([_read(run) for run in runs])

    from uxla.report.page import page, parts, tables_csv, tables_markdown

    found = parts(folders)
    drawn = [((run.name, target.name), target.charts) for run in found for target in run.targets]
    names = file_names([own if len(found) > 1 else own[1:] for own, _ in drawn])
    stem = file.with_name(file.stem)
    with writing(file, "free space there, or give another --out", file.absolute().parent):
        for name, (_, charts) in zip(names, drawn, strict=True):
            for chart in charts:
                chart.write(stem.with_name(f"{stem.name}-{name}"))
        write_file(stem.with_name(f"{stem.name}-table.md"), tables_markdown(found))
        write_file(stem.with_name(f"{stem.name}-table.csv"), tables_csv(found))
        write_file(file, page(found))
    typer.echo(f"written to {file}", err=True)


def _check(file: Path) -> None:
    if file.is_dir():
        raise UxlaError(f"--out {file}: is a folder, expected a file; give {file / 'report.html'}")
    if file.suffix != ".html":
        raise UxlaError(f"--out {file}: expected a file whose name ends in .html; rename it")
    if not file.absolute().parent.is_dir():
        raise UxlaError(f"{file}: no such folder {file.absolute().parent}; make it first, or give another --out")


def _read(run: Path) -> RunFolder:
    from uxla.report.folder import RunFolder
    from uxla.store.journal import read

    journal = run / "journal.jsonl"
    return RunFolder.read(run, tuple(read(journal)) if journal.is_file() else ())
