"""How a command shows a table."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from uxla.markup import Table


def show(table: Table) -> None:
    """Drawn on a terminal, Markdown into a file or pipe."""
    if not sys.stdout.isatty():
        typer.echo(table.markdown(), nl=False)
        return
    from rich.console import Console

    Console().print(table)
