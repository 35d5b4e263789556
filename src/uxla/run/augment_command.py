"""`uxla augment`. Heavy modules are imported when the command runs, so that help and refusals answer at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from uxla.errors import ConfigError

if TYPE_CHECKING:
    from uxla.data.columns import Shape

TaskName = Literal["ner", "nli", "paraphrase", "classification"]
FormatName = Literal["auto", "conll", "text", "tsv", "csv", "jsonl", "parquet"]
_SHAPES: dict[TaskName, Shape] = {
    "ner": "tagging",
    "nli": "pair",
    "paraphrase": "pair",
    "classification": "single",
}


def augment(
    file: Annotated[Path, typer.Argument(help="CoNLL, TSV, CSV, JSON lines, Parquet, or text, a sentence a line.")],
    out: Annotated[Path, typer.Option(help="The file to write; its suffix may ask for another table format.")],
    model: Annotated[str, typer.Option(help="The masked LM: a folder, a name on the Hub, or testbed.")],
    task: Annotated[
        TaskName | None, typer.Option(help="ner: words; nli, paraphrase: pairs. Default: what the file looks like.")
    ] = None,
    share: Annotated[float, typer.Option(help="The share of a sentence's words that are replaced (P).")] = 0.3,
    copies: Annotated[
        str | None,
        typer.Option(help="Samples of each sentence (δ); of a pair, of each part. Default 3, for pairs 2,2."),
    ] = None,
    unit: Annotated[
        Literal["word", "piece", "auto"], typer.Option(help="auto: pieces in scripts without spaces, else words.")
    ] = "auto",
    top: Annotated[int, typer.Option(min=1, help="Draw from so many best candidates (S); 1: the best.")] = 1,
    seed: Annotated[int, typer.Option(help="Another seed, other words.")] = 0,
    min_word_chars: Annotated[int, typer.Option(min=1, help="Shorter words are never replaced.")] = 1,
    originals: Annotated[bool, typer.Option(help="Write each sentence itself before its samples.")] = False,
    keep_unchanged: Annotated[
        bool, typer.Option("--keep-unchanged", help="Keep samples that equal their parent or another sample of it.")
    ] = False,
    precision: Annotated[
        Literal["fp32", "bf16", "fp16"], typer.Option(help="bf16 and fp16: faster with large models, some other words.")
    ] = "fp32",
    format: Annotated[FormatName, typer.Option(help="How to read FILE.")] = "auto",
    columns: Annotated[
        str | None, typer.Option(help="A table's columns, as text=review or first=premise,second=hypothesis.")
    ] = None,
    header: Annotated[bool, typer.Option(help="Whether a TSV or CSV file begins with its columns' names.")] = True,
    encoding: Annotated[str, typer.Option(help="Text encoding of FILE; UTF-8 is written.")] = "utf-8",
    token_column: Annotated[int, typer.Option(help="CoNLL column of the word, from 0.")] = 0,
    device: Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="auto: CUDA where there is one.")] = "auto",
    tokens_per_batch: Annotated[int, typer.Option(min=1, help="Pieces in one forward pass.")] = 8192,
    max_length: Annotated[int | None, typer.Option(min=3, help="Pieces of a sentence that are seen at once.")] = None,
    revision: Annotated[str | None, typer.Option(help="The model's revision on the Hub.")] = None,
    trust_remote_code: Annotated[
        bool, typer.Option("--trust-remote-code", help="Run code that comes with the model.")
    ] = False,
    allow_pickle_weights: Annotated[
        bool, typer.Option("--allow-pickle-weights", help="Read weights that are no safetensors.")
    ] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Do all work anew, whatever is in the store.")] = False,
) -> None:
    """Make virtual sentences: words replaced by what a masked language model expects, labels and columns kept.

    Interrupted, the same command goes on where it stopped. More: docs/augment.md.
    """
    from uxla.data.columns import parse_columns
    from uxla.data.kept import open_kept
    from uxla.run.drawing import Drawing, Place

    drawing = Drawing(share, _numbers(copies), unit, top, seed, min_word_chars, keep_unchanged, precision)
    place = Place(model, device, tokens_per_batch, max_length, revision, trust_remote_code, allow_pickle_weights)
    source = open_kept(
        file,
        shape=_SHAPES[task] if task else None,
        format=format,
        columns=parse_columns(columns) if columns else None,
        header=header,
        encoding=encoding,
        token_column=token_column,
    )

    from uxla.run.augment_files import FileAugmentation
    from uxla.run.console import showing
    from uxla.run.journal import Journal
    from uxla.run.store import Store, default_root

    with showing():
        store = Store(default_root(), Journal(out), fresh)
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
