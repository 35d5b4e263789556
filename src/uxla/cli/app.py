"""The command line: `uxla run`, `grid`, `report`, `table`, `figure`, `predict`, `augment`, `mlm`, `data`, `testbed`,
`cache`.

Heavy modules are imported by the command that needs them, so that help and refusals answer at once.
"""

from __future__ import annotations

import errno
import os
import sys
from importlib import import_module
from typing import Annotated, Any, cast

import typer
from typer.core import TyperGroup

from uxla import __version__, signals
from uxla.errors import UxlaError, on_command_line, out_of_memory_text, printable

USER_FAULT, INTERRUPTED, CLOSED_PIPE, TERMINATED = 2, 130, 141, 143
_GO_ON = ("run", "grid", "augment", "mlm")
"""The commands that keep finished work, so that the same command does not begin again."""
_NO_MEMORY = "out of memory; close other programs, or give smaller files or a smaller model, and run again"
_OF_A_NETWORK = ("gaierror", "SSLError", "SSLCertVerificationError", "LocalEntryNotFoundError", "HfHubHTTPError")
_REMEDIES = {errno.ENOSPC: "free space there", errno.EDQUOT: "free space there", errno.EROFS: "give another place"}
_REMEDIES |= dict.fromkeys((errno.EMFILE, errno.ENFILE), "allow more open files (ulimit -n)")
_REMEDIES |= {errno.ENOMEM: "close other programs", errno.EIO: "check the disk"}
"""What to do about faults that no other path mends."""


_COMMANDS = {
    "run": "run",
    "grid": "grid",
    "predict": "predict",
    "methods": "methods",
    "report": "report",
    "table": "paper",
    "figure": "paper",
    "augment": "augment",
    "mlm": "mlm",
    "data": "data",
    "testbed": "testbed",
    "cache": "cache",
}
"""The module of each command."""


class _Commands(TyperGroup):
    """Answers what a user can mend with one line instead of a traceback."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = cast(Any, _COMMANDS)  # names alone are asked of it

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command, imported when it is asked for."""
        if cmd_name not in _COMMANDS:
            return None
        made = getattr(import_module(f"uxla.cli.{_COMMANDS[cmd_name]}"), cmd_name)
        if isinstance(made, typer.Typer):
            command: Any = typer.main.get_group(made)
        else:
            alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
            alone.command()(made)
            command = typer.main.get_command(alone)
        command.name = cmd_name
        return command

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
            typer.echo(
                f"uxla: error: {printable(str(error))}; a library is missing or damaged; install it again", err=True
            )
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
    return f"{said}; the system or a library refused this, fix that and run again"


def _what_is_left(command: str | None) -> str:
    if command in _GO_ON:
        return "repeat the command to resume (without --fresh)"
    return "repeat the command to start again"


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Train taggers and text classifiers for languages without labels (UXLA, ACL 2021).",
)


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
