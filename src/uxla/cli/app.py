"""The `uxla` command: which commands there are, and how each ends.

Heavy modules are imported by the command that needs them, so that help and refusals answer at once.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Annotated, Any, cast

import typer
from typer.core import TyperCommand, TyperGroup

from uxla import __version__, signals
from uxla.cli.refusals import fault_lines, usage_line
from uxla.errors import UnreachableError, spelled_as
from uxla.shards import UnfinishedError

SECTIONS = {
    "Adapt": {
        "init": "init",
        "plan": "plan",
        "run": "run",
        "grid": "grid",
        "status": "status",
        "presets": "presets",
        "methods": "methods",
    },
    "Use and judge": {
        "predict": "predict",
        "evaluate": "evaluate",
        "export": "export",
        "suggest": "suggest",
        "score": "suggest",
        "report": "report",
        "table": "paper",
        "figure": "paper",
    },
    "Make smaller": {"compress": "compress", "trim": "trim"},
    "Text and masked language models": {"augment": "augment", "data": "data", "mlm": "mlm", "testbed": "testbed"},
    "Finished work": {"cache": "cache"},
}
"""The commands of each section of the help, and the module of each."""

_MODULES = {name: module for commands in SECTIONS.values() for name, module in commands.items()}
_RESUMABLE = ("run", "grid", "compress", "augment", "mlm")
"""The commands that keep finished work, so that the same command does not begin again."""
_USAGE_ERROR: Any = typer.BadParameter.__base__
"""What typer raises for wrong arguments; of its errors it exports this one alone."""
USER_FAULT, AGAIN, INTERRUPTED, CLOSED_PIPE = 2, 75, 130, 141
"""How a command ends. 75 is `EX_TEMPFAIL` of sysexits.h: the same command, repeated, goes on."""
_PLAIN: Any = {"rich_markup_mode": None, "pretty_exceptions_enable": False}


class _Command(TyperCommand):
    """A command whose usage has no braces around arguments that must be given; an option of one value is given once."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments; of two values of an option typer would drop the first."""
        given: list[Any] = [*self.make_parser(ctx).parse_args(args=list(args))[2]]
        for param in given:
            has_one_value = param.param_type_name == "option" and not param.multiple and not param.is_flag
            if has_one_value and given.count(param) > 1:
                raise typer.BadParameter("given twice, expected one value", ctx=ctx, param=param)
        return super().parse_args(ctx, args)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """The options and arguments of the usage line."""
        return [piece.replace("{", "").replace("}", "") for piece in super().collect_usage_pieces(ctx)]


class _Commands(TyperGroup):
    """Answers what a user can mend with one line instead of a traceback."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = cast(Any, _MODULES)  # names alone are asked of it

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command, imported when it is asked for."""
        if cmd_name not in _MODULES:
            return None
        made = getattr(import_module(f"uxla.cli.{_MODULES[cmd_name]}"), cmd_name)
        if isinstance(made, typer.Typer):
            made.rich_markup_mode = None
            for info in made.registered_commands:
                info.cls = _Command
            command: Any = typer.main.get_group(made)
        else:
            alone = typer.Typer(add_completion=False, **_PLAIN)
            alone.command(cls=_Command)(made)
            command = typer.main.get_command(alone)
        command.name = cmd_name
        return command

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands section by section, each with its summary."""
        for title, names in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name, self.get_command(ctx, name).get_short_help_str(200)) for name in names])

    def main(self, args: Any = None, *, standalone_mode: bool = True, **extra: Any) -> Any:  # type: ignore[override]
        """Run a command and exit with its status; wrong arguments are one line, and 2."""
        given = sys.argv[1:] if args is None else list(args)
        try:
            status = super().main(given, standalone_mode=False, **extra)
        except _USAGE_ERROR as error:
            _say(usage_line(error, given))
            status = USER_FAULT
        return sys.exit(status or 0) if standalone_mode else status

    def invoke(self, ctx: Any) -> Any:
        try:
            with signals.handling(), spelled_as("yaml"):
                return super().invoke(ctx)
        except KeyboardInterrupt as signal:
            terminated = isinstance(signal, signals.Terminated)
            remedy = f"repeat the command to {_what_follows(ctx.invoked_subcommand)}"
            typer.echo(f"uxla: {'terminated' if terminated else 'interrupted'}; {str(signal) or remedy}", err=True)
            raise typer.Exit(AGAIN if terminated else INTERRUPTED) from None
        except UnfinishedError as unfinished:
            typer.echo(f"uxla: {unfinished}", err=True)
            raise typer.Exit(AGAIN if unfinished.again else 0) from None
        except BrokenPipeError:  # `uxla predict … | head`: nobody reads on
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(CLOSED_PIPE) from None
        except Exception as error:
            lines = fault_lines(error)
            if not lines:
                raise
            _say(*lines)
            raise typer.Exit(AGAIN if isinstance(error, UnreachableError) else USER_FAULT) from None


def _what_follows(command: str | None) -> str:
    return "resume (without --fresh)" if command in _RESUMABLE else "start again"


def _say(*lines: str) -> None:
    for line in lines:
        typer.echo(line if "\n" in line else f"uxla: error: {line}", err=True)


app = typer.Typer(
    name="uxla",
    cls=_Commands,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    help="Train taggers and text classifiers for languages without labels (UXLA, ACL 2021).",
    epilog="More about one command: uxla COMMAND -h. Completion: uxla --install-completion.",
    **_PLAIN,
)


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
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    return
