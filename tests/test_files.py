"""Files and folders that are whole or absent, whatever the disk, a signal or another process does."""

import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from errno import ENOLCK, ENOSYS, EOPNOTSUPP, EXDEV
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from safetensors.numpy import save_file
from tokenizers import Tokenizer
from tokenizers.models import WordLevel

from uxla import signals
from uxla.errors import WriteError
from uxla.files import (
    atomic_file,
    atomic_folder,
    check_file,
    link_or_copy,
    restore_folder,
    vacant,
    write_file,
    write_table,
)

MUCH = bytes(2**17)
TABLE = pa.table({"n": np.random.default_rng(0).integers(0, 2**62, 2**14)})
WORDS = Tokenizer(WordLevel({f"word{i}": i for i in range(2**13)}, unk_token="word0"))


@contextmanager
def small_disk():
    """A limit on the size of files stands for a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**14, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def arrow(path):
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, TABLE.schema) as writer:
        writer.write_table(TABLE)


WRITERS = {
    "bytes": lambda path: path.write_bytes(MUCH),
    "text": lambda path: path.write_text(MUCH.decode(), encoding="utf-8"),
    "parquet": lambda path: write_table(path, TABLE),
    "arrow": arrow,
    "safetensors": lambda path: save_file({"weights": np.frombuffer(MUCH, np.float32)}, path),
    "torch": lambda path: torch.save({"weights": torch.zeros(2**15)}, path),
    "tokenizer": lambda path: WORDS.save(str(path)),
}


@pytest.mark.parametrize("name", WRITERS)
def test_whatever_writes_a_file_a_full_disk_leaves_the_old_one_and_one_line(name, tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    with small_disk(), pytest.raises(WriteError) as caught, atomic_file(path, "buy a disk") as file:
        WRITERS[name](file)
    said = str(caught.value)
    assert said.startswith(f"{path}: cannot be written (")
    assert said.endswith("); buy a disk")
    assert "\n" not in said
    assert path.read_text() == "old"
    assert [each.name for each in tmp_path.iterdir()] == ["file"]
    with atomic_file(path) as file:
        WRITERS[name](file)
    assert path.stat().st_size > 2**14


@pytest.mark.parametrize("copy", [shutil.copytree, lambda source, to: shutil.copyfile(source / "w", to / "w")])
def test_a_copy_that_does_not_fit_leaves_the_old_folder_and_one_line(copy, tmp_path):
    source, place = tmp_path / "source", tmp_path / "place"
    for folder in (source, place):
        folder.mkdir()
    (source / "w").write_bytes(MUCH)
    (place / "old").write_text("old")
    told = pytest.raises(WriteError, match=r"place: cannot be written \(File too large\)")
    with small_disk(), told, atomic_folder(place) as into:
        copy(source, into / "inner" if copy is shutil.copytree else into)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["old", "place", "source", "w"]


@pytest.mark.parametrize("fault", [KeyboardInterrupt(), ValueError("a bug"), FileNotFoundError(2, "No", "input")])
def test_an_error_of_the_work_comes_out_as_it_is_and_leaves_what_was_there(fault, tmp_path):
    write_file(tmp_path / "file", "old")
    (tmp_path / "folder").mkdir()
    for atomic in (atomic_file(tmp_path / "file"), atomic_folder(tmp_path / "folder")):
        with pytest.raises(type(fault)) as caught, atomic as place:
            write_file(place / "half" if place.is_dir() else place, "half")
            raise fault
        assert caught.value is fault
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "folder"]
    assert (tmp_path / "file").read_text() == "old"


def test_half_a_surrogate_pair_does_not_stop_a_file(tmp_path):
    write_file(tmp_path / "t.md", "a\ud800b")
    assert (tmp_path / "t.md").read_text(encoding="utf-8") == "a?b"
    assert [path.name for path in tmp_path.iterdir()] == ["t.md"]


def test_a_file_where_none_can_be_is_refused_before_any_work(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(WriteError, match="it is a folder"), atomic_file(tmp_path / "folder"):
        raise AssertionError("not reached")
    with pytest.raises(WriteError, match=r"no such folder .*; create it"), atomic_file(tmp_path / "none/file"):
        raise AssertionError("not reached")
    assert not (tmp_path / "none").exists()


def test_a_pipe_is_not_replaced_by_a_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(WriteError, match="it is a device or a pipe"):
        write_file(tmp_path / "pipe", "mine")
    assert (tmp_path / "pipe").is_fifo()
    with pytest.raises(WriteError, match="it is a device or a pipe"):
        check_file(Path("/dev/stdout"))  # a link, which may lead to a file


def test_two_processes_do_not_write_one_file(tmp_path):
    with vacant(tmp_path / ".file.lock"), pytest.raises(WriteError, match="another process is writing it"):
        write_file(tmp_path / "file", "mine")
    write_file(tmp_path / "file", "mine")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_what_cannot_be_written_is_said_before_any_work(tmp_path):
    path = tmp_path / "a.txt"
    check_file(path, ".txt", source=tmp_path / "b.txt")
    path.touch()
    (tmp_path / "link.txt").symlink_to("a.txt")
    for place, suffixes, said in (
        (tmp_path, (), "it is a folder"),
        (path, (".md", ".csv"), r"its name does not end in .md or .csv\); rename it"),
        (tmp_path / "none/a.txt", (), "no such folder"),
        (tmp_path / "link.txt", (), "it is the input file"),
    ):
        with pytest.raises(WriteError, match=said):
            check_file(place, *suffixes, source=path)


KILLED = """
import os, signal, sys
from pathlib import Path
from uxla.files import atomic_file, atomic_folder

place = Path(sys.argv[1])
with (atomic_file if sys.argv[2] == "file" else atomic_folder)(place) as into:
    (into if sys.argv[2] == "file" else into / "part").write_text("half, and longer")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_a_killed_process_left_is_removed_by_a_write_an_hour_later(kind, tmp_path):
    place = tmp_path / "place"
    done = subprocess.run([sys.executable, "-c", KILLED, place, kind], check=False)
    assert done.returncode == -signal.SIGKILL
    assert not place.exists()
    [left] = tmp_path.glob(".place.*.unfinished")
    for age in (60, 4000):
        assert left.exists(), "a machine that locks do not hold back may be writing it"
        os.utime(left, (time.time() - age,) * 2)
        if kind == "file":
            write_file(place, "whole")
        else:
            with atomic_folder(place) as into:
                (into / "whole").touch()
    assert [path.name for path in tmp_path.iterdir()] == ["place"]
    assert place.is_file() or [path.name for path in place.iterdir()] == ["whole"]


def test_a_folder_that_a_kill_took_between_two_renames_comes_back(tmp_path):
    place = tmp_path / "place"
    with atomic_folder(place) as into:
        (into / "old").touch()
    place.rename(tmp_path / ".place.replaced")
    restore_folder(place)
    assert [path.name for path in tmp_path.rglob("*")] == ["place", "old"]


def test_a_folder_whose_replacement_fails_stays(tmp_path, monkeypatch):
    place, plain = tmp_path / "place", os.replace
    with atomic_folder(place) as into:
        (into / "old").touch()

    def fails(source, target):
        if Path(source).name.endswith("unfinished"):
            raise OSError(5, "Input/output error")
        plain(source, target)

    with monkeypatch.context() as patched, pytest.raises(WriteError, match="Input/output error"):
        patched.setattr(os, "replace", fails)
        with atomic_folder(place) as into:
            (into / "new").touch()
    assert [path.name for path in tmp_path.rglob("*")] == ["place", "old"]


def test_a_folder_stays_where_the_caller_says_so_of_it_and_the_new_one(tmp_path):
    seen = []

    def unless(place, unfinished):
        seen.append([[path.name for path in folder.iterdir()] for folder in (place, unfinished)])
        return True

    for name in ("old", "new"):
        with atomic_folder(tmp_path / "place", unless=unless) as into:
            (into / name).touch()
    assert seen == [[["old"], ["new"]]]
    assert [path.name for path in tmp_path.rglob("*")] == ["place", "old"]


@pytest.mark.parametrize("kind", [atomic_file, atomic_folder])
def test_two_writers_whom_no_lock_holds_back_leave_one_whole_result(kind, tmp_path, monkeypatch):
    """As two machines on a file system whose locks each of them sees alone."""
    monkeypatch.setattr("fcntl.flock", lambda *given: None)

    def write(into, text):
        (into if kind is atomic_file else into / "part").write_text(text)

    with kind(tmp_path / "place") as first:
        write(first, "whole")
        with pytest.raises(ValueError, match="cut short"), kind(tmp_path / "place") as second:
            write(second, "ha")
            raise ValueError("cut short")
    assert [path.read_text() for path in tmp_path.rglob("*") if path.is_file()] == ["whole"]


@pytest.mark.parametrize("number", [ENOLCK, ENOSYS, EOPNOTSUPP])
def test_where_the_file_system_has_no_locks_each_is_free(number, tmp_path, monkeypatch):
    def fails(*given):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("fcntl.flock", fails)
    (tmp_path / "lock").touch()  # by a process that was killed
    with vacant(tmp_path / "lock") as free:
        assert free


def test_a_signal_does_not_cut_the_renaming(tmp_path, monkeypatch):
    plain = os.fsync

    def interrupted(descriptor):
        os.kill(os.getpid(), signal.SIGINT)
        plain(descriptor)

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt), signals.handling():
        write_file(tmp_path / "file", "whole")
    assert (tmp_path / "file").read_text() == "whole"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("links", [True, False])
def test_a_file_gets_a_second_name_or_a_copy_where_there_are_no_links(links, tmp_path, monkeypatch):
    if not links:
        monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(OSError(EXDEV, "Invalid cross-device link")))
    (tmp_path / "a").write_bytes(b"weights")
    link_or_copy(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "a").samefile(tmp_path / "b") is links
    (tmp_path / "a").unlink()
    assert (tmp_path / "b").read_bytes() == b"weights"
