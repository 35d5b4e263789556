"""A file of sentences or a data set of the Hub, in whatever format, as the corpus a run asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any, Unpack, get_args

from uxla.data.assemble import sorted_labels, table_corpus, table_labels
from uxla.data.columns import Shape
from uxla.data.conll import ConllFile, parse_conll
from uxla.data.files import decode, read_bytes, refuse_pipe, split_lines
from uxla.data.first_lines import LOOKED_AT, is_conll, refuse_columns
from uxla.data.hub import HUB, HubTable
from uxla.data.json_cells import refuse_objects
from uxla.data.labels import known_types
from uxla.data.labels import label_names as tag_names
from uxla.data.layout import How, Layout
from uxla.data.lines import text_lines
from uxla.data.span_files import SpanFile, open_spans
from uxla.data.subset import subset
from uxla.data.tables import Table, TableFormat
from uxla.data.text import parse_text
from uxla.errors import ConfigError, DataError, setting
from uxla.progress import note
from uxla.records import Corpus, concatenate

_SUFFIXES: dict[str, TableFormat] = {
    ".tsv": "tsv",
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
}
_TEXT_SUFFIXES = (".txt", ".text")
_PLAIN = Layout()


def load_corpus(
    path: Path | str | Sequence[Path | str],
    *,
    name: str,
    lang: str,
    label_names: Sequence[str],
    labelled: bool,
    shape: Shape = "tagging",
    label_map: Mapping[str, str | None] | None = None,
    take: int | None = None,
    share: float = 1.0,
    seed: int = 0,
    **how: Unpack[How],
) -> Corpus:
    """The examples of `path`, a file or `hub:namespace/name[/config]/split`, or several of them one after the other, or
    those that `subset` draws, in order.

    The other keywords are those of `Layout`. With `labelled` False no label is read, whatever the file holds.
    DataError, with file and line (of Parquet and the Hub: row), for whatever the file has wrong, for labels asked of
    raw text, and for a subset of nothing; ConfigError for columns or a map that make no sense.
    """
    paths = [path] if isinstance(path, Path | str) else path
    names = [name, *(f"{name} {number}" for number in range(2, len(paths) + 1))]
    whole = partial(_whole, lang=lang, labelled=labelled, shape=shape, label_map=label_map, layout=Layout(**how))
    parts = [whole(Path(path), name=name, label_names=label_names) for path, name in zip(paths, names, strict=True)]
    corpus = parts[0] if len(parts) == 1 else concatenate(name, parts)
    chosen = subset(len(corpus), share=share, take=take, seed=seed)
    if len(chosen) == 0:
        raise DataError(f"share {share} of {len(corpus)} sentences is none; raise the share", file=paths[0])
    return corpus if len(chosen) == len(corpus) else corpus.take(chosen)


def _whole(
    path: Path,
    *,
    name: str,
    lang: str,
    label_names: Sequence[str],
    labelled: bool,
    shape: Shape,
    label_map: Mapping[str, str | None] | None,
    layout: Layout,
) -> Corpus:
    """All examples of one file."""
    rows = open_table(path, shape, layout)
    if rows is not None:
        if labelled and isinstance(rows, SpanFile):
            _remark_on_unlabelled(rows)
        asked: dict[str, Any] = {"name": name, "lang": lang, "label_names": label_names, "label_map": label_map}
        return table_corpus(rows, labelled=labelled, scheme=layout.scheme, **asked)
    file = parse_conll(read_bytes(path), path=path, layout=layout)
    if labelled:
        return file.corpus(name, lang, label_names, label_map)
    return file.unlabelled_corpus(name, lang, label_names)


def _remark_on_unlabelled(spans: SpanFile) -> None:
    left_out, texts = spans.left_out()
    if left_out:
        note(f"{spans.path}: {left_out} of {texts} texts left out: nobody labelled them, or their labels were rejected")


def discover_labels(
    path: Path | str | Sequence[Path | str],
    *,
    shape: Shape = "tagging",
    label_map: Mapping[str, str | None] | None = None,
    **how: Unpack[How],
) -> tuple[str, ...]:
    """The label set of a labelled file or data set, or of several together, after `label_map`: for tagging O, then B
    and I of each type; else the labels that occur, sorted, numbers before words and by their size. Keywords and errors
    as in `load_corpus`."""
    paths = [path] if isinstance(path, Path | str) else path
    layout = Layout(**how)
    found = [_labels(Path(path), shape, label_map, layout) for path in paths]
    if len(found) == 1:
        return found[0]
    every = chain.from_iterable(found)
    return tag_names(known_types(every)) if shape == "tagging" else sorted_labels(every)


def _labels(path: Path, shape: Shape, label_map: Mapping[str, str | None] | None, layout: Layout) -> tuple[str, ...]:
    rows = open_table(path, shape, layout)
    if rows is None:
        return tag_names(discover_types(path, label_map=label_map, layout=layout))
    if shape == "tagging" and isinstance(rows, Table) and rows.format == "text":
        next(text_lines(path, layout.encoding), None)  # a missing file is said to be missing
        raise DataError("raw text has no labels, the source needs them; give a CoNLL file as source.train", file=path)
    return table_labels(rows, label_map=label_map, scheme=layout.scheme)


def open_table(path: Path, shape: Shape, layout: Layout) -> Table | HubTable | SpanFile | None:
    """The table at `path`, as which raw text and character spans count too; None for CoNLL. Nothing is
    read but, of a .txt or JSON, the first lines.

    DataError for a pipe, for markup, and for a .txt whose lines all have the same number of columns: many CoNLL files
    are called so, and guessing wrong would make words of the labels. Of few lines the last columns have to be labels.
    """
    if str(path).startswith(HUB):
        return HubTable(str(path), shape, layout.columns, layout.where, layout.tag_names)
    refuse_pipe(path)
    spans = open_spans(path, shape, layout)
    if spans is not None:
        if layout.where is not None:
            raise ConfigError(f"where: {path} has character spans; rows can be chosen of tables")
        return spans
    kind = _table_format(path, shape, layout)
    if layout.columns is not None and kind in (None, "text"):
        remedy = f"for CoNLL set {setting('label_column')}, for a table set {setting('format')}"
        raise ConfigError(f"columns: {path} has none by name; {remedy}")
    if layout.where is not None and kind in (None, "text"):
        raise ConfigError(f"where: {path} has no columns by name; rows can be chosen of tables")
    for key, sign in (("delimiter", layout.delimiter), ("quote", layout.quote)):
        if sign is not None and kind in (None, "text"):
            what = "raw text" if kind == "text" else "CoNLL"
            raise ConfigError(f"{key}: {path} is read as {what}; for a table set {setting('format')} to csv or tsv")
    if kind in (None, "text"):
        refuse_objects(islice(text_lines(path, layout.encoding), LOOKED_AT), path)
    if kind is None:
        return None
    if kind == "text" and shape != "pair" and layout.format == "auto":
        refuse_columns(path, shape, layout)
    table = Table(path, kind, shape, layout.columns, layout.header, layout.encoding, layout.delimiter, layout.quote)
    return replace(table, where=layout.where, tag_names=layout.tag_names)


def _table_format(path: Path, shape: Shape, layout: Layout) -> TableFormat | None:
    """By suffix where the format is `auto`; a .tsv of words is CoNLL unless columns are asked for by name."""
    format, suffix = layout.format, path.suffix.lower()
    if shape == "tagging":
        if format != "auto":
            return None if format == "conll" or format == "spans" else format
        if suffix == ".tsv" and layout.columns is None:
            return None
        return "text" if suffix in _TEXT_SUFFIXES else _SUFFIXES.get(suffix)
    if format == "conll":
        raise DataError(
            f"CoNLL has labels of words, not of sentences; set {setting('format', 'tsv')}, or {setting('task', 'ner')}",
            file=path,
        )
    if format != "auto" and format != "spans":
        return format
    if suffix not in _SUFFIXES and suffix not in _TEXT_SUFFIXES:
        next(text_lines(path, layout.encoding), None)  # a packed file, or none, is said to be one
        known = ", ".join(get_args(TableFormat))
        raise DataError(
            f"no format known by the suffix {suffix!r}; set {setting('format')} to one of {known}", file=path
        )
    return _SUFFIXES.get(suffix, "text")


def discover_types(
    path: Path, *, label_map: Mapping[str, str | None] | None = None, layout: Layout = _PLAIN
) -> tuple[str, ...]:
    """The entity types of a labelled CoNLL file after `label_map`, sorted: the source's label set."""
    file = parse_conll(read_bytes(path), path=path, layout=layout)
    mapped = {(label_map or {}).get(type_, type_) for type_ in file.types}
    return tuple(sorted(type_ for type_ in mapped if type_ is not None))


def open_sentences(raw: bytes, *, path: Path, layout: Layout = _PLAIN) -> ConllFile | list[list[str]]:
    """The words of a stream, which has no name to go by; `path` is for messages.

    It is raw text unless CoNLL is asked for, or unmistakable: all lines have as many columns, and in the last nothing
    but labels of one scheme. DataError for columns between TABs that have others there.
    """
    refuse_objects(islice(split_lines(decode(raw, layout.encoding, file=path)), LOOKED_AT), path)
    conll = layout.word_format == "conll" or (layout.word_format == "auto" and is_conll(raw, path, layout.encoding))
    if conll:
        return parse_conll(raw, path=path, layout=layout)
    return parse_text(raw, path=path, encoding=layout.encoding)
