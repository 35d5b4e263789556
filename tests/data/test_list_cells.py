"""Lists written as text in cells of CSV and TSV are read as lists, or refused; never as words with brackets."""

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uxla.data.checks.check import check
from uxla.data.discover import open_rewritable
from uxla.data.formats.list_cells import entries_of, replaced
from uxla.data.load import discover_labels, load_corpus
from uxla.data.writing.samples import Rewritten, open_writer
from uxla.errors import DataError

WORDS = [["koru", "mira"], ["sen's"], ['ta"l', "o\\si", "ün"]]
TAGS = [["O", "B-PER"], ["O"], ["B-LOC", "I-LOC", "O"]]
NAMES = ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")


def numpy_like(words):
    return "[" + " ".join(map(repr, words)) + "]"


def as_json(words):
    return json.dumps(words, ensure_ascii=False)


FORMS = {
    "python": repr,
    "JSON": as_json,
    "NumPy": numpy_like,
    "NumPy, long": lambda w: numpy_like(w).replace(" ", "\n "),
}


def written(path, form, words=WORDS, tags=TAGS):
    cells = [["id", "tokens", "ner_tags"], *([str(i), form(words[i]), form(tags[i])] for i in range(len(words)))]
    if path.suffix == ".jsonl":
        rows = [dict(zip(cells[0], row, strict=True)) for row in cells[1:]]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    else:
        sink = io.StringIO()
        csv.writer(sink, delimiter="\t" if path.suffix == ".tsv" else ",", lineterminator="\n").writerows(cells)
        path.write_text(sink.getvalue(), encoding="utf-8")
    return path


def load(path, **how):
    how = {"labelled": True, "label_names": NAMES, "columns": {"tokens": "tokens"}} | how
    return load_corpus(path, name="t", lang="x", **how)


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl"])
@pytest.mark.parametrize("form", FORMS)
def test_a_list_written_as_text_is_a_list(form, suffix, tmp_path):
    path = written(tmp_path / f"x.{suffix}", FORMS[form])
    corpus = load(path)
    assert [example.words for example in corpus] == WORDS
    assert [[NAMES[label] for label in example.labels] for example in corpus] == TAGS
    assert discover_labels(path, columns={"tokens": "tokens"}) == NAMES
    assert [example.words for example in load(path, labelled=False)] == WORDS
    assert check(path, columns={"tokens": "tokens"}).words == 6


def test_numbers_in_such_lists_get_the_names_that_are_given(tmp_path):
    (tmp_path / "x.csv").write_text("tokens,tags\n\"['koru', 'mira']\",\"[0, 1]\"\n['sen'],[0]\n")
    assert [example.labels for example in load(tmp_path / "x.csv", tag_names=["O", "B-PER"], columns=None)] == [
        (0, 3),
        (0,),
    ]


@pytest.mark.parametrize("form", FORMS)
def test_augment_writes_the_list_as_it_was_but_for_the_words_that_changed(form, tmp_path):
    path = written(tmp_path / "x.csv", FORMS[form])
    source, sink = open_rewritable(path, columns={"tokens": "tokens"}), io.BytesIO()
    first, second, third = source.rows()
    assert [row.texts for row in (first, second, third)] == [(" ".join(words),) for words in WORDS]
    with open_writer(source, "csv", sink) as write:
        write([Rewritten(first, ("koru dav's",), 0, ((1,),)), Rewritten(third, third.texts, 2, ((),))])
    _, one, three = csv.reader(io.StringIO(sink.getvalue().decode()))
    assert entries_of(one[1]) is not None
    assert [entry.value for entry in entries_of(one[1])] == ["koru", "dav's"]
    assert [one[1].split("koru")[0], *one[2:]] == [
        FORMS[form](WORDS[0]).split("koru")[0],
        FORMS[form](TAGS[0]),
        "0",
        "1",
    ]
    assert three[:3] == ["2", FORMS[form](WORDS[2]), FORMS[form](TAGS[2])]


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        (["['koru', 'mira']", "['sen']", "tal"], r"x\.csv:4: tokens is not a list, although earlier rows have lists"),
        (["['koru']", "['mira' ... 'tal']", "['sen']"], r"x\.csv:3: tokens is not a list"),
        (["[koru, mira]", "[sen]"], r"x\.csv:2: tokens has lists written as text in a form that is not read"),
        (["['koru', ['mira']]", "[['sen']]"], "in a form that is not read"),
        (["['koru mira']", "['sen']"], "tokens has an entry that is null, empty or has a space"),
        (["[]", "['sen']"], "tokens is an empty list"),
    ],
)
def test_what_is_no_list_of_words_is_refused_with_its_line(cells, says, tmp_path):
    sink = io.StringIO()
    csv.writer(sink, lineterminator="\n").writerows([["tokens"], *([cell] for cell in cells)])
    (tmp_path / "x.csv").write_text(sink.getvalue())
    with pytest.raises(DataError, match=says):
        load(tmp_path / "x.csv", labelled=False)


def test_lists_in_place_of_texts_are_refused(tmp_path):
    (tmp_path / "x.csv").write_text("text,label\n\"['koru', 'mira']\",ja\n['sen'],ne\n")
    with pytest.raises(DataError, match=r"x\.csv:2: text has lists written as text; join the words"):
        load(tmp_path / "x.csv", shape="single", label_names=("ja", "ne"), columns=None)


@pytest.mark.parametrize("cells", [["[ koru ]", "mira"], ["koru", "['mira']", "sen"], ["[koru", "mira]"]])
def test_brackets_in_words_are_characters(cells, tmp_path):
    (tmp_path / "x.csv").write_text("tokens\n" + "".join(f"{cell}\n" for cell in cells))
    assert [example.words for example in load(tmp_path / "x.csv", labelled=False)] == [cell.split() for cell in cells]


@pytest.mark.parametrize("form", [repr, as_json, numpy_like])
@given(words=st.lists(st.text(min_size=1, max_size=5).filter(lambda text: text.isprintable()), min_size=1, max_size=5))
def test_any_list_that_is_written_is_read_back_and_can_be_replaced(form, words):
    cell = form(words)
    assert [entry.value for entry in entries_of(cell)] == words
    assert replaced(cell, words) == cell
    new = [f"{word}'\"" for word in words]
    assert [entry.value for entry in entries_of(replaced(cell, new))] == new


@given(st.text(alphabet="[]'\", \\ab1\n-", max_size=12))
def test_what_is_read_as_a_list_is_one(cell):
    entries = entries_of(cell)
    if entries is not None and "," in cell and all(cell[entry.start] in "'\"" for entry in entries):
        assert cell.strip()[0] + cell.strip()[-1] == "[]"
        assert all(cell[entry.start : entry.end][0] == cell[entry.end - 1] for entry in entries)
