"""Tables whose column of words has running text, which is cut into words here."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from uxla.data.columns import SENTENCE
from uxla.data.formats.list_cells import values_of
from uxla.data.formats.table import Table
from uxla.errors import DataError

_WORD_COLUMNS = {"tokens", "words", "word", "token"}


def running_text(table: Table) -> Table | None:
    """A table of words with its rows read as running text, if that is what they are: raw text, a column that is called
    text, or one that was named as `text`. None if its columns have words."""
    named, single = table.options.columns or {}, replace(table, shape="single")
    if table.format == "text" or "text" in named:
        return single
    names = {name.strip().casefold() for name in table.names} if table.has_named_columns else set()
    if "tokens" in named or names & _WORD_COLUMNS:
        return None
    with suppress(DataError):
        if SENTENCE in table.places(table.names, labelled=False):
            return None
    try:
        [text, *_] = next(single.batches(labelled=False)).columns["text"].to_pylist()
    except DataError:
        return None
    return None if values_of(text) is not None else single
