"""The command line: `uxla run`, `grid`, `report`, `table`, `figure`, `predict`, `augment`, `mlm`, `data`, `testbed`,
`cache`.

Heavy modules are imported by the command that needs them, so that help and refusals answer at once.
"""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from uxla import __version__, signals
from uxla.errors import UxlaError, printable
from uxla.run.augment_command import augment
from uxla.run.cache_commands import cache
from uxla.run.grid_command import grid
from uxla.run.mlm_command import mlm
from uxla.run.paper_commands import figure, table
from uxla.run.report_command import report as write_report

if TYPE_CHECKING:
    from uxla.data.check import CheckReport

TaskName = Literal["ner", "nli", "paraphrase", "classification"]
FormatName = Literal["auto", "conll", "text", "tsv", "csv", "jsonl", "parquet"]
USER_FAULT, INTERRUPTED, CLOSED_PIPE, TERMINATED = 2, 130, 141, 143


class _Commands(TyperGroup):
    """Answers what a user can mend with one line instead of a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            with signals.handling():
                return super().invoke(ctx)
        except UxlaError as error:
            typer.echo(f"uxla: error: {error}", err=True)
            raise typer.Exit(USER_FAULT) from None
        except OSError as error:  # a place that cannot be read or written, where no command had a better answer
            if isinstance(error, BrokenPipeError):
                raise _closed_pipe() from None
            typer.echo(
                f"uxla: error: {printable(str(error.filename or 'output'))}: {error.strerror or error}; check the path",
                err=True,
            )
            raise typer.Exit(USER_FAULT) from None
        except KeyboardInterrupt as signal:
            terminated = isinstance(signal, signals.Terminated)
            said = "terminated" if terminated else "interrupted"
            typer.echo(f"uxla: {said}; the same command goes on where it stopped (without --fresh)", err=True)
            raise typer.Exit(TERMINATED if terminated else INTERRUPTED) from None


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Labels in one language, a model in another: UXLA, zero-resource cross-lingual adaptation.",
)
data = typer.Typer(no_args_is_help=True, help="Look at data files.")
testbed = typer.Typer(no_args_is_help=True, help="The synthetic languages and their masked language model.")
app.add_typer(data, name="data")
app.add_typer(testbed, name="testbed")
app.add_typer(mlm, name="mlm")
app.add_typer(cache, name="cache")
app.command()(augment)
app.command()(grid)
app.command("report")(write_report)
app.command()(table)
app.command()(figure)


def _closed_pipe() -> typer.Exit:
    """`uxla predict … | head`: nobody reads on."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return typer.Exit(CLOSED_PIPE)


def main() -> None:
    """The `uxla` command."""
    app()


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"uxla {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    return


@app.command()
def run(
    config: Annotated[str, typer.Argument(metavar="PRESET|CONFIG.yaml", help="A preset (xner, testbed) or a file.")],
    overrides: Annotated[
        list[str] | None, typer.Argument(metavar="KEY=VALUE", help="As target=es or warmup.max_steps=100.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The run folder; default runs/NAME-TARGET.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Do all work anew, whatever is in the store.")] = False,
) -> None:
    """Warm up, adapt to the target language, compare, and write a run folder.

    Interrupted, the same command goes on where it stopped. All keys: docs/configuration.md.
    """
    from uxla.run.config import load_config

    settings = load_config(config, overrides or [])
    folder = out or Path("runs") / "-".join([Path(config).stem, *settings.target])
    if folder.exists() and not folder.is_dir():
        raise UxlaError(f"--out {folder}: is a file, expected a folder; give another one")

    from uxla.run.console import showing

    with showing():
        from uxla.run import pipeline

        results = pipeline.run(settings, folder, fresh=fresh)
    _print_table(results)
    typer.echo(f"written to {folder}", err=True)


@app.command()
def predict(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="Raw text or CoNLL, UTF-8; - reads stdin.")],
    out: Annotated[Path | None, typer.Option(help="Write here instead of stdout.")] = None,
    trust_remote_code: Annotated[
        bool, typer.Option("--trust-remote-code", help="Run code that the backbone brought along.")
    ] = False,
) -> None:
    """Label text with a run's ensemble: raw text or CoNLL in, CoNLL out."""
    if not run.is_dir():
        raise UxlaError(f"{run}: no such folder, expected one written by `uxla run`; check the path")
    source = Path(file) if file != "-" else _utf8_stdin()
    if isinstance(source, Path) and (not source.exists() or source.is_dir()):
        raise UxlaError(
            f"{source}: no such file, expected text or a table with one sentence or pair a line; check the path"
        )
    if out is not None and not out.absolute().parent.is_dir():
        raise UxlaError(f"--out {out}: no such folder {out.absolute().parent}; make it first, or give another file")

    from uxla.run.console import showing

    with showing():
        from uxla.models.trust import Trust
        from uxla.run.predict import predict as label

        label(run, source, None if out == Path("-") else out, trust=Trust(remote_code=trust_remote_code))


@data.command("check")
def check_data(
    file: Annotated[Path, typer.Argument(help="A data file.")],
    task: Annotated[TaskName, typer.Option(help="What the examples are: ner: words; nli, paraphrase: pairs.")] = "ner",
    format: Annotated[FormatName, typer.Option(help="How to read it.")] = "auto",
    columns: Annotated[
        str | None, typer.Option(help="A table's columns, as first=premise,second=hypothesis,label=gold.")
    ] = None,
    header: Annotated[bool, typer.Option(help="Whether a table begins with its columns' names.")] = True,
    encoding: Annotated[str, typer.Option(help="Its text encoding.")] = "utf-8",
    token_column: Annotated[int, typer.Option(help="CoNLL column of the word, from 0.")] = 0,
    label_column: Annotated[int, typer.Option(help="CoNLL column of the label; -1 is the last.")] = -1,
    against: Annotated[Path | None, typer.Option(help="Another file: how many examples stand in both.")] = None,
    fix_scheme: Annotated[
        Path | None, typer.Option(help="Write a copy here in which no label breaks the CoNLL scheme.")
    ] = None,
) -> None:
    """Say what is in a data file, and what about it deserves a second look. Exit 1 where labels break their scheme."""
    from uxla.data.check import check
    from uxla.data.columns import parse_columns
    from uxla.run.inputs import SHAPES

    places: dict[str, Any] = {"encoding": encoding, "token_column": token_column, "label_column": label_column}
    named = parse_columns(columns) if columns else None
    report = check(file, shape=SHAPES[task], format=format, columns=named, header=header, against=against, **places)
    _print_report(report)
    if fix_scheme is not None:
        from uxla.data.repair import fix_scheme as repair

        changes = repair(file, fix_scheme, **places).changes
        typer.echo(f"{len(changes)} labels changed, written to {fix_scheme}", err=True)
    elif report.violation_total:
        raise typer.Exit(1)


@testbed.command("build")
def build_testbed(
    out: Annotated[Path, typer.Option(help="The model's folder.")] = Path("testbed-model"),
    world: Annotated[int, typer.Option(min=0, help="The world whose languages are read; 0 is the shipped one.")] = 0,
    seed: Annotated[int, typer.Option(min=0, help="The training's seed.")] = 0,
) -> None:
    """Train the testbed's masked language model anew: the shipped one, or that of another world."""
    from uxla.run.console import showing

    with showing():
        from uxla.testbed.pretrain import build

        build(out, world=world, seed=seed)
    typer.echo(f"written to {out}", err=True)


@testbed.command("write")
def write_testbed(
    folder: Annotated[Path, typer.Argument(help="Where a folder for each language is written.")],
    world: Annotated[int, typer.Option(min=0, help="The world; 0 is the one the shipped model knows.")] = 0,
    seed: Annotated[int, typer.Option(min=0, help="Which of its sentences are drawn.")] = 0,
    train: Annotated[int, typer.Option(min=1, help="Labelled sentences of the source.")] = 1000,
    unlabelled: Annotated[int, typer.Option(min=1, help="Training sentences of each target.")] = 1000,
    dev: Annotated[int, typer.Option(min=1, help="Development sentences of each language.")] = 300,
    test: Annotated[int, typer.Option(min=1, help="Test sentences of each language.")] = 500,
    task: Annotated[list[str] | None, typer.Option(help="ner (default), nli, paraphrase, topic; repeatable.")] = None,
) -> None:
    """Write the synthetic languages as CoNLL and text files, as examples of the input `uxla run` takes."""
    from uxla.testbed.world import write

    sizes = {"train": train, "unlabelled": unlabelled, "dev": dev, "test": test}
    write(folder, world=world, seed=seed, tasks=task or ["ner"], **sizes)
    typer.echo(f"written to {folder}", err=True)


def _utf8_stdin() -> TextIOWrapper:
    """stdin as UTF-8 whatever the locale says, line ends kept: only the reader decides what ends a line."""
    return TextIOWrapper(sys.stdin.buffer, encoding="utf-8", newline="")


def _print_table(results: dict[str, Any]) -> None:
    """A table on a terminal, Markdown into a file or pipe."""
    from uxla.report.table import markdown, rich_table

    if not sys.stdout.isatty():
        typer.echo(markdown(results), nl=False)
        return
    from rich.console import Console

    Console().print(rich_table(results))


def _print_report(report: CheckReport) -> None:
    from rich.console import Console

    from uxla.report.data_check import check_table

    Console().print(check_table(report))
