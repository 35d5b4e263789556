"""Which errors of the system say that a place cannot be written, and which are about something else."""

import errno
from pathlib import Path

import pytest
from safetensors import SafetensorError
from tokenizers import Tokenizer
from tokenizers.models import WordLevel

from uxla.errors import ArtifactError, ConfigError, WriteError
from uxla.files import write_file
from uxla.report import folder
from uxla.report.folder import RunFolder
from uxla.write_errors import cannot_write, writing

OUT = Path("out")
OURS = [
    (OSError(errno.ENOSPC, "No space left on device"), "No space left on device"),
    (OSError(errno.EDQUOT, "Disk quota exceeded"), "Disk quota exceeded"),
    (PermissionError(errno.EACCES, "Permission denied", "out/models/1"), "Permission denied"),
    (PermissionError(errno.EACCES, "Permission denied", b"out/models/1"), "Permission denied"),
    (PermissionError(errno.EACCES, "Permission denied", "in/../out/table.md"), "Permission denied"),
    (OSError(errno.ENOSPC, "No space left on device", "cache/a", None, "out/a"), "No space left on device"),  # a copy
    (NotADirectoryError(errno.ENOTDIR, "Not a directory", str(OUT.absolute())), "Not a directory"),
    (SafetensorError("Error while serializing: I/O error: No space (os error 28)"), "No space left on device"),
]
FOREIGN = [
    OSError(errno.ENOSPC, "No space left on device", "elsewhere/file"),
    PermissionError(errno.EACCES, "Permission denied", "outside/file"),
    OSError(errno.ENOSPC, "No space left on device", "out/a", None, "elsewhere/a"),
    FileNotFoundError(errno.ENOENT, "No such file or directory", "words.conll"),
    FileNotFoundError(errno.ENOENT, "No such file or directory"),
    OSError(errno.EIO, "Input/output error"),
    OSError("libnowhere.so.7: cannot open shared object file"),
    ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"),
    SafetensorError("Error while deserializing header: (os error 2)"),
    OSError(errno.EBADF, "Bad file descriptor", 7),
]


@pytest.mark.parametrize(("error", "cause"), OURS, ids=str)
def test_what_only_writing_meets_and_what_names_a_file_of_the_place_is_its_fault(error, cause):
    assert cannot_write(error, Path("other"), OUT) == cause


@pytest.mark.parametrize("error", FOREIGN, ids=str)
def test_all_else_is_the_fault_of_something_else(error):
    assert cannot_write(error, OUT) is None


def test_what_a_library_in_rust_says_of_the_system_is_an_error_of_the_system(tmp_path):
    place = tmp_path / "file"
    place.touch()
    said = r"file: cannot be written \(Not a directory\); free space there"
    with pytest.raises(WriteError, match=said) as caught, writing(place):
        Tokenizer(WordLevel({"koru": 0}, unk_token="koru")).save(str(place / "tokenizer.json"))
    assert cannot_write(caught.value, place) == "Not a directory"
    with pytest.raises(ZeroDivisionError), writing(place):
        1 / 0  # noqa: B018


def test_of_places_within_places_the_outermost_is_told_with_its_remedy(tmp_path):
    outer = writing(tmp_path, "give another --out", tmp_path)
    with pytest.raises(WriteError) as caught, outer, writing(tmp_path / "file"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert str(caught.value) == f"{tmp_path}: cannot be written (No space left on device); give another --out"


def test_a_folder_in_the_place_of_a_file_is_named_also_from_outside(tmp_path):
    (tmp_path / "file").mkdir()
    with pytest.raises(WriteError) as caught, writing(tmp_path, "give another --out", tmp_path):
        write_file(tmp_path / "file", "")
    assert str(caught.value) == f"{tmp_path}: cannot be written (file: it is a folder); give another --out"


def test_an_error_of_a_user_s_that_quotes_the_system_is_not_about_the_place():
    with pytest.raises(ConfigError, match="no such model"), writing(OUT, "", OUT):
        raise ConfigError("no such model ([Errno 28] No space left on device)")


def test_links_on_the_way_to_a_place_are_followed_on_both_sides(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    error = OSError(errno.EACCES, "Permission denied", str(tmp_path / "link" / "file"))
    assert cannot_write(error, tmp_path / "real") == "Permission denied"


def test_a_table_that_may_not_be_read_is_not_told_as_damaged(tmp_path, monkeypatch):
    def refused(path):
        raise PermissionError(errno.EACCES, "Permission denied")

    (tmp_path / "predictions").mkdir()
    (tmp_path / "predictions/far.parquet").touch()
    monkeypatch.setattr(folder.pq, "read_table", refused)
    with pytest.raises(ArtifactError, match=r"far.parquet: cannot be read \(Permission denied\); check its rights"):
        RunFolder(tmp_path, {}).test_set("far")
