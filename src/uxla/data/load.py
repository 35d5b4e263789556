"""A file of sentences or a data set of the Hub, in whatever format, as the corpus a run asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Literal, get_args

from uxla.data.assemble import table_corpus, table_labels
from uxla.data.columns import Shape
from uxla.data.conll import ConllFile, parse_conll, read_conll
from uxla.data.examples import tagging_corpus
from uxla.data.files import BOM, decode, read_bytes, split_lines
from uxla.data.hub import HUB, HubTable
from uxla.data.labels import label_names as tag_names
from uxla.data.lines import text_lines
from uxla.data.rows import Layout, cells_of
from uxla.data.schemes import Scheme
from uxla.data.subset import subset
from uxla.data.tables import Table, TableFormat
from uxla.data.text import parse_text
from uxla.errors import ConfigError, DataError
from uxla.records import Corpus

Format = Literal["auto", "conll", "text", "tsv", "csv", "jsonl", "parquet"]
WordFormat = Literal["auto", "conll", "text"]

_SUFFIXES: dict[str, TableFormat] = {
    ".tsv": "tsv",
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
}
_TEXT_SUFFIXES = (".txt", ".text")
_LOOKED_AT = 1000
_TELLING = 10  # that many lines of raw text do not have the same number of words by chance


def load_corpus(
    path: Path | str,
    *,
    name: str,
    lang: str,
    label_names: Sequence[str],
    labelled: bool,
    shape: Shape = "tagging",
    format: Format = "auto",
    columns: Mapping[str, str | int] | None = None,
    header: bool = True,
    encoding: str = "utf-8",
    token_column: int = 0,
    label_column: int = -1,
    scheme: Scheme | Literal["auto"] = "auto",
    label_map: Mapping[str, str | None] | None = None,
    take: int | None = None,
    share: float = 1.0,
    seed: int = 0,
) -> Corpus:
    """The examples of `path`, a file or `hub:namespace/name[/config]/split`, or those that `subset` draws, in order.

    `columns` says which column of a table is what, by name or by position from 0: `tokens` and `tags` for tagging,
    `text` and `label` for single texts, `first`, `second` and `label` for pairs; what it leaves out is found by the
    usual names. `token_column`, `label_column` are CoNLL's. With `labelled` False no label is read, whatever the file
    holds. DataError, with file and line (of Parquet and the Hub: row), for whatever the file has wrong, for labels
    asked of raw text, and for a subset of nothing; ConfigError for columns or a map that make no sense.
    """
    path = Path(path)
    rows = open_table(path, shape=shape, format=format, columns=columns, header=header, encoding=encoding)
    if rows is not None:
        corpus = table_corpus(
            rows,
            name=name,
            lang=lang,
            label_names=label_names,
            labelled=labelled,
            label_map=label_map,
            scheme=scheme,
        )
    else:
        layout = Layout(encoding, token_column, label_column, scheme)
        content = open_sentences(read_bytes(path), path=path, format=word_format(format), layout=layout)
        corpus = _words_corpus(content, path, name, lang, label_names, label_map, labelled=labelled)
    chosen = subset(len(corpus), share=share, take=take, seed=seed)
    if len(chosen) == 0:
        raise DataError(f"share {share} of {len(corpus)} sentences is none; raise the share", file=path)
    return corpus if len(chosen) == len(corpus) else corpus.take(chosen)


def discover_labels(
    path: Path | str,
    *,
    shape: Shape = "tagging",
    format: Format = "auto",
    columns: Mapping[str, str | int] | None = None,
    header: bool = True,
    encoding: str = "utf-8",
    token_column: int = 0,
    label_column: int = -1,
    scheme: Scheme | Literal["auto"] = "auto",
    label_map: Mapping[str, str | None] | None = None,
) -> tuple[str, ...]:
    """The label set of a labelled file or data set after `label_map`: for tagging O, then B and I of each type; else
    the labels that occur, sorted, numbers before words and by their size. Keywords and errors as in `load_corpus`."""
    path = Path(path)
    rows = open_table(path, shape=shape, format=format, columns=columns, header=header, encoding=encoding)
    if rows is not None:
        return table_labels(rows, label_map=label_map, scheme=scheme)
    if format_of(read_bytes(path), path=path, format=word_format(format), encoding=encoding) == "text":
        raise DataError("raw text has no labels, the source needs them; give a CoNLL file as source.train", file=path)
    return tag_names(
        discover_types(
            path,
            encoding=encoding,
            token_column=token_column,
            label_column=label_column,
            scheme=scheme,
            label_map=label_map,
        )
    )


def open_table(
    path: Path,
    *,
    shape: Shape,
    format: Format = "auto",
    columns: Mapping[str, str | int] | None = None,
    header: bool = True,
    encoding: str = "utf-8",
) -> Table | HubTable | None:
    """The table at `path`; None for words as CoNLL or raw text, which are no table. Nothing is read but, of a .txt, the
    first lines."""
    if str(path).startswith(HUB):
        return HubTable(str(path), shape, columns)
    kind = _table_format(path, shape, format, columns is not None)
    if columns is not None and kind in (None, "text"):
        raise ConfigError(f"columns: {path} has none by name; for CoNLL set label_column, for a table set format")
    if kind is None:
        return None
    if kind == "text" and shape == "single" and format == "auto" and (width := _tab_columns(path, encoding)) > 1:
        message = f"raw text by its name, but every line has {width} columns; set format: tsv, or format: text"
        raise DataError(message, file=path)
    return Table(path, kind, shape, columns, header, encoding)


def _table_format(path: Path, shape: Shape, format: Format, has_columns: bool) -> TableFormat | None:
    """By suffix where the format is `auto`; a .tsv of words is CoNLL unless columns are asked for by name."""
    suffix = path.suffix.lower()
    if shape == "tagging":
        if format == "auto" and (suffix != ".tsv" or has_columns):
            return _SUFFIXES.get(suffix)
        return None if format == "auto" or format == "conll" or format == "text" else format
    if format == "conll":
        raise DataError("CoNLL has labels of words, not of sentences; set format: tsv, or task: ner", file=path)
    if format != "auto":
        return format
    if suffix not in _SUFFIXES and suffix not in _TEXT_SUFFIXES:
        known = ", ".join(get_args(TableFormat))
        raise DataError(f"no format known by the suffix {suffix!r}; set format to one of {known}", file=path)
    return _SUFFIXES.get(suffix, "text")


def word_format(format: Format) -> WordFormat:
    """The format of a file that is no table: what was asked for, else `auto`."""
    return format if format in ("conll", "text") else "auto"


def _words_corpus(
    content: ConllFile | list[list[str]],
    path: Path,
    name: str,
    lang: str,
    label_names: Sequence[str],
    label_map: Mapping[str, str | None] | None,
    *,
    labelled: bool,
) -> Corpus:
    if isinstance(content, ConllFile):
        if labelled:
            return content.corpus(name, lang, label_names, label_map)
        return content.unlabelled_corpus(name, lang, label_names)
    if labelled:
        raise DataError("raw text has no labels; name a CoNLL file (format: conll)", file=path)
    return tagging_corpus(content, None, name=name, lang=lang, label_names=label_names)


def discover_types(
    path: Path | str,
    *,
    encoding: str = "utf-8",
    token_column: int = 0,
    label_column: int = -1,
    scheme: Scheme | Literal["auto"] = "auto",
    label_map: Mapping[str, str | None] | None = None,
) -> tuple[str, ...]:
    """The entity types of a labelled CoNLL file after `label_map`, sorted: the source's label set."""
    file = read_conll(path, encoding=encoding, token_column=token_column, label_column=label_column, scheme=scheme)
    mapped = {(label_map or {}).get(type_, type_) for type_ in file.types}
    return tuple(sorted(type_ for type_ in mapped if type_ is not None))


def open_sentences(
    raw: bytes, *, path: Path, format: WordFormat = "auto", layout: Layout | None = None
) -> ConllFile | list[list[str]]:
    """The content of a file, or of standard input with `path` "-": a ConllFile, or the words of raw text."""
    layout = layout or Layout()
    if format_of(raw, path=path, format=format, encoding=layout.encoding) == "text":
        return parse_text(raw, path=path, encoding=layout.encoding)
    return parse_conll(raw, path=path, layout=layout)


def format_of(
    raw: bytes, *, path: Path, format: WordFormat = "auto", encoding: str = "utf-8"
) -> Literal["conll", "text"]:
    """The format asked for; else by suffix: .txt and .text are raw text, others CoNLL; standard input by its look.

    DataError for a .txt whose lines all have the same number of columns: many CoNLL files are called so, and guessing
    wrong would make words of the labels. Only columns are counted, so labels decide nothing.
    """
    if format != "auto":
        return format
    if str(path) == "-":
        return "conll" if _columns(raw, path, encoding) > 1 else "text"
    if path.suffix.lower() not in _TEXT_SUFFIXES:
        return "conll"
    if (columns := _columns(raw, path, encoding)) > 1:
        message = f"raw text by its name, but every line has {columns} columns; set format: conll, or format: text"
        raise DataError(message, file=path)
    return "text"


def _columns(raw: bytes, path: Path, encoding: str) -> int:
    """The number of columns if the first lines look like a table, else 0."""
    text = decode(raw, encoding, file=path).removeprefix(BOM)
    words = (line for line in split_lines(text) if cells_of(line, 0))
    lines = list(islice(words, _LOOKED_AT))
    counts = {len(cells_of(line, 0)) for line in lines}
    telling = len(lines) >= _TELLING or all("\t" in line for line in lines)
    return counts.pop() if len(counts) == 1 and telling else 0


def _tab_columns(path: Path, encoding: str) -> int:
    """The number of TAB-separated columns if the first lines agree on one, else 0."""
    lines = (line for line in text_lines(path, encoding) if line.strip())
    counts = {line.count("\t") + 1 for line in islice(lines, _LOOKED_AT)}
    return counts.pop() if len(counts) == 1 else 0
