"""Labels that are none, and labels that differ only in what nobody sees."""

import json
import pickle
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from uxla import corpora, progress
from uxla.data.checks.check import check
from uxla.data.load import discover_labels, load_corpus
from uxla.errors import DataError
from uxla.records import concatenate

SIGNS = ["-", "nan", "NaN", "null", "None", "NA", "N/A", "", "  "]


class Notes:
    def __init__(self):
        self.told = []

    def note(self, text):
        self.told.append(text)


@pytest.fixture
def notes():
    listener = Notes()
    with progress.listening(listener):
        yield listener.told


def load(path, names=("ja", "ne"), labelled=True, **how):
    return load_corpus(path, name="t", lang="x", label_names=names, labelled=labelled, shape="single", **how)


def written(path, labels):
    rows = [{"text": f"koru {number}", "label": label} for number, label in enumerate(labels)]
    match path.suffix:
        case ".jsonl":
            path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        case ".parquet":
            pq.write_table(pa.Table.from_pylist(rows), path)
        case suffix:
            cut = "\t" if suffix == ".tsv" else ","
            lines = [f"{row['text']}{cut}{'' if row['label'] is None else row['label']}\n" for row in rows]
            path.write_text("".join([f"text{cut}label\n", *lines]))
    return path


@pytest.mark.parametrize("suffix", ["tsv", "csv", "jsonl", "parquet"])
@pytest.mark.parametrize("sign", [*SIGNS, None])
def test_a_sign_of_a_missing_value_is_no_label(suffix, sign, tmp_path, notes):
    path = written(tmp_path / f"x.{suffix}", ["ja", sign, "ne", sign, "ja"])
    assert discover_labels(path, shape="single") == ("ja", "ne")
    assert notes == []
    assert [example.segments[0] for example in load(path)] == ["koru 0", "koru 2", "koru 4"]
    [told] = notes
    line = 2 if suffix in ("jsonl", "parquet") else 3
    assert told.startswith(f"{path}:{line}: 2 of 5 rows have no label (")
    assert load(path).left_out == (told.removeprefix(f"{path}:{line}: "),)
    assert load(path, labelled=False).left_out == ()
    assert len(load(path, labelled=False)) == 5


def test_what_was_left_out_stays_with_what_is_made_of_the_corpus(tmp_path):
    corpus = load(written(tmp_path / "x.tsv", ["ja", None, "ne"]), take=1)
    [told] = corpus.left_out
    assert told.startswith("1 of 3 rows have no label (nothing 1); they are left out.")
    same = [corpus.renamed("y"), corpus.take([0]), corpus[:1], corpus.unlabelled(), pickle.loads(pickle.dumps(corpus))]
    assert {one.left_out for one in same} == {(told,)}
    assert concatenate("all", [corpus, corpus.take([])]).left_out == (told, told)
    assert corpus.digest == replace(corpus, left_out=()).digest


def test_nan_among_numbers_is_no_label_and_the_numbers_stay_whole(tmp_path, notes):
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"text": ["koru", "mira", "sen"], "label": [0.0, float("nan"), 1.0]}), path)
    assert discover_labels(path, shape="single") == ("0", "1")
    assert [example.labels for example in load(path, ("0", "1"))] == [(0,), (1,)]
    (tmp_path / "x.jsonl").write_text(
        '{"text": "koru", "label": 0.0}\n{"text": "mira", "label": NaN}\n{"text": "sen", "label": 1.0}\n'
    )
    assert [example.labels for example in load(tmp_path / "x.jsonl", ("0", "1"))] == [(0,), (1,)]
    assert len(notes) == 2


def test_fractions_are_no_labels(tmp_path):
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"text": ["koru", "mira"], "label": [0.0, 0.5]}), path)
    with pytest.raises(DataError, match=r"x\.parquet:2: label has a number that is not whole"):
        load(path)


@pytest.mark.parametrize("suffix", ["tsv", "csv", "jsonl", "parquet"])
def test_blanks_around_a_label_are_not_of_it(suffix, tmp_path):
    path = written(tmp_path / f"x.{suffix}", ["ja", " ja", "ne ", "\u00a0ne\u200b"])
    assert discover_labels(path, shape="single") == ("ja", "ne")
    assert [example.labels for example in load(path)] == [(0,), (0,), (1,), (1,)]


def test_blanks_around_a_tag_are_not_of_it(tmp_path):
    (tmp_path / "x.jsonl").write_text('{"tokens": ["mira", "sen"], "tags": ["B-PER ", " O"]}\n')
    assert discover_labels(tmp_path / "x.jsonl") == ("O", "B-PER", "I-PER")


@pytest.mark.parametrize("label", ["none", "na", "neutral", "0", "no"])
def test_names_of_classes_stay(label, tmp_path, notes):
    path = written(tmp_path / "x.tsv", [label, "ja", "ja"])
    assert label in discover_labels(path, shape="single")
    assert len(load(path, (label, "ja"))) == 3
    assert notes == []


def test_a_sign_that_the_user_maps_to_a_name_is_a_label(tmp_path, notes):
    path = written(tmp_path / "x.tsv", ["None", "ja"])
    names = discover_labels(path, shape="single", label_map={"None": "neither"})
    assert names == ("ja", "neither")
    assert [example.labels for example in load(path, names, label_map={"None": "neither"})] == [(1,), (0,)]
    assert notes == []


def test_where_most_rows_have_no_label_the_column_is_another_one(tmp_path):
    path = written(tmp_path / "x.tsv", ["-", "ja", "nan", "-"])
    said = r"x.tsv:2: 3 of 4 rows have no label \('-' 2, 'nan' 1\); name the label's column"
    for read in (load, lambda path: discover_labels(path, shape="single")):
        with pytest.raises(DataError, match=said):
            read(path)


@pytest.mark.parametrize("suffix", ["tsv", "jsonl"])
def test_the_check_counts_rows_without_a_label_apart(suffix, tmp_path):
    report = check(written(tmp_path / f"x.{suffix}", ["ja", "-", "ne", None, "-"]), shape="single")
    assert (report.sentences, report.labels) == (5, {"ja": 1, "ne": 1})
    [doubt] = [doubt.text for doubt in report.doubts if doubt.about == "no label"]
    assert doubt == "3 rows have none ('-' 2, nothing 1) and would be left out of labelled data"
    sound = check(written(tmp_path / f"x.{suffix}", ["ja", "ne"]), shape="single")
    assert not [doubt for doubt in sound.doubts if doubt.about == "no label"]


@pytest.mark.parametrize("number", [-1, -100])
def test_a_number_that_data_sets_have_for_no_class_is_no_label(number, notes):
    columns = {"text": ["a", "b", "c"], "label": [1, number, 0]}
    corpus = corpora.read(classes(columns, "label"), lang="x")
    assert (corpus.label_names, [example.labels for example in corpus]) == (("B-PER", "O"), [(0,), (1,)])
    assert "1 of 3 rows have no label" in notes[-1]
    named = corpora.read(columns, lang="x", name="x", tag_names=["O", "B-PER"])
    assert named.digest == corpus.digest


def test_another_number_without_a_name_is_refused_with_its_row():
    table = classes({"text": ["a", "b"], "label": [0, 7]}, "label")
    with pytest.raises(DataError, match=r"^x:2: label has 7, expected the number of a class, 0 to 1; correct the row"):
        corpora.read(table, lang="x")


@pytest.mark.parametrize("number", [-1, -100])
def test_words_without_a_tag_are_refused(number):
    table = classes({"tokens": [["a"], ["b", "c"]], "tags": [[0], [0, number]]}, "tags")
    with pytest.raises(DataError, match=rf"^x:2: tags has {number}, .*; that is no tag; give the word one"):
        corpora.read(table, lang="x")
    with pytest.raises(DataError, match=f"tags: no name for {number}"):
        corpora.read(table.replace_schema_metadata(None), lang="x", tag_names=["O", "B-PER"])
    assert len(corpora.read(table, lang="x", labelled=False)) == 2


def classes(columns, role):
    """An Arrow table with two named classes, as `datasets` writes them."""
    feature = {"feature": {"names": ["O", "B-PER"]}}
    known = json.dumps({"info": {"features": {role: feature}}}).encode()
    return pa.table(columns).replace_schema_metadata({b"huggingface": known})
