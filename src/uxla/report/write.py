"""The report of runs as files: an HTML file, and its table and figures beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from uxla.errors import UxlaError
from uxla.files import check_file, write_file
from uxla.report.folder import RunFolder
from uxla.report.names import file_names, named
from uxla.report.page import page, parts, tables_csv, tables_markdown
from uxla.write_errors import writing


def write_report(runs: Sequence[Path], file: Path) -> None:
    """Write the report about run folders to `file`, FILE.html: it needs no network. Table and figures go beside it.

    UxlaError for another name, for a folder that is not there or cannot be written, and for what is no finished run.
    An earlier report is replaced; anything else with the name of a file that would be written is an error.
    """
    check_file(file, ".html")
    found = parts(named([RunFolder.read(run) for run in runs]))
    of_target = [(run.name, target) for run in found for target in run.targets]
    names = file_names([(run, target.name) if len(found) > 1 else (target.name,) for run, target in of_target])
    stem = file.with_name(file.stem)
    places = [stem.with_name(f"{stem.name}-{name}") for name in names]
    charts = [
        (chart, place) for place, (_, target) in zip(places, of_target, strict=True) for chart, _ in target.charts
    ]
    table, rows = (stem.with_name(f"{stem.name}-table{suffix}") for suffix in (".md", ".csv"))
    figures = [path for chart, place in charts for path in chart.paths(place)]
    _refuse_foreign(file, [table, rows, *figures])
    with writing(file, "free space there, or give another --out", file.absolute().parent):
        write_file(file, page(found))  # first: beside it the others are known to be a report's
        write_file(table, tables_markdown(found))
        write_file(rows, tables_csv(found))
        for chart, place in charts:
            chart.write(place)


def _refuse_foreign(file: Path, beside: Sequence[Path]) -> None:
    """UxlaError if a file would be overwritten that no report wrote."""
    if file.is_file() and b"<title>uxla report: " in file.read_bytes()[:1000]:
        return
    for path in (file, *beside):
        if path.exists():
            fault = "exists already and was not written by `uxla report`"
            raise UxlaError(f"{path}: {fault}; give another --out, or move it")
