"""Of mutated data files every row is read as it stands, or the file is refused in one line; bench/fuzz.py is the long
form."""

import json
from random import Random

import pytest
from fuzz_conll import FORMS
from fuzz_formats import LABELS, MAKERS, Case, make
from fuzz_judge import judge, refusal, watchdog
from fuzz_mutations import ODD, PIECES
from fuzz_tables import MAKERS as TABLES
from hypothesis import given, settings
from hypothesis import strategies as st

from uxla.data.checks.check import check
from uxla.data.load import load_corpus
from uxla.errors import ConfigError, DataError, UxlaError

INPUTS = 120
SHAPES = {"conll": ["tagging"]}
SOUP = st.lists(
    st.one_of(st.sampled_from(PIECES), st.sampled_from([piece.encode() for piece in ODD]), st.binary(max_size=4))
)

pytestmark = pytest.mark.filterwarnings("ignore:invalid escape:DeprecationWarning")  # the codec unicode_escape


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz")


@pytest.mark.parametrize("format", sorted({*MAKERS, *TABLES} - {"packed"}))
def test_every_row_of_a_mutated_file_is_read_or_the_file_is_refused_in_one_line(format, folder):
    inputs = INPUTS // 4 if format in FORMS else INPUTS
    verdicts = [judge(make(format, Random(f"{format} quick {number}")), folder) for number in range(inputs)]
    read = sum(verdict.rows > 0 for verdict in verdicts)
    assert inputs / 5 < read < inputs * 4 / 5, "neither all nor nothing is read, else the mutations are no test"


def test_packed_bytes_are_never_read_as_text(folder):
    for number in range(INPUTS // 2):
        judge(make("packed", Random(f"packed quick {number}")), folder)


@pytest.mark.parametrize("format", ["conll", "text", "tsv", "csv", "jsonl"])
@given(pieces=SOUP, data=st.data())
@settings(max_examples=60, derandomize=True)
def test_every_row_of_a_soup_of_odd_pieces_is_read_or_refused(format, folder, pieces, data):
    shape = data.draw(st.sampled_from(SHAPES.get(format, sorted(LABELS))))
    columns = {"tagging": {"tokens": 0}, "single": {"text": 0}, "pair": {"first": 0, "second": 1}}[shape]
    if format == "jsonl":
        columns = {role: role for role in columns}
    raw = b"".join(pieces)
    judge(Case(format, raw, None, shape, False, columns=columns, header=format == "jsonl"), folder)


HUGE = {
    "a word of a megabyte": ("x.conll", "é" * 500_000 + "\tO\n", "tagging", 1),
    "a sentence of 10⁵ words": ("x.conll", "w O\n" * 100_000, "tagging", 1),
    "10⁵ columns": ("x.conll", "w" + "\tO" * 100_000 + "\n", "tagging", 1),
    "20,000 sentences": ("x.conll", "w O\n\n" * 20_000, "tagging", 20_000),
    "a text of a megabyte": ("x.txt", "a " * 500_000, "single", 1),
    "TSV of 10⁵ columns": ("x.tsv", "text" + "\tc" * 100_000 + "\n" + "a" + "\tb" * 100_000 + "\n", "single", 1),
    "CSV of 10⁵ columns": ("x.csv", "text" + ",c" * 100_000 + "\n" + "a" + ",b" * 100_000 + "\n", "single", 1),
    "an object of 10⁵ keys": (
        "x.jsonl",
        json.dumps({"text": "a", **dict.fromkeys(map(str, range(100_000)))}),
        "single",
        1,
    ),
    "a list of 10⁵ words": ("x.jsonl", json.dumps({"tokens": ["w"] * 100_000}), "tagging", 1),
    "a million invisible characters": ("x.txt", "\u200b" * 500_000 + "x", "tagging", 1),
    "a million CRs": ("x.conll", "w\tO" + "\r" * 1_000_000 + "\n", "tagging", 1),
    "10⁴ open brackets": ("x.jsonl", "[" * 10_000, "single", None),
    "10⁴ open braces": ("x.jsonl", '{"text":' * 10_000, "single", None),
    "a number of 5000 digits": ("x.jsonl", '{"text": "a", "n": ' + "9" * 5000 + "}", "single", None),
    "a key repeated 10⁵ times": ("x.jsonl", "{" + ", ".join(['"text": "a"'] * 100_000) + "}", "single", None),
    "no column of 10⁵ is known": ("x.tsv", "\t".join(f"txt{i}" for i in range(100_000)) + "\n", "single", None),
    "an open quote before a megabyte": ("x.csv", 'text\n"' + "a,b\n" * 250_000, "single", None),
}


@pytest.mark.parametrize("name", HUGE)
def test_a_huge_input_is_read_or_refused_within_seconds(name, tmp_path):
    file, content, shape, rows = HUGE[name]
    (tmp_path / file).write_text(content, encoding="utf-8", newline="")

    def ask(call):
        with watchdog():
            try:
                return call()
            except UxlaError as error:
                refusal(error)
                return None

    path, options = tmp_path / file, {"shape": shape, "format": "text" if file == "x.txt" else "auto"}
    corpus = ask(lambda: load_corpus(path, name="t", lang="x", label_names=("O",), labelled=False, **options))
    report = ask(lambda: check(path, **options))
    assert (corpus and len(corpus), report and report.sentences) == (rows, rows)


def refused(path, raw, **options):
    path.write_bytes(raw)
    options = {"shape": "single", **options}
    with pytest.raises(DataError) as caught:
        load_corpus(path, name="t", lang="x", label_names=("no",), labelled=False, **options)
    return refusal(caught.value)


@pytest.mark.parametrize(
    ("file", "options"),
    [
        ("x.conll", {"shape": "tagging"}),
        ("x.txt", {"shape": "tagging"}),
        ("x.txt", {}),
        ("x.tsv", {}),
    ],
)
def test_old_mac_line_ends_are_refused_with_the_line_and_not_read_as_one_row(file, options, tmp_path):
    said = refused(tmp_path / file, b"text\nb\r\nc\rd\r\ne\n", **options)
    assert ":3: a CR within the line; expected lines to end in LF" in said


def test_crs_before_a_line_end_belong_to_it(tmp_path):
    (tmp_path / "x.txt").write_bytes(b"a\r\r\nb\r\n")
    corpus = load_corpus(tmp_path / "x.txt", name="t", lang="x", label_names=("O",), labelled=False, shape="single")
    assert [example.segments for example in corpus] == [("a",), ("b",)]


def test_a_key_twice_in_a_json_object_is_refused_as_one_value_would_be_lost(tmp_path):
    said = refused(tmp_path / "x.jsonl", b'{"text": "a"}\n{"text": "a", "text": "b"}\n')
    assert "x.jsonl:2: not JSON (the key 'text' twice)" in said


@pytest.mark.parametrize("file", ["x.conll", "x.txt", "x.tsv", "x.csv", "x.jsonl"])
@pytest.mark.parametrize("encoding", ["hex", "zlib", "rot13", "undefined", "idna", "a\0b", "\ud800", "", "uu"])
def test_what_is_no_text_encoding_is_refused(file, encoding, tmp_path):
    shape = "tagging" if file == "x.conll" else "single"
    (tmp_path / file).write_bytes(b"text\nno\n")
    with pytest.raises(ConfigError, match=r"^encoding: got .*, expected an encoding Python knows"):
        how = {"encoding": encoding, "shape": shape, "labelled": False}
        load_corpus(tmp_path / file, name="t", lang="x", label_names=("no",), **how)


@pytest.mark.parametrize("file", ["x.conll", "x.txt", "x.tsv", "x.csv"])
def test_half_a_surrogate_pair_is_refused_with_its_line(file, tmp_path):
    shape = "tagging" if file == "x.conll" else "single"
    said = refused(tmp_path / file, b"text\n+2AA-\n", encoding="utf-7", shape=shape)
    assert f"{file}:2: half a surrogate pair" in said


def test_utf_8_marked_as_such_is_not_read_as_utf_16(tmp_path):
    assert "set encoding='utf-8'" in refused(tmp_path / "x.txt", b"\xef\xbb\xbfab\n", encoding="utf-16")


def test_a_word_that_ends_in_something_invisible_is_not_invisible(tmp_path):
    (tmp_path / "x.conll").write_text("abc\u200b\tO\n", encoding="utf-8")
    assert [odd.kind for odd in check(tmp_path / "x.conll").suspicious_words] == ["zero-width character"]


def test_what_a_file_says_reaches_the_terminal_escaped(tmp_path):
    said = refused(tmp_path / "x.tsv", "a\x1b[31m\u202e\tb\u2028\n".encode(), columns={"text": "c"})
    assert r"the columns are a\x1b[31m\u202e, b" in said
