"""The command line: `uxla run`, `grid`, `report`, `table`, `figure`, `predict`, `augment`, `mlm`, `data`, `testbed`,
`cache`.

Heavy modules are imported by the command that needs them, so that help and refusals answer at once.
"""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from uxla import __version__, signals
from uxla.cli.augment import augment
from uxla.cli.cache import cache
from uxla.cli.data import data
from uxla.cli.grid import grid
from uxla.cli.methods import methods
from uxla.cli.mlm import mlm
from uxla.cli.paper import figure, table
from uxla.cli.report import report as write_report
from uxla.cli.tables import show
from uxla.cli.testbed import testbed
from uxla.config import options
from uxla.errors import UxlaError, name_options, on_command_line, out_of_memory_text, printable

USER_FAULT, INTERRUPTED, CLOSED_PIPE, TERMINATED = 2, 130, 141, 143
_GO_ON = ("run", "grid", "augment", "mlm")
"""The commands that keep finished work, so that the same command does not begin again."""
_NO_MEMORY = "out of memory; end other programs, or give smaller files or a smaller model, and run again"
_OF_A_NETWORK = ("gaierror", "SSLError", "SSLCertVerificationError", "LocalEntryNotFoundError", "HfHubHTTPError")
_REMEDIES = {errno.ENOSPC: "free space there", errno.EDQUOT: "free space there", errno.EROFS: "give another place"}
_REMEDIES |= dict.fromkeys((errno.EMFILE, errno.ENFILE), "allow more open files (ulimit -n)")
_REMEDIES |= {errno.ENOMEM: "end other programs", errno.EIO: "look after the disk"}
"""What to do about faults that no other path mends."""


class _Commands(TyperGroup):
    """Answers what a user can mend with one line instead of a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            with signals.handling(), on_command_line(False):
                return super().invoke(ctx)
        except UxlaError as error:
            typer.echo(f"uxla: error: {error}", err=True)
            raise typer.Exit(USER_FAULT) from None
        except OSError as error:  # of the system, where no command had a better answer
            if isinstance(error, BrokenPipeError):
                raise _closed_pipe() from None
            typer.echo(f"uxla: error: {printable(_system_fault(error))}", err=True)
            raise typer.Exit(USER_FAULT) from None
        except (MemoryError, RuntimeError) as error:
            if not isinstance(error, MemoryError) and not out_of_memory_text(str(error)):
                raise
            typer.echo(f"uxla: error: {_NO_MEMORY}", err=True)
            raise typer.Exit(USER_FAULT) from None
        except ImportError as error:
            if (error.name or "").split(".")[0] == "uxla":  # our own bug
                raise
            typer.echo(f"uxla: error: {printable(str(error))}; a library is missing or damaged, install it", err=True)
            raise typer.Exit(USER_FAULT) from None
        except KeyboardInterrupt as signal:
            terminated = isinstance(signal, signals.Terminated)
            said = "terminated" if terminated else "interrupted"
            typer.echo(f"uxla: {said}; {str(signal) or _what_is_left(ctx.invoked_subcommand)}", err=True)
            raise typer.Exit(TERMINATED if terminated else INTERRUPTED) from None


def _system_fault(error: OSError) -> str:
    """What failed: a file, a network, or what else the system or a library says."""
    if error.filename:
        if error.errno in _REMEDIES:
            return f"{error.filename2 or error.filename}: {error.strerror}; {_REMEDIES[error.errno]} and run again"
        return f"{error.filename}: {error.strerror or error}; check the path"
    said = f"{type(error).__name__}: {error.strerror or error}"
    if isinstance(error, ConnectionError | TimeoutError) or type(error).__name__ in _OF_A_NETWORK:
        return f"{said}; check the network and run again"
    return f"{said}; the system or a library refused this, see to that and run again"


def _what_is_left(command: str | None) -> str:
    if command in _GO_ON:
        return "the same command goes on where it stopped (without --fresh)"
    return "the same command begins from the start"


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Labels in one language, a model in another: UXLA, zero-resource cross-lingual adaptation.",
)
app.add_typer(data, name="data")
app.add_typer(testbed, name="testbed")
app.add_typer(mlm, name="mlm")
app.add_typer(cache, name="cache")
app.command()(augment)
app.command()(grid)
app.command("report")(write_report)
app.command()(table)
app.command()(figure)
app.command()(methods)


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
    out: Annotated[
        Path | None, typer.Option(help="The run folder; default runs/NAME-TARGET, overrides behind.")
    ] = None,
    fresh: options.Fresh = False,
    overwrite: options.Overwrite = False,
) -> None:
    """Warm up, adapt to the target language, compare, and write a run folder.

    Interrupted, the same command goes on where it stopped. All keys: docs/configuration.md.
    """
    from uxla.config.run import load_config
    from uxla.console import showing
    from uxla.study.run_folder import check_folder, run_folder

    with showing():
        settings = load_config(config, overrides or [])
    folder = out or run_folder(config, overrides or [], settings.target)
    if folder.exists() and not folder.is_dir():
        raise UxlaError(f"--out {folder}: is a file, expected a folder; give another one")
    check_folder(folder, settings, overwrite=overwrite)
    with showing():
        from uxla import api
        from uxla.report.table import run_table

        results = api.run(settings, folder, fresh=fresh, overwrite=overwrite)
    show(run_table(results))
    typer.echo(f"written to {folder}", err=True)


@app.command()
def predict(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    file: Annotated[
        str, typer.Argument(metavar="FILE|-", help="Text, CoNLL, TSV, CSV, JSON lines or Parquet; - reads stdin.")
    ],
    out: Annotated[
        Path | None, typer.Option(help="Write here instead of stdout; its suffix may ask for another format.")
    ] = None,
    format: options.Format = "auto",
    columns: options.Columns = None,
    header: options.Header = True,
    encoding: options.Encoding = "utf-8",
    delimiter: options.Delimiter = None,
    quote: options.Quote = None,
    where: options.Where = None,
    token_column: options.TokenColumn = 0,
    label_column: Annotated[
        int | None,
        typer.Option(help="CoNLL column to write labels into; -1 is the last. Default: the last, if it holds labels."),
    ] = None,
    comment: options.Comment = "auto",
    precision: options.Precision = "fp32",
    trust_remote_code: Annotated[
        bool, typer.Option("--trust-remote-code", help="Run code that the backbone brought along.")
    ] = False,
) -> None:
    """Label text with a run's ensemble: what came comes back, with labels. More: docs/data.md."""
    if not run.is_dir():
        raise UxlaError(f"{run}: no such folder, expected one written by `uxla run`; check the path")
    source = Path(file) if file != "-" else sys.stdin.buffer
    if isinstance(source, Path) and not source.exists():
        raise UxlaError(
            f"{source}: no such file, expected text or a table with one sentence or pair a line; check the path"
        )
    if out is not None and not out.absolute().parent.is_dir():
        raise UxlaError(f"--out {out}: no such folder {out.absolute().parent}; make it first, or give another file")
    if out is not None and out.is_dir():
        raise UxlaError(f"--out {out}: is a folder, expected a file; give it a name")
    if out is not None and out.exists() and isinstance(source, Path) and out.samefile(source):
        raise UxlaError(f"--out {out}: is the file that is read; give another one")

    name_options()
    from uxla.console import showing
    from uxla.data.columns import parse_columns
    from uxla.data.row_filter import parse_where

    named = parse_columns(columns) if columns else None
    chosen: dict[str, Any] = {} if label_column is None else {"label_column": label_column}
    with showing():
        from uxla.models.model_safety import ModelSafety
        from uxla.predict.files import predict as label

        label(
            run,
            source,
            None if out == Path("-") else out,
            safety=ModelSafety(remote_code=trust_remote_code),
            precision=precision,
            format=format,
            columns=named,
            header=header,
            encoding=encoding,
            delimiter=delimiter,
            quote=quote,
            where=parse_where(where) if where else None,
            token_column=token_column,
            **chosen,
            comment=comment,
        )
