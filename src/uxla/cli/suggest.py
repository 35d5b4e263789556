"""`uxla suggest` and `uxla score`. Heavy modules are imported when a command runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from uxla.cli.checks import SUFFIXES
from uxla.cli.options import LABELLING, FileOptions, with_options
from uxla.cli.tables import show
from uxla.config.compute import DeviceSettings
from uxla.data.options import ReadOptions
from uxla.errors import UxlaError
from uxla.files import check_file
from uxla.study.sharing import folder_of_run


@with_options
def suggest(
    run: Annotated[Path, typer.Argument(help="A run folder; with several targets, one target's folder.")],
    raw: Annotated[Path, typer.Argument(help="Text of the target language: one sentence a line, CoNLL or a table.")],
    files: FileOptions,
    device: Annotated[DeviceSettings, LABELLING],
    out: Annotated[Path, typer.Option(help="A file; for brat a new folder.")],
    n: Annotated[int, typer.Option("-n", min=1, help="How many texts.")] = 50,
    to: Annotated[
        Literal["jsonl", "doccano", "label-studio", "brat", "conll"], typer.Option(help="The form to write.")
    ] = "jsonl",
) -> None:
    """Choose the texts to label next: those that the models dispute, spread over the corpus.

    More: docs/annotation.md.
    """
    run = folder_of_run(run)
    if not raw.exists():
        raise UxlaError(f"{raw}: no such file; check the path")
    if to != "brat":
        check_file(out, *SUFFIXES.get(to, ()), source=raw)

    from uxla.console import showing

    with showing(), device.process():
        from uxla.annotation.files import suggest_from
        from uxla.predict.load import load_ensemble

        ensemble = load_ensemble(run, device)
        count = suggest_from(ensemble, raw, files, n=n, form=to, out=out)
    typer.echo(f"{count} texts written to {out}", err=True)


@with_options
def score(
    predictions: Annotated[Path, typer.Argument(metavar="PRED", help="The test set with predicted labels.")],
    against: Annotated[Path, typer.Option(help="The run folder.")],
    reading: ReadOptions,
    target: Annotated[str | None, typer.Option(help="Whose test set it is. Default: the run's only target.")] = None,
) -> None:
    """Score another tool's predictions of a run's test set, and compare them with each method of the run.

    More: docs/annotation.md.
    """
    from uxla.annotation.score import score_predictions, table_of
    from uxla.report.folder import RunFolder

    found = score_predictions(RunFolder.read(against), predictions, target, **reading.keywords)
    show(table_of(found, predictions.name))
