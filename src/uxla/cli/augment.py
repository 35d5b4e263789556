"""`uxla augment`. Heavy modules are imported when the command runs, so that help and refusals answer at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from uxla.choices import Unit
from uxla.config import options
from uxla.config.options import open_file
from uxla.errors import ConfigError


def augment(
    file: Annotated[Path, typer.Argument(help="CoNLL, TSV, CSV, JSON lines, Parquet, or text, a sentence a line.")],
    out: Annotated[Path, typer.Option(help="The file to write; its suffix may ask for another table format.")],
    model: Annotated[str, typer.Option(help="The masked LM: a folder, a name on the Hub, or testbed.")],
    task: options.Task = None,
    share: Annotated[float, typer.Option(help="The share of a sentence's words that are replaced (P).")] = 0.3,
    copies: Annotated[
        str | None,
        typer.Option(help="Samples of each sentence (δ); of a pair, of each part. Default 3, for pairs 2,2."),
    ] = None,
    unit: Annotated[Unit, typer.Option(help="auto: pieces in scripts without spaces, else words.")] = "auto",
    top: Annotated[int, typer.Option(min=1, help="Draw from so many best candidates (S); 1: the best.")] = 1,
    seed: Annotated[int, typer.Option(help="Another seed, other words.")] = 0,
    min_word_chars: Annotated[int, typer.Option(min=1, help="Shorter words are never replaced.")] = 1,
    originals: Annotated[bool, typer.Option(help="Write each sentence itself before its samples.")] = False,
    keep_unchanged: Annotated[
        bool, typer.Option("--keep-unchanged", help="Keep samples that equal their parent or another sample of it.")
    ] = False,
    precision: options.Precision = "fp32",
    format: options.Format = "auto",
    columns: options.Columns = None,
    header: options.Header = True,
    encoding: options.Encoding = "utf-8",
    delimiter: options.Delimiter = None,
    quote: options.Quote = None,
    where: options.Where = None,
    token_column: options.TokenColumn = 0,
    comment: options.Comment = "auto",
    device: options.Device = "auto",
    tokens_per_batch: options.TokensPerBatch = 8192,
    max_length: Annotated[int | None, typer.Option(min=3, help="Pieces of a sentence that are seen at once.")] = None,
    revision: options.Revision = None,
    trust_remote_code: options.TrustRemoteCode = False,
    allow_pickle_weights: options.AllowPickleWeights = False,
    fresh: options.Fresh = False,
) -> None:
    """Make virtual sentences: words replaced by what a masked language model expects, labels and columns kept.

    Interrupted, the same command goes on where it stopped. More: docs/augment.md.
    """
    from uxla.augmentation.settings import Drawing, Place

    drawing = Drawing(share, _numbers(copies), unit, top, seed, min_word_chars, keep_unchanged, precision)
    place = Place(model, device, tokens_per_batch, max_length, revision, trust_remote_code, allow_pickle_weights)
    how = (task, format, columns, header, encoding, token_column, comment, delimiter, quote, where)
    source = open_file(file, *how)

    from uxla.augmentation.files import FileAugmentation
    from uxla.console import showing
    from uxla.store.store import Store, default_root

    with showing():
        store = Store(default_root(), fresh=fresh)
        report = FileAugmentation(source, out, drawing, place, store, originals).run()
    typer.echo(f"{out}: {report.line(keep_unchanged=keep_unchanged)}", err=True)


def _numbers(copies: str | None) -> int | tuple[int, ...] | None:
    """3, or 2,2."""
    if copies is None:
        return None
    try:
        numbers = tuple(int(part) for part in copies.split(","))
    except ValueError:
        raise ConfigError(f"--copies: got {copies!r}, expected a number as 3, or for pairs two as 2,2") from None
    return numbers if len(numbers) > 1 else numbers[0]
