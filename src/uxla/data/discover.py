"""What data holds, where nobody says it: words, texts or pairs of texts, and whether they are labelled."""

from __future__ import annotations

from pathlib import Path

from uxla.data.columns import Shape, shape_of, usual_shape
from uxla.data.conll.file import parse_conll
from uxla.data.files import read_bytes
from uxla.data.formats.table import Table
from uxla.data.hub import HUB, SOURCES, parse_uri
from uxla.data.load import open_table
from uxla.data.options import ReadOptions


def discover_shape(path: Path, options: ReadOptions) -> Shape:
    """What one example of a file, or a data set of the Hub, is.

    Raw text is texts; CoNLL and character spans are words. A table is what its columns are called, and a .tsv without
    such names is CoNLL. DataError for a table whose columns have other names.
    """
    if str(path).startswith(HUB):
        known = None if options.columns else SOURCES.get(parse_uri(str(path))[0])
        return known.shape if known else shape_of(Table(path, "hub", "single", options).names, options.columns, path)
    table = open_table(path, "tagging", options)
    if isinstance(table, Table):
        return "single" if table.format == "text" else shape_of(table.names, options.columns, path)
    if table is None and path.suffix.lower() == ".tsv" and options.format == "auto":
        return usual_shape(Table(path, "tsv", "single", options).names) or "tagging"
    return "tagging"


def has_labels(path: Path, shape: Shape, options: ReadOptions) -> bool:
    """Whether a file, or a data set of the Hub, has labels for examples of this shape, or something in their place."""
    table = open_table(path, shape, options)
    if table is None:
        return parse_conll(read_bytes(path), path=path, options=options).holds != "nothing"
    return table.is_labelled() if isinstance(table, Table) else True
