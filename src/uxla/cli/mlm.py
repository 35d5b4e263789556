"""`uxla mlm tune` and `uxla mlm pretrain`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from uxla.cli.options import Fresh, Options, Seed, Task, TextOptions, open_file, with_options
from uxla.config.compute import DeviceSettings, LMSource
from uxla.models.lm.settings import LMShape, NewModelRecipe, Recipe

if TYPE_CHECKING:
    from uxla.lm.tuning import LMTraining

mlm = typer.Typer(no_args_is_help=True, help="Train a masked language model on your text.")

Files = Annotated[
    list[Path],
    typer.Argument(metavar="FILE", help="Text, CoNLL, TSV, CSV, JSON lines, Parquet; several files if you like."),
]
Out = Annotated[Path, typer.Option(help="The model's folder. It appears when the model is complete.")]
CheckpointMinutes = Annotated[
    float, typer.Option(min=0.001, help="Minutes between checkpoints; a kill loses at most this much.")
]


@mlm.command()
@with_options
def tune(
    lm: Annotated[LMSource, Options(arguments=("model",), defaults={"max_length": 512})],
    files: Files,
    out: Out,
    recipe: Recipe,
    reading: TextOptions,
    seed: Seed = 0,
    checkpoint_minutes: CheckpointMinutes = 10.0,
    task: Task = None,
    fresh: Fresh = False,
) -> None:
    """Train a masked language model further on your text.

    Labels are not read. An interrupted training resumes when you repeat the command. More: docs/mlm.md.
    """
    opened = [open_file(file, reading, task) for file in files]
    training = _training(recipe, lm, lm.max_length or 512, seed, checkpoint_minutes, fresh)
    _show(out, lm, lambda: training.tune(opened, lm, out))


@mlm.command()
@with_options
def pretrain(
    files: Files,
    out: Out,
    shape: LMShape,
    recipe: NewModelRecipe,
    device: Annotated[DeviceSettings, Options(without=("trust_remote_code", "allow_pickle_weights"))],
    reading: TextOptions,
    seed: Seed = 0,
    checkpoint_minutes: CheckpointMinutes = 10.0,
    task: Task = None,
    fresh: Fresh = False,
) -> None:
    """Train a small masked language model from scratch on your text.

    It gets a vocabulary of its own and XLM-R's architecture. An interrupted training resumes when you repeat the
    command. More: docs/mlm.md.
    """
    opened = [open_file(file, reading, task) for file in files]
    training = _training(recipe, device, shape.max_length, seed, checkpoint_minutes, fresh)
    _show(out, device, lambda: training.pretrain(opened, shape, out))


def _training(
    recipe: Recipe, device: DeviceSettings, max_length: int, seed: int, checkpoint_minutes: float, fresh: bool
) -> LMTraining:
    from uxla.lm.tuning import LMTraining
    from uxla.store.opening import open_store

    store = open_store(fresh=fresh)
    return LMTraining(recipe, device.runtime(max_length), store, seed, checkpoint_minutes)


def _show(out: Path, device: DeviceSettings, work: Callable[[], str]) -> None:
    from uxla.console import showing

    with showing(), device.process():
        said = work()
    typer.echo(said)
    typer.echo(f"written to {out}", err=True)
