"""`uxla trim`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from uxla.cli.options import FileOptions, Options, Task, open_file, with_options
from uxla.config.compute import DeviceSettings


@with_options
def trim(
    model: Annotated[str, typer.Argument(metavar="MODEL|RUN", help="A model's folder or Hub id, or a run folder.")],
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="Text in your languages, in any format.")],
    out: Annotated[Path, typer.Option(help="The new model's folder.")],
    device: Annotated[DeviceSettings, Options(only=("trust_remote_code",))],
    reading: FileOptions,
    task: Task = None,
) -> None:
    """Cut a model's vocabulary to the pieces that your text needs; of a run, that of its one model.

    The model gives that text the same labels as before.
    """
    opened = [open_file(file, reading, task) for file in files]

    from uxla.console import showing
    from uxla.process_settings import process_settings

    with showing(), process_settings():
        from uxla.compress.trim import trim as cut
        from uxla.lm.folder import read_texts
        from uxla.models.hub import local_folder

        folder = local_folder(model, safety=device.safety)
        trimmed = cut(folder, read_texts(opened).texts, out, safety=device.safety)
    typer.echo(trimmed.table)
    typer.echo(trimmed.summary)
    typer.echo(f"written to {out}", err=True)
