"""What data contains, if nobody says it: words, texts or pairs of texts, with labels or without."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Unpack

from uxla.data.columns import Shape, shape_of, usual_shape
from uxla.data.conll.file import ConllFile
from uxla.data.conll.first_lines import ends_in_labels
from uxla.data.corpus import DataSource
from uxla.data.formats.table import SUFFIXES, Table
from uxla.data.hub import HUB, SOURCES, parse_uri
from uxla.data.load import open_data
from uxla.data.options import ReadKeywords, ReadOptions
from uxla.data.spans.file import open_spans
from uxla.errors import DataError
from uxla.hub_id import has_hub_form

_SAVED = ("dataset_dict.json", "dataset_info.json", "state.json")
"""A file of each folder that `save_to_disk` of `datasets` writes."""
_ROLES: dict[Shape, set[str]] = {"pair": {"first", "second"}, "single": {"text"}, "tagging": {"tokens", "tags"}}
"""The roles that show the shape of a table. Pairs come first, as they have the least usual names."""


def refuse_no_file(data: str) -> None:
    """DataError for what is no path of a data file, but of a data set that can be had in another way."""
    if data.startswith(("http://", "https://")):
        raise DataError(f"{data}: is an address, expected a file; download it first")
    folder = Path(data)
    if any(os.path.isfile(folder / name) for name in _SAVED):
        call = f"uxla.read(datasets.load_from_disk({data!r}))"
        raise DataError(f"{data}: is a data set that `datasets` saved, expected a file; give {call}")
    named_as_file = folder.suffix or os.path.exists(folder) or os.path.exists(folder.parent)
    if has_hub_form(data) and not named_as_file:
        raise DataError(f"{data}: no such file; for a data set of the Hub write {HUB}{data}/SPLIT")


def discover_shape(path: Path, options: ReadOptions) -> Shape:
    """What one example of a file, or a data set of the Hub, is.

    Raw text is texts; CoNLL and character spans are words. A table is what its columns are called, and a .tsv without
    such names is CoNLL. DataError for a table whose columns have other names.
    """
    if str(path).startswith(HUB):
        known = None if options.columns else SOURCES.get(parse_uri(str(path))[0])
        return known.shape if known else shape_of(Table(path, "hub", "single", options).names, options.columns, path)
    source = open_data(path, "tagging", options)
    if isinstance(source, Table):
        return "single" if source.format == "text" else shape_of(source.names, options.columns, path)
    if isinstance(source, ConllFile) and path.suffix.lower() == ".tsv" and options.format == "auto":
        return usual_shape(Table(path, "tsv", "single", options).names) or "tagging"
    return "tagging"


def has_labels(path: Path, shape: Shape, options: ReadOptions) -> bool:
    """Whether a file, or a data set of the Hub, has labels, or something in their place."""
    return open_data(path, shape, options).is_labelled()


def open_rewritable(path: Path, *, shape: Shape | None = None, **keywords: Unpack[ReadKeywords]) -> DataSource:
    """The file at `path`, whose rows are to be written again with other texts; the keywords are those of `ReadOptions`.

    The format is the one asked for, else by the suffix: what is no table and no .txt is CoNLL, and so is a .tsv whose
    last column holds labels. Where no `shape` is asked for, CoNLL is words, a table what its columns are called like,
    other text single sentences. Nothing is read but the first lines. DataError for a file that cannot be read, or is
    not what its name or `shape` says.
    """
    options = ReadOptions(**keywords)
    spans = open_spans(path, shape or "tagging", options) if path.is_dir() or path.is_file() else None
    if spans is not None:
        return spans
    is_table = path.suffix.lower() in SUFFIXES if options.format == "auto" else options.word_format == "auto"
    if shape is None and is_table:
        may_be_words = path.suffix.lower() == ".tsv" and options.format == "auto" and options.columns is None
        if may_be_words and ends_in_labels(path, options):
            return ConllFile(path, options)
        return _with_guessed_shape(path, options)
    source = open_data(path, shape or "tagging", options)
    if isinstance(source, Table) and source.format == "text" and source.shape == "tagging":
        return replace(source, shape="single")  # as a text the words keep the blanks between them
    return source


def _with_guessed_shape(path: Path, options: ReadOptions) -> Table:
    """The table with the first shape that fits the roles that were named, else the names of its columns."""
    table = open_data(path, "single", options)
    assert isinstance(table, Table)
    for shape, roles in _ROLES.items():
        guess = replace(table, shape=shape)
        if options.columns and roles & set(options.columns):
            return guess
        if not options.columns and options.header:
            with suppress(DataError):
                guess.text_columns()
                return guess
    return table
