"""Forms of CoNLL files as they are found in the world: what of them is a word, and that all else comes back."""

from contextlib import closing
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uxla.data.check import check
from uxla.data.conll import read_conll
from uxla.data.kept import open_kept
from uxla.data.rewrite import Rewritten, open_writer
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


@pytest.fixture
def put(tmp_path):
    def put(content, name="x.conll"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return put


def refused(path, ask=lambda file: file.tags, **options):
    with pytest.raises(DataError) as caught:
        ask(read_conll(path, **options))
    return str(caught.value).replace(str(path), "FILE")


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
    source, lines = open_kept(path), REAL[name].split("\n")
    assert [row.texts for row in source.rows()] == [("koru mira",), ("# sen",)]
    assert source.count() == 2
    file = read_conll(path)
    for i, row in enumerate(source.rows()):
        assert row.record == [lines[file.line_of(i, word) - 1] for word in range(2)]


@pytest.mark.parametrize("name", REAL)
def test_lines_that_are_no_words_are_counted(put, name):
    comments = sum(line.startswith("#") and "\tO" not in line and "# _" not in line for line in REAL[name].split("\n"))
    left_out = {"comment": comments} | ({"range or empty node": 2} if name == "CoNLL-U" else {})
    assert read_conll(put(REAL[name])).rows.left_out == left_out
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


def test_conll_u_without_entities_has_no_labels_until_some_are_written(put):
    text = CONLL_U.replace("NER=B-PER|", "").replace("NER=B-LOC", "_")
    file = read_conll(put(text))
    assert file.rows.labels is None
    assert "no column of labels (column 9 has no NER= in any line)" in refused(put(text))
    assert file.with_tags([["O", "O"], ["O", "O"]]).raw == text.encode()
    written = file.with_tags(TAGS).raw.decode()
    assert "\tSpaceAfter=No|NER=B-PER\n" in written
    assert "\t_\tNER=B-LOC\n" in written


@pytest.mark.parametrize("cells", ["(A(B*) *)", "(A* (B*)", "(A* *", "*) *", "(A)) *"])
def test_brackets_that_nest_cross_or_stay_open_are_refused_with_their_line(put, cells):
    first, second = cells.split()
    text = ONTONOTES.replace("*          (ARG0*)", f"{first} (ARG0*)").replace("(PER)", second)
    assert read_conll(put(text)).sentences == WORDS
    said = refused(put(text))
    assert said.startswith(("FILE:2: label '", "FILE:3: label '"))
    assert "spans in brackets may neither overlap nor stay open" in said


@pytest.mark.parametrize("name", REAL)
def test_words_are_replaced_in_the_rows_of_a_known_form_and_read_back(put, name, tmp_path):
    source = open_kept(put(REAL[name]))
    with (tmp_path / "out.conll").open("wb") as stream, closing(open_writer(source, "conll", stream)) as writer:
        writer.write(Rewritten(row, (f"{row.texts[0][:-1]}x",), i, [(1,)]) for i, row in enumerate(source.rows()))
    again = read_conll(tmp_path / "out.conll")
    assert (again.sentences, again.tags) == ([["koru", "mirx"], ["#", "sex"]], TAGS)
    before = [line for line in REAL[name].split("\n") if "mira" in line and "#" not in line][-1]
    [after] = [line for line in (tmp_path / "out.conll").read_text().split("\n") if "mirx" in line]
    expected = before.replace("mira", "mirx", 1).split()
    assert [cell for cell in after.split() if cell not in "01"] == [cell for cell in expected if cell not in "01"]


WORD = st.text(st.characters(codec="utf-8", exclude_characters=" \t\r\n\ufeff#"), min_size=1, max_size=4)
LABELS = st.lists(st.sampled_from(["O", "B-PER", "I-PER", "B-LOC"]), min_size=1, max_size=4).map(
    lambda row: [tag if tag != "I-PER" or old[2:] == "PER" else "B-PER" for old, tag in pairwise(["O", *row])]
)


@st.composite
def known(draw):
    """(text, words, tags) of a file in one of the known forms."""
    form = draw(st.sampled_from(["uner", "germeval", "conllu", "ontonotes", "multiconer"]))
    tags = draw(st.lists(LABELS, min_size=2, max_size=4))
    words = [[draw(WORD) for _ in row] for row in tags]
    words[0], tags[0] = ["koru", "mira"], ["B-PER", "I-PER"]
    lines = []
    for number, (sentence, row) in enumerate(zip(words, tags, strict=True)):
        lines += {
            "uner": [f"# sent_id = {number}"],
            "germeval": ["#\thttp://koru.example"],
            "conllu": ["# newpar", "# text = a  b"],
            "ontonotes": [f"#begin document (k); part {number:03}"],
            "multiconer": [f"# id {number}\tdomain=x"],
        }[form]
        opens = [tag[0] == "B" for tag in row]
        ends = [tag != "O" and after[0] != "I" for tag, after in zip(row, [*row[1:], "O"], strict=True)]
        for i, (word, tag) in enumerate(zip(sentence, row, strict=True)):
            bracket = f"({tag[2:]}" * opens[i] + "*" + ")" * ends[i]
            if form == "conllu" and draw(st.booleans()):
                lines.append(f"{i + 1}-{i + 2}\tx" + "\t_" * 8)
            misc = "|".join(draw(st.permutations([f"NER={tag}", "SpaceAfter=No"])))
            lines.append(
                {
                    "uner": f"{i + 1}\t{word}\t{tag}\t-\tann",
                    "germeval": f"{i + 1}\t{word}\t{tag}\tO",
                    "conllu": f"{i + 1}\t{word}" + "\t_" * 7 + f"\t{misc}",
                    "ontonotes": f"k  {number}  {i}  {word}  X  *  -  -  -  -  {bracket}" + "  *" * number + "  -",
                    "multiconer": f"{word} _ _ {tag}",
                }[form]
            )
        lines += ["", "#end document"] if form == "ontonotes" else [""]
    return "\n".join(lines), words, tags


@given(known())
def test_any_file_of_a_known_form_is_read_and_comes_back(tmp_path_factory, given_file):
    text, words, tags = given_file
    path = tmp_path_factory.getbasetemp() / "known.conll"
    path.write_bytes(text.encode())
    file = read_conll(path)
    assert (file.sentences, file.tags) == (words, tags)
    assert file.with_tags(tags).raw == text.encode()
    assert [row.texts[0] for row in open_kept(path).rows()] == [" ".join(row) for row in words]
    other = [["B-NEW", *["O"] * (len(row) - 1)] for row in tags]
    path.write_bytes(file.with_tags(other).raw)
    again = read_conll(path)
    assert (again.sentences, again.tags) == (words, other)
    assert again.with_tags(tags).raw.replace(b"*)", b")") == text.encode().replace(b"*)", b")")
