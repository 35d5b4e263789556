"""CSV and TSV as others write them: other delimiters, quoted TSV, long cells."""

import csv
import io

import pytest

from uxla.data.checks.check import check
from uxla.data.discover import open_rewritable
from uxla.data.load import discover_labels, load_corpus
from uxla.data.writing.samples import Rewritten, open_writer
from uxla.errors import ConfigError, DataError, spelled_as

ROWS = [('koru "mira" tal', "sen, ru; osi", "ja"), ("dav", '"nel"', "ne")]
NAMES = ("premise", "hypothesis", "label")


def written(path, rows=ROWS, header=True, **dialect):
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n", **dialect)
    writer.writerows([NAMES, *rows] if header else rows)
    path.write_text(sink.getvalue(), encoding="utf-8")
    return path


def load(path, **how):
    how = {"shape": "pair", "labelled": True, "label_names": ("ja", "ne")} | how
    corpus = load_corpus(path, name="t", lang="x", **how)
    return [example.segments for example in corpus]


TEXTS = [row[:2] for row in ROWS]


@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
@pytest.mark.parametrize("header", [True, False])
def test_tsv_that_a_csv_writer_wrote_is_read_as_it_was_meant(quoting, header, tmp_path):
    path = written(tmp_path / "x.tsv", header=header, delimiter="\t", quoting=quoting)
    assert load(path, header=header) == TEXTS
    assert discover_labels(path, shape="pair", header=header) == ("ja", "ne")
    assert [row.texts for row in open_rewritable(path, shape="pair", header=header).rows()] == TEXTS
    assert check(path, shape="pair", header=header).sentences == 2
    if quoting == csv.QUOTE_ALL and header:
        return
    plain = [tuple(line.split("\t")[:2]) for line in path.read_text().splitlines()[header:]]
    assert load(path, header=header, quote="none", labelled=False) == plain


def test_cells_of_quoted_tsv_may_have_line_ends_and_tabs(tmp_path):
    rows = [("koru\nmira", "sen\tru", "ja"), ("tal", 'o"si', "ne")]
    assert load(written(tmp_path / "x.tsv", rows, delimiter="\t")) == [row[:2] for row in rows]
    assert load(written(tmp_path / "x.tsv", [("koru\nmira", "sen", "ja")], delimiter="\t")) == [("koru\nmira", "sen")]


@pytest.mark.parametrize(
    "line",
    [
        '"koru mira"\tsen\tja',
        '"koru\tmira"\tja',
        'koru "" mira\t"sen ""ru"" osi"\tja',
        '"koru\t"sen ""ru""\tja',
        '""koru""\tsen\tja',
        '"koru" mira "tal"\tsen\tja',
        'tal\t"koru "mira"\tja',
        'tal\t"\tja',
    ],
)
def test_quotes_that_no_csv_writer_writes_are_characters(line, tmp_path):
    (tmp_path / "x.tsv").write_text("premise\thypothesis\tlabel\n" + f"{line}\nmira\tdav\tne\n")
    assert load(tmp_path / "x.tsv") == [tuple(line.split("\t")[:2]), ("mira", "dav")]


def test_one_plain_quote_anywhere_makes_all_of_them_characters(tmp_path):
    quoted = '"koru ""mira"" tal"\tsen\tja\n'
    (tmp_path / "x.tsv").write_text("premise\thypothesis\tlabel\n" + quoted * 50 + 'ta"l\tdav\tne\n')
    assert load(tmp_path / "x.tsv")[0] == ('"koru ""mira"" tal"', "sen")


def test_a_quote_that_the_next_row_closes_joins_no_rows(tmp_path):
    lines = '"koru\tsen\tja\nmira"\tdav\tne\n'
    (tmp_path / "x.tsv").write_text("premise\thypothesis\tlabel\n" + lines)
    assert load(tmp_path / "x.tsv") == [('"koru', "sen"), ('mira"', "dav")]


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_another_delimiter_is_seen_where_it_is_unmistakable(delimiter, tmp_path):
    path = written(tmp_path / "x.csv", delimiter=delimiter)
    assert load(path) == TEXTS
    assert [row.texts for row in open_rewritable(path).rows()] == TEXTS
    long = written(tmp_path / "y.csv", ROWS * 5, header=False, delimiter=delimiter)
    assert load(long, header=False) == TEXTS * 5


@pytest.mark.parametrize("key", ['delimiter: ";"', '--delimiter ";"'])
def test_where_it_is_not_the_delimiter_is_asked_for(key, tmp_path):
    (tmp_path / "x.csv").write_text("premise;hypothesis;label\nkoru;mira;ja\nkoru; mira; tal; ja\n")
    with (
        spelled_as("options" if "--" in key else "yaml"),
        pytest.raises(DataError, match=r"x\.csv:1: the only column has semicolons in it") as caught,
    ):
        load(tmp_path / "x.csv")
    assert f"set {key}" in str(caught.value)
    (tmp_path / "y.csv").write_text("koru;mira;ja\n")
    with pytest.raises(DataError, match=r"1 column|the only column has semicolons"):
        load(tmp_path / "y.csv", header=False)
    assert load(tmp_path / "y.csv", header=False, delimiter=";") == [("koru", "mira")]


def test_semicolons_in_one_column_of_texts_are_characters(tmp_path):
    (tmp_path / "x.csv").write_text("text\nkoru; mira\nsen; ru\n")
    assert load(tmp_path / "x.csv", shape="single", labelled=False) == [("koru; mira",), ("sen; ru",)]


def test_delimiter_and_quote_can_be_set(tmp_path):
    path = written(tmp_path / "x.csv", delimiter="#", quotechar="'")
    assert load(path, delimiter="#", quote="'") == TEXTS
    path = written(tmp_path / "x.tsv", [("ko'ru", "m", "ja")], delimiter="\t", quotechar="'")
    assert load(path) == [("'ko''ru'", "m")]
    assert load(path, quote="'") == [("ko'ru", "m")]
    (tmp_path / "y.csv").write_text('premise,hypothesis,label\n"koru,"mira,ja\n')
    assert load(tmp_path / "y.csv", quote="none") == [('"koru', '"mira')]
    (tmp_path / "z.tsv").write_text("premise;hypothesis;label\nkoru;mira;ja\n")
    assert load(tmp_path / "z.tsv", delimiter=";") == [("koru", "mira")]
    for key in ("delimiter", "quote"):
        with pytest.raises(ConfigError, match=f"{key}: got 'ab', expected one character"):
            load(path, **{key: "ab"})


@pytest.mark.parametrize("suffix", ["csv", "tsv"])
def test_a_cell_may_be_long(suffix, tmp_path):
    text = 'koru "mira" ' * 20_000
    path = written(tmp_path / f"x.{suffix}", [(text, "sen", "ja")], delimiter="\t" if suffix == "tsv" else ",")
    assert load(path) == [(text, "sen")]


@pytest.mark.parametrize(("name", "dialect"), [("x.tsv", {"delimiter": "\t"}), ("x.csv", {"delimiter": ";"})])
def test_rows_are_written_again_in_the_dialect_they_came_in(name, dialect, tmp_path):
    path = written(tmp_path / name, **dialect)
    source, sink = open_rewritable(path), io.BytesIO()
    with open_writer(source, path.suffix[1:], sink) as write:
        write(Rewritten(row, row.texts, number, ((0,), ())) for number, row in enumerate(source.rows()))
    back = list(csv.reader(io.StringIO(sink.getvalue().decode()), **dialect))
    assert back == [[*NAMES, "parent", "changed"], [*ROWS[0], "0", "0|"], [*ROWS[1], "1", "0|"]]


def test_a_text_that_the_output_cannot_hold_is_named_with_its_line(tmp_path):
    path = written(tmp_path / "x.csv", [("koru", "sen", "ja"), ("mi\nra", "tal", "ne")])
    source, sink = open_rewritable(path), io.BytesIO()
    says = r"x\.csv:3: the text 'mi ra' has a TAB or a line break"
    with pytest.raises(DataError, match=says), open_writer(source, "tsv", sink) as write:
        write(Rewritten(row, row.texts, number, ((0,), ())) for number, row in enumerate(source.rows()))


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_blank_lines_before_the_first_row_are_none(delimiter, tmp_path):
    rows = "\n".join(delimiter.join(row) for row in [("premise", "hypothesis", "label"), ("koru", "sen", "ja")])
    (tmp_path / "x.csv").write_text("\n" * 1500 + rows)
    assert load(tmp_path / "x.csv") == [("koru", "sen")]
    (tmp_path / "x.csv").write_text("\n" * 1500)
    with pytest.raises(DataError, match="no row"):
        load(tmp_path / "x.csv")


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(("name", "cut"), [("x.csv", ","), ("x.csv", ";"), ("x.tsv", "\t")])
def test_a_header_that_comes_again_is_no_row(name, cut, end, tmp_path):
    rows = [NAMES, ("koru", "mira", "ja"), NAMES, ("sen", "tal", "ne")]
    (tmp_path / name).write_bytes("".join(cut.join(row) + end for row in rows).encode())
    with pytest.raises(DataError, match=rf"{name}:3: the header once more, as if files had been joined; delete"):
        load(tmp_path / name)
    (tmp_path / name).write_bytes("".join(cut.join(row) + end for row in rows[1:2] * 10).encode())
    assert load(tmp_path / name, header=False) == [("koru", "mira")] * 10


@pytest.mark.parametrize("cut", [",", ";"])
@pytest.mark.parametrize("asked", [True, False])
def test_the_line_that_tells_excel_the_delimiter_is_named(cut, asked, tmp_path):
    rows = "".join(cut.join(row) + "\r\n" for row in (NAMES, ("koru", "mira", "ja")))
    (tmp_path / "x.csv").write_text(f"sep={cut}\r\n{rows}", newline="")
    with pytest.raises(DataError, match=r"x\.csv:1: this line \(sep=\) is only for Excel; delete it"):
        load(tmp_path / "x.csv", **({"delimiter": cut} if asked else {}))


def test_commas_in_a_tsv_file_are_named(tmp_path):
    (tmp_path / "x.tsv").write_text("text,label\nkoru,ja\n")
    with pytest.raises(DataError, match=r"x\.tsv:1: the only column has commas in it; set delimiter: \",\""):
        load(tmp_path / "x.tsv", shape="single")
    with pytest.raises(DataError, match="the only column has commas in it"):
        load(tmp_path / "x.tsv", header=False)
    (tmp_path / "x.tsv").write_text("koru, mira\nsen\n")
    with pytest.raises(DataError, match=r"no column known as text; .* or set header: false"):
        load(tmp_path / "x.tsv", shape="single")


@pytest.mark.parametrize(
    ("name", "row", "says"),
    [
        ("x.csv", "koru", "2: 1 field, expected 3; write the cells that are missing"),
        ("x.csv", "koru,mira,tal,ja", "2: 4 fields, expected 3; put a text with a comma in quotes"),
        ("x.tsv", "koru\tja", "2: 2 fields, expected 3 with one TAB between them; write what is missing"),
        ("x.tsv", "koru\tmira\ttal\tja", "2: 4 fields, expected 3 with one TAB between them; replace TABs within"),
    ],
)
def test_the_remedy_of_an_uneven_row_fits_it(name, row, says, tmp_path):
    cut = "," if name == "x.csv" else "\t"
    (tmp_path / name).write_text(f"{cut.join(NAMES)}\n{row}\n")
    with pytest.raises(DataError, match=rf"{name}:{says}"):
        load(tmp_path / name)


@pytest.mark.parametrize("cut", [",", "\t"])
def test_a_header_that_is_said_not_to_be_there_is_no_row(cut, tmp_path):
    path = tmp_path / ("x.csv" if cut == "," else "x.tsv")
    path.write_text("".join(cut.join(row) + "\n" for row in (NAMES, *[("koru", "mira", "ja")] * 10)))
    with pytest.raises(DataError, match=r":1: the first row has the columns' names; set header: true"):
        load(path, header=False)
    with pytest.raises(DataError, match=r":1: the first row has the columns' names; set header: true"):
        check(path, shape="pair", header=False)
