"""Rows whose label is a sign that there is none (`-`, `nan`, null, nothing at all): no examples of a class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator

import pyarrow as pa
import pyarrow.compute as pc

from uxla.data.batch import TEXT, Batch
from uxla.data.labels.names import missing
from uxla.errors import DataError, setting
from uxla.progress import note


def labelled_rows(batches: Iterable[Batch], *, kept: Collection[str], tell: bool) -> Iterator[Batch]:
    """The rows that have a label; signs in `kept` are labels that the user named. At the end what was left out is told,
    if `tell`, in one line. DataError if most rows have no label."""
    signs = Counter[str]()
    total, first, path = 0, 0, None
    for batch in batches:
        without = _without_label(batch.columns["label"], kept)
        total, path = total + len(batch), batch.path
        if not pc.any(without).as_py():
            yield batch
            continue
        lines = batch.lines[without.to_numpy(zero_copy_only=False)]
        first = first or int(lines[0])
        signs.update("" if sign is None else sign for sign in batch.columns["label"].filter(without).to_pylist())
        yield batch.filtered(pc.invert(without))
    if not signs:
        return
    message = f"{signs.total()} of {total} rows have no label ({shown_signs(signs)})"
    if signs.total() > total / 2:
        remedy = f"name the label's column ({setting('columns')}), or label the rows"
        raise DataError(f"{message}; {remedy}", file=path, line=first)
    if tell:
        note(f"{path}:{first}: {message}; they are left out. If it is a label, map it to a name (labels)")


def shown_signs(signs: Counter[str]) -> str:
    """The most frequent signs of a missing label, each with how often it occurs."""
    return ", ".join(f"{repr(sign) if sign else 'nothing'} {count}" for sign, count in signs.most_common(3))


def _without_label(column: pa.Array, kept: Collection[str]) -> pa.Array:
    """(n,) true where there is nothing, or a sign for nothing."""
    signs = [label for label in pc.unique(column).to_pylist() if label and label not in kept and missing(label)]
    empty = pc.or_kleene(pc.is_null(column), pc.equal(column, ""))
    return pc.or_(pc.fill_null(empty, True), pc.is_in(column, value_set=pa.array(signs, TEXT)))
