"""Parquet from strangers: damaged pages, metadata that is something else, columns of one name."""

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fuzz_judge import refusal

from uxla.data.load import load_corpus
from uxla.errors import DataError


def load(path, table, **options):
    if isinstance(table, bytes):
        path.write_bytes(table)
    else:
        pq.write_table(table, path)
    return load_corpus(path, name="t", lang="x", label_names=("3",), labelled=True, shape="single", **options)


@pytest.mark.parametrize(
    "metadata",
    [b"{", b"[]", b"1", b"\xff", b'{"info": 1}', b"[" * 100_000]
    + [b'{"info": {"features": {"label": %s}}}' % feature for feature in (b"1", b"[]", b"{}", b'{"names": 1}')]
    + [
        b'{"info": {"features": {"label": {"names": %s}}}}' % names
        for names in (b"[]", b"[1]", b'["\\ud800"]', b"null")
    ],
)
def test_metadata_that_names_no_classes_leaves_the_numbers_as_they_are(metadata, tmp_path):
    table = pa.table({"text": ["a"], "label": [3]}).replace_schema_metadata({b"huggingface": metadata})
    (example,) = load(tmp_path / "x.parquet", table)
    assert (example.segments, example.labels) == (("a",), (0,))


def test_two_columns_of_one_name_are_refused_also_by_number(tmp_path):
    table = pa.table([["a"], ["b"], ["3"]], names=["text", "text", "label"])
    with pytest.raises(DataError, match="two columns are called 'text'"):
        load(tmp_path / "x.parquet", table, columns={"text": 0})


def test_a_page_that_differs_from_its_checksum_is_refused(tmp_path):
    sink = io.BytesIO()
    table = pa.table({"text": ["abcdefgh" * 4], "label": ["3"]})
    pq.write_table(
        table, sink, compression="none", use_dictionary=False, write_statistics=False, write_page_checksum=True
    )
    raw = sink.getvalue().replace(b"abcdefgh", b"abcdefgX", 1)
    with pytest.raises(DataError) as caught:
        load(tmp_path / "x.parquet", raw)
    assert "cannot be read as Parquet (could not verify page integrity" in refusal(caught.value)


def test_a_column_name_that_is_not_utf_8_is_refused(tmp_path):
    sink = io.BytesIO()
    pq.write_table(pa.table({"text": ["a"], "label": ["3"]}), sink, store_schema=False)
    with pytest.raises(DataError) as caught:
        load(tmp_path / "x.parquet", sink.getvalue().replace(b"text", b"te\xff\xfe"))
    assert "cannot be read as Parquet" in refusal(caught.value)


def test_a_file_with_fewer_rows_than_its_footer_says_is_refused(tmp_path):
    """The footer's count is found by trying: the one byte 6 (3, zigzag) that makes five rows of three when it is 10."""
    sink = io.BytesIO()
    pq.write_table(pa.table({"text": ["a", "b", "c"], "label": ["3"] * 3}), sink)
    raw = sink.getvalue()
    changed = [raw[:at] + b"\x0a" + raw[at + 1 :] for at in range(len(raw) - 8) if raw[at] == 6]
    (longer,) = [file for file in changed if footer_says(file, 5)]
    with pytest.raises(DataError) as caught:
        load(tmp_path / "x.parquet", longer)
    assert "cannot be read as Parquet (2 rows fewer than its footer says)" in refusal(caught.value)


def footer_says(raw, rows):
    try:
        return pq.read_metadata(io.BytesIO(raw)).num_rows == rows
    except (pa.ArrowException, OSError):
        return False


def test_a_name_too_long_for_any_system_is_refused(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        load_corpus(f"{'x' * 5000}.parquet", name="t", lang="x", label_names=("3",), labelled=True, shape="single")
