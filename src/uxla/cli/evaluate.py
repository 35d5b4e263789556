"""`uxla evaluate`: the score of a run's ensemble on a labelled file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from uxla.cli.options import LABELLING, Json, Quiet, showing_unless, with_options
from uxla.cli.tables import show
from uxla.config.compute import DeviceSettings
from uxla.data.options import ReadOptions
from uxla.errors import ConfigError, UxlaError
from uxla.study.sharing import folder_of_run


@with_options
def evaluate(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder; with several targets, one target's.")],
    gold: Annotated[Path, typer.Argument(metavar="GOLD", help="A labelled file.")],
    reading: ReadOptions,
    device: Annotated[DeviceSettings, LABELLING],
    labels: Annotated[
        str | None, typer.Option(metavar="OLD=NEW", help="New names of labels in the file, as PERSON=PER,DATE=null.")
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Score a run's ensemble on a labelled file, by class and with intervals."""
    run = folder_of_run(run)
    if not gold.exists():
        raise UxlaError(f"{gold}: no such file; check the path")
    renamed = None if labels is None else _renamed(labels)

    with showing_unless(quiet), device.process():
        from uxla.annotation.evaluate import evaluate as score
        from uxla.annotation.evaluate import table_of
        from uxla.predict.load import load_ensemble

        ensemble = load_ensemble(run, device)
        found = score(ensemble, gold, labels=renamed, **reading.keywords)
    if as_json:
        typer.echo(json.dumps(found.as_dict(), indent=1, ensure_ascii=False))
        return
    show(table_of(found))


def _renamed(text: str) -> dict[str, str | None]:
    """The new name of each label, from `PERSON=PER,DATE=null` (None: no entity). ConfigError for another form."""
    found: dict[str, str | None] = {}
    for part in text.split(","):
        old, _, new = part.partition("=")
        if not old or not new:
            raise ConfigError(f"--labels: got {part!r}, expected OLD=NEW, as PERSON=PER or PERSON=PER,DATE=TIME")
        found[old] = None if new == "null" else new
    return found
