"""`uxla table` and `uxla figure`: the paper's tables and figures made from runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from uxla.cli.tables import show
from uxla.errors import ArtifactError, UxlaError
from uxla.files import check_file, write_file
from uxla.report.names import file_names, named
from uxla.write_errors import writing

if TYPE_CHECKING:
    from uxla.report.folder import RunFolder

Runs = Annotated[list[Path], typer.Argument(metavar="RUN", help="Run folders.")]
_REMEDY = "free space there, or give another --out"


def table(
    number: Annotated[
        int, typer.Argument(metavar="NUMBER", min=1, max=8, help="The table's number in the paper, 1 to 8.")
    ],
    runs: Runs,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write to this .md or .csv file instead of stdout.")
    ] = None,
) -> None:
    """Make a table of the paper from runs, beside the paper's own figures.

    Which table needs which run: docs/paper.md.
    """
    if out is not None:
        check_file(out, ".md", ".csv")

    from uxla.report.paper.runs import PaperRun
    from uxla.report.paper.tables import paper_table

    found = [PaperRun(name, folder.results, folder.config) for name, folder in _read(runs).items()]
    made = paper_table(number, found)
    if out is None:
        show(made)
        return
    write_file(out, made.markdown() if out.suffix == ".md" else made.csv(), _REMEDY)
    typer.echo(f"written to {out}", err=True)


def figure(
    number: Annotated[
        int, typer.Argument(metavar="NUMBER", min=2, max=4, help="The figure's number in the paper, 2 to 4.")
    ],
    runs: Runs,
    out: Annotated[
        Path, typer.Option(metavar="FOLDER", help="The folder of the files; it is made if it is missing.")
    ] = Path(),
) -> None:
    """Draw a figure of the paper from runs, as PNG and SVG.

    Figure 2 shows all runs in one file; Figures 3 and 4 have a file for each target.
    """
    if out.exists() and not out.is_dir():
        raise UxlaError(f"--out {out}: is a file, expected a folder; give another one")
    found = _read(runs)

    from uxla.console import showing
    from uxla.report.figures import write_figure

    with showing():
        drawn = _score_figure(found) if number == 2 else _warm_up_figures(number, found)
        with writing(out, _REMEDY, out):
            out.mkdir(parents=True, exist_ok=True)
            for name, made in drawn:
                for file in write_figure(made, out / f"{name}-figure{number}"):
                    typer.echo(f"written to {file}", err=True)


def _score_figure(runs: dict[str, RunFolder]) -> list[tuple[str, Any]]:
    from uxla.report.paper.figures import curves, score_figure

    tasks = {run.results["task"] for run in runs.values()}
    if len(tasks) > 1:
        raise ArtifactError(
            f"{', '.join(runs)}: runs of {' and '.join(sorted(tasks))}, expected one task; draw each apart"
        )
    name = file_names([(run,) for run in runs])[0] if len(runs) == 1 else "runs"
    return [(name, score_figure(curves(runs), tasks.pop()))]


def _warm_up_figures(number: int, runs: dict[str, RunFolder]) -> list[tuple[str, Any]]:
    from uxla.report.paper.figures import confident_share, length_figure, penalty_figure
    from uxla.report.paper.warmup import read_warm_up

    seen = [(name, run, target, read_warm_up(run, target)) for name, run in runs.items() for target in run.targets]
    drawn = []
    stems = file_names([(name, target) for name, _, target, _ in seen])
    for stem, (_, run, _, found) in zip(stems, seen, strict=True):
        if number == 3:
            made = penalty_figure(found)
        else:
            share, chosen = confident_share(run.config)
            made = length_figure(found, share, chosen=chosen)
        drawn.append((stem, made))
    return drawn


def _read(runs: Sequence[Path]) -> dict[str, RunFolder]:
    from uxla.report.folder import RunFolder

    return named([RunFolder.read(run) for run in runs])
