"""`uxla report RUN…`: one self-contained HTML file about runs, with its tables and figures beside it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from uxla.errors import ArtifactError, UxlaError

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
    folders = [_read(run) for run in runs]

    from uxla.report.page import page, parts, tables_csv, tables_markdown

    found = parts(folders)
    stem = file.with_name(file.stem)
    try:
        for run in found:
            several = f"-{run.name}" if len(found) > 1 else ""
            for target in run.targets:
                for chart in target.charts:
                    chart.write(stem.with_name(f"{stem.name}{several}-{target.name}"))
        _write(stem.with_name(f"{stem.name}-table.md"), tables_markdown(found))
        _write(stem.with_name(f"{stem.name}-table.csv"), tables_csv(found))
        _write(file, page(found))
    except OSError as error:
        message = f"cannot be written ({error.strerror or error}); free space there, or give another --out"
        raise ArtifactError(f"{file}: {message}") from error
    typer.echo(f"written to {file}", err=True)


def _check(file: Path) -> None:
    if file.is_dir():
        raise UxlaError(f"--out {file}: is a folder, expected a file; give {file / 'report.html'}")
    if not file.absolute().parent.is_dir():
        raise UxlaError(f"{file}: no such folder {file.absolute().parent}; make it first, or give another --out")


def _read(run: Path) -> RunFolder:
    from uxla.report.folder import RunFolder
    from uxla.run.journal import read

    journal = run / "journal.jsonl"
    return RunFolder.read(run, tuple(read(journal)) if journal.is_file() else ())


def _write(path: Path, text: str) -> None:
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.write_text(text, encoding="utf-8", errors="replace")
    os.replace(unfinished, path)
