"""Names of runs and of their files: no two are one."""

from uxla.report.names import file_names


def test_a_name_is_as_it_was_where_no_other_is_like_it():
    assert file_names([("a-run", "es"), ("other", "es"), ("x/y/", "de")]) == ["a-run-es", "other-es", "x-y-de"]


def test_different_names_never_give_one_file():
    named_by = [("a-b", "c"), ("a", "b-c"), ("a/b", "c"), ("a/b", "d")]
    found = file_names(named_by)
    assert len(set(found)) == len(named_by)
    assert found[-1] == "a-b-d"
    assert not any("/" in name for name in found)


def test_the_same_names_give_the_same_file_and_long_ones_a_short_one():
    one, other, again = file_names([("x" * 300 + "1",), ("x" * 300 + "2",), ("x" * 300 + "1",)])
    assert one == again != other
    assert len(one.encode()) <= 100
