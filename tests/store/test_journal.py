"""A journal that a kill cut goes on, and is read without the line that was cut."""

import errno
import os

import pytest

from uxla.errors import ArtifactError
from uxla.store.journal import Journal, read


def written(path, *numbers):
    journal = Journal(path)
    journal.open()
    for number in numbers:
        journal.write("data", number=number, text="ქ\u2028")
    return journal


def numbers(path):
    return [event["number"] for event in read(path)]


def test_wherever_a_journal_is_cut_the_next_run_begins_a_line_of_its_own(tmp_path):
    path = tmp_path / "journal.jsonl"
    written(path, 1, 2)
    whole = path.read_bytes()
    second = whole.index(b"\n") + 1
    for length in range(len(whole) + 1):
        path.write_bytes(whole[:length])
        written(path, 3)
        expected = [1] if length >= second - 1 else []
        expected += [2] if length >= len(whole) - 1 else []
        assert numbers(path) == [*expected, 3], f"cut at {length}"


@pytest.mark.parametrize("junk", [b"\x00" * 50, b"\xff\xfe\n", b"3\n", b"[]\n", b"\n\n"])
def test_what_is_no_event_is_skipped(junk, tmp_path):
    path = tmp_path / "journal.jsonl"
    written(path, 1)
    with path.open("ab") as stream:
        stream.write(junk)
    written(path, 2)
    assert numbers(path) == [1, 2]


def test_seconds_add_up_by_stage_also_before_the_journal_is_opened(tmp_path):
    journal = Journal(tmp_path / "journal.jsonl")
    journal.write("stage", stage="fit", seconds=1.5)
    journal.open()
    journal.write("stage", stage="fit", seconds=2.0)
    assert journal.seconds == {"fit": 3.5}


def test_a_journal_on_a_full_disk_is_one_error(tmp_path, monkeypatch):
    journal = written(tmp_path / "run" / "journal.jsonl")

    def full(self, *arguments, **options):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("pathlib.Path.open", full)
    with pytest.raises(ArtifactError, match=r"No space left.*--out") as caught:
        journal.write("data", number=1)
    assert str(tmp_path / "run") in str(caught.value)
