"""TSV, CSV, JSON lines, Parquet and raw text become the same corpus; whatever is wrong is one line with its place."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from uxla.data.load import discover_labels, load_corpus
from uxla.errors import ConfigError, DataError
from uxla.records import Corpus, Example

NAMES = ("no", "yes")
TAGS = ("O", "B-PER", "I-PER")
PAIRS = [('Ana "lee.', "Lee Ana,\u00a0sí", "yes"), ("雨。\u3000下", " llueve ", "no"), ("a\u2028b\u0085c", "'", "yes")]
FORMATS = ("tsv", "csv", "jsonl", "parquet")


def dump(kind, names, rows):
    """The bytes of a file with these rows in this format."""
    if kind == "tsv":
        return "".join("\t".join(row) + "\n" for row in [names, *rows]).encode()
    if kind == "csv":
        quoted = [['"' + cell.replace('"', '""') + '"' for cell in row] for row in [names, *rows]]
        return "".join(",".join(row) + "\n" for row in quoted).encode()
    if kind == "jsonl":
        objects = [dict(zip(names, row, strict=True)) for row in rows]
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in objects).encode()
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table([list(column) for column in zip(*rows, strict=True)], names=list(names)), sink)
    return sink.getvalue().to_pybytes()


@pytest.fixture
def load(tmp_path):
    def load(content, file="x.tsv", **options):
        path = tmp_path / file
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        asked = {"name": "train", "lang": "es", "label_names": NAMES, "labelled": True, "shape": "pair"} | options
        return load_corpus(path, **asked)

    return load


@pytest.fixture
def refusal(load, tmp_path):
    def refusal(content, file="x.tsv", error=DataError, **options):
        with pytest.raises(error) as caught:
            load(content, file, **options)
        text = str(caught.value)
        assert "\n" not in text
        return text.replace(f"{tmp_path}/", "")

    return refusal


# what is read


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("names", [("premise", "hypothesis", "label"), ("sentence1", "sentence2", "label")])
def test_pairs_are_byte_true_and_equal_in_every_format(load, kind, names):
    corpus = load(dump(kind, names, PAIRS), f"x.{kind}")
    examples = [
        Example(f"es:train:{i}", "es", (first, second), (NAMES.index(label),))
        for i, (first, second, label) in enumerate(PAIRS)
    ]
    assert list(corpus) == examples
    assert corpus.digest == Corpus.from_examples("train", NAMES, examples).digest


@pytest.mark.parametrize("kind", FORMATS)
def test_single_texts_have_one_segment(load, kind):
    content = dump(kind, ("text", "category"), [row[1:] for row in PAIRS])
    corpus = load(content, f"x.{kind}", shape="single")
    assert [(example.segments, example.labels) for example in corpus] == [
        ((second,), (NAMES.index(label),)) for _, second, label in PAIRS
    ]


@pytest.mark.parametrize("kind", FORMATS)
def test_words_and_tags_are_read_from_space_joined_text(load, kind):
    rows = [("Ana  lee", "B-PER O"), ("llueve", "O")]
    corpus = load(dump(kind, ("text", "tags"), rows), f"x.{kind}", shape="tagging", label_names=TAGS, format=kind)
    assert [(example.words, example.labels) for example in corpus] == [(["Ana", "lee"], (1, 0)), (["llueve"], (0,))]


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
@pytest.mark.parametrize("scheme", ["IOB2", "BIOES"])
def test_words_and_tags_are_read_from_lists_in_any_scheme(load, kind, scheme):
    tags = ["B-PER", "I-PER", "O"] if scheme == "IOB2" else ["B-PER", "E-PER", "O"]
    rows = [(["Ana", "\u3000B", "x\u00a0y"], tags), (["z"], ["O"])]
    content = dump(kind, ("tokens", "ner_tags"), rows)
    corpus = load(content, f"x.{kind}", shape="tagging", label_names=TAGS)
    assert [(example.words, example.labels) for example in corpus] == [(rows[0][0], (1, 2, 0)), (["z"], (0,))]


def test_numbers_in_a_label_column_are_read_as_their_digits(load):
    rows = [("a", "b", 1), ("c", "d", 0)]
    for kind in ("jsonl", "parquet"):
        content = dump(kind, ("sentence1", "sentence2", "label"), rows)
        assert [example.labels for example in load(content, f"x.{kind}", label_names=("0", "1"))] == [(1,), (0,)]


def test_quotes_in_tsv_are_characters(load):
    corpus = load('premise\thypothesis\tlabel\n"He said\tso "\tyes\n""\t"\tno\n')
    assert [example.segments for example in corpus] == [('"He said', 'so "'), ('""', '"')]


def test_a_csv_text_may_have_line_ends_and_later_lines_are_still_counted_right(load, refusal):
    good = 'text,label\n"a\n""b""\r\nc",yes\n'
    assert next(iter(load(good, "x.csv", shape="single"))).segments == ('a\n"b"\r\nc',)
    assert refusal(good + "d,maybe\n", "x.csv", shape="single").startswith("x.csv:5: label 'maybe'")


@pytest.mark.parametrize("dress", [lambda c: c, lambda c: c.replace(b"\n", b"\r\n"), lambda c: b"\xef\xbb\xbf" + c])
@pytest.mark.parametrize("kind", ["tsv", "csv", "jsonl"])
def test_line_ends_blank_lines_marks_and_a_missing_last_end_change_nothing(load, kind, dress):
    content = dump(kind, ("premise", "hypothesis", "label"), PAIRS)
    dressed = dress(content.replace(b"\n", b"\n\n")).rstrip(b"\r\n")
    assert load(dressed, f"x.{kind}").digest == load(content, f"x.{kind}").digest


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-16-le", "utf-8-sig", "cp1252"])
def test_any_encoding_is_read_by_its_name(load, encoding):
    content = "premise\thypothesis\tlabel\naño\tniño\tyes\n".encode(encoding)
    assert next(iter(load(content, encoding=encoding))).segments == ("año", "niño")


def test_utf_16_without_a_mark_asks_for_the_byte_order(refusal):
    said = refusal("a\tb\tyes\n".encode("utf-16-le"), header=False, encoding="utf-16")
    assert said.startswith("x.tsv: cannot be read (UTF-16 stream does not start with BOM); name the byte order")


def test_a_file_of_several_blocks_is_read_whole(load):
    rows = [(f"é{i}", f"雨{i}" * 40_001, NAMES[i % 2]) for i in range(50)]  # 10 MB
    corpus = load(dump("tsv", ("premise", "hypothesis", "label"), rows))
    assert [example.segments for example in corpus] == [row[:2] for row in rows]
    assert corpus.digest == load(dump("csv", ("premise", "hypothesis", "label"), rows), "x.csv").digest


def test_columns_go_by_name_number_or_place(load):
    content = "7\tyes\ta\tb\n8\tno\tc\td\n"
    by_number = load(content, header=False, columns={"first": 2, "second": -1, "label": 1})
    named = load("id\tgold\tx\ty\n" + content, columns={"first": "x", "second": 3, "label": "gold"})
    assert list(by_number) == list(named) == list(load("a\tb\tyes\nc\td\tno\n", header=False))


def test_raw_text_is_one_text_a_line_or_two_with_a_tab(load):
    pair = load("a b\t c\n\n \t\nd\te\n", "x.txt", labelled=False)
    assert [example.segments for example in pair] == [("a b", " c"), ("d", "e")]
    single = load(" a b \n\nc\u3000\n", "x.txt", labelled=False, shape="single")
    assert [example.segments for example in single] == [(" a b ",), ("c\u3000",)]


@pytest.mark.parametrize("kind", FORMATS)
def test_labels_of_an_unlabelled_corpus_are_never_looked_at(load, kind):
    names = ("premise", "hypothesis", "label")
    sound = load(dump(kind, names, PAIRS), f"x.{kind}", labelled=False)
    absurd = [(first, second, "?") for first, second, _ in PAIRS]
    assert load(dump(kind, names, absurd), f"x.{kind}", labelled=False).digest == sound.digest
    without = dump(kind, names[:2], [row[:2] for row in PAIRS])
    assert load(without, f"x.{kind}", labelled=False).digest == sound.digest
    assert all(example.labels is None for example in sound)


def test_a_map_renames_labels_and_lists_what_it_knows(load, refusal):
    content = "a\tb\tja\nc\td\tno\n"
    mapped = load(content, header=False, label_map={"ja": "yes"})
    assert [example.labels for example in mapped] == [(1,), (0,)]
    assert "x.tsv:1: label 'ja': unknown, expected one of nein, no, yes" in refusal(
        content, header=False, label_map={"nein": "no"}
    )


def test_a_map_of_sentence_labels_has_no_null_and_no_unknown_label(refusal):
    row = "a\tb\tja\n"
    assert refusal(row, header=False, error=ConfigError, label_map={"ja": None}).startswith("labels: ja -> null")
    assert "ja -> si, expected one of no, yes" in refusal(row, header=False, error=ConfigError, label_map={"ja": "si"})


def test_labels_are_discovered_after_the_map_with_numbers_by_size(tmp_path):
    path = tmp_path / "x.tsv"
    path.write_text("text\tlabel\n" + "".join(f"a\t{label}\n" for label in ("10", "b", "9", "1", "a", "B")))
    assert discover_labels(path, shape="single", label_map={"B": "b"}) == ("1", "9", "10", "a", "b")


def test_labels_of_tags_are_discovered_in_tables_and_conll_alike(tmp_path):
    (tmp_path / "x.jsonl").write_text('{"tokens": ["a", "b"], "tags": ["S-PER", "S-LOC"]}\n')
    (tmp_path / "x.conll").write_text("a\tS-PER\nb\tS-LOC\n")
    for file in ("x.jsonl", "x.conll"):
        assert discover_labels(tmp_path / file, label_map={"LOC": None}) == TAGS


def test_a_subset_of_a_table_keeps_ids_and_order(load):
    content = "".join(f"a{i}\tb\tyes\n" for i in range(40))
    whole, part = (load(content, header=False, share=share, seed=3) for share in (1.0, 0.25))
    assert list(part) == [whole[int(example.id.rpartition(":")[2])] for example in part]
    assert len(part) == 10


# what is refused


@pytest.mark.parametrize(
    ("content", "file", "said"),
    [
        ("premise\thypotesis\tlabel\na\tb\tyes\n", "x.tsv", "x.tsv:1: no column known as second; the columns are"),
        ("a\tb\tyes\nc\td\tno\n", "x.tsv", "or set header: false"),
        ("text\na\n", "x.tsv", "x.tsv:1: 1 column, expected two texts; the columns are text"),
        ("a\n", "x.txt", "x.txt: raw text has no labels"),
        ("premise\thypothesis\tlabel\na\tb\n", "x.tsv", "x.tsv:2: 2 fields, expected 3 with one TAB"),
        ("premise,hypothesis,label\na,b,yes\na,b,c,no\n", "x.csv", "x.csv:3: 4 fields, expected 3"),
        ('premise,hypothesis,label\na,b,yes\n"a,b,no\nc,d,no\n', "x.csv", "x.csv:3: not CSV (unexpected end of data)"),
        ('premise,hypothesis,label\na,b,yes\n"a" x,b,no\n', "x.csv", "x.csv:3: not CSV (',' expected after '\"')"),
        (
            "premise\thypothesis\tlabel\na\tb\tyes\na\tb\tYes\n",
            "x.tsv",
            "x.tsv:3: label 'Yes': unknown, expected one of",
        ),
        ("premise\thypothesis\tlabel\n\na\t \tyes\n", "x.tsv", "x.tsv:3: second is empty"),
        ("premise\thypothesis\tlabel\na\tb\t\n", "x.tsv", "x.tsv:2: 1 of 1 rows have no label (nothing 1)"),
        ("", "x.tsv", "x.tsv: the file is empty"),
        ("premise\thypothesis\tlabel\n", "x.tsv", "x.tsv: no row"),
        ("\n\n", "x.csv", "x.csv: no row"),
        ("premise\thypothesis\tlabel\nañ\tb\tyes\n".encode("latin-1"), "x.tsv", "x.tsv:2: byte 0xf1 is not utf-8"),
        (b"\xff\xfea\x00", "x.csv", "UTF-16, read as utf-8; set encoding: utf-16"),
        ('{"premise": "a"\n', "x.jsonl", "x.jsonl:1: not JSON (Expecting"),
        ("[" * 10**5, "x.jsonl", "x.jsonl:1: object 1: not JSON"),
        ('["a"]\n', "x.jsonl", "x.jsonl:1: entry 1 is a JSON str, expected an object"),
        (
            '{"premise": "a", "hypothesis": null, "label": "no"}\n',
            "x.jsonl",
            "x.jsonl:1: no value for 'hypothesis'; fill it, or leave the row out",
        ),
        ('{"premise": "a", "hypothesis": 5, "label": "no"}\n', "x.jsonl", "x.jsonl:1: 'hypothesis' has a JSON int"),
        ('{"premise": "a", "hypothesis": "b", "label": 0.5}\n', "x.jsonl", "x.jsonl:1: 'label' has a JSON float"),
        ('{"premise": "a", "hypothesis": "\\ud800", "label": "no"}\n', "x.jsonl", "x.jsonl:1: 'hypothesis' has half a"),
        ("premise\tpremise\thypothesis\tlabel\na\tb\tc\tno\n", "x.tsv", "x.tsv:1: two columns are called 'premise'"),
        ("not Parquet", "x.parquet", "x.parquet: cannot be read as Parquet"),
        ("a\tb\tyes\n", "x.dat", "no format known by the suffix '.dat'; set format to one of text, tsv, csv"),
        ("a\tO\n", "x.conll", "no format known by the suffix '.conll'"),
    ],
)
def test_a_fault_is_named_with_its_line_and_a_remedy(refusal, content, file, said):
    assert said in refusal(content, file)


def test_a_wrong_column_is_named_with_the_one_that_was_meant(refusal):
    content = "premise\thypothesis\tlabel\na\tb\tyes\n"
    said = refusal(content, columns={"second": "hypotesis"})
    assert said.startswith(
        "x.tsv:1: no column 'hypotesis' for second (did you mean hypothesis?); the columns are premise"
    )
    assert "no column 7 for label" in refusal(content, columns={"label": 7})
    wrong_role = refusal(content, columns={"labels": "label"}, error=ConfigError)
    assert wrong_role == "columns: got 'labels' (did you mean label?), expected first, second, label"


def test_a_pair_in_raw_text_with_one_column_is_named_with_its_line(refusal):
    assert refusal("a\tb\nc\n", "x.txt", labelled=False).startswith("x.txt:2: 1 field, expected 2 with one TAB")


def test_a_table_called_txt_is_not_taken_for_raw_text(refusal):
    said = refusal("a\tyes\nb\tno\n", "x.txt", labelled=False, shape="single")
    assert said.startswith("x.txt: its name says raw text, but every line has 2 columns; set format: tsv")


def test_conll_is_no_format_of_sentences(refusal):
    assert "CoNLL has labels of words" in refusal("a\tO\n", format="conll")


def test_columns_of_a_file_without_any_are_refused(refusal):
    said = refusal("a\n", "x.txt", error=ConfigError, shape="tagging", columns={"tokens": "text"})
    assert "for CoNLL set label_column" in said


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"tokens": ["a", "b"], "tags": ["O"]}, "x.jsonl:2: words and tags differ in number"),
        ({"tokens": ["a b"], "tags": ["O"]}, "x.jsonl:2: tokens has an entry that is null, empty or has a space"),
        ({"tokens": ["a", ""], "tags": ["O", "O"]}, "x.jsonl:2: tokens has an entry"),
        ({"id": 1, "tokens": [], "tags": []}, "x.jsonl:2: tokens is an empty list"),
        ({"tokens": ["a"], "tags": ["I-PER"]}, "x.jsonl:2: word 1: I-PER cannot start a sentence in IOB2"),
        (
            {"tokens": ["a"], "tags": ["B-ORG"]},
            "x.jsonl:2: label B-ORG: unknown type ORG, expected one of PER; map the type",
        ),
        ({"tokens": ["a"], "tags": [None]}, "x.jsonl:2: 'tags' has a JSON NoneType"),
    ],
)
def test_a_fault_in_words_or_tags_is_named_with_its_line(refusal, row, said):
    sound = [{"tokens": ["Ana", "B"], "tags": ["B-PER", "I-PER"]}]
    content = "".join(json.dumps(line) + "\n" for line in [*sound, row])
    assert said in refusal(content, "x.jsonl", shape="tagging", label_names=TAGS, scheme="IOB2")


@pytest.mark.parametrize(
    ("column", "said"),
    [
        (pa.array(["a", None]), "x.parquet:2: no value for first"),
        (pa.array([["a"], ["b"]]), "the column of first has lists (list<"),
        (pa.array([{"en": "a"}, {"en": "b"}]), "the column of first has struct<en: string>; expected text"),
        (pa.array([1, 2]), "the column of first has int64; expected text"),
        (pa.array([b"\xff", b"b"]).view(pa.string()), "x.parquet: cannot be read as Parquet"),
    ],
)
def test_a_parquet_column_that_is_no_text_is_refused(refusal, column, said):
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"premise": column, "hypothesis": ["c", "d"], "label": ["no", "yes"]}), sink)
    assert said in refusal(sink.getvalue().to_pybytes(), "x.parquet")


def test_columns_nobody_asked_for_may_hold_anything(load):
    sink = pa.BufferOutputStream()
    table = pa.table({"n": [{"x": [1]}], "premise": ["a"], "hypothesis": ["b"], "label": ["no"], "o": [None]})
    pq.write_table(table, sink)
    assert len(load(sink.getvalue().to_pybytes(), "x.parquet")) == 1


@pytest.mark.parametrize(
    ("tags", "remedy"),
    [
        ("PER O", "labels without B- and I-: write them as IOB2"),
        ("B\u2013PER O", "write O, and B- and I- in capitals with a hyphen"),
        ("B_PER O", "write O, and B- and I- in capitals with a hyphen"),
        ("B-PER 0", "write O, and B- and I- in capitals with a hyphen"),
        ("B-PER N/A", "a sign of a missing value is no label: write O, or set columns"),
        ("1 -1", "numbers stand for labels"),
        ("B-PER I-LOC", "correct the row, or set scheme"),
    ],
)
def test_the_remedy_for_tags_in_a_table_fits_what_stands_there(tags, remedy, tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps({"tokens": ["koru", "mira"], "tags": tags.split()}), encoding="utf-8")
    with pytest.raises(DataError, match=remedy):
        load_corpus(path, name="x", lang="xx", label_names=("O", "B-PER", "I-PER"), labelled=True)
