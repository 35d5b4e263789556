from dataclasses import asdict
from io import StringIO

import pytest
from rich.console import Console

from uxla.data.checks.check import Overlap, check
from uxla.data.checks.statistics import Finding, SuspiciousWords
from uxla.errors import DataError
from uxla.report.data_check import check_table


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
        "shape": "tagging",
        "encoding": "utf-8",
        "sentences": 3,
        "words": 7,
        "length_unit": "words",
        "mean_length": 2.3,
        "length_95": 3,
        "longest": 3,
        "columns": 3,
        "scheme": "BIOES",
        "entities": {"LOC": 1, "PER": 2},
        "labels": {},
        "violations": (),
        "violation_total": 0,
        "left_out": {},
        "remedy": "",
        "duplicates": 1,
        "suspicious_words": (),
        "doubts": (),
        "overlap": None,
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
    assert report(content, file).suspicious_words == tuple(SuspiciousWords(kind, 2, 3) for kind in kinds)


def test_zawgyi_is_told_from_unicode_burmese(report):
    """The same greeting twice: U+1031 after its consonant in Unicode, before it in Zawgyi."""
    unicode = "\u1014\u1031\u1000\u1031\u102c\u1004\u103a\u1038\u101c\u102c\u1038"
    zawgyi = "\u1031\u1014\u1031\u1000\u102c\u1004\u1039\u1038\u101c\u102c\u1038"
    stacked = "\u1015\u1014\u1039\u1014\u1031"
    assert not report(f"{unicode}\tO\n{stacked}\tO\n").doubts
    assert [doubt.about for doubt in report(f"{zawgyi}\tO\n").doubts] == ["Zawgyi"]


def test_the_encoding_is_the_one_asked_for(report):
    assert report("año\tO\n", encoding="latin-1").encoding == "latin-1"


def test_a_file_that_cannot_be_read_at_all_is_refused(report):
    with pytest.raises(DataError, match=r"x.conll:2: 1 column, expected 2 as on line 1"):
        report("a\tO\nb\n")


def test_lines_that_are_no_words_and_the_remedy_for_labels_are_shown(report):
    console = Console(width=200, record=True, file=StringIO())
    console.print(check_table(report("# a = b\nkoru\tADJ\n\n# a = b\nmira\tNOUN\n")))
    shown = console.export_text()
    assert "2 comments" in shown
    assert "2 labels break IOB2; uxla tags entities only" in shown


PAIRS = "premise\thypothesis\tlabel\na b\tc\tno\nd\te\u200bf g\tyes\na b\tc\tyes\n"


def test_pairs_in_figures(report):
    found = report(PAIRS, "x.tsv", shape="pair")
    assert (found.format, found.shape, found.sentences, found.words) == ("tsv", "pair", 3, 9)
    assert (found.mean_length, found.length_95, found.longest, found.length_unit) == (3.0, 3, 3, "words")
    assert found.labels == {"no": 1, "yes": 2}
    assert (found.duplicates, found.scheme, found.entities) == (1, None, {})
    assert found.suspicious_words == (SuspiciousWords("zero-width character", 1, 3),)


def test_a_table_without_labels_is_counted_all_the_same(report):
    assert report("text\na\nb\n", "x.csv", shape="single").labels == {}
    assert report("a\tb\n", "x.txt", shape="pair").sentences == 1


def test_text_without_spaces_is_measured_in_characters(report):
    found = report("text\n" + "雨" * 30 + "\n" + "下" * 20 + "\n", "x.tsv", shape="single")
    assert (found.length_unit, found.mean_length, found.longest) == ("characters", 25.0, 30)


def test_ninety_five_percent_of_the_sentences_are_no_longer_than_the_percentile(report):
    assert report("a\n" * 96 + "a b\n" * 4, "x.txt").length_95 == 1
    assert report("a\n" * 90 + "a b\n" * 10, "x.txt").length_95 == 2


def test_tags_in_a_table_are_checked_like_conll(report):
    lines = ['{"tokens": ["a", "b"], "tags": ["B-PER", "O"]}', '{"tokens": ["c"], "tags": ["I-PER"]}']
    found = report("\n".join(lines * 12), "x.jsonl", scheme="IOB2")
    assert (found.scheme, found.entities, found.violation_total) == ("IOB2", {"PER": 12}, 12)
    assert found.violations[1] == Finding(4, "I-PER cannot start a sentence in IOB2")


def test_an_overlap_counts_the_examples_of_this_file_that_stand_in_the_other(report, tmp_path):
    (tmp_path / "other.tsv").write_text("premise\thypothesis\na b\tc\nd\te f\n")
    found = report(PAIRS, "x.tsv", shape="pair", against=tmp_path / "other.tsv")
    assert found.overlap == Overlap(str(tmp_path / "other.tsv"), 2, 0)
    long = "this sentence is long enough\tO\n"
    (tmp_path / "o.conll").write_text(long.replace(" ", "\tO\n") + "\nx\tO\n")
    same = report("x\tB-PER\n\n" + long.replace(" ", "\tO\n") + "\ny\tO\n", against=tmp_path / "o.conll")
    assert same.overlap == Overlap(str(tmp_path / "o.conll"), 2, 1)


def test_everything_found_is_shown(report, tmp_path):
    (tmp_path / "other.tsv").write_text(PAIRS, encoding="utf-8")
    found = report(PAIRS, "x.tsv", shape="pair", against=tmp_path / "other.tsv")
    console = Console(width=200, record=True, file=StringIO())
    console.print(check_table(found))
    shown = console.export_text()
    for said in (
        "tsv, utf-8",
        "3, 9 words",
        "mean 3, 95 % have at most 3 words",
        "1 no, 2 yes",
        "3 sentences (100.0%)",
    ):
        assert said in shown
