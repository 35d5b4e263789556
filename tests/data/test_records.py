"""Rows in memory become the corpus that a file with the same rows gives."""

import json
import tracemalloc

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from uxla.data.load import corpus_from_records, discover_labels, load_corpus
from uxla.errors import ConfigError, DataError

TEXTS = [{"text": "great", "label": "good"}, {"text": " poor ", "label": "bad"}, {"text": "so so", "label": None}] * 2
PAIRS = [{"premise": "a", "hypothesis": "b", "label": 1}, {"premise": "c", "hypothesis": "d", "label": 0}]
WORDS = [
    {"tokens": ["Ana", "lee"], "ner_tags": ["S-PER", "O"]},
    {"tokens": ["Nueva", "Loma", "."], "ner_tags": ["B-LOC", "E-LOC", "O"]},
]
SETS = {"single": TEXTS, "pair": PAIRS, "tagging": WORDS}


@pytest.mark.parametrize("shape", SETS)
@pytest.mark.parametrize("labelled", [True, False])
def test_records_in_memory_give_the_corpus_of_their_json_lines(shape, labelled, tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in SETS[shape]))
    names = discover_labels(path, shape=shape)
    asked = {"name": "n", "lang": "l", "label_names": names, "labelled": labelled, "shape": shape}
    assert corpus_from_records(iter(SETS[shape]), **asked).digest == load_corpus(path, **asked).digest


@pytest.mark.parametrize("shape", SETS)
def test_an_arrow_table_gives_the_corpus_of_its_parquet_file(shape, tmp_path):
    table = pa.Table.from_pylist(SETS[shape])
    pq.write_table(table, tmp_path / "x.parquet")
    names = discover_labels(tmp_path / "x.parquet", shape=shape)
    asked = {"name": "n", "lang": "l", "shape": shape}
    read = load_corpus(tmp_path / "x.parquet", labelled=True, label_names=names, **asked)
    assert corpus_from_records(table, **asked).digest == read.digest
    part = corpus_from_records(table.slice(1), **asked, label_names=names)
    assert [(each.segments, each.labels) for each in part] == [(each.segments, each.labels) for each in read][1:]


def test_labels_are_read_where_there_are_any_and_found_with_their_map():
    corpus = corpus_from_records(WORDS, name="n", lang="l", label_map={"LOC": None})
    assert corpus.label_names == ("O", "B-PER", "I-PER")
    assert [example.labels for example in corpus] == [(1, 0), (0, 0, 0)]
    bare = corpus_from_records([{"text": "a b"}], name="n", lang="l")
    assert (bare.label_names, bare[0].words, bare[0].labels) == ((), ["a", "b"], None)


def test_classes_of_datasets_are_known_by_their_names():
    import datasets

    features = datasets.Features({"body": datasets.Value("string"), "label": datasets.ClassLabel(names=["no", "yes"])})
    rows = datasets.Dataset.from_dict({"body": ["a", "b"], "label": [1, 0]}, features=features)
    corpus = corpus_from_records(rows.data.table, name="n", lang="l", shape="single", columns={"text": "body"})
    assert corpus.label_names == ("no", "yes")
    assert [example.labels for example in corpus] == [(1,), (0,)]


def test_unlabelled_rows_of_a_generator_are_never_all_in_memory():
    size, asked = 1000, {"name": "n", "lang": "l", "shape": "single", "labelled": False}
    corpus_from_records([{"text": "mira"}], **asked)  # what is loaded once
    tracemalloc.start()
    corpus = corpus_from_records(({"text": f"{i:0{size}}"} for i in range(100_000)), **asked)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (len(corpus), corpus[99_999].segments) == (100_000, (f"{99_999:0{size}}",))
    assert peak < 100_000 * size


@pytest.mark.parametrize(
    ("rows", "options", "says"),
    [
        ([{"text": "a"}, {"text": ""}], {}, "reviews:2: text is empty"),
        ([{"text": "a"}, {"body": "b"}], {}, "reviews:2: no value for 'text'; every object needs the same keys"),
        ([{"body": "a"}], {}, "reviews:1: no column known as text; the columns are body"),
        ([], {}, "reviews: no row; expected one example"),
        ([{"text": 3}], {}, "reviews:1: 'text' has a JSON int, expected text"),
        ([{"text": "a", "label": "x"}], {"label_names": ("y", "z")}, "reviews:1: label 'x': unknown, expected one of"),
        (pa.table({"text": ["a", None], "n": [1, 2]}), {}, "reviews:2: no value for text"),
    ],
)
def test_what_is_wrong_is_said_with_the_number_of_the_row(rows, options, says):
    with pytest.raises(DataError) as caught:
        corpus_from_records(rows, name="reviews", lang="en", shape="single", **options)
    assert str(caught.value).startswith(says)


def test_a_role_that_there_is_not_is_refused():
    with pytest.raises(ConfigError, match="columns: got 'tokens'"):
        corpus_from_records([{"a": "b"}], name="n", lang="l", shape="single", columns={"tokens": "a"})


@pytest.mark.parametrize("whole", [pa.table({"text": ["a", ""]}), [{"text": "a"}, {}], [{"text": "a"}, {"text": None}]])
def test_an_empty_row_is_no_blank_line(whole):
    with pytest.raises(DataError, match=r"reviews:2: (text is empty|no value for 'text')"):
        corpus_from_records(whole, name="reviews", lang="en", shape="single")
