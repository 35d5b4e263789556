"""Rows chosen by a column, names for numeric tags, and several files as one."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from uxla.data.checks.check import check
from uxla.data.discover import open_rewritable
from uxla.data.load import discover_labels, load_corpus
from uxla.data.row_filter import parse_where
from uxla.errors import ConfigError, DataError

ROWS = [
    {"text": "koru mira", "label": "ja", "language": "es", "fold": 1},
    {"text": "sen", "label": "ne", "language": "fr", "fold": 2},
    {"text": "tal", "label": "ne", "language": "es", "fold": 3},
]


def written(path, rows=ROWS):
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        cut = "\t" if path.suffix == ".tsv" else ","
        path.write_text("".join(cut.join(map(str, row)) + "\n" for row in [list(rows[0]), *(r.values() for r in rows)]))
    return path


def load(path, **how):
    how = {"shape": "single", "labelled": True, "label_names": ("ja", "ne")} | how
    return [example.segments[0] for example in load_corpus(path, name="t", lang="x", **how)]


@pytest.mark.parametrize("suffix", ["tsv", "csv", "jsonl", "parquet"])
def test_only_the_rows_that_are_asked_for_are_read(suffix, tmp_path):
    path = written(tmp_path / f"x.{suffix}")
    assert load(path, where={"language": ("es",)}) == ["koru mira", "tal"]
    assert load(path, where={"language": ["es"], "fold": [2, 3]}) == ["tal"]
    assert load(path, where={"language": ["es", "fr"]}, labelled=False) == ["koru mira", "sen", "tal"]
    assert discover_labels(path, shape="single", where={"language": ["fr"]}) == ("ne",)
    assert check(path, shape="single", where={"fold": ["1"]}).sentences == 1
    kept = open_rewritable(path, where={"language": ["es"]})
    assert [row.record["text"] for row in kept.rows()] == ["koru mira", "tal"]
    assert kept.count() == 2


@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
def test_rows_can_be_chosen_by_fractions(suffix, tmp_path):
    path = written(
        tmp_path / f"x.{suffix}", [row | {"fold": fold} for row, fold in zip(ROWS, (1.0, 2.5, 0.1), strict=True)]
    )
    assert load(path, where={"fold": ["2.5", "0.1"]}) == ["sen", "tal"]
    assert load(path, where={"fold": [1]}) == ["koru mira"]


def test_rows_of_a_file_without_a_header_are_chosen_by_number(tmp_path):
    (tmp_path / "x.tsv").write_text("koru\tja\tes\nmira\tne\tfr\n")
    assert load(tmp_path / "x.tsv", header=False, where={"2": ["fr"]}) == ["mira"]


def test_where_nothing_fits_the_values_are_told(tmp_path):
    path = written(tmp_path / "x.tsv")
    with pytest.raises(DataError, match=r"x\.tsv: no row with language=de \(language is es, fr\); set where"):
        load(path, where={"language": ["de"]})
    with pytest.raises(DataError, match=r"no column 'languag' for where .did you mean language.*; set where"):
        load(path, where={"languag": ["de"]})
    (tmp_path / "x.txt").write_text("koru\n")
    with pytest.raises(ConfigError, match="has no columns by name"):
        load(tmp_path / "x.txt", where={"language": ["es"]}, labelled=False)


def test_options_of_the_command_line_say_the_same():
    assert parse_where("language=es,fold=1,language=fr") == {"language": ("es", "fr"), "fold": ("1",)}
    with pytest.raises(ConfigError, match="expected COLUMN=VALUE"):
        parse_where("es")


TAGS = ["O", "B-PER", "I-PER"]


@pytest.mark.parametrize("suffix", ["jsonl", "parquet", "csv"])
def test_numeric_tags_get_the_names_that_are_given(suffix, tmp_path):
    rows = [{"tokens": ["koru", "mira"], "tags": [1, 2]}, {"tokens": ["sen"], "tags": [0]}]
    if suffix == "csv":
        rows = [{name: " ".join(map(str, cell)) for name, cell in row.items()} for row in rows]
    path = written(tmp_path / f"x.{suffix}", rows)
    corpus = load_corpus(path, name="t", lang="x", labelled=True, label_names=TAGS, tag_names=TAGS)
    assert [example.labels for example in corpus] == [(1, 2), (0,)]
    assert discover_labels(path, tag_names=TAGS) == ("O", "B-PER", "I-PER")
    for read in (discover_labels, check):
        with pytest.raises(
            DataError, match=r"the tags are numbers, and the file does not have their names; .*\(tag_names: \[O"
        ):
            read(path)
        with pytest.raises(DataError, match=r"tags: no name for 2, 2 are in tag_names"):
            read(path, tag_names=TAGS[:2])
    assert len(load(path, shape="tagging", labelled=False)) == 2


def test_numeric_labels_of_sentences_get_names_too(tmp_path):
    path = written(tmp_path / "x.jsonl", [{"text": "koru", "label": 1}, {"text": "mira", "label": 0}])
    assert discover_labels(path, shape="single", tag_names=["ne", "ja"]) == ("ja", "ne")


def test_several_files_are_read_one_after_the_other(tmp_path):
    paths = [written(tmp_path / "x.tsv"), written(tmp_path / "y.jsonl", ROWS[:1])]
    corpus = load_corpus(paths, name="t", lang="x", labelled=True, label_names=("ja", "ne"), shape="single")
    assert [example.segments[0] for example in corpus] == ["koru mira", "sen", "tal", "koru mira"]
    assert [example.labels for example in corpus] == [(0,), (1,), (1,), (0,)]
    assert len({example.id for example in corpus}) == 4
    assert len(load(paths, take=2)) == 2
    assert load(paths[:1]) == load(paths[0])


def test_the_labels_of_several_files_are_those_of_all(tmp_path):
    (tmp_path / "x.conll").write_text("koru\tB-PER\n")
    (tmp_path / "y.jsonl").write_text('{"tokens": ["mira"], "tags": ["B-LOC"]}\n')
    paths = [tmp_path / "x.conll", tmp_path / "y.jsonl"]
    assert discover_labels(paths) == ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")
    x, y = written(tmp_path / "x.tsv", ROWS[1:2]), written(tmp_path / "y.tsv", [{"text": "a", "label": "10"}])
    assert discover_labels([x, y], shape="single") == ("10", "ne")
