"""Reading a corpus from files in any format, data sets of the Hub, or rows in memory.

`load_corpus` and `discover_labels` read files and the Hub. `corpus_from_records` makes a corpus of what is in memory
already.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import chain, islice
from pathlib import Path
from typing import Any, Literal, Unpack, get_args

import numpy as np
import pyarrow as pa

from uxla.data.columns import Shape
from uxla.data.conll.file import ConllFile
from uxla.data.conll.first_lines import LOOKED_AT, is_conll, refuse_columns
from uxla.data.corpus import LabelMap, corpus_of, labels_of, sorted_labels
from uxla.data.files import decode, first_lines, refuse_pipe, split_lines, text_lines
from uxla.data.formats.json import refuse_objects
from uxla.data.formats.table import SUFFIXES, TEXT_SUFFIXES, Table, TableFormat
from uxla.data.hub import HUB, known_dataset
from uxla.data.labels.schemes import known_types
from uxla.data.labels.schemes import label_names as tag_names
from uxla.data.options import DEFAULTS, ReadKeywords, ReadOptions
from uxla.data.spans.file import SpanFile, open_spans
from uxla.errors import ConfigError, DataError, setting
from uxla.records import Corpus, Ints, concatenate

Paths = Path | str | Sequence[Path | str]


def load_corpus(
    path: Paths,
    *,
    name: str,
    lang: str,
    label_names: Sequence[str],
    labelled: bool,
    shape: Shape = "tagging",
    label_map: LabelMap | None = None,
    take: int | None = None,
    share: float = 1.0,
    seed: int = 0,
    **options: Unpack[ReadKeywords],
) -> Corpus:
    """The examples of one or several files, in order; of these only the ones that `subset` draws.

    A path is a file or `hub:namespace/name[/config]/split`. The other keywords are those of `ReadOptions`. With
    `labelled` False no label is read, whatever the file holds. DataError, with file and line (of Parquet and the Hub:
    row), for whatever is wrong in the file, for labels asked of raw text, and for a subset of nothing; ConfigError for
    columns or a map that make no sense.
    """
    paths = _several(path)
    names = [name, *(f"{name} {number}" for number in range(2, len(paths) + 1))]

    def read(path: Path, name: str) -> Corpus:
        asked: dict[str, Any] = {"name": name, "lang": lang, "label_names": label_names, "label_map": label_map}
        return corpus_of(open_data(path, shape, ReadOptions(**options)), labelled=labelled, **asked)

    parts = [read(path, name) for path, name in zip(paths, names, strict=True)]
    corpus = parts[0] if len(parts) == 1 else concatenate(name, parts)
    return drawn(corpus, paths[0], share=share, take=take, seed=seed)


def drawn(corpus: Corpus, file: Path | str, *, share: float, take: int | None, seed: int) -> Corpus:
    """The examples of `corpus` that `subset` draws. DataError, which names `file`, where these are none."""
    chosen = subset(len(corpus), share=share, take=take, seed=seed)
    if len(chosen) == 0:
        raise DataError(f"share {share} of {len(corpus)} sentences is less than one; raise the share", file=file)
    return corpus if len(chosen) == len(corpus) else corpus.take(chosen)


def subset(n: int, *, share: float = 1.0, take: int | None = None, seed: int = 0) -> Ints:
    """(m,) ascending indices below `n`: m = floor(share·n), at most `take`, drawn by a seeded shuffle.

    The corpus keeps its order, so that asking for everything changes nothing. With the same seed a smaller subset is
    part of a larger one. Source and target of parallel corpora need different seeds, or they draw the same sentences.
    """
    if not 0 < share <= 1:
        raise ConfigError(f"share: got {share}, expected above 0 and at most 1; 0.05 keeps 5 %")
    if take is not None and take < 1:
        raise ConfigError(f"take: got {take}, expected at least 1; leave it out to keep all")
    size = int(Fraction(str(share)) * n)  # as written: 0.29 of 100 is 29, in floats it is 28
    size = size if take is None else min(size, take)
    if size == n:
        return np.arange(n, dtype=np.int64)
    return np.sort(np.random.default_rng(seed).permutation(n)[:size]).astype(np.int64)


def discover_labels(
    path: Paths,
    *,
    shape: Shape = "tagging",
    label_map: LabelMap | None = None,
    **options: Unpack[ReadKeywords],
) -> tuple[str, ...]:
    """The label set of one or several labelled files or data sets, after `label_map`.

    For tagging: O, then B and I of each type. Else the labels that occur, sorted, numbers before words and by their
    size. Keywords and errors as in `load_corpus`.
    """
    found = [_labels(each, shape, label_map, ReadOptions(**options)) for each in _several(path)]
    if len(found) == 1:
        return found[0]
    every = chain.from_iterable(found)
    return tag_names(known_types(every)) if shape == "tagging" else sorted_labels(every)


def corpus_from_records(
    records: pa.Table | Iterable[Mapping[str, Any]],
    *,
    name: str,
    lang: str,
    shape: Shape = "tagging",
    label_names: Sequence[str] | None = None,
    labelled: bool | None = None,
    label_map: LabelMap | None = None,
    **options: Unpack[ReadKeywords],
) -> Corpus:
    """The rows in memory as a corpus, read as a Parquet file (an Arrow table) or JSON lines (mappings) would be.

    Columns are found by their usual names, or by `columns`; classes of `datasets` (`ClassLabel`) become their names.
    `labelled` None reads labels where there is a column of them. `label_names` None takes the labels that occur. An
    iterator of mappings is read once where no label is read, and held in memory where labels are. `name` is what errors
    call the rows: `NAME:3` is the third. An empty row is an error, since nothing in memory is a blank line. The other
    keywords and the errors are those of `load_corpus`.

    >>> rows = [{"text": "great", "label": "good"}, {"text": "poor", "label": "bad"}]
    >>> corpus = corpus_from_records(rows, name="reviews", lang="en", shape="single")
    >>> corpus.label_names, corpus[0].labels
    (('bad', 'good'), (1,))
    """
    if labelled is not False and not isinstance(records, pa.Table | Sequence):
        records = list(records)
    table = Table(Path(name), "memory", shape, ReadOptions(**options), records)
    if labelled is None:
        labelled = table.is_labelled()
    if label_names is None:
        label_names = labels_of(table, label_map) if labelled else ()
    asked: dict[str, Any] = {"name": name, "lang": lang, "label_names": label_names, "label_map": label_map}
    return corpus_of(table, labelled=labelled, **asked)


def open_data(path: Path, shape: Shape, options: ReadOptions) -> Table | ConllFile | SpanFile:
    """The source of the examples at `path`. Raw text is a table, too.

    Nothing is read but, of CoNLL, a .txt or JSON, the first lines. DataError for a pipe, for markup, and for a .txt
    whose lines all have the same number of columns: many CoNLL files are called so, and guessing wrong would make words
    of the labels. Of few lines the last columns have to be labels.
    """
    if str(path).startswith(HUB):
        known = known_dataset(str(path), shape, options.columns)
        if known is None:
            return Table(path, "hub", shape, options)
        options = options.model_copy(update={"columns": {**known.columns, **(options.columns or {})}})
        return Table(path, "hub", shape, options, class_names=known.label_names)
    refuse_pipe(path)
    spans = open_spans(path, shape, options)
    if spans is not None:
        if options.where is not None:
            raise ConfigError(f"where: {path} has character spans; rows can be chosen of tables")
        return spans
    kind = _table_format(path, shape, options)
    if kind in (None, "text"):
        _refuse_options_of_tables(path, kind, options)
        refuse_objects(first_lines(path, options.encoding, LOOKED_AT), path)
    if kind is None:
        return ConllFile(path, options)
    if kind == "text" and shape != "pair" and options.format == "auto":
        refuse_columns(path, shape, options)
    return Table(path, kind, shape, options)


def stream_format(raw: bytes, *, path: Path, options: ReadOptions = DEFAULTS) -> Literal["conll", "text"]:
    """The format of a stream of words, which has no file name. `path` is for messages.

    It is raw text unless CoNLL is asked for, or unmistakable: all lines have as many columns, and in the last nothing
    but labels of one scheme. DataError for columns between TABs that have others there.
    """
    refuse_objects(islice(split_lines(decode(raw, options.encoding, file=path)), LOOKED_AT), path)
    if options.word_format != "auto":
        return options.word_format
    return "conll" if is_conll(raw, path, options.encoding) else "text"


def _several(path: Paths) -> list[Path]:
    return [Path(each) for each in ([path] if isinstance(path, Path | str) else path)]


def _labels(path: Path, shape: Shape, label_map: LabelMap | None, options: ReadOptions) -> tuple[str, ...]:
    source = open_data(path, shape, options)
    if shape == "tagging" and source.format == "text":
        next(text_lines(path, options.encoding), None)  # a missing file is said to be missing
        raise DataError("raw text has no labels, which are needed here; give a labelled file, such as CoNLL", file=path)
    return labels_of(source, label_map)


def _refuse_options_of_tables(path: Path, kind: TableFormat | None, options: ReadOptions) -> None:
    """ConfigError if options of tables are set for a file that is CoNLL or raw text."""
    if options.columns is not None:
        remedy = f"for CoNLL set {setting('label_column')}, for a table set {setting('format')}"
        raise ConfigError(f"columns: {path} has no columns by name; {remedy}")
    if options.where is not None:
        raise ConfigError(f"where: {path} has no columns by name; rows can be chosen of tables")
    for key, sign in (("delimiter", options.delimiter), ("quote", options.quote)):
        if sign is not None:
            what = "raw text" if kind == "text" else "CoNLL"
            raise ConfigError(f"{key}: {path} is read as {what}; for a table set {setting('format')} to csv or tsv")


def _table_format(path: Path, shape: Shape, options: ReadOptions) -> TableFormat | None:
    """The format asked for, else that of the suffix; None for CoNLL, also for a .tsv of words without `columns`."""
    format, suffix = options.format, path.suffix.lower()
    if shape == "tagging":
        if format != "auto":
            return None if format == "conll" or format == "spans" else format
        if suffix == ".tsv" and options.columns is None:
            return None
        return "text" if suffix in TEXT_SUFFIXES else SUFFIXES.get(suffix)
    if format == "conll":
        remedy = f"set {setting('format', 'tsv')}, or {setting('task', 'ner')}"
        raise DataError(f"CoNLL has labels of words, not of sentences; {remedy}", file=path)
    if format != "auto" and format != "spans":
        return format
    if suffix not in SUFFIXES and suffix not in TEXT_SUFFIXES:
        next(text_lines(path, options.encoding), None)  # a packed file, or none, is said to be one
        remedy = f"set {setting('format')} to one of {', '.join(get_args(TableFormat))}"
        raise DataError(f"no format known by the suffix {suffix!r}; {remedy}", file=path)
    return SUFFIXES.get(suffix, "text")
