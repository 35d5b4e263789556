"""Answers beside the rows of a table, in the dialect it came in."""

import csv
import io

import pytest

from uxla.data.load import open_data
from uxla.data.options import ReadOptions
from uxla.models.mentions import Mention
from uxla.predict.table_writers import open_writer
from uxla.predict.tables import AnsweredTable

ROWS = [("text", "id"), ('koru "mira"', "7"), ("sen\nru", "8"), ("tal", "9")]
DIALECTS = {"x.csv": {"delimiter": ";"}, "y.csv": {"delimiter": ","}, "x.tsv": {"delimiter": "\t"}}


def answered(path, form, **how):
    source, sink = AnsweredTable(open_data(path, "single", ReadOptions(**how)), "label"), io.BytesIO()
    with open_writer(source, form, sink) as write:
        for rows in source.batches():
            write(rows, [[Mention(0, 0, "ja", 0.5)] if row.parts else [] for row in rows])
    return sink.getvalue()


@pytest.mark.parametrize("name", DIALECTS)
def test_a_table_comes_back_in_its_own_dialect(name, tmp_path):
    sink = io.StringIO()
    csv.writer(sink, lineterminator="\n", **DIALECTS[name]).writerows(ROWS)
    path = tmp_path / name
    path.write_text(sink.getvalue())
    raw = answered(path, path.suffix[1:]).decode()
    assert list(csv.reader(io.StringIO(raw), **DIALECTS[name])) == [
        [*ROWS[0], "label", "confidence"],
        *([*row, "ja", "0.5000"] for row in ROWS[1:]),
    ]
    assert (
        raw.replace(f"{DIALECTS[name]['delimiter']}ja{DIALECTS[name]['delimiter']}0.5000", "").partition("\n")[2]
        == (sink.getvalue().partition("\n")[2])
    )


@pytest.mark.parametrize("form", ["tsv", "csv", "jsonl", "parquet"])
@pytest.mark.parametrize("own", ["tsv", "csv", "jsonl"])
def test_of_rows_that_were_chosen_only_these_come_back(own, form, tmp_path):
    path = tmp_path / f"x.{own}"
    if own == "jsonl":
        path.write_text('{"text": "koru", "id": 7}\n{"text": "mira", "id": 8}\n')
    else:
        cut = "\t" if own == "tsv" else ","
        path.write_text(f"text{cut}id\nkoru{cut}7\nmira{cut}8\n")
    raw = answered(path, form, where={"id": [8]})
    assert b"mira" in raw
    assert b"koru" not in raw
    if form in ("tsv", "csv"):
        assert len(raw.splitlines()) == 2
