"""Forms of CoNLL files as they are found in the world: what of them is a word, and that all else comes back."""

from itertools import chain, pairwise
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uxla import progress
from uxla.data.check import check
from uxla.data.conll import read_conll
from uxla.data.kept import open_kept
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
    assert (file.sentences, file.rows.left_out) == ([["koru"], ["koru"]], {"comment": 2})
    assert [row.texts for row in open_kept(put(text)).rows()] == [("koru",), ("koru",)]


@pytest.mark.parametrize(
    "text", ["#\tO\nkoru\tO\n", "#koru O\nmira O\n", "#koru\nmira\n", "koru\tO\n#\tO\n", "#\nkoru\n"]
)
def test_a_hash_in_the_place_of_a_word_is_a_word(put, text):
    words = [line.split()[0] for line in text.split("\n") if line]
    assert read_conll(put(text)).sentences == [words]


def test_what_may_be_a_comment_and_may_be_a_word_is_refused_until_it_is_said(put):
    path = put("# doc1\nkoru O\n")
    said = refused(path, lambda file: file.sentences)
    assert said.startswith("FILE:1: looks like a comment, with as many columns as words have; set comment: ")
    assert read_conll(path, comment="#").sentences == [["koru"]]
    assert read_conll(path, comment=None).sentences == [["#", "koru"]]
    assert read_conll(path, comment="none").sentences == [["#", "koru"]]


def test_a_comment_inside_a_sentence_is_refused_until_its_prefix_is_said(put):
    path = put("koru _ _ O\n# a = O\nmira _ _ O\n")
    assert "FILE:2: looks like a comment, inside a sentence" in refused(path)
    assert read_conll(path, comment="# ").sentences == [["koru", "mira"]]
    said = refused(put("koru O\n# mira sen tal\n"))
    assert said == 'FILE:2: 4 columns, expected 2 as on line 1; it looks like a comment: set comment: "#"'


def test_the_prefix_of_comments_may_be_another(put):
    file = read_conll(put("% koru\nmira O\n%% sen\ntal O\n"), comment="%")
    assert (file.sentences, file.rows.left_out) == ([["mira", "tal"]], {"comment": 2})


@pytest.mark.parametrize("header", ["word\tner", "Token\tTag", "FORM\tLABEL", "words\tner_tags"])
def test_a_header_is_no_word_with_labels_or_without(put, header):
    text = f"{header}\nkoru\tO\nmira\tB-PER\n"
    file = read_conll(put(text))
    assert (file.sentences, file.tags, file.rows.left_out) == ([["koru", "mira"]], [["O", "B-PER"]], {"header": 1})
    assert file.with_tags([["O", "O"]]).raw.decode() == text.replace("B-PER", "O")
    assert [row.texts for row in open_kept(put(text)).rows()] == [("koru mira",)]


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


def test_rows_may_differ_where_both_columns_count_from_the_front(put):
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


def test_a_label_that_is_missing_in_one_line_is_told_when_labels_are_asked_for(put):
    path = put("koru\tO\nmira\t\n")
    assert read_conll(path).sentences == [["koru", "mira"]]
    assert "FILE:2: label '' is not in IOB2" in refused(path)


@pytest.mark.parametrize("label", ["_", "-", "nan", "None", "null", "NA", "B-_", "B-nan", "B-"])
def test_a_sign_of_a_missing_value_is_no_label(put, label):
    assert f"FILE:2: label '{label}' is not in IOB2" in refused(put(f"koru\tB-PER\nmira\t{label}\n"))


def test_blanks_around_words_and_labels_belong_to_neither(put):
    text = "koru \tB-PER \n mira\t I-PER\nsen\tO\u00a0\n"
    file = read_conll(put(text))
    assert (file.sentences, file.types) == ([["koru", "mira", "sen"]], ("PER",))
    assert file.with_tags(file.tags).raw == text.encode()
    assert file.with_tags([["B-LOC", "O", "O"]]).raw.decode() == "koru \tB-LOC \n mira\t O\nsen\tO\u00a0\n"


@pytest.mark.parametrize("label", ["B-PER\u200b", "B-P\x01ER", "B- PER", "\u0412-PER"])
def test_what_cannot_be_seen_in_a_label_is_shown(put, label):
    said = refused(put(f"koru\t{label}\nmira\tB-PER\n"))
    assert "FILE:1: label" in said
    assert ascii(label)[1:-1] in said


@pytest.mark.parametrize("blank", ["\u00a0", "\u200b", "\ufeff", "\u3000 \u00a0", "\u2060\t\u00a0"])
@pytest.mark.parametrize("row", ["koru\tO", "koru"])
def test_a_line_that_only_looks_blank_is_shown(put, blank, row):
    said = refused(put(f"{row}\n{blank}\n{row}\n"), lambda file: file.sentences)
    assert said == f"FILE:2: the line looks blank, but is {blank!r}; empty it if it ends a sentence, else delete it"


def test_a_word_that_cannot_be_seen_keeps_its_line(put):
    assert read_conll(put("\u200b\tO\nkoru\tO\n")).sentences == [["\u200b", "koru"]]


@pytest.mark.parametrize(
    ("labels", "remedy"),
    [
        ("O PER PER", "labels without B- and I-: `uxla data check FILE --fix-scheme OUT` writes them as IOB2"),
        ("ADJ NOUN NOUN", "uxla tags entities only, as O, B-PER, I-PER, with no other tags of words"),
        ("O B-PER _", "a sign of a missing value is no label"),
        ("O I-LOC B-LOC", "correct the line, or set scheme or label_column"),
    ],
)
def test_the_remedy_fits_what_stands_there(put, labels, remedy):
    scheme = "BIOES" if "I-LOC" in labels else "auto"
    assert remedy in refused(put("".join(f"koru\t{label}\n" for label in labels.split())), scheme=scheme)


def test_the_column_that_has_labels_is_named(put):
    assert "column 1 holds nothing but labels: set label_column: 1" in refused(put("koru B-PER NN\nmira O VB\n"))


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
    assert [row.texts for row in open_kept(file.path).rows()] == [("koru mira",), (": fr:",)]


@pytest.mark.parametrize("other", ["koru", "de:koru", "FR:koru", "http:koru"])
def test_what_stands_before_some_words_only_belongs_to_them(put, notes, other):
    text = RAW_WIKIANN * 400 + f"\n{other}\tO\n"
    assert read_conll(put(text)).sentences[0] == ["fr:koru", "fr:mira"]
    assert notes == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("koru,O\nmira,B-PER\n", "columns between ','"),
        ("word;tag\nkoru;O\nmira;B-PER\n", "columns between ';'"),
        ("<s>\nkoru\n</s>\n", "'</s>' looks like markup"),
        ("koru O\n</s>\n", "it looks like markup"),
    ],
)
@pytest.mark.parametrize("name", ["x.conll", "x.json", "x"])
def test_text_that_is_plainly_something_else_is_refused(put, text, says, name):
    path = put(text, name)
    assert says in refused(path, lambda file: file.sentences)
    with pytest.raises(DataError):
        open_kept(path, format="conll").count()


@pytest.mark.parametrize(
    "text", ["[\nkoru\n]\n", "{\nkoru\n}\n", "[ O\nkoru O\n", "koru,\nmira,\n", "<s>\nkoru\n", "a,O\nb\n"]
)
def test_signs_of_other_formats_are_words_where_they_stand_alone(put, text):
    assert read_conll(put(text)).sentences == [[line.split()[0] for line in text.split("\n") if line]]


def test_numbers_are_words_unless_they_count_them(put):
    for text in ("1 O\n2 O\n", "1\tO\n\n1\tB-PER\n", "2 NN O\n1 NN O\n", "1 CD O\n2 CD O\n"):
        assert read_conll(put(text)).sentences[0][0] in ("1", "2")
    assert read_conll(put("1\tkoru\n2\tmira\n\n1\tsen\n")).sentences == [["koru", "mira"], ["sen"]]


def test_what_the_label_column_holds_is_told(put):
    for label, holds in (("B-PER", "labels"), ("_", "nothing"), ("NN", "other"), ("", "nothing")):
        assert read_conll(put(f"koru\t{label}\nmira\t{label}\n")).holds == holds
    assert read_conll(put("koru\n")).holds == "nothing"


def test_labels_go_into_a_new_column_or_one_that_is_named(put):
    file = read_conll(put("# a = b\nkoru NN ann\nmira NN ann\n"))
    assert file.with_tags([["O", "B-PER"]], column="new").raw == b"# a = b\nkoru NN ann O\nmira NN ann B-PER\n"
    assert file.with_tags([["O", "B-PER"]], column="new").tags == [["O", "B-PER"]]
    assert file.with_tags([["O", "B-PER"]], column=1).raw == b"# a = b\nkoru O ann\nmira B-PER ann\n"
    for column in 0, 3:
        with pytest.raises(DataError, match=f"labels cannot go into column {column}"):
            file.with_tags([["O", "O"]], column=column)
    uneven = read_conll(put("koru O\nmira O x\n"), label_column=1)
    assert uneven.with_tags([["O", "B-PER"]], column="new").raw == b"koru O O\nmira O x B-PER\n"


def test_a_label_with_a_space_does_not_go_between_spaces(put):
    with pytest.raises(DataError, match="label 'B-a b' has a space, and columns are cut at spaces"):
        read_conll(put("koru O\n")).with_tags([["B-a b"]])
    assert read_conll(put("koru\tO\n")).with_tags([["B-a b"]]).raw == b"koru\tB-a b\n"


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
