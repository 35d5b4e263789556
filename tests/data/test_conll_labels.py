"""What of a CoNLL file is a label, what to do where it is none, and where new ones go."""

import pytest

from uxla.data.conll.file import read_conll
from uxla.data.corpus import labels_of
from uxla.errors import DataError


def test_a_label_that_is_missing_in_one_line_is_told_when_labels_are_asked_for(put, refused):
    path = put("koru\tO\nmira\t\n")
    assert read_conll(path).sentences == [["koru", "mira"]]
    assert "FILE:2: label '' is not in IOB2" in refused(path)


@pytest.mark.parametrize("label", ["_", "-", "nan", "None", "null", "NA", "B-_", "B-nan", "B-"])
def test_a_sign_of_a_missing_value_is_no_label(put, refused, label):
    assert f"FILE:2: label '{label}' is not in IOB2" in refused(put(f"koru\tB-PER\nmira\t{label}\n"))


def test_blanks_around_words_and_labels_belong_to_neither(put):
    text = "koru \tB-PER \n mira\t I-PER\nsen\tO\u00a0\n"
    file = read_conll(put(text))
    assert (file.sentences, labels_of(file)) == ([["koru", "mira", "sen"]], ("O", "B-PER", "I-PER"))
    assert file.with_tags(file.tags).raw == text.encode()
    assert file.with_tags([["B-LOC", "O", "O"]]).raw.decode() == "koru \tB-LOC \n mira\t O\nsen\tO\u00a0\n"


@pytest.mark.parametrize("label", ["B-PER\u200b", "B-P\x01ER", "B- PER", "\u0412-PER"])
def test_what_cannot_be_seen_in_a_label_is_shown(put, refused, label):
    said = refused(put(f"koru\t{label}\nmira\tB-PER\n"))
    assert "FILE:1: label" in said
    assert ascii(label)[1:-1] in said


@pytest.mark.parametrize(
    ("labels", "remedy"),
    [
        ("O PER PER", "labels without B- and I-: `uxla data check FILE --fix-scheme OUT` writes them as IOB2"),
        ("O \u0412-PER", "correct the line"),
        ("o b-per i-per", "write O, and B- and I- in capitals with a hyphen"),
        ("O B_PER I_PER", "write O, and B- and I- in capitals with a hyphen"),
        ("O B\u2013PER I\u2013PER", "write O, and B- and I- in capitals with a hyphen"),
        ("O B\u00a0-PER", "write O, and B- and I- in capitals with a hyphen"),
        ('"O" "B-PER" "O"', "in capitals with a hyphen, without quotes and blanks"),
        ("0 B-PER", "write O, and B- and I- in capitals with a hyphen"),
        ("0 1 2", "numbers stand for labels; write the labels themselves"),
        ("ADJ NOUN NOUN", "uxla tags entities only, as O, B-PER, I-PER, with no other tags of words"),
        ("O B-PER _", "a sign of a missing value is no label"),
        ("O I-LOC B-LOC", "correct the line, or set scheme or label_column"),
    ],
)
def test_the_remedy_fits_what_stands_there(put, refused, labels, remedy):
    scheme = "BIOES" if "I-LOC" in labels else "auto"
    assert remedy in refused(put("".join(f"koru\t{label}\n" for label in labels.split(" "))), scheme=scheme)


def test_the_column_that_has_labels_is_named(put, refused):
    assert "column 1 holds nothing but labels: set label_column: 1" in refused(put("koru B-PER NN\nmira O VB\n"))


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
