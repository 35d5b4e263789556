"""Tables with answers written beside their rows, as `uxla predict` does: what must hold of each that can be read."""

import io
from dataclasses import replace
from itertools import chain
from pathlib import Path

from fuzz_formats import Case
from fuzz_judge import Verdict, refusal, timed

from uxla.data.formats.table import Table
from uxla.data.load import open_data
from uxla.data.options import ReadOptions
from uxla.errors import UxlaError
from uxla.models.mentions import Answer, Mention
from uxla.predict.row import Row
from uxla.predict.table_writers import open_writer
from uxla.predict.tables import AnsweredTable

FORMS = ("text", "tsv", "csv", "jsonl")


def judge(case: Case, folder: Path) -> Verdict:
    """AssertionError where a row's texts are others once answers stand beside them, or a byte of the rows is lost."""
    path = folder / f"x.{case.format}"
    path.write_bytes(case.raw)
    found, reading = timed(_rows, case, path)
    if found is None:
        return Verdict(0, reading)
    source, rows = found
    own = "tsv" if case.format == "text" else case.format
    written, writing = timed(_written, source, rows, own)
    for other in {"csv", "jsonl", "tsv", "parquet"} - {own}:
        _, seconds = timed(_written, source, rows, other)
        writing = max(writing, seconds)
    if written is None:
        return Verdict(0, max(reading, writing))
    if case.format != "text" or case.shape != "tagging":  # a TSV file of words is CoNLL
        again = folder / f"y.{own}"
        again.write_bytes(written)
        assert _texts(_table(source.table, again)) == _texts(source.table), "other texts than before"
    return Verdict(len(rows), max(reading, writing))


def _rows(case: Case, path: Path) -> tuple[AnsweredTable, list[Row]] | None:
    how = {key: value for key, value in case.options().items() if key != "shape"}
    try:
        table = open_data(path, case.shape, ReadOptions(**how))
        if case.shape == "tagging" and case.format == "text":
            table = replace(table, shape="single")
        answer = "label" if case.shape != "tagging" else "entities" if case.format == "text" else "tags"
        source = AnsweredTable(table, answer)
        return source, list(chain.from_iterable(source.batches()))
    except UxlaError as error:
        refusal(error)
        return None


def _written(source: AnsweredTable, rows: list[Row], form: str) -> bytes | None:
    sink = io.BytesIO()
    try:
        with open_writer(source, form, sink) as write:
            write(rows, [_answer(source, row) for row in rows])
        return sink.getvalue()
    except UxlaError as error:
        refusal(error)
        return None


def _answer(source: AnsweredTable, row: Row) -> Answer:
    return [Mention(0, 0, "yes", 0.5)] if source.answer == "label" and row.parts else []


def _table(table: Table, path: Path) -> Table:
    if table.format == "text":
        return Table(path, "tsv", table.shape, ReadOptions(header=False, quote="none"))
    given = table.options
    options = ReadOptions(columns=given.columns, header=given.header, encoding=given.encoding)
    return Table(path, table.format, table.shape, options)


def _texts(table: Table) -> list[tuple[str, ...]]:
    rows = chain.from_iterable(AnsweredTable(table, "label").batches())
    return [tuple(row.parts) for row in rows if row.record is not None]
