"""`uxla presets`: the configurations that are shipped."""

from __future__ import annotations

import re
from typing import Annotated

import typer


def presets(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Print this one.")] = None,
) -> None:
    """List the presets, or print one as YAML, to copy and change."""
    from uxla.cli.tables import show
    from uxla.config.documents import preset_names, read_document, read_preset
    from uxla.markup import Row, Table

    if name is not None:
        typer.echo(read_preset(name), nl=False)
        return
    rows = []
    for one in preset_names():
        values = read_document(one).values
        first = re.split(r"[.:] |:$", read_preset(one).partition("\n")[0].lstrip("# "))[0]
        rows.append(Row((one, str(values.get("task", "ner")), str(values.get("model", "")), first)))
    show(Table(("preset", "task", "model", "what it is"), (), tuple(rows)))
