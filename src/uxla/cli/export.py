"""`uxla export`. Heavy modules are imported when the command runs, so that help and refusals answer at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from uxla.cli.options import Options, with_options
from uxla.data.options import ReadOptions
from uxla.errors import ConfigError
from uxla.files import check_file

_SUFFIXES = {"jsonl": (".jsonl",), "doccano": (".jsonl",), "label-studio": (".json",)}


@with_options
def export(
    file: Annotated[Path, typer.Argument(help="What uxla predict wrote, CoNLL, or text with character spans.")],
    to: Annotated[
        Literal["jsonl", "doccano", "label-studio", "brat", "conll"], typer.Option(help="The form to write.")
    ],
    out: Annotated[Path, typer.Option(help="A file; for brat a new folder.")],
    reading: Annotated[
        ReadOptions,
        Options(only=("format", "columns", "encoding", "token_column", "label_column", "scheme", "comment")),
    ],
) -> None:
    """Write predicted entities in a form that an annotation tool imports. More: docs/data.md."""
    if to != "brat":
        check_file(out, *_SUFFIXES.get(to, ()), source=file)

    from uxla.data.load import open_data
    from uxla.data.writing.annotations import annotated_texts, write_annotations

    source = open_data(file, "tagging", reading)
    if source.format == "text":
        raise ConfigError(f"{file}: raw text has no entities; label it first: uxla predict RUN {file} --out FILE.jsonl")
    write_annotations(annotated_texts(source), to, out)
