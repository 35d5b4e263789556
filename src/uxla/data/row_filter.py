"""`where`, which chooses rows of a table by their values, and `tag_names`, the names of numeric labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from uxla.data.batch import LISTS, NO_CLASS, TEXT, Batch
from uxla.data.columns import LABEL, Shape, position
from uxla.errors import ConfigError, DataError, setting

_SHOWN = 10


@dataclass
class RowFilter:
    """Chooses the rows that have the values of `where` in the columns it names; all rows if it is None."""

    where: Mapping[str, Sequence[str | int]] | None
    _found: bool = field(default=False, init=False)
    _seen: dict[str, list[str | None]] = field(default_factory=dict, init=False)
    _path: Path | None = field(default=None, init=False)

    def places(self, names: Sequence[str], path: Path, line: int | None) -> dict[str, int]:
        """The positions of the columns of `where`, under names that differ from those of roles."""
        return {_role(name): position(name, names, "where", path, line) for name in self.where or {}}

    def of(self, batch: Batch) -> Batch:
        """The chosen rows, without the columns of `where`."""
        self._path = batch.path
        for name, values in (self.where or {}).items():
            if _role(name) not in batch.columns:
                continue  # blank lines alone
            column = batch.columns[_role(name)].cast(TEXT)
            if not self._found:
                self._seen.setdefault(name, []).extend(pc.unique(column).to_pylist()[: _SHOWN + 1])
            wanted = pa.array([str(value).lower() if isinstance(value, bool) else str(value) for value in values], TEXT)
            batch = batch.filtered(pc.is_in(column, value_set=wanted))
        self._found = self._found or len(batch) > 0
        columns = {role: column for role, column in batch.columns.items() if not role.startswith(_role(""))}
        return batch.with_columns(columns, batch.records)

    def refuse_none(self) -> None:
        """DataError if no row was chosen; it names the values that there are."""
        if self.where and not self._found:
            asked = ", ".join(f"{name}={value}" for name, values in self.where.items() for value in values)
            there = "; ".join(f"{name} is {_listed(values)}" for name, values in self._seen.items())
            raise DataError(f"no row with {asked} ({there}); set {setting('where')}", file=self._path)


def parse_where(text: str) -> dict[str, tuple[str, ...]]:
    """`--where` as a mapping: `language=es` or `language=es,split=test`. A column named twice may have either value.

    ConfigError for another form.
    """
    found: dict[str, tuple[str, ...]] = {}
    for part in text.split(","):
        name, _, value = part.partition("=")
        if not name or not value:
            raise ConfigError(f"--where: got {part!r}, expected COLUMN=VALUE, as language=es or language=es,split=test")
        found[name] = (*found.get(name, ()), value)
    return found


def named_tags(batch: Batch, shape: Shape, names: Sequence[str] | None, labelled: bool | None) -> Batch:
    """The rows with `names` in place of numbers in the column of labels; `NO_CLASS` are no labels.

    DataError for a number without a name, and if all tags are numbers and there are no names.
    """
    role = LABEL[shape]
    if role not in batch.columns or (names is None and role not in LISTS):
        return batch
    column = batch.columns[role]
    flat = column.flatten() if role in LISTS else column
    if names is not None and role == "label":
        flat = pc.if_else(pc.is_in(flat, value_set=pa.array(map(str, NO_CLASS), TEXT)), None, flat)
    numbers = pc.fill_null(pc.match_substring_regex(flat, r"\A[0-9]+\z" if names is None else r"\A-?[0-9]+\z"), False)
    if names is None:
        if len(flat) and labelled is not False and pc.all(numbers).as_py():
            remedy = f"give them in order ({setting('tag_names', ['O', 'B-PER', '...'])})"
            message = f"the tags are numbers, and the file does not have their names; {remedy}"
            raise DataError(message, file=batch.path, line=int(batch.lines[0]))
        return batch
    index = pc.index_in(flat, value_set=pa.array([str(i) for i in range(len(names))], TEXT))
    unknown = pc.and_(numbers, pc.is_null(index))
    if pc.any(unknown).as_py():
        number = flat.filter(unknown)[0].as_py()
        raise DataError(f"{role}: no name for {number}, {len(names)} are in {setting('tag_names')}", file=batch.path)
    flat = pc.if_else(pc.is_valid(index), pa.array(names, TEXT).take(index), flat)
    if role in LISTS:
        flat = pa.LargeListArray.from_arrays(column.offsets, flat)
    return batch.with_columns({**batch.columns, role: flat}, batch.records)


def _role(name: str) -> str:
    return f"where {name}"


def _listed(values: Sequence[str | None]) -> str:
    shown = list(dict.fromkeys(str(value) for value in values))
    return ", ".join(shown[:_SHOWN]) + (", ..." if len(shown) > _SHOWN else "")
