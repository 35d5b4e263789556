"""Which lines of a CoNLL file are words: not comments, headers, starts of documents, and nothing that only looks so."""

from itertools import chain
from typing import ClassVar

import pytest

from uxla import progress
from uxla.data.conll.file import read_conll
from uxla.data.discover import open_rewritable
from uxla.data.writing.samples import Rewritten, open_writer
from uxla.errors import DataError


@pytest.mark.parametrize(
    "comment",
    ["# koru mira", "# doc 1", "# id 7", "#begin document (x)", "# text = O", "# http://koru.example", "#", "# a\tb c"],
)
@pytest.mark.parametrize("row", ["koru\tO", "koru O", "koru NN X O", "koru"])
def test_a_comment_before_the_first_word_is_no_word(put, comment, row):
    if comment == "#" and row == "koru":
        pytest.skip("a # in a file of words alone is a word")
    text = f"{comment}\n{row}\n\n{comment}\n{row}\n"
    file = read_conll(put(text))
    assert (file.sentences, file.parsed.left_out) == ([["koru"], ["koru"]], {"comment": 2})
    assert [row.texts for row in open_rewritable(put(text)).rows()] == [("koru",), ("koru",)]


@pytest.mark.parametrize("text", ["# id 1\tx\n", "# a = b\n\n# a = b\n", "#begin document x\n", "-DOCSTART-\n"])
def test_a_file_of_comments_alone_has_no_sentence(put, refused, text):
    assert "no sentence; expected one word a line" in refused(put(text), lambda file: file.sentences)
    with pytest.raises(DataError, match="no sentence"):
        open_rewritable(put(text)).count()


@pytest.mark.parametrize(
    "text",
    [
        "# SYM\nkoru NOUN\n",
        "# #\nkoru NN\n",
        "#\tO\nkoru\tO\n",
        "#koru O\nmira O\n",
        "#koru\nmira\n",
        "koru\tO\n#\tO\n",
        "#\nkoru\n",
    ],
)
def test_a_hash_in_the_place_of_a_word_is_a_word(put, text):
    words = [line.split()[0] for line in text.split("\n") if line]
    assert read_conll(put(text)).sentences == [words]


def test_what_may_be_a_comment_and_may_be_a_word_is_refused_until_it_is_said(put, refused):
    assert read_conll(put("# doc1\nkoru\tO\n")).sentences == [["koru"]]  # columns are cut at TABs, and it has none
    path = put("# doc1\nkoru O\n")
    said = refused(path, lambda file: file.sentences)
    assert said.startswith("FILE:1: looks like a comment, with as many columns as words have; set comment: ")
    assert read_conll(path, comment="#").sentences == [["koru"]]
    assert read_conll(path, comment=None).sentences == [["#", "koru"]]
    assert read_conll(path, comment="none").sentences == [["#", "koru"]]


def test_a_comment_inside_a_sentence_is_refused_until_its_prefix_is_said(put, refused):
    path = put("koru _ _ O\n# a = O\nmira _ _ O\n")
    assert "FILE:2: looks like a comment, inside a sentence" in refused(path)
    assert read_conll(path, comment="# ").sentences == [["koru", "mira"]]
    said = refused(put("koru O\n# mira sen tal\n"))
    expected = """'# mira sen tal' looks like a comment: set comment: "#\""""
    assert said == f"FILE:2: 4 columns, expected 2 as on line 1; {expected}"


def test_the_prefix_of_comments_may_be_another(put):
    file = read_conll(put("% koru\nmira O\n%% sen\ntal O\n"), comment="%")
    assert (file.sentences, file.parsed.left_out) == ([["mira", "tal"]], {"comment": 2})


@pytest.mark.parametrize("header", ["word\tner", "Token\tTag", "FORM\tLABEL", "words\tner_tags", "tok\tNER-Tag"])
def test_a_header_is_no_word_with_labels_or_without(put, header):
    text = f"{header}\nkoru\tO\nmira\tB-PER\n"
    file = read_conll(put(text))
    assert (file.sentences, file.tags, file.parsed.left_out) == ([["koru", "mira"]], [["O", "B-PER"]], {"header": 1})
    assert file.with_tags([["O", "O"]]).raw.decode() == text.replace("B-PER", "O")
    assert [row.texts for row in open_rewritable(put(text)).rows()] == [("koru mira",)]


def test_a_header_says_which_column_is_which(put):
    file = read_conll(put("id word ner pos\n7 koru O NN\n7 mira B-PER NN\n"))
    assert (file.sentences, file.tags) == ([["koru", "mira"]], [["O", "B-PER"]])


@pytest.mark.parametrize("text", ["word O\nkoru O\n", "word\nkoru\n", "koru O\n\nword ner\n"])
def test_a_word_that_is_called_word_is_one(put, text):
    assert "word" in list(chain(*read_conll(put(text)).sentences))


@pytest.mark.parametrize(
    "start", ["-DOCSTART-", "-DOCSTART- O", "-docstart- -X- O", "--DOCSTART--", "-DOCSTART-\t-X-\tO"]
)
def test_the_start_of_a_document_is_no_word_in_any_dress(put, start):
    for column in 0, 1:
        row = "koru X\n" if column == 0 else "X koru\n"
        assert read_conll(put(f"{start}\n\n{row}"), token_column=column, label_column=9).sentences == [["koru"]]


def test_rows_may_differ_where_both_columns_count_from_the_front(put, refused):
    text = "koru O\nmira B-PER a b\nsen O c\n"
    file = read_conll(put(text), label_column=1)
    assert (file.sentences, file.tags) == ([["koru", "mira", "sen"]], [["O", "B-PER", "O"]])
    assert file.with_tags([["O", "O", "B-LOC"]]).raw == b"koru O\nmira O a b\nsen B-LOC c\n"
    assert "FILE:2: 4 columns, expected 2 as on line 1; " in refused(put(text))
    assert "count label_column from the front" in refused(put(text))
    assert "FILE:2: 1 column, expected at least 2 as on line 1" in refused(put("koru O\nmira\n"), label_column=1)


def test_a_tab_at_the_end_of_all_lines_makes_no_column(put):
    text = "koru\tO\t\nmira\tB-PER\t\n"
    file = read_conll(put(text))
    assert file.tags == [["O", "B-PER"]]
    assert file.with_tags([["B-PER", "O"]]).raw == b"koru\tB-PER\t\nmira\tO\t\n"
    assert read_conll(put("koru\tO\nmira\tB-PER\t\n")).tags == [["O", "B-PER"]]
    assert read_conll(put("koru\t\nmira\t\n")).with_tags([["O", "B-PER"]]).raw == b"koru\tO\nmira\tB-PER\n"


@pytest.mark.parametrize("blank", ["\u00a0", "\u200b", "\ufeff", "\u3000 \u00a0", "\u2060\t\u00a0"])
@pytest.mark.parametrize("row", ["koru\tO", "koru"])
def test_a_line_that_only_looks_blank_is_shown(put, refused, blank, row):
    said = refused(put(f"{row}\n{blank}\n{row}\n"), lambda file: file.sentences)
    assert said == f"FILE:2: the line looks blank, but is {blank!r}; empty it if it ends a sentence, else delete it"


def test_a_word_that_cannot_be_seen_keeps_its_line(put):
    assert read_conll(put("\u200b\tO\nkoru\tO\n")).sentences == [["\u200b", "koru"]]


@pytest.fixture
def notes():
    class Listener:
        said: ClassVar = []

        def start(self, label, total):
            raise AssertionError

        def note(self, text):
            self.said.append(text)

    with progress.listening(Listener()):
        yield Listener.said


RAW_WIKIANN = "fr:koru\tO\nfr:mira\tB-PER\n\nfr::\tO\nfr:\tO\n"


def test_a_language_before_every_word_is_left_out_and_comes_back(put, notes):
    file = read_conll(put(RAW_WIKIANN))
    assert file.sentences == [["koru", "mira"], [":", "fr:"]]
    assert file.with_tags([["O", "O"], ["O", "O"]]).raw.decode() == RAW_WIKIANN.replace("B-PER", "O")
    assert notes == [f"{file.path}: 'fr:', with which every word begins, is left out"]
    assert [row.texts for row in open_rewritable(file.path).rows()] == [("koru mira",), (": fr:",)]


def test_a_replaced_word_gets_its_language_again(put, tmp_path):
    source = open_rewritable(put(RAW_WIKIANN))
    with (tmp_path / "out").open("wb") as stream, open_writer(source, "conll", stream) as write:
        write([Rewritten(next(source.rows()), ("koru tal",), 7, [(1,)])])
    assert (tmp_path / "out").read_text() == "fr:koru\t7\t0\tO\nfr:tal\t7\t1\tB-PER\n\n"


@pytest.mark.parametrize("text", ["koru\tO\t\n", "koru O note\n", "koru\n", "koru NN O\n"])
def test_added_columns_stand_where_the_labels_are_still_found(put, tmp_path, text):
    how = {"label_column": 1} if "note" in text else {}
    source = open_rewritable(put(text + text), **how)
    with (tmp_path / "out").open("wb") as stream, open_writer(source, "conll", stream) as write:
        write([Rewritten(row, ("mira tal",), 7, [(0, 1)]) for row in source.rows()])
    again = read_conll(tmp_path / "out", **how)
    assert again.sentences == [["mira", "tal"]]
    assert again.parsed.labels in ([["O", "O"]], [["1", "1"]] if text == "koru\n" else None)


@pytest.mark.parametrize("other", ["koru", "de:koru", "FR:koru", "http:koru"])
def test_what_stands_before_some_words_only_belongs_to_them(put, notes, other):
    text = RAW_WIKIANN * 400 + f"\n{other}\tO\n"
    assert read_conll(put(text)).sentences[0] == ["fr:koru", "fr:mira"]
    assert notes == []
