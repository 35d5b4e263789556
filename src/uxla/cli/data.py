"""`uxla data check`. Heavy modules are imported when the command runs, so that help and refusals answer at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from uxla.choices import Task
from uxla.config import options
from uxla.errors import name_options
from uxla.phrases import counted

if TYPE_CHECKING:
    from uxla.data.checks.check import CheckReport

data = typer.Typer(no_args_is_help=True, help="Look at data files.")


@data.command()
def check(
    file: Annotated[Path, typer.Argument(help="A data file.")],
    task: Annotated[Task, typer.Option(help="What the examples are: ner: words; nli, paraphrase: pairs.")] = "ner",
    format: options.Format = "auto",
    columns: options.Columns = None,
    header: options.Header = True,
    encoding: options.Encoding = "utf-8",
    delimiter: options.Delimiter = None,
    quote: options.Quote = None,
    where: options.Where = None,
    tag_names: Annotated[str | None, typer.Option(help="What numeric tags stand for, as O,B-PER,I-PER.")] = None,
    token_column: options.TokenColumn = 0,
    comment: options.Comment = "auto",
    label_column: Annotated[int, typer.Option(help="CoNLL column of the label; -1 is the last.")] = -1,
    against: Annotated[
        Path | None, typer.Option(help="Another file: sentences in both, labels, ways of writing.")
    ] = None,
    fix_scheme: Annotated[
        Path | None, typer.Option(help="Write a copy here in which no label breaks the CoNLL scheme.")
    ] = None,
) -> None:
    """Say what is in a data file, and what about it deserves a second look.

    Exit 1 where labels break their scheme; doubts leave the exit status as it is.
    """
    name_options()
    from uxla.data.columns import parse_columns
    from uxla.data.row_filter import parse_where

    conll: dict[str, Any] = {"encoding": encoding, "token_column": token_column, "label_column": label_column}
    table: dict[str, Any] = {"format": format, "header": header, "delimiter": delimiter, "quote": quote}
    table["columns"] = parse_columns(columns) if columns else None
    table["where"] = parse_where(where) if where else None
    table["tag_names"] = tag_names.split(",") if tag_names else None
    _check(file, task, against, fix_scheme, {**conll, "comment": comment}, table)


def _check(
    file: Path, task: Task, against: Path | None, copy: Path | None, conll: dict[str, Any], table: dict[str, Any]
) -> None:
    from uxla.console import showing
    from uxla.data.checks.check import check as look_at
    from uxla.data.columns import SHAPES

    with showing():
        report = look_at(file, shape=SHAPES[task], against=against, **conll, **table)
    _print_report(report)
    if copy is not None:
        from uxla.data.conll.repair import fix_scheme as repair

        changes = repair(file, copy, **conll).changes
        typer.echo(f"{counted(len(changes), 'label')} changed, written to {copy}", err=True)
    elif report.violation_total:
        raise typer.Exit(1)


def _print_report(report: CheckReport) -> None:
    from rich.console import Console

    from uxla.report.data_check import check_table

    Console().print(check_table(report))
