import pytest

from uxla.data.checks.check import Finding, check
from uxla.data.conll.repair import fix_scheme
from uxla.errors import DataError


@pytest.fixture
def repair(tmp_path):
    def repair(content, **options):
        (tmp_path / "x.conll").write_bytes(content.encode(options.get("encoding", "utf-8")))
        made = fix_scheme(tmp_path / "x.conll", tmp_path / "fixed.conll", **options)
        return (tmp_path / "fixed.conll").read_bytes().decode(options.get("encoding", "utf-8")), made

    return repair


@pytest.mark.parametrize(
    ("scheme", "before", "after"),
    [
        ("IOB2", "O I-A I-A I-B B-B", "O B-A I-A B-B B-B"),
        ("IOB1", "B-A I-A O B-A B-B", "I-A I-A O I-A I-B"),
        ("BIOES", "I-A I-A O", "B-A E-A O"),
        ("BIOES", "B-A O E-A S-A I-A", "S-A O S-A S-A S-A"),
        ("BIOES", "B-A E-B B-B I-B", "S-A S-B B-B E-B"),
        ("BILOU", "L-A U-A L-A B-A I-A", "U-A U-A U-A B-A L-A"),
    ],
)
def test_what_continues_nothing_begins_an_entity(repair, tmp_path, scheme, before, after):
    content = "".join(f"w\t{tag}\n" for tag in before.split())
    fixed, made = repair(content, scheme=scheme)
    assert fixed == "".join(f"w\t{tag}\n" for tag in after.split())
    changed = [i for i, (old, new) in enumerate(zip(before.split(), after.split(), strict=True), 1) if old != new]
    assert [finding.line for finding in made.changes] == changed
    assert check(tmp_path / "fixed.conll", scheme=scheme).violation_total == 0


def test_all_else_stays_as_it_was_and_every_change_is_listed(repair):
    content = "\ufeff-DOCSTART- X O\r\n\r\nAña  X  I-PER\r\nlee X O\r\n \r\n\r\nB X B-LOC\r\nC X I-LOC"
    fixed, made = repair(content)
    assert fixed == content.replace("I-PER", "B-PER")
    assert (made.scheme, made.changes) == ("IOB2", (Finding(3, "I-PER -> B-PER"),))


def test_a_sound_file_comes_back_byte_for_byte_in_its_encoding(repair):
    content = "año B-PER\ny I-PER\n\n"
    assert repair(content, encoding="latin-1")[0] == content


def test_a_label_that_is_none_is_left_to_a_person(repair, tmp_path):
    with pytest.raises(DataError, match=r"x.conll:2: label 'person' is not in IOB2; correct it by hand"):
        repair("a\tB-X\nb\tperson\n")
    assert not (tmp_path / "fixed.conll").exists()


def test_types_without_a_letter_before_them_become_iob2(repair):
    fixed, made = repair("mira\tPER\nsen\tPER\nkoru\tO\n\ntal\tLOC\nru\tPER\n")
    assert fixed == "mira\tB-PER\nsen\tI-PER\nkoru\tO\n\ntal\tB-LOC\nru\tB-PER\n"
    assert made.changes[1] == Finding(2, "PER -> I-PER")


@pytest.mark.parametrize("tags", ["NOUN VERB", "O _", "O -", "O B", "O B_PER", "O PER-B", "O B-PER PER", "0 O"])
def test_other_tags_and_signs_of_missing_values_are_left_to_a_person(repair, tags):
    with pytest.raises(DataError, match="correct it by hand"):
        repair("".join(f"koru\t{tag}\n" for tag in tags.split()))


def test_the_file_itself_is_not_overwritten(tmp_path):
    path = tmp_path / "x.conll"
    path.write_text("a\tI-PER\n")
    with pytest.raises(DataError, match=r"x.conll: would be overwritten; write the repaired copy to another file"):
        fix_scheme(path, path)


def test_a_file_without_labels_has_nothing_to_repair(repair):
    with pytest.raises(DataError, match="no column of labels, nothing to repair"):
        repair("a\nb\n")
