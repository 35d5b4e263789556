"""Tables with answers written beside their rows, as `uxla predict` does: what must hold of each that can be read."""

from pathlib import Path

from fuzz_formats import Case
from fuzz_judge import Verdict, refusal, timed

from uxla.data.formats.table import Table
from uxla.data.load import open_data
from uxla.data.options import ReadOptions
from uxla.data.writing.predictions import PredictedTable, read_rows
from uxla.errors import UxlaError

FORMS = ("text", "tsv", "csv", "jsonl")


def judge(case: Case, folder: Path) -> Verdict:
    """AssertionError where a row's texts are others once answers stand beside them, or a byte of the rows is lost."""
    path = folder / f"x.{case.format}"
    path.write_bytes(case.raw)
    answered, reading = timed(_answered, case, path)
    if answered is None:
        return Verdict(0, reading)
    own = "tsv" if case.format == "text" else case.format
    written, writing = timed(_written, answered, own)
    for other in {"csv", "jsonl", "tsv", "parquet"} - {own}:
        _, seconds = timed(_written, answered, other)
        writing = max(writing, seconds)
    if written is None:
        return Verdict(0, max(reading, writing))
    if case.format != "text" or case.shape != "tagging":  # a TSV file of words is CoNLL
        again = folder / f"y.{own}"
        again.write_bytes(written)
        assert _texts(_table(answered.table, again)) == _texts(answered.table), "other texts than before"
    return Verdict(len(answered.rows), max(reading, writing))


def _answered(case: Case, path: Path) -> PredictedTable | None:
    how = {key: value for key, value in case.options().items() if key != "shape"}
    try:
        table = open_data(path, case.shape, ReadOptions(**how))
        rows = read_rows(table)
    except UxlaError as error:
        refusal(error)
        return None
    filled = [row for row in rows if row.record is not None]
    one = case.shape != "tagging"
    return PredictedTable(table, rows, [("yes", 0.5) if one else (["O"] * len(row.texts),) for row in filled])


def _written(answered: PredictedTable, form: str) -> bytes | None:
    try:
        return answered.written(form)
    except UxlaError as error:
        refusal(error)
        return None


def _table(table: Table, path: Path) -> Table:
    if table.format == "text":
        return Table(path, "tsv", table.shape, ReadOptions(header=False, quote="none"))
    given = table.options
    options = ReadOptions(columns=given.columns, header=given.header, encoding=given.encoding)
    return Table(path, table.format, table.shape, options)


def _texts(table: Table) -> list[tuple[str, ...]]:
    return [tuple(row.texts) for row in read_rows(table) if row.record is not None]
