"""`uxla data check`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from uxla.choices import Task
from uxla.cli.options import Options, with_options
from uxla.data.options import ReadOptions
from uxla.phrases import counted

if TYPE_CHECKING:
    from uxla.data.checks.check import CheckReport

data = typer.Typer(no_args_is_help=True, help="Check data files.")


@data.command()
@with_options
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A data file.")],
    files: Annotated[ReadOptions, Options(without=("scheme",))],
    task: Annotated[
        Task, typer.Option(help="ner for words with labels, nli or paraphrase for pairs, classification for texts.")
    ] = "ner",
    against: Annotated[
        Path | None, typer.Option(help="A file to compare with: shared sentences, labels, form.")
    ] = None,
    fix_scheme: Annotated[
        Path | None, typer.Option(help="Write a copy here in which no label breaks the scheme.")
    ] = None,
) -> None:
    """Show what a data file holds, and report problems in it.

    The exit status is 1 if labels break their scheme.
    """
    from uxla.console import showing
    from uxla.data.checks.check import check as look_at
    from uxla.data.columns import SHAPES

    with showing():
        report = look_at(file, shape=SHAPES[task], against=against, **files.keywords)
    _print_report(report)
    if fix_scheme is not None:
        from uxla.data.conll.repair import fix_scheme as repair

        changes = repair(file, fix_scheme, **files.keywords).changes
        typer.echo(f"{counted(len(changes), 'label')} changed, written to {fix_scheme}", err=True)
    elif report.violation_total:
        raise typer.Exit(1)


def _print_report(report: CheckReport) -> None:
    from rich.console import Console

    from uxla.report.data_check import check_table

    Console().print(check_table(report))
