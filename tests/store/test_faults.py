"""What goes wrong with disks: each ends in the right result or in one line, never in a wrong result."""

import errno
import json
import os
import resource
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from uxla import progress
from uxla.errors import ArtifactError, spelled_as
from uxla.files import HASHED, files_digest
from uxla.store import artifacts
from uxla.store.journal import Journal, read
from uxla.store.store import Store
from uxla.store.verify import verify
from uxla.write_errors import cannot_write

CONTENT = {"weights": np.arange(6, dtype=np.float32)}


@pytest.fixture
def again(tmp_path):
    """Opens the store as another run does."""
    return lambda: Store(tmp_path / "store", Journal(tmp_path / "journal.jsonl"))


def make(into, scratch):
    """One file of each kind the stages write."""
    save_file(CONTENT, into / "model.safetensors")
    table = pa.table({"text": ["a", "b"]})
    with pa.OSFile(str(into / "corpus.arrow"), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    (into / "config.json").write_text('{"layers": 1}')
    return {"weights": "abc"}


def never(into, scratch):
    raise AssertionError("this work was done before")


def saving(number):
    """A `make` that saves its progress and then meets an error of the system."""

    def fails(into, scratch):
        (into / "file").write_text("half")
        (scratch / "part").write_text("saved")
        raise OSError(number, os.strerror(number))

    return fails


def work(store):
    """The files that are neither locks nor this run's register."""
    files = [path.relative_to(store.root) for path in store.root.rglob("*") if path.is_file()]
    return sorted(str(file) for file in files if file.parts[0] not in ("locks", "running"))


def flipped(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(bytes(content))


def cut(path):
    path.write_bytes(path.read_bytes()[:-3])


DAMAGES = {
    "flipped": flipped,
    "cut": cut,
    "empty": lambda path: path.write_bytes(b""),
    "missing": lambda path: path.unlink(),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"more"),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
}
FILES = ("model.safetensors", "corpus.arrow", "config.json", "meta.json")


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_artifact_is_named_and_set_aside_and_made_again(damage, name, again):
    place, facts = again().folder("average", {}, make)
    whole = {file.name: file.read_bytes() for file in place.iterdir()}
    DAMAGES[damage](place / name)
    store, notes = again(), []
    store.emit.open()
    with progress.listening(type("Notes", (), {"note": staticmethod(notes.append)})):
        assert store.folder("average", {}, make) == (place, facts)
    assert {file.name: file.read_bytes() for file in place.iterdir()} == whole
    moved = store.root / "damaged" / f"average-{place.name}"
    [told], [event, stage] = notes, read(store.emit.path)
    assert f"{place}: damaged ({name} " in told
    assert ("bytes, expected " in told) == (damage in ("cut", "empty", "longer") and name != "meta.json")
    assert str(moved) in told
    assert (event["event"], event["moved"], stage["hit"]) == ("damaged", str(moved), False)
    assert moved.is_dir()
    assert again().folder("average", {}, never) == (place, facts)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"facts": 3}', "\x00\xff", '{"inputs": {}, "facts": {}}'])
def test_a_card_that_is_none_is_damage_too(text, again):
    place, _ = again().folder("fit", {}, make)
    (place / "meta.json").write_text(text, encoding="latin-1")
    assert again().folder("fit", {}, make)[1] == {"weights": "abc"}


def test_facts_that_were_changed_on_the_disk_are_not_believed(again):
    place, _ = again().folder("fit", {}, make)
    text = (place / "meta.json").read_text()
    (place / "meta.json").write_text(text.replace('"weights": "abc"', '"weights": "abd"'))
    assert again().folder("fit", {}, make)[1] == {"weights": "abc"}


def test_a_file_too_many_is_damage_but_not_what_file_systems_leave(again):
    place, _ = again().folder("fit", {}, make)
    (place / ".nfs000001").write_text("")
    again().folder("fit", {}, never)
    (place / "more.safetensors").write_text("")
    again().folder("fit", {}, make)
    assert not (place / "more.safetensors").exists()


def test_of_what_is_damaged_twice_the_last_is_set_aside(again):
    for _ in range(3):
        place, _ = again().folder("fit", {}, make)
        cut(place / "config.json")
    again().folder("fit", {}, make)
    assert [path.name for path in (place.parents[1] / "damaged").iterdir()] == [f"fit-{place.name}"]


def read_files(monkeypatch):
    """The names of files that are read for their digest from here on."""
    reads, digest = [], artifacts.file_digest
    monkeypatch.setattr(artifacts, "file_digest", lambda path: reads.append(path.name) or digest(path))
    return reads


def test_an_artifact_that_nobody_touched_is_not_read(again, monkeypatch):
    again().folder("fit", {}, make)
    reads = read_files(monkeypatch)
    again().folder("fit", {}, never)
    assert reads == []


def test_a_file_that_lost_its_mark_is_read_once_a_run(again, monkeypatch):
    place, _ = again().folder("fit", {}, make)
    for name in FILES[:3]:
        os.utime(place / name)
    reads, store = read_files(monkeypatch), again()
    for _ in range(3):
        store.folder("fit", {}, never)
    assert sorted(reads) == ["config.json", "corpus.arrow", "model.safetensors"]


def test_what_a_bad_disk_changed_is_seen_by_verify(again):
    """A change that leaves size and time as they were."""
    place, _ = again().folder("fit", {}, make)
    before = (place / "model.safetensors").stat()
    flipped(place / "model.safetensors")
    os.utime(place / "model.safetensors", ns=(before.st_atime_ns, before.st_mtime_ns))
    again().folder("fit", {}, never)
    [broken] = verify(again().root)
    assert broken.fault == "model.safetensors has other bytes than were written"
    assert again().folder("fit", {}, make)[0] == place


def make_hashed(into, scratch):
    make(into, scratch)
    return {"weights": files_digest([into / "config.json", into / "model.safetensors"]), HASHED: ["model.safetensors"]}


@pytest.mark.parametrize("touched", [True, False])
def test_weights_whose_digest_is_known_are_not_read_for_another_and_yet_verified(again, monkeypatch, touched):
    reads = read_files(monkeypatch)
    place, facts = again().folder("fit", {}, make_hashed)
    assert "config.json" in reads
    assert "model.safetensors" not in reads
    before = (place / "model.safetensors").stat()
    if touched:
        os.utime(place / "model.safetensors")
    assert again().folder("fit", {}, never) == (place, facts)
    assert verify(again().root) == []
    flipped(place / "model.safetensors")
    os.utime(place / "model.safetensors", ns=(before.st_atime_ns, before.st_mtime_ns))
    [broken] = verify(again().root)
    assert broken.fault == "model.safetensors has other bytes than were written"


def test_weights_of_which_a_part_has_gone_are_no_damage(again):
    def shards(into, scratch):
        facts = make_hashed(into, scratch)
        (into / "model-2.safetensors").write_bytes(b"the rest")
        return facts | {HASHED: ["model.safetensors", "model-2.safetensors"]}

    place, _ = again().folder("fit", {}, shards)
    (place / "model-2.safetensors").unlink()
    assert verify(again().root) == []


def test_files_of_somebody_else_are_not_called_damaged(again, monkeypatch):
    place, _ = again().folder("fit", {}, make)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(ArtifactError, match=r"cannot be read .*Permission denied") as caught:
        again().folder("fit", {}, never)
    assert str(place) in str(caught.value)
    assert not (place.parents[1] / "damaged").exists()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
def test_a_write_failure_is_one_error_that_names_place_cause_and_remedy(number, again):
    store = again()
    with pytest.raises(ArtifactError) as caught:
        store.folder("fit", {}, saving(number))
    said = str(caught.value)
    assert str(store.root) in said
    assert os.strerror(number) in said
    assert "another `store`" in said
    with spelled_as("yaml"), pytest.raises(ArtifactError, match="UXLA_CACHE"):
        store.folder("fit", {}, saving(number))
    assert "\n" not in said
    [left] = work(store)
    assert left.startswith("scratch/fit-")
    assert (store.root / left).read_text() == "saved"


FOREIGN = (
    FileNotFoundError(errno.ENOENT, "No such file or directory", "words/train.conll"),
    PermissionError(errno.EACCES, "Permission denied", "words/train.conll"),
    OSError(errno.EROFS, "Read-only file system", "elsewhere/file"),
    OSError(errno.EIO, "Input/output error"),
    ConnectionError("the far side does not answer"),
    TimeoutError("read timed out"),
    OSError("libnowhere.so.7: cannot open shared object file: No such file or directory"),
    SafetensorError("Error while deserializing header: incomplete metadata"),
)


@pytest.mark.parametrize("fault", FOREIGN, ids=str)
def test_what_the_work_itself_raises_is_not_told_as_the_store_s_fault(fault, again):
    def fails(into, scratch):
        raise fault

    with pytest.raises(type(fault)) as caught:
        again().folder("fit", {}, fails)
    assert caught.value is fault
    assert work(again()) == []


@pytest.mark.parametrize("place", ["into", "scratch"])
def test_a_folder_of_the_work_that_cannot_be_written_is_the_store_s_fault(place, again):
    def fails(into, scratch):
        folder = {"into": into, "scratch": scratch}[place]
        raise PermissionError(errno.EACCES, "Permission denied", str(folder / "model.safetensors"))

    with pytest.raises(ArtifactError, match=r"cannot be written \(Permission denied\)"):
        again().folder("fit", {}, fails)


@pytest.mark.parametrize("call", ["fsync", "replace", "utime"])
def test_a_write_error_at_the_end_leaves_no_artifact_and_one_on_a_hit_does_no_harm(call, again, monkeypatch):
    def fails(*arguments, **options):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fails)
        if call == "utime":
            again().folder("fit", {}, make)
            again().folder("fit", {}, never)
        else:
            with pytest.raises(ArtifactError, match="Input/output error"):
                again().folder("fit", {}, make)
            assert work(again()) == []
    assert again().folder("fit", {}, make)[1] == {"weights": "abc"}


def test_weights_that_do_not_fit_the_disk_are_one_error_too(again):
    """safetensors has an error of its own; a limit on file sizes stands for a full disk."""

    def too_large(into, scratch):
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
        try:
            save_file({"weights": np.zeros(1000, dtype=np.float32)}, into / "model.safetensors")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        return {}

    store = again()
    with pytest.raises(ArtifactError, match="cannot be written"):
        store.folder("fit", {}, too_large)
    assert work(store) == []


SMALL_DISK = """
import os, shutil, subprocess, sys
from pathlib import Path
from uxla.errors import ArtifactError, spelled_as
from uxla.store.journal import Journal
from uxla.store.store import Store

root = Path(sys.argv[1])
again = lambda: Store(root, Journal(root.parent / "journal.jsonl"))

def make(into, scratch):
    (into / "file").write_bytes(bytes(200_000))
    return {"weights": "abc"}

def refused(store, seed):
    try:
        store.folder("fit", {"seed": seed}, make)
    except ArtifactError as error:
        assert "\\n" not in str(error)
        print(error)
        return True
"""


@pytest.fixture
def on_small_disk(tmp_path):
    """Runs code with a store on a disk of a megabyte that only its own process sees, and that goes with it."""
    disk = tmp_path / "store"
    disk.mkdir()

    def run(code):
        inside = f'mount -t tmpfs -o size=1m none {disk} || exit 77; exec {sys.executable} -c "$0" {disk}'
        call = ["unshare", "--mount", "--propagation", "private", "sh", "-c", inside, SMALL_DISK + code]
        done = subprocess.run(call, capture_output=True, text=True, check=False)
        if done.returncode == 77 or done.stderr.startswith("unshare"):
            pytest.skip("file systems cannot be mounted here")
        assert done.returncode == 0, done.stderr
        return done.stdout

    if shutil.which("unshare") is None:
        pytest.skip("no unshare on this system")
    return run


def test_a_full_disk_leaves_the_store_sound_and_work_goes_on_when_there_is_room(on_small_disk):
    said = on_small_disk("""
made = next(seed for seed in range(100) if refused(again(), seed))
assert made == 5, made
assert not any((root / "unfinished").iterdir())
(root / "ballast").write_bytes(bytes(shutil.disk_usage(root).free))
for seed in range(made):
    again().folder("fit", {"seed": seed}, None)  # a hit needs no room
assert refused(again(), made)
(root / "ballast").unlink()
shutil.rmtree(again().folder("fit", {"seed": 0}, None)[0])
assert not refused(again(), made)
""")
    assert said.count("No space left on device") == 2


def test_a_read_only_store_gives_what_it_has_and_refuses_the_rest_in_one_line(on_small_disk):
    said = on_small_disk("""
found = again().folder("fit", {"seed": 0}, make)
subprocess.run(["mount", "-o", "remount,ro", root], check=True)
assert again().folder("fit", {"seed": 0}, None) == found
assert refused(again(), 1)
""")
    assert "cannot be written (Read-only file system)" in said


def test_a_store_where_none_can_be_is_one_error(tmp_path):
    (tmp_path / "file").write_text("")
    store = Store(tmp_path / "file", Journal(tmp_path / "journal.jsonl"))
    with pytest.raises(ArtifactError, match="cannot be written"):
        store.folder("fit", {}, never)


VERSIONS = {"uxla": "1.0.0", "torch": "2.0.0"}


def test_an_artifact_bears_the_versions_that_made_it_and_they_are_no_part_of_its_key(again):
    first = replace(again(), versions=VERSIONS)
    place, _ = first.folder("fit", {}, make)
    assert artifacts.read_manifest(place).versions == VERSIONS
    later = replace(again(), versions=VERSIONS | {"torch": "3.0.0"})
    assert later.folder("fit", {}, never)[0] == place
    assert later.made_with == {"uxla": {"1.0.0"}, "torch": {"2.0.0"}}
    later.folder("fit", {"seed": 1}, make)
    assert later.made_with == {"uxla": {"1.0.0"}, "torch": {"2.0.0", "3.0.0"}}
    assert first.made_with == {"uxla": {"1.0.0"}, "torch": {"2.0.0"}}


def test_two_runs_of_one_command_know_each_of_their_own_work(again):
    first = replace(again(), versions=VERSIONS)
    first.folder("fit", {}, make)
    second = replace(again(), seen=first.seen, versions=VERSIONS)
    assert second.made_with == {}
    second.folder("fit", {}, never)
    assert second.made_with == {"uxla": {"1.0.0"}, "torch": {"2.0.0"}}


def test_what_was_made_before_versions_were_noted_is_found_and_said_to_be_of_unknown_ones(again):
    place, _ = again().folder("fit", {}, make)
    values = json.loads((place / "meta.json").read_text())
    old = {name: value for name, value in values.items() if name not in ("versions", "digest")}
    (place / "meta.json").write_text(json.dumps(old | {"digest": artifacts.digest(old)}))
    store = replace(again(), versions=VERSIONS)
    assert store.folder("fit", {}, never)[0] == place
    assert store.made_with == {"uxla": {"unknown"}, "torch": {"unknown"}}


def test_fresh_replaces_what_another_version_made_even_where_its_bytes_are_the_same(again):
    place, _ = replace(again(), versions=VERSIONS).folder("fit", {}, make)
    newer = VERSIONS | {"torch": "3.0.0"}
    replace(again(), versions=newer, fresh=True).folder("fit", {}, make)
    assert artifacts.read_manifest(place).versions == newer


def test_a_card_tells_its_artifact_by_every_byte(again):
    """Nothing in a manifest can change unseen."""
    place, _ = again().folder("fit", {}, make)
    manifest = (place / "meta.json").read_bytes()
    for position in range(0, len(manifest), 3):
        changed = bytearray(manifest)
        changed[position] ^= 1
        (place / "meta.json").write_bytes(bytes(changed))
        with pytest.raises(artifacts.DamageError):
            artifacts.check(place)
    (place / "meta.json").write_bytes(manifest)
    assert artifacts.check(place).inputs == {}
    assert json.loads(manifest)["files"].keys() == set(FILES) - {"meta.json"}
    assert load_file(place / "model.safetensors")["weights"].tolist() == CONTENT["weights"].tolist()


def test_a_copy_that_does_not_fit_is_told_as_the_fault_of_the_place_it_goes_to(tmp_path):
    place, soft_hard = tmp_path / "place", resource.getrlimit(resource.RLIMIT_FSIZE)
    (place / "sub").mkdir(parents=True)
    (place / "sub/weights").write_bytes(bytes(2**20))
    (place / "meta.json").write_text("{}")
    artifacts.copy_content(place, tmp_path / "whole")
    assert [path.name for path in (tmp_path / "whole").rglob("*") if path.is_file()] == ["weights"]
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**16, soft_hard[1]))
    try:
        with pytest.raises(OSError, match="File too large") as raised:
            artifacts.copy_content(place, tmp_path / "cut")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, soft_hard)
    assert cannot_write(raised.value, tmp_path / "cut") == "File too large"
    assert cannot_write(raised.value, place) is None
