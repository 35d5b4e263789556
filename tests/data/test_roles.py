"""Which column is what: one column has one role, and what is left out is found by its usual name."""

from pathlib import Path

import pytest

from uxla.data.columns import parse_columns, place_columns
from uxla.data.load import load_corpus
from uxla.errors import ConfigError, DataError, spelled_as


def places(names, columns=None, *, shape="pair", named=True, labelled=True):
    return place_columns(names, shape=shape, columns=columns, named=named, labelled=labelled, path=Path("x.tsv"))


@pytest.mark.parametrize(
    ("names", "columns", "expected"),
    [
        (["premise", "hypo", "label"], {"second": "hypo"}, [0, 1, 2]),
        (["premise", "hypo", "label"], None, [0, 1, 2]),
        (["koru", "sentence2", "gold_label"], {"first": "koru"}, [0, 1, 2]),
        (["text2", "sentence1", "sentence2", "label"], {"second": "sentence2"}, [1, 2, 3]),
        (["premise", "sentence1", "sentence2", "label"], {"second": "sentence2"}, [1, 2, 3]),
        (["sentence1", "mira", "label"], {"second": "mira"}, [0, 1, 2]),
        (["label", "sentence1", "sentence2"], {"label": 0}, [1, 2, 0]),
        (["Question1", "Question2", "Label"], None, [0, 1, 2]),
        (["PREMISE", "premise", "hypothesis", "label"], None, [1, 2, 3]),
        (["id", " premise", " hypothesis ", " Label"], None, [1, 2, 3]),
        (["id", " koru", " premise", " hypothesis", " label"], {"first": "koru"}, [1, 3, 4]),
        ([" premise", "premise", "hypothesis", "label"], {"first": "premise"}, [1, 2, 3]),
    ],
)
def test_what_is_left_out_is_found_by_its_usual_name_beside_what_was_named(names, columns, expected):
    assert list(places(names, columns).values()) == expected


@pytest.mark.parametrize(
    ("columns", "width", "shape", "expected"),
    [
        ({"label": 0}, 2, "single", {"text": 1, "label": 0}),
        ({"text": 1}, 2, "single", {"text": 1, "label": 0}),
        ({"text": 2}, 3, "single", {"text": 2, "label": 1}),
        ({"label": 0}, 3, "pair", {"first": 1, "second": 2, "label": 0}),
        ({"first": 2, "second": 1}, 3, "pair", {"first": 2, "second": 1, "label": 0}),
        (None, 3, "pair", {"first": 0, "second": 1, "label": 2}),
    ],
)
def test_without_a_header_the_free_columns_are_taken_in_order(columns, width, shape, expected):
    numbers = [str(place) for place in range(width)]
    assert places(numbers, columns, shape=shape, named=False) == expected
    without = {role: place for role, place in expected.items() if role != "label"}
    if columns and "label" in columns:
        assert places(numbers, columns, shape=shape, named=False, labelled=False) == without


@pytest.mark.parametrize("labelled", [True, False])
def test_which_of_several_free_columns_is_meant_is_asked(labelled):
    with pytest.raises(DataError, match=r"no column known as text; the columns are 0, 1, 2; name it \(columns: {text"):
        places(["0", "1", "2"], {"label": 0}, shape="single", named=False, labelled=labelled)


@pytest.mark.parametrize(
    ("columns", "shape", "says"),
    [
        ({"first": "sentence1", "second": "sentence1"}, "pair", "first and second are both column 'sentence1'"),
        ({"first": 0, "second": "sentence1"}, "pair", "first and second are both column 'sentence1'"),
        ({"text": 1, "label": -1}, "single", "text and label are both column 'text'"),
        ({"label": "text"}, "single", "no column known as text"),
    ],
)
def test_one_column_never_has_two_roles(columns, shape, says):
    with pytest.raises(DataError, match=says):
        places(["sentence1", "text"], columns, shape=shape)


def test_labels_first_are_no_texts(tmp_path):
    (tmp_path / "x.tsv").write_text("0\ttal osi nel\n1\tosi dav osi\n")
    how = {"shape": "single", "header": False, "columns": {"label": 0}}
    for labelled in (True, False):
        corpus = load_corpus(tmp_path / "x.tsv", name="t", lang="x", label_names=("0", "1"), labelled=labelled, **how)
        assert [example.segments for example in corpus] == [("tal osi nel",), ("osi dav osi",)]


def test_a_file_without_labels_may_lack_the_label_column_that_others_have():
    assert places(["text"], {"label": "gold"}, shape="single", labelled=False) == {"text": 0}


def test_on_the_command_line_the_remedy_is_an_option():
    with (
        spelled_as("options"),
        pytest.raises(DataError, match="name it \\(--columns first=NAME\\), or set --no-header"),
    ):
        places(["koru", "mira"])


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["sentence1", "hypothesis", "label"], {"first": 0, "second": 1, "label": 2}),
        (["text2", "Premise", "gold_label"], {"first": 1, "second": 0, "label": 2}),
        (["sentence1", "premise", "hypothesis", "label"], {"first": 1, "second": 2, "label": 3}),
    ],
)
def test_halves_of_two_usual_pairs_are_one_where_no_pair_is_complete(names, found):
    assert places(names) == found


@pytest.mark.parametrize("text", ['{"data": {"text": "koru"}, "label": "ja"}\n', '[{"sent": "koru", "label": "ja"}]'])
def test_of_json_nobody_is_told_that_it_may_lack_a_header(text, tmp_path):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(DataError, match=r"no column known as text; .*; name it \(columns: \{text: NAME\}\)$"):
        load_corpus(tmp_path / "x.json", name="t", lang="x", label_names=("O",), labelled=False, shape="single")


def test_columns_are_counted_from_the_end_on_the_command_line_too():
    assert parse_columns("text=-2,label=-1") == {"text": -2, "label": -1}
    with pytest.raises(ConfigError, match="--columns: text twice, as koru and mira; name one column"):
        parse_columns("text=koru,text=mira")


@pytest.mark.parametrize("labelled", [True, False])
def test_the_words_column_is_never_that_of_the_labels(labelled, tmp_path):
    (tmp_path / "x.conll").write_text("koru B-PER\nmira O\n")
    with pytest.raises(DataError, match="token_column and label_column are both 1; name two columns"):
        load_corpus(
            tmp_path / "x.conll",
            name="t",
            lang="x",
            label_names=("O", "B-PER", "I-PER"),
            labelled=labelled,
            token_column=1,
            label_column=1,
        )


@pytest.mark.parametrize("how", [{"delimiter": ";"}, {"quote": "none"}])
@pytest.mark.parametrize(("name", "read_as"), [("x.conll", "CoNLL"), ("x.txt", "raw text")])
def test_what_only_tables_have_is_refused_for_other_files(how, name, read_as, tmp_path):
    (tmp_path / name).write_text("koru;O\nmira;O\n")
    [key] = how
    with pytest.raises(ConfigError, match=f"{key}: .*{name} is read as {read_as}; for a table set format to csv"):
        load_corpus(tmp_path / name, name="t", lang="x", label_names=(), labelled=False, **how)
