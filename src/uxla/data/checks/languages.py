"""Tables whose rows are in several languages, such as the files of XNLI."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from uxla.data.checks.doubts import Doubt
from uxla.data.formats.table import Table
from uxla.errors import setting
from uxla.phrases import listed

_NAMES = frozenset(("language", "lang", "locale", "langid", "languagecode", "langcode", "isolanguage"))


def languages(table: Table, wanted: str = "") -> Iterator[Doubt]:
    """A doubt if the table has a column of languages with several values in the rows that are read.

    The table is read once more where it has such a column. The remedy names the language `wanted`, if it is there.
    """
    names = table.names if table.has_named_columns and table.format != "hub" else []
    column = next((name for name in names if _plain(name) in _NAMES), None)
    if column is None:
        return
    place: Any = column if table.format in ("jsonl", "parquet") else names.index(column)
    found = Counter(
        str(record[place])
        for batch in table.batches(labelled=False, whole=True)
        for record in batch.records or ()
        if (place in record if isinstance(record, dict) else place < len(record))
    )
    if len(found) > 1:
        shown = listed(f"{value} {count}" for value, count in found.most_common())
        value = wanted if wanted in found else found.most_common(1)[0][0]
        text = f"column {column!r} has {len(found)} values ({shown}), all of them are read"
        yield Doubt("languages", f"{text}; for one of them set {setting('where', {column: value})}")


def _plain(name: str) -> str:
    return "".join(char for char in name.casefold() if char.isalpha())
