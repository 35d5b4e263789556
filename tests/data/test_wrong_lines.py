"""What plainly is no CoNLL, or not in the columns that are asked for, is refused; what may be words is read."""

import pytest

from uxla.data.conll.file import read_conll
from uxla.data.discover import open_rewritable
from uxla.data.load import load_corpus
from uxla.errors import DataError


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("koru,O\nmira,B-PER\n", "columns between ','"),
        ('"koru","O"\n"mira","B-PER"\n', "columns between ','"),
        ("word;tag\nkoru;O\nmira;B-PER\n", "columns between ';'"),
        ("koru\\tO\nmira\\tB-PER\n", "columns between"),
        ("koru/O\nmira/B-PER\n", "columns between '/'; cut them by TABs"),
        ("koru\u00a0O\nmira\u00a0B-PER\n", "columns between '\\xa0'"),
        ("koru\u3000O\nmira\u3000B-PER\n", "columns between '\\u3000'"),
        ("<s>\nkoru\n</s>\n", "'</s>' looks like markup"),
        ("koru O\n</s>\n", "'</s>' looks like markup"),
    ],
)
@pytest.mark.parametrize("name", ["x.conll", "x.json", "x"])
def test_text_that_is_plainly_something_else_is_refused(put, refused, text, says, name):
    path = put(text, name)
    assert says in refused(path, lambda file: file.sentences)
    with pytest.raises(DataError):
        open_rewritable(path, format="conll").count()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("O koru\nB-PER mira\nO sen\n", "column 0 holds labels, no words; set token_column (0 is the first)"),
        ("1 koru O\n3 mira O\n", "column 0 holds numbers, no words"),
        ("a1 koru O\na1 mira O\n\na2 koru O\na2 sen O\n", "column 0 holds one value a sentence, no words"),
        ('"koru"\t"O"\n"mira"\t"B-PER"\n', "every word stands in quotes"),
        ("Sentence #,Word,Tag\nSentence: 1,koru,O\n,mira,B-PER\n", "columns between ','"),
    ],
)
def test_a_column_that_plainly_holds_no_words_is_refused(put, refused, text, says):
    assert says in refused(put(text), lambda file: file.sentences)
    with pytest.raises(DataError, match=r"column|words"):
        open_rewritable(put(text)).count()


@pytest.mark.parametrize(
    "text", ["1 CD O\n3 CD O\n", "koru NN O\nkoru NN O\n\nmira NN O\n", '"koru" O\n', "O O\nO O\n", "3 O\n7 B-PER\n"]
)
def test_what_may_be_words_is_read_as_words(put, text):
    assert sum(map(len, read_conll(put(text)).sentences)) == text.replace("\n\n", "\n").count("\n")


@pytest.mark.parametrize(("first", "prefix"), [("// koru mira", "//"), (";; koru mira", ";;"), ("% koru mira", "%")])
def test_comments_of_other_tools_are_told_by_their_prefix(put, refused, first, prefix):
    path = put(f"{first}\nkoru O\nmira O\n")
    said = refused(path, lambda file: file.sentences)
    assert f'looks like a comment: set comment: "{prefix}"' in said
    assert read_conll(path, comment=prefix).sentences == [["koru", "mira"]]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("koru/O mira/B-PER\nsen/O\n", "every word has a label attached"),
        ("koru;O\nmira;I-PER\n", "every word has a label attached"),
        ("koru###O mira###B-PER\n", "every word has a label attached"),
        ("koru_O\nmira_I-PER\n", "every word has a label attached"),
        ("# sent_id = 1\nkoru\nmira\n", "it begins with a comment as CoNLL has them; set format: conll"),
        ("koru O\nmira B-PER\n\nsen O\n", "every line has 2 columns; set format: conll"),
        ("koru NN O\nmira NN S-PER\n", "every line has 3 columns; set format: conll"),
        ("# doc\nkoru O\nmira O\n" * 6, "every line has 2 columns; set format: conll"),
    ],
)
def test_raw_text_that_plainly_is_none_is_refused(put, text, says):
    with pytest.raises(DataError) as caught:
        load_corpus(put(text, "x.txt"), name="t", lang="x", label_names=("O",), labelled=False)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    "text", ["[\nkoru\n]\n", "{\nkoru\n}\n", "[ O\nkoru O\n", "koru,\nmira,\n", "<s>\nkoru\n", "a,O\nb\n"]
)
def test_signs_of_other_formats_are_words_where_they_stand_alone(put, text):
    assert read_conll(put(text)).sentences == [[line.split()[0] for line in text.split("\n") if line]]


def test_numbers_are_words_unless_they_count_them(put):
    for text in ("1 O\n2 O\n", "1\tO\n\n1\tB-PER\n", "2 NN O\n1 NN O\n", "1 CD O\n2 CD O\n"):
        assert read_conll(put(text)).sentences[0][0] in ("1", "2")
    assert read_conll(put("1\tkoru\n2\tmira\n\n1\tsen\n")).sentences == [["koru", "mira"], ["sen"]]


def test_a_number_of_thousands_of_digits_is_a_word(put):
    assert read_conll(put(f"{'9' * 5000}\tCD\tO\n1\tCD\tO\n")).sentences == [["9" * 5000, "1"]]


@pytest.mark.parametrize("first", ["<!DOCTYPE html>", "<html lang='x'>", "  <HTML>", '<?xml version="1.0"?>'])
@pytest.mark.parametrize("shape", ["tagging", "single"])
def test_a_page_saved_as_text_is_refused_unless_it_is_asked_for(put, first, shape):
    path = put(f"\n{first}\n<p>koru mira</p>\nsen\n", "x.txt")
    how = {"name": "t", "lang": "x", "label_names": ("O",), "labelled": False, "shape": shape}
    with pytest.raises(DataError, match=r"x\.txt:2: begins like HTML or XML; write its text alone"):
        load_corpus(path, **how)
    assert len(load_corpus(path, format="text", **how)) == 3


def test_tags_within_text_are_text(put):
    path = put("<p>koru</p> mira\n<htmlx>\nsen <html>\n", "x.txt")
    assert len(load_corpus(path, name="t", lang="x", label_names=("O",), labelled=False)) == 3


def test_the_header_of_each_of_several_joined_files_is_no_word(put):
    text = "word ner\nkoru O\n\nword ner\nmira B-PER\n"
    file = read_conll(put(text))
    assert file.sentences == [["koru"], ["mira"]]
    assert file.holds == "labels"
    assert file.parsed.left_out == {"header": 2}
    assert file.with_tags([["B-LOC"], ["O"]]).raw.decode() == "word ner\nkoru B-LOC\n\nword ner\nmira O\n"


@pytest.mark.parametrize(
    "text", ["koru O\nmira O\n", "koru mira\nsen tal\n", "Mira B-PER\n", "koru O\nmira sen B-PER\n"]
)
def test_a_few_lines_of_text_are_text(put, text):
    assert load_corpus(put(text, "x.txt"), name="t", lang="x", label_names=("O",), labelled=False)
