"""A journal that a kill cut goes on, and is read without the line that was cut."""

import errno
import os

import pytest

from uxla.errors import ArtifactError
from uxla.events import Doubted, Finished
from uxla.store.journal import Journal, read


def written(path, *numbers):
    journal = Journal(path)
    journal.open()
    for number in numbers:
        journal(Doubted("ქ\u2028", str(number), "text"))
    return journal


def numbers(path):
    return [int(event["kind"]) for event in read(path)]


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


def test_events_before_the_journal_is_opened_come_first_and_until_then_there_is_no_file(tmp_path):
    journal = Journal(tmp_path / "run" / "journal.jsonl")
    journal(Doubted("es", "1", "text"))
    assert not (tmp_path / "run").exists()
    journal.open()
    journal(Finished())
    assert [event["event"] for event in read(journal.path)] == ["doubt", "finished"]


def test_a_journal_on_a_full_disk_is_one_error(tmp_path, monkeypatch):
    journal = written(tmp_path / "run" / "journal.jsonl")

    def full(self, *arguments, **options):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("pathlib.Path.open", full)
    with pytest.raises(ArtifactError, match=r"No space left.*--out") as caught:
        journal(Finished())
    assert str(tmp_path / "run") in str(caught.value)
