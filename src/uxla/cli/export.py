"""`uxla export`. Heavy modules are imported when the command runs, so that help and refusals answer at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from uxla.cli.checks import SUFFIXES
from uxla.cli.options import Options, with_options
from uxla.data.options import ReadOptions
from uxla.errors import ConfigError
from uxla.files import check_file, check_new
from uxla.study.sharing import folder_of_run


@with_options
def export(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE|RUN", help="What uxla predict wrote, CoNLL, or text with character spans; for onnx a run."
        ),
    ],
    to: Annotated[
        Literal["jsonl", "doccano", "label-studio", "brat", "conll", "onnx"], typer.Option(help="The form to write.")
    ],
    out: Annotated[Path, typer.Option(help="A file; for brat and onnx a new folder.")],
    reading: Annotated[
        ReadOptions,
        Options(only=("format", "columns", "encoding", "token_column", "label_column", "scheme", "comment")),
    ],
) -> None:
    """Write predicted entities in a form that an annotation tool imports, or a run's models as one ONNX file."""
    if to == "onnx":
        _onnx(file, out)
        return
    if to != "brat":
        check_file(out, *SUFFIXES.get(to, ()), source=file)

    from uxla.data.formats.table import Table
    from uxla.data.load import open_data
    from uxla.data.writing.annotations import annotated_texts, write_annotations

    source = open_data(file, "tagging", reading)
    if source.format == "text":
        raise ConfigError(f"{file}: raw text has no entities; label it first: uxla predict RUN {file} --out FILE.jsonl")
    if isinstance(source, Table) and not source.is_labelled() and any("entities" in name for name in source.names):
        remedy = "label the text again with uxla predict RUN FILE --out FILE.jsonl"
        raise ConfigError(f"{file}: entities in a table are not read, expected JSON lines; {remedy}")
    write_annotations(annotated_texts(source), to, out)


def _onnx(run: Path, out: Path) -> None:
    run = folder_of_run(run)
    check_new(out)

    from uxla.console import showing
    from uxla.process_settings import process_settings

    with showing(), process_settings():
        from uxla.models.ensemble import Ensemble
        from uxla.models.onnx import export_onnx

        export_onnx(Ensemble.load(run, device="cpu"), out)
    typer.echo(f"written to {out}", err=True)
