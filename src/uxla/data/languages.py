"""A table whose rows are in several languages, as XNLI's files are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from uxla.data.doubts import Doubt
from uxla.data.tables import Table
from uxla.errors import setting
from uxla.wording import listed

_NAMES = frozenset(("language", "lang", "locale", "langid", "languagecode", "langcode", "isolanguage"))


def languages(table: Table) -> Iterator[Doubt]:
    """A doubt where a column that is called by the name of a language has several values in the rows that are read.

    The table is read once more where it has such a column.
    """
    names = table.names() if table.header or table.format in ("jsonl", "parquet") else []
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
        remedy = setting("where", f"{{{column}: {found.most_common(1)[0][0]}}}")
        text = f"column {column!r} has {len(found)} values ({shown}), all of them are read"
        yield Doubt("languages", f"{text}; for one of them set {remedy}")


def _plain(name: str) -> str:
    return "".join(char for char in name.casefold() if char.isalpha())
