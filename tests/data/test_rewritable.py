"""Files with all that is in them: what a row is in each format, which shape a table has, and what is refused where."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from uxla.data import files
from uxla.data.discover import open_rewritable
from uxla.errors import ConfigError, DataError

CELL = st.text(st.characters(codec="utf-8", exclude_characters=" \t\r\n\ufeff"), min_size=1, max_size=5)


@pytest.fixture
def file(tmp_path):
    def write(name, text, encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return path

    return write


def rows_of(path, **reading):
    source = open_rewritable(path, **reading)
    rows = list(source.rows())
    assert source.count() == len(rows)
    return rows


def test_a_conll_row_has_its_lines_and_its_words(file):
    path = file("a.conll", "\ufeff\n-DOCSTART- -X- O\n\nEU NNP  B-ORG\nrejects VBZ O\n \nGerman JJ B-MISC\r\n")
    first, second = rows_of(path)
    assert first.texts == ("EU rejects",)
    assert first.record == ["EU NNP  B-ORG", "rejects VBZ O"]
    assert (second.texts, second.record) == (("German",), ["German JJ B-MISC"])
    assert rows_of(file("b.conll", "EU NNP\nrejects VBZ\n"), token_column=1)[0].texts == ("NNP VBZ",)


@pytest.mark.parametrize("size", [8, 1 << 22])
@given(sentences=st.lists(st.lists(st.tuples(CELL, CELL, CELL), min_size=1, max_size=4), min_size=1, max_size=7))
def test_conll_reads_the_same_in_blocks_of_any_size(size, tmp_path_factory, sentences):
    path = tmp_path_factory.mktemp("conll") / "a.conll"
    path.write_bytes("\n".join("".join("\t".join(row) + "\n" for row in rows) for rows in sentences).encode())
    words = [" ".join(row[1] for row in rows) for rows in sentences]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "_BLOCK_BYTES", size)
        rows = rows_of(path, token_column=1, comment=None)
    assert [row.texts[0] for row in rows] == words
    assert [[tuple(line.split("\t")) for line in row.record] for row in rows] == sentences


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("\n\na\tO\n\nb\tO\nc\n\nd\tO\n", 6, "1 column, expected 2 as on line 3"),
        ("a\tO\n\n\nb\tX\tO\n", 4, "3 columns, expected 2 as on line 1"),
        ("a\tO\n\nb c\tO\n", 3, "without spaces"),
        ("\n\n", None, "no sentence"),
    ],
)
def test_a_fault_in_a_conll_file_is_named_by_its_line(file, text, line, says):
    with pytest.raises(DataError, match=says) as raised:
        open_rewritable(file("a.conll", text)).count()
    assert raised.value.line == line


TABLE = [{"id": "7", "text": 'say "a, b"', "label": "yes"}, {"id": "8", "text": " c ", "label": "no"}]


def test_every_table_format_gives_the_same_rows(file, tmp_path):
    tsv = file("a.tsv", 'id\ttext\tlabel\n7\tsay "a, b"\tyes\n\n8\t c \tno\n')
    csv = file("a.csv", 'id,text,label\r\n7,"say ""a, b""",yes\r\n8, c ,no\r\n')
    jsonl = file("a.jsonl", "".join(json.dumps(row) + "\n" for row in TABLE))
    parquet = tmp_path / "a.parquet"
    pq.write_table(pa.Table.from_pylist(TABLE), parquet)
    for path in (tsv, csv, jsonl, parquet):
        rows = rows_of(path)
        assert [row.record for row in rows] == TABLE
        assert [row.texts for row in rows] == [('say "a, b"',), (" c ",)]


def test_raw_text_is_a_sentence_a_line_exactly_as_it_stands(file):
    rows = rows_of(file("a.txt", "\ufeff one  two \n \t\n\nthree\u2028four\r\n"))
    assert [row.texts for row in rows] == [(" one  two ",), ("three\u2028four",)]
    rows = rows_of(file("b.txt", "one\ttwo\nthree\tfour\n"), shape="pair")
    assert [row.texts for row in rows] == [("one", "two"), ("three", "four")]


def test_words_may_be_a_list_or_one_text(file):
    text = '{"tokens": ["a", "b\\u00a0c"], "tags": [0, 1]}\n{"tokens": "a  b", "tags": [0, 1]}\n'
    assert [row.texts for row in rows_of(file("a.jsonl", text))] == [("a b\u00a0c",), ("a  b",)]


@pytest.mark.parametrize(
    ("header", "shape"),
    [
        ("premise\thypothesis\tlabel", "pair"),
        ("sentence1\tsentence2\ttext", "pair"),
        ("text\tlabel", "single"),
        ("tokens\ttags", "tagging"),
    ],
)
def test_the_shape_of_a_table_is_found_by_the_names_of_its_columns(file, header, shape):
    assert open_rewritable(file("a.tsv", f"{header}\nx\tx\tx\n")).shape == shape


def test_the_columns_that_are_named_say_the_shape_too(file):
    path = file("a.tsv", "p\tq\ttext\nu\tv\tw\n")
    [row] = rows_of(path, columns={"first": "q", "second": 0})
    assert row.texts == ("v", "u")
    assert rows_of(file("b.csv", "u,v\n"), header=False, columns={"text": 1})[0].texts == ("v",)
    assert rows_of(file("b.csv", "u,v\n"), header=False)[0].record == {"0": "u", "1": "v"}


@pytest.mark.parametrize(
    ("name", "text", "reading", "says"),
    [
        ("a.tsv", "x\ty\nu\tv\n", {}, "no column known as text; the columns are x, y"),
        ("a.tsv", "text\ttext\nu\tv\n", {}, "called 'text'|the same name"),
        ("a.tsv", "text\tx\tx\nu\tv\tw\n", {}, "the same name"),
        ("a.csv", 'text,"x\nu,v\n', {}, "not CSV"),
        ("a.jsonl", "[1]\n", {}, "expected an object"),
        ("a.parquet", "none", {}, "Parquet"),
        ("a.tsv", "text\tlabel\n", {}, "no row"),
        ("a.tsv", "", {}, "empty"),
        ("a.txt", "a\tO\nb\tO\n", {}, "every line has 2 columns"),
        ("a.conll", "a\tO\n", {"shape": "single"}, "suffix|CoNLL"),
        ("a.conll", b"\xff\n", {}, "not utf-8"),
    ],
)
def test_what_cannot_be_read_is_said_in_one_line(file, name, text, reading, says):
    with pytest.raises((DataError, ConfigError), match=says) as raised:
        rows_of(file(name, text), **reading)
    assert "\n" not in str(raised.value)


def test_a_missing_file_and_what_is_no_file_are_refused(tmp_path):
    for name in ("a.conll", "a.txt", "a.tsv", "a.csv", "a.jsonl", "a.parquet"):
        with pytest.raises(DataError, match="no such file"):
            rows_of(tmp_path / name)
    with pytest.raises(DataError, match="cannot be read"):
        open_rewritable(tmp_path)


@pytest.mark.parametrize(
    "text", ["koru\tO\nmira\tB-PER\n\nsen\tO\n", "#\thttp://a.b [x]\n1\tkoru\tO\tO\n2\tmira\tB-PER\tO\n"]
)
@pytest.mark.parametrize("header", ["", "word\tner\n"])
def test_a_tsv_file_whose_last_column_has_labels_is_conll(file, text, header):
    assert rows_of(file("x.tsv", header * (text[0] == "k") + text))[0].texts == ("koru mira",)
    assert rows_of(file("y.tsv", "text\tlabel\nkoru mira\tO\n"))[0].record == {"text": "koru mira", "label": "O"}
