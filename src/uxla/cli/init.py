"""`uxla init`: a configuration from the data files at hand."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from uxla.cli.options import Task
from uxla.errors import UxlaError
from uxla.files import check_file, write_file


def init(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="Data files: en/train.conll es/train.txt …")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="The .yaml file to write.")] = Path("my.yaml"),
    model: Annotated[str, typer.Option(help="The pretrained model.")] = "FacebookAI/xlm-roberta-base",
    task: Task = None,
) -> None:
    """Write a commented configuration for your data files.

    The language and the use of a file are guessed from its name (en/train.conll, es-test.tsv), the task from its
    content.
    """
    check_file(out, ".yaml", ".yml")
    if out.exists():
        raise UxlaError(f"--out {out}: exists already; give another name, or remove it")
    for file in files:
        if not file.exists():
            raise UxlaError(f"{file}: no such file; check the path")

    from uxla.config.guess import guessed_config
    from uxla.config.run import load_config
    from uxla.console import showing

    with showing():
        write_file(out, guessed_config(files, out, model=model, task=task))
        load_config(str(out))
    typer.echo(f"written to {out}; next: uxla plan {out}", err=True)
