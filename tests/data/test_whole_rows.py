"""Whole rows: beside the columns a run reads, all that stands in each row, and which lines are no row."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from uxla.data.formats.table import Table
from uxla.errors import DataError

ROWS = [
    {"id": "7", "text": "koru, mira", "label": "ja", "by": "ann"},
    {"id": "8", "text": "sen", "label": "ne", "by": "bo"},
]


def written(path, form):
    cells = [list(ROWS[0]), *(list(row.values()) for row in ROWS)]
    if form == "tsv":
        path.write_text("\n".join("\t".join(row) + "\n" for row in cells))
    elif form == "csv":
        path.write_text("\n".join(",".join(f'"{cell}"' for cell in row) + "\n" for row in cells))
    elif form == "jsonl":
        path.write_text("\n" + "\n".join(json.dumps(row) + "\n" for row in ROWS))
    else:
        pq.write_table(pa.Table.from_pylist(ROWS), path)
    return Table(path, form, "single")


@pytest.mark.parametrize(
    ("form", "lines", "blanks"),
    [("tsv", [3, 5], []), ("csv", [3, 5], []), ("jsonl", [2, 4], [1, 3]), ("parquet", [1, 2], [])],
)
@pytest.mark.parametrize("labelled", [True, False, None])
def test_each_row_comes_with_its_record_and_json_with_its_blank_lines(form, lines, blanks, labelled, tmp_path):
    table = written(tmp_path / f"x.{form}", form)
    batches = list(table.batches(labelled=labelled, whole=True))
    records = [record for batch in batches for record in batch.records or ()]
    assert [
        record if isinstance(record, dict) else dict(zip(table.names, record, strict=True)) for record in records
    ] == ROWS
    assert [text for batch in batches for text in batch.columns["text"].to_pylist()] == [row["text"] for row in ROWS]
    assert [line for batch in batches for line in batch.lines.tolist()] == lines
    assert [line for batch in batches for line in batch.blanks] == blanks
    plain = list(table.batches(labelled=labelled))
    assert all(batch.records is None and not batch.blanks for batch in plain)


@pytest.mark.parametrize("shape", ["single", "tagging"])
def test_blank_lines_of_raw_text_are_told_also_at_the_end(shape, tmp_path):
    (tmp_path / "x.txt").write_text("\nkoru  mira\n \t\nsen\n\n\n")
    batches = list(Table(tmp_path / "x.txt", "text", shape).batches(labelled=False, whole=True))
    assert sorted(line for batch in batches for line in batch.blanks) == [1, 3, 5, 6]
    assert [record for batch in batches for record in batch.records or ()] == [["koru  mira"], ["sen"]]
    assert [line for batch in batches for line in batch.lines.tolist()] == [2, 4]


@pytest.mark.parametrize("group", [1, 2, 4])
def test_a_row_of_parquet_in_which_nothing_stands_is_a_blank_line(group, tmp_path):
    columns = {"text": ["koru", "", None, "sen"], "label": ["ja", None, "", "ne"], "tags": [["O"], [], None, ["O"]]}
    pq.write_table(pa.table(columns), tmp_path / "x.parquet", row_group_size=group)
    table = Table(tmp_path / "x.parquet", "parquet", "single")
    for whole in (True, False):
        batches = list(table.batches(labelled=None, whole=whole))
        assert [text for batch in batches for text in batch.columns["text"].to_pylist()] == ["koru", "sen"]
        assert [line for batch in batches for line in batch.lines.tolist()] == [1, 4]
        assert [line for batch in batches for line in batch.blanks] == ([2, 3] if whole else [])
    pq.write_table(pa.table({**columns, "id": [1, None, 3, 4]}), tmp_path / "x.parquet")
    with pytest.raises(DataError, match=r"x\.parquet:3: no value for text"):
        list(table.batches(labelled=None))
