"""Options that several commands have, with one help text each; no heavy module is imported for them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from uxla import choices
from uxla.errors import name_options

if TYPE_CHECKING:
    from uxla.data.corpus import Source

FormatName = Literal["auto", "conll", "text", "tsv", "csv", "jsonl", "parquet", "spans"]

Task = Annotated[
    choices.Task | None, typer.Option(help="ner: words; nli, paraphrase: pairs. Default: what a file looks like.")
]
Format = Annotated[FormatName, typer.Option(help="How to read a file.")]
Columns = Annotated[
    str | None, typer.Option(help="A table's columns, as text=review or first=premise,second=hypothesis,label=gold.")
]
Header = Annotated[bool, typer.Option(help="Whether a TSV or CSV file begins with its columns' names.")]
Encoding = Annotated[str, typer.Option(help="The text encoding of what is read.")]
Delimiter = Annotated[str | None, typer.Option(help="What stands between columns of CSV or TSV, as ';' or tab.")]
Quote = Annotated[str | None, typer.Option(help="What quotes cells of CSV or TSV: a character, or none.")]
Where = Annotated[str | None, typer.Option(help="Only the rows with a value in a column, as language=es.")]
TokenColumn = Annotated[int, typer.Option(help="CoNLL column of the word, from 0.")]
Comment = Annotated[str, typer.Option(help="How CoNLL's comments begin; auto: by their look; none: it has none.")]
Precision = Annotated[
    choices.Precision, typer.Option(help="What models compute in; fp32 is exact, the others are faster on some GPUs.")
]
Device = Annotated[choices.Device, typer.Option(help="auto: CUDA where there is one.")]
TokensPerBatch = Annotated[int, typer.Option(min=1, help="Pieces in one forward pass at most.")]
Revision = Annotated[str | None, typer.Option(help="The model's revision on the Hub.")]
TrustRemoteCode = Annotated[bool, typer.Option("--trust-remote-code", help="Run code that comes with the model.")]
AllowPickleWeights = Annotated[
    bool, typer.Option("--allow-pickle-weights", help="Read weights that are no safetensors.")
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace what a run of another configuration left there.")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Repeat all work, whatever is in the store.")]


def open_file(
    file: Path,
    task: choices.Task | None,
    format: FormatName,
    columns: str | None,
    header: bool,
    encoding: str,
    token_column: int,
    comment: str,
    delimiter: str | None,
    quote: str | None,
    where: str | None,
) -> Source:
    """The file as those options say it is to be read, all its columns kept. DataError where it cannot be."""
    name_options()
    from uxla.data.columns import SHAPES, parse_columns
    from uxla.data.discover import open_rewritable
    from uxla.data.row_filter import parse_where

    return open_rewritable(
        file,
        shape=SHAPES[task] if task else None,
        format=format,
        columns=parse_columns(columns) if columns else None,
        header=header,
        encoding=encoding,
        delimiter=delimiter,
        quote=quote,
        where=parse_where(where) if where else None,
        token_column=token_column,
        comment=comment,
    )
