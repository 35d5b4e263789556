"""Forms of CoNLL files as they are found in the world: what of them is a word, and that all else comes back."""

from pathlib import Path

import pytest

from uxla.data.checks.check import check
from uxla.data.conll.file import read_conll
from uxla.data.discover import open_rewritable
from uxla.data.load import load_corpus, stream_format
from uxla.data.writing.samples import Rewritten, open_writer
from uxla.errors import DataError

MULTICONER = """\
# id aaaa-0001{gap}domain=train
koru _ _ O
mira _ _ B-PER

# id aaaa-0002{gap}domain=train
# _ _ O
sen _ _ B-LOC
"""
GERMEVAL = """\
#\thttp://koru.example/Mira\t[2001-02-03]
1\tkoru\tO\tO
2\tmira\tB-PER\tB-LOCpart

#\thttp://koru.example/Sen\t[2001-02-03]
1\t#\tO\tO
2\tsen\tB-LOC\tO
"""
UNER = """\
# sent_id = koru-1
# text = koru mira
1\tkoru\tO\t-\tann
2\tmira\tB-PER\t-\tann

# sent_id = koru-2
1\t#\tO\t-\tann
2\tsen\tB-LOC\t-\tann
"""
CONLL_U = """\
# newdoc id = k
# sent_id = 1
# text = korumira
1-2\tkorumira\t_\t_\t_\t_\t_\t_\t_\tSpaceAfter=No
1\tkoru\tkoru\tNOUN\t_\t_\t0\troot\t_\t_
2\tmira\tmira\tPROPN\t_\t_\t1\tobj\t_\tNER=B-PER|SpaceAfter=No
2.1\ttal\t_\t_\t_\t_\t_\t_\t_\t_

#
1\t#\t#\tSYM\t_\t_\t0\troot\t_\tSpaceAfter=No
2\tsen\tsen\tPROPN\t_\t_\t1\tobj\t_\tNER=B-LOC
"""
ONTONOTES = """\
#begin document (koru/mira_0001); part 000
k/m_0001   0   0   koru   NN   (TOP(NP*   -   -   -   Ann   *          (ARG0*)   -
k/m_0001   0   1   mira  NNP        *))   -   -   -   Ann   (PER)   (V*)     (0)

#end document
#begin document (koru/mira_0002); part 000
k/m_0002   0   0   #      NN   (TOP(NP*   -   -   -   Ann   *          -
k/m_0002   0   1   sen   NNP        *))   -   -   -   Ann   (LOC*)     (1

#end document
"""
REAL = {
    "MultiCoNER": MULTICONER.format(gap=" "),
    "MultiCoNER with TAB": MULTICONER.format(gap="\t"),
    "MultiCoNER in TABs": MULTICONER.replace(" _ _ ", "\t_\t_\t").format(gap="\t"),
    "GermEval": GERMEVAL,
    "UNER": UNER,
    "CoNLL-U": CONLL_U,
    "OntoNotes": ONTONOTES,
}
WORDS, TAGS = [["koru", "mira"], ["#", "sen"]], [["O", "B-PER"], ["O", "B-LOC"]]
OTHER = [["B-LOC", "I-LOC"], ["O", "B-PER"]]


@pytest.mark.parametrize("name", REAL)
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_words_and_labels_of_a_known_form_are_found(put, name, ends):
    file = read_conll(put(REAL[name].replace("\n", ends)))
    assert (file.sentences, file.tags) == (WORDS, TAGS)


@pytest.mark.parametrize("name", REAL)
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_a_known_form_comes_back_byte_for_byte_and_with_new_labels_but_for_them(put, name, ends):
    text = REAL[name].replace("\n", ends)
    file = read_conll(put(text))
    assert file.with_tags(TAGS).raw == text.encode()
    again = read_conll(put(file.with_tags(OTHER).raw, "y.conll"))
    assert (again.sentences, again.tags) == (WORDS, OTHER)
    assert again.with_tags(TAGS).tags == TAGS


@pytest.mark.parametrize("name", REAL)
def test_rows_that_are_kept_are_those_that_are_read(put, name):
    path = put(REAL[name])
    source, lines = open_rewritable(path), REAL[name].split("\n")
    assert [row.texts for row in source.rows()] == [("koru mira",), ("# sen",)]
    assert source.count() == 2
    file = read_conll(path)
    for i, row in enumerate(source.rows()):
        assert row.record == [lines[file.line_of(i, word) - 1] for word in range(2)]


@pytest.mark.parametrize("name", REAL)
def test_a_known_form_is_told_from_raw_text_without_its_name_or_against_it(put, name):
    raw = REAL[name].encode()
    assert stream_format(raw, path=Path("-")) == "conll"
    with pytest.raises(DataError, match="set format: conll, or format: text"):
        load_corpus(put(raw, "x.txt"), name="t", lang="x", label_names=("O",), labelled=False)
    corpus = load_corpus(put(raw), name="t", lang="x", label_names=("O",), labelled=False)
    assert [example.words for example in corpus] == WORDS


@pytest.mark.parametrize("name", REAL)
def test_lines_that_are_no_words_are_counted(put, name):
    comments = sum(line.startswith("#") and "\tO" not in line and "# _" not in line for line in REAL[name].split("\n"))
    left_out = {"comment": comments} | ({"range or empty node": 2} if name == "CoNLL-U" else {})
    assert read_conll(put(REAL[name])).parsed.left_out == left_out
    assert check(put(REAL[name])).left_out == left_out


def test_lines_of_words_that_stand_apart_have_their_own_numbers(put):
    file = read_conll(put(CONLL_U.replace("2\tmira", "2-3\tmirasen\t_\t_\t_\t_\t_\t_\t_\t_\n2\tmira")))
    assert [[file.line_of(i, word) for word in range(2)] for i in range(2)] == [[5, 7], [11, 12]]


def test_new_labels_change_the_labels_cells_only(put):
    changed = {
        "MultiCoNER": "koru _ _ B-LOC",
        "GermEval": "2\tmira\tI-LOC\tB-LOCpart",
        "UNER": "2\tmira\tI-LOC\t-\tann",
        "CoNLL-U": "2\tmira\tmira\tPROPN\t_\t_\t1\tobj\t_\tNER=I-LOC|SpaceAfter=No",
        "OntoNotes": "k/m_0001   0   0   koru   NN   (TOP(NP*   -   -   -   Ann   (LOC*          (ARG0*)   -",
    }
    for name, line in changed.items():
        before = REAL[name].split("\n")
        after = read_conll(put(REAL[name])).with_tags(OTHER).raw.decode().split("\n")
        assert line in after
        assert sum(old != new for old, new in zip(before, after, strict=True)) == 3


def test_the_second_labels_of_germeval_are_had_by_number(put):
    assert read_conll(put(GERMEVAL), label_column=3).tags == [["O", "B-LOCpart"], ["O", "O"]]
    assert read_conll(put(GERMEVAL), token_column=1, label_column=2).tags == TAGS


def test_conll_u_without_entities_has_no_labels_until_some_are_written(put, refused):
    text = CONLL_U.replace("NER=B-PER|", "").replace("NER=B-LOC", "_")
    file = read_conll(put(text))
    assert file.parsed.labels is None
    assert "no column of labels (column 9 has no NER= in any line)" in refused(put(text))
    assert file.with_tags([["O", "O"], ["O", "O"]]).raw == text.encode()
    written = file.with_tags(TAGS).raw.decode()
    assert "\tSpaceAfter=No|NER=B-PER\n" in written
    assert "\t_\tNER=B-LOC\n" in written


@pytest.mark.parametrize("cells", ["(A(B*) *)", "(A* (B*)", "(A* *", "*) *", "(A)) *"])
def test_brackets_that_nest_cross_or_stay_open_are_refused_with_their_line(put, refused, cells):
    first, second = cells.split()
    text = ONTONOTES.replace("*          (ARG0*)", f"{first} (ARG0*)").replace("(PER)", second)
    assert read_conll(put(text)).sentences == WORDS
    said = refused(put(text))
    assert said.startswith(("FILE:2: label '", "FILE:3: label '"))
    assert "spans in brackets may neither overlap nor stay open" in said


@pytest.mark.parametrize("name", REAL)
def test_words_are_replaced_in_the_rows_of_a_known_form_and_read_back(put, name, tmp_path):
    source = open_rewritable(put(REAL[name]))
    with (tmp_path / "out.conll").open("wb") as stream, open_writer(source, "conll", stream) as write:
        write(Rewritten(row, (f"{row.texts[0][:-1]}x",), i, [(1,)]) for i, row in enumerate(source.rows()))
    again = read_conll(tmp_path / "out.conll")
    assert (again.sentences, again.tags) == ([["koru", "mirx"], ["#", "sex"]], TAGS)
    before = [line for line in REAL[name].split("\n") if "mira" in line and "#" not in line][-1]
    [after] = [line for line in (tmp_path / "out.conll").read_text().split("\n") if "mirx" in line]
    expected = before.replace("mira", "mirx", 1).split()
    assert [cell for cell in after.split() if cell not in "01"] == [cell for cell in expected if cell not in "01"]
