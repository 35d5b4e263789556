from dataclasses import asdict

import pytest

from uxla.data.check import Finding, OddWords, check
from uxla.errors import DataError


@pytest.fixture
def report(tmp_path):
    def report(content, file="x.conll", **options):
        (tmp_path / file).write_text(content, encoding=options.get("encoding", "utf-8"), newline="")
        return check(tmp_path / file, **options)

    return report


def test_a_sound_file_in_figures(report):
    content = "Ana X S-PER\nlee X O\n\nen X O\nNueva X B-LOC\nLoma X E-LOC\n\nAna X S-PER\nlee X O\n"
    found = asdict(report(content))
    assert found.pop("path").endswith("x.conll")
    assert found == {
        "format": "conll",
        "encoding": "utf-8",
        "sentences": 3,
        "words": 7,
        "longest": 3,
        "columns": 3,
        "scheme": "BIOES",
        "entities": {"LOC": 1, "PER": 2},
        "violations": (),
        "violation_total": 0,
        "duplicates": 1,
        "odd_words": (),
        "probable_zawgyi": False,
    }


def test_raw_text_has_neither_columns_nor_labels(report):
    found = report("Ana lee\nllueve\n", "x.txt")
    assert (found.format, found.sentences, found.words, found.columns, found.scheme) == ("text", 2, 3, None, None)


def test_words_alone_have_no_scheme(report):
    found = report("Ana\nlee\n")
    assert (found.columns, found.scheme, found.entities) == (1, None, {})


def test_violations_are_counted_all_and_listed_up_to_twenty_with_their_lines(report):
    found = report("Ana\tB-PER\n\n" * 30 + "a\tO\nb\tI-LOC\n\n" * 25)
    assert (found.scheme, found.violation_total, len(found.violations)) == ("IOB2", 25, 20)
    assert found.violations[0] == Finding(62, "I-LOC cannot follow O in IOB2")
    assert found.entities == {"PER": 30}


def test_labels_that_are_none_are_violations_not_errors(report):
    found = report("Ana\tperson\nlee\t\n")
    assert (found.violation_total, found.violations[1].line) == (2, 2)


@pytest.mark.parametrize(
    ("word", "kinds"),
    [
        ("a\u00a0b", ["no-break space"]),
        ("a\u3000b", ["other space"]),
        ("a\u200bb", ["zero-width character"]),
        ("\u200b", ["zero-width character", "nothing visible"]),
        ("می\u200cروم", ["joiner or non-joiner"]),
        ("\u200fא", ["direction mark"]),
        ("a\x07", ["control character"]),
        ("a\u0085b", ["control character"]),
        ("a\ufffd", ["replacement character"]),
        ("\ufe0f", ["nothing visible"]),
        ("Ωé人", []),
    ],
)
@pytest.mark.parametrize("file", ["x.conll", "x.txt"])
def test_odd_words_are_counted_with_the_first_line(report, word, kinds, file):
    content = f"a\tO\n\n{word}\tO\n{word}\tO\n" if file == "x.conll" else f"a\n\n{word}\n{word}\n"
    assert report(content, file).odd_words == tuple(OddWords(kind, 2, 3) for kind in kinds)


def test_zawgyi_is_told_from_unicode_burmese(report):
    """The same greeting twice: U+1031 after its consonant in Unicode, before it in Zawgyi."""
    unicode = "\u1014\u1031\u1000\u1031\u102c\u1004\u103a\u1038\u101c\u102c\u1038"
    zawgyi = "\u1031\u1014\u1031\u1000\u102c\u1004\u1039\u1038\u101c\u102c\u1038"
    stacked = "\u1015\u1014\u1039\u1014\u1031"
    assert not report(f"{unicode}\tO\n{stacked}\tO\n").probable_zawgyi
    assert report(f"{zawgyi}\tO\n").probable_zawgyi


def test_the_encoding_is_the_one_asked_for(report):
    assert report("año\tO\n", encoding="latin-1").encoding == "latin-1"


def test_a_file_that_cannot_be_read_at_all_is_refused(report):
    with pytest.raises(DataError, match=r"x.conll:2: 1 column, expected 2 as on line 1"):
        report("a\tO\nb\n")
