"""`uxla mlm tune|pretrain`. Heavy modules are imported when a command runs: help and refusals answer at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from uxla.choices import Device, Precision
from uxla.config import options
from uxla.config.options import open_file
from uxla.errors import ConfigError

if TYPE_CHECKING:
    from uxla.lm.tuning import Course
    from uxla.models.model_safety import ModelSafety
    from uxla.models.runtime import Runtime

mlm = typer.Typer(no_args_is_help=True, help="Train a masked language model: tune one on your text, or make one.")

Files = Annotated[list[Path], typer.Argument(metavar="FILE…", help="Text, CoNLL, TSV, CSV, JSON lines, Parquet.")]
Out = Annotated[Path, typer.Option(help="The model's folder; whole or not there.")]
Steps = Annotated[int | None, typer.Option(min=1, help="Optimizer steps; or give --epochs.")]
Epochs = Annotated[float | None, typer.Option(help="Passes over the text.")]
BatchSize = Annotated[int, typer.Option(min=1, help="Sentences in one optimizer step.")]
LearningRate = Annotated[float, typer.Option(help="AdamW's peak: linear to it in 6 % of the steps, then to 0.")]
Masked = Annotated[float, typer.Option(help="The share of the pieces that are masked, 80/10/10.")]
HeldOut = Annotated[float, typer.Option(help="The share of the sentences, up to 1,000, that are only scored.")]
EvaluateEvery = Annotated[int, typer.Option(min=1, help="Steps between two looks at the held-out sentences.")]
CheckpointEvery = Annotated[int, typer.Option(min=1, help="Steps that an interruption costs at most.")]
Seed = Annotated[int, typer.Option(help="Another seed, other masks, order and initial weights.")]
MaxLength = Annotated[int, typer.Option(min=3, help="Pieces seen at once; longer text is cut into windows.")]


@mlm.command()
def tune(
    model: Annotated[str, typer.Argument(help="The masked LM to begin with: a folder, a name on the Hub, or testbed.")],
    files: Files,
    out: Out,
    steps: Steps = None,
    epochs: Epochs = None,
    batch_size: BatchSize = 16,
    learning_rate: LearningRate = 5e-5,
    masked: Masked = 0.15,
    held_out: HeldOut = 0.05,
    evaluate_every: EvaluateEvery = 500,
    checkpoint_every: CheckpointEvery = 500,
    seed: Seed = 0,
    max_length: MaxLength = 512,
    precision: options.Precision = "fp32",
    device: options.Device = "auto",
    tokens_per_batch: options.TokensPerBatch = 8192,
    task: options.Task = None,
    format: options.Format = "auto",
    columns: options.Columns = None,
    header: options.Header = True,
    encoding: options.Encoding = "utf-8",
    delimiter: options.Delimiter = None,
    quote: options.Quote = None,
    where: options.Where = None,
    token_column: options.TokenColumn = 0,
    comment: options.Comment = "auto",
    revision: options.Revision = None,
    trust_remote_code: options.TrustRemoteCode = False,
    allow_pickle_weights: options.AllowPickleWeights = False,
    fresh: options.Fresh = False,
) -> None:
    """Go on training a masked language model on your text, labels unseen.

    Interrupted, the same command goes on where it stopped. More: docs/mlm.md.
    """
    from uxla.augmentation.settings import Place

    length = _length(steps, epochs, {"epochs": 1.0})
    length |= {"batch_size": batch_size, "learning_rate": learning_rate, "masked": masked, "held_out": held_out}
    place = Place(model, device, tokens_per_batch, max_length, revision, trust_remote_code, allow_pickle_weights)
    how = (task, format, columns, header, encoding, token_column, comment, delimiter, quote, where)
    sources = [open_file(file, *how) for file in files]
    runtime = _runtime(device, tokens_per_batch, max_length, precision, place.safety)
    course = _course(out, {**length, "evaluate_every": evaluate_every}, runtime, seed, checkpoint_every, fresh=fresh)
    _show(out, lambda: course.tune(sources, place))


@mlm.command()
def pretrain(
    files: Files,
    out: Out,
    pieces: Annotated[int, typer.Option(help="Pieces of the vocabulary, which is made from the text.")] = 8000,
    hidden: Annotated[int, typer.Option(min=1, help="Width of the layers.")] = 128,
    layers: Annotated[int, typer.Option(min=1, help="Layers of the encoder.")] = 4,
    heads: Annotated[int, typer.Option(min=1, help="Attention heads of each layer.")] = 4,
    dropout: Annotated[float, typer.Option(min=0, max=0.9, help="Dropout in the encoder.")] = 0.1,
    steps: Steps = None,
    epochs: Epochs = None,
    batch_size: BatchSize = 64,
    learning_rate: LearningRate = 1e-3,
    masked: Masked = 0.15,
    held_out: HeldOut = 0.05,
    evaluate_every: EvaluateEvery = 500,
    checkpoint_every: CheckpointEvery = 500,
    seed: Seed = 0,
    max_length: MaxLength = 128,
    precision: options.Precision = "fp32",
    device: options.Device = "auto",
    tokens_per_batch: options.TokensPerBatch = 8192,
    task: options.Task = None,
    format: options.Format = "auto",
    columns: options.Columns = None,
    header: options.Header = True,
    encoding: options.Encoding = "utf-8",
    delimiter: options.Delimiter = None,
    quote: options.Quote = None,
    where: options.Where = None,
    token_column: options.TokenColumn = 0,
    comment: options.Comment = "auto",
    fresh: options.Fresh = False,
) -> None:
    """Make a small masked language model of XLM-R's kind, vocabulary and weights, from your text alone.

    Interrupted, the same command goes on where it stopped. More: docs/mlm.md.
    """
    length = _length(steps, epochs, {"max_steps": 10_000})
    length |= {"batch_size": batch_size, "learning_rate": learning_rate, "masked": masked, "held_out": held_out}
    how = (task, format, columns, header, encoding, token_column, comment, delimiter, quote, where)
    sources = [open_file(file, *how) for file in files]

    from uxla.models.lm.new_model import LMShape
    from uxla.models.model_safety import SAFE

    runtime = _runtime(device, tokens_per_batch, max_length, precision, SAFE)
    course = _course(out, {**length, "evaluate_every": evaluate_every}, runtime, seed, checkpoint_every, fresh=fresh)
    shape = LMShape(pieces, hidden, layers, heads, max_length, dropout)
    _show(out, lambda: course.pretrain(sources, shape))


def _length(steps: int | None, epochs: float | None, otherwise: dict[str, Any]) -> dict[str, Any]:
    if steps is not None and epochs is not None:
        raise ConfigError(f"--steps {steps} and --epochs {epochs:g} exclude each other; give one")
    if steps is not None:
        return {"max_steps": steps}
    return otherwise if epochs is None else {"epochs": epochs}


def _runtime(
    device: Device, tokens_per_batch: int, max_length: int, precision: Precision, safety: ModelSafety
) -> Runtime:
    from uxla.models.memory import Budget
    from uxla.models.runtime import Runtime

    return Runtime(device, max_length, Budget(tokens_per_batch), safety, precision)


def _course(
    out: Path, recipe: dict[str, Any], runtime: Runtime, seed: int, checkpoint_every: int, *, fresh: bool
) -> Course:
    from uxla.lm.tuning import Course
    from uxla.models.lm.training import Recipe
    from uxla.store.store import Store, default_root

    return Course(out, Recipe(**recipe), runtime, Store(default_root(), fresh=fresh), seed, checkpoint_every)


def _show(out: Path, work: Callable[[], str]) -> None:
    from uxla.console import showing
    from uxla.process_settings import process_settings

    with showing(), process_settings():
        told = work()
    typer.echo(told)
    typer.echo(f"written to {out}", err=True)
