"""The shared store: what one machine made another one finds, whatever is broken between them."""

import os
import pickle
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from shutil import rmtree
from threading import Event
from unittest.mock import Mock
from uuid import uuid4

import fsspec
import numpy as np
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from safetensors.numpy import save_file
from typer.testing import CliRunner

from uxla import progress
from uxla.cli.cache import cache
from uxla.errors import ArtifactError, ConfigError, UnreachableError
from uxla.store import remote
from uxla.store.artifacts import full_name
from uxla.store.locks import BusyError, key_lock, locked, looking
from uxla.store.opening import open_store, shared_url
from uxla.store.remote import Remote, is_conditional
from uxla.store.seen import Seen, WeightsGoneError
from uxla.store.shared import Record, SharedStore
from uxla.store.store import Store
from uxla.store.verify import verify_shared


class Plain(MemoryFileSystem):
    """A file system that writes over a file also where the writer says that there must be none."""

    protocol = "plain"
    store = {}  # noqa: RUF012 (of all, as the files of a memory file system are)
    pseudo_dirs = [""]  # noqa: RUF012

    def _open(self, path, mode="rb", **more):
        return super()._open(path, mode.replace("x", "w"), **more)


fsspec.register_implementation("plain", Plain, clobber=True)


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(remote, "WAITS", (0.01, 0.02, 0.03))


@pytest.fixture(scope="session")
def server(bench):
    """The variables that name a server of S3."""
    servers = bench("servers")
    with servers.s3() as address:
        yield servers.environment(address)


@pytest.fixture(params=["memory", "plain", "folder", "s3"])
def url(request, tmp_path, monkeypatch):
    """A new shared store, on each kind of file system."""
    if request.param == "folder":
        return str(tmp_path / "all see this")
    if request.param == "s3":
        for name, value in request.getfixturevalue("server").items():
            monkeypatch.setenv(name, value)
        bucket = f"bucket-{uuid4().hex}"
        remote.opened("s3://any")[0].mkdir(bucket)
        return f"s3://{bucket}/some/where"
    return f"{request.param}://{uuid4().hex}/store"


@pytest.fixture
def fast(tmp_path):
    """A shared store in memory, for what does not depend on the file system."""
    return f"memory://{uuid4().hex}"


@pytest.fixture
def machine(tmp_path):
    """Opens the store on one of several machines."""
    return lambda number, url, **more: Store(tmp_path / f"machine {number}", shared=url, **more)


@pytest.fixture
def notes(hearing):
    with hearing() as lines:
        yield lines


def make(into, scratch):
    save_file({"weights": np.arange(6, dtype=np.float32)}, into / "model.safetensors")
    (into / "parts").mkdir()
    (into / "parts/config.json").write_text('{"layers": 1}')
    return {"weights": "abc", "steps": 3}


def text(into, scratch):
    (into / "a.txt").write_text("x")
    return {}


def other(into, scratch):
    return {**make(into, scratch), "steps": 4}


def never(into, scratch):
    raise AssertionError("this work was done before")


def content(folder):
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != ".published"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def stored(url, kind):
    """The paths of all files of one kind in a shared store."""
    fs, root = remote.opened(url)
    return fs, sorted(fs.find(f"{root}/{kind}"))


def test_what_one_machine_made_another_finds_with_the_same_bytes(url, machine):
    made, facts = machine(1, url).folder("average", {"seed": 1}, make)
    assert machine(2, url).has("average", {"seed": 1})
    assert not machine(2, url).has("average", {"seed": 2})
    found, again = machine(2, url).folder("average", {"seed": 1}, never)
    assert (again, content(found)) == (facts, content(made))
    assert Store(found.parents[1]).folder("average", {"seed": 1}, never) == (found, facts), "without the shared store"


def test_both_make_it_at_once_and_give_the_same(url, machine):
    first, second = machine(1, url), machine(2, url)
    inside = []

    def meanwhile(into, scratch):
        inside.append(second.folder("average", {}, make)[0])
        return make(into, scratch)

    place, _ = first.folder("average", {}, meanwhile)
    assert content(place) == content(inside[0])
    fs, records = stored(url, "records")
    assert len(records) == 1
    assert Record.read(fs.cat_file(records[0])).manifest.facts == {"weights": "abc", "steps": 3}


def test_a_different_result_is_an_error_that_names_both_and_then_the_first_is_used(url, machine):
    first, second = (
        machine(
            1,
            url,
        ),
        machine(2, url),
    )

    def meanwhile(into, scratch):
        first.folder("average", {}, make)
        return other(into, scratch)

    with pytest.raises(ArtifactError, match="made twice with different results") as caught:
        second.folder("average", {}, meanwhile)
    fs, [record] = stored(url, "records")
    there = Record.read(fs.cat_file(record))
    assert there.result[:16] in str(caught.value)
    assert str(caught.value).count("made by") == 2
    assert f"torch {there.manifest.versions['torch']}" in str(caught.value)
    assert second.folder("average", {}, never)[1]["steps"] == 3


def test_other_versions_that_give_the_same_bytes_are_no_conflict(fast, machine):
    first, second = machine(1, fast), machine(2, fast)
    object.__setattr__(second, "versions", {"torch": "1.0"})

    def meanwhile(into, scratch):
        first.folder("average", {}, make)
        return make(into, scratch)

    second.folder("average", {}, meanwhile)
    assert second.made_with == {"torch": {"1.0"}}


def test_the_file_systems_that_can_write_only_where_nothing_is(url, notes):
    Remote(url).check()
    assert is_conditional(url) == (not url.startswith("plain"))
    assert len(notes) == url.startswith("plain")
    assert stored(url, "probes")[1] == []


DAMAGES = {
    "flipped": lambda fs, path, old: fs.pipe_file(path, bytes([old[0] ^ 4]) + old[1:]),
    "cut": lambda fs, path, old: fs.pipe_file(path, old[:-3]),
    "empty": lambda fs, path, old: fs.pipe_file(path, b""),
    "missing": lambda fs, path, old: fs.rm_file(path),
}


@pytest.mark.parametrize("kind", ["records", "files"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_damaged_there_is_made_again_and_replaced(damage, kind, url, machine, notes):
    made, facts = machine(1, url).folder("average", {}, make)
    fs, [*paths] = stored(url, kind)
    for path in paths:
        DAMAGES[damage](fs, path, fs.cat_file(path))
    again, found = machine(2, url).folder("average", {}, make)
    assert (found, content(again)) == (facts, content(made))
    silent = kind == "records" and damage == "missing"
    assert len(notes) == (not silent)
    assert all("; made again" in note and "\n" not in note for note in notes)
    assert content(machine(3, url).folder("average", {}, never)[0]) == content(made)


@pytest.mark.parametrize("name", ["../../outside", "/tmp/outside", "a/../../outside"])
def test_a_record_cannot_write_outside_of_its_artifact(name, fast, machine, notes, tmp_path):
    machine(1, fast).folder("average", {}, make)
    fs, [path] = stored(fast, "records")
    record = Record.read(fs.cat_file(path))
    fs.pipe_file(path, replace(record, digests={name: next(iter(record.digests.values()))}).text)
    machine(2, fast).folder("average", {}, make)
    assert "names files outside of it; made again" in notes[0]
    assert not list(tmp_path.rglob("outside"))


def test_a_file_that_is_whole_at_the_second_look_is_not_damaged(machine):
    """As where another machine was about to write it."""
    looks = []

    class Slow(MemoryFileSystem):
        protocol = "slow"

        def get_file(self, rpath, lpath, **more):
            looks.append(rpath)
            super().get_file(rpath, lpath, **more)
            if len(looks) == 1:
                Path(lpath).write_bytes(Path(lpath).read_bytes()[:-1])

    fsspec.register_implementation("slow", Slow, clobber=True)
    url = f"slow://{uuid4().hex}"
    machine(1, url).folder("average", {}, make)
    machine(2, url).folder("average", {}, never)
    assert looks[0] == looks[1] != looks[2]


def test_a_local_artifact_from_before_is_shared_when_it_is_used(fast, machine):
    machine(1, None).folder("average", {}, make)
    assert stored(fast, "records")[1] == []
    machine(1, fast).folder("average", {}, never)
    machine(2, fast).folder("average", {}, never)


def test_what_both_have_is_not_asked_for_again(fast, machine):
    machine(1, fast).folder("average", {}, make)
    fs, [record] = stored(fast, "records")
    fs.rm_file(record)
    machine(1, fast).folder("average", {}, never)
    assert stored(fast, "records")[1] == []


def machine_s_process(url, machine, number):
    """The store as a new process of the machine sees it."""
    remote._identity.cache_clear()
    return machine(number, url)


def test_what_was_removed_from_the_shared_store_is_uploaded_again_by_who_has_it(url, machine):
    machine(1, url).folder("average", {}, make)
    SharedStore.at(url).clear(-1)
    machine_s_process(url, machine, 1).folder("average", {}, never)
    machine(2, url).folder("average", {}, never)


def test_a_new_store_at_the_same_address_gets_what_machines_have(url, machine):
    machine(1, url).folder("average", {}, make)
    machine(2, url).folder("average", {}, never)
    fs, root = remote.opened(url)
    fs.rm(root, recursive=True)
    machine_s_process(url, machine, 2).folder("average", {}, never)
    machine(3, url).folder("average", {}, never)


@pytest.mark.parametrize("wrong", ["s3:/bucket/x", "there", "./there"])
def test_what_is_neither_an_address_nor_an_absolute_path_is_refused(wrong, tmp_path, monkeypatch):
    monkeypatch.setenv("UXLA_STORE", wrong)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=rf"^UXLA_STORE: got '{wrong}', expected an address such as s3://"):
        open_store()
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setenv("UXLA_STORE", "~/there")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert shared_url() == str(tmp_path / "there")


@pytest.mark.parametrize("there", [b"", b"other"])
def test_no_reader_of_a_folder_sees_a_part_of_a_new_file(there, tmp_path, monkeypatch):
    """A process that is killed between the two steps leaves the name free, and another writer takes it."""
    fs, root = remote.opened(str(tmp_path / "all see this"))
    seen, link = [], os.link

    def linking(written, path):
        seen.append(Path(path).exists())
        if there:
            Path(path).write_bytes(there)
        link(written, path)

    monkeypatch.setattr("os.link", linking)
    assert remote.created(fs, f"{root}/records/name", b"content") == (not there)
    assert seen == [False]
    assert {path.name: path.read_bytes() for path in Path(root, "records").iterdir()} == {"name": there or b"content"}


def test_a_folder_whose_files_have_one_name_each_is_used_with_claims(tmp_path, monkeypatch, notes, machine):
    url = str(tmp_path / "all see this")
    monkeypatch.setattr("os.link", Mock(side_effect=PermissionError(1, "Operation not permitted")))
    Remote(url).check()
    assert "it has no conditional writes" in notes[0]
    machine(1, url).folder("augment", {}, text)
    machine(2, url).folder("augment", {}, never)
    assert len(stored(url, "claims")[1]) == 1


def test_of_files_without_a_time_none_is_old(machine):
    class Timeless(MemoryFileSystem):
        protocol = "timeless"

        def find(self, path, **more):
            found = super().find(path, **more)
            return {path: {"size": one["size"]} for path, one in found.items()} if more.get("detail") else found

    fsspec.register_implementation("timeless", Timeless, clobber=True)
    url = f"timeless://{uuid4().hex}"
    machine(1, url).folder("average", {}, make)
    assert [one.age < 60 for one in SharedStore.at(url).artifacts()] == [True]
    assert SharedStore.at(url).clear(3600) == []


def test_what_only_looks_does_not_wait_for_who_makes_it(fast, machine):
    store = machine(1, fast)
    place, _ = store.folder("average", {}, make)
    rmtree(place)
    with locked(key_lock(store.root, full_name(place)), "test"), looking(), pytest.raises(BusyError):
        machine(1, fast).folder("average", {}, never)
    with looking():
        assert machine(1, fast).folder("average", {}, never)[0] == place


def test_weights_are_copied_when_they_are_needed(url, machine):
    made, facts = machine(1, url).folder("fit", {}, make)
    store = machine(2, url)
    place, found = store.folder("fit", {}, never)
    assert (found, list(content(place))) == (facts, ["meta.json", "parts/config.json"])
    store.require_weights(place)
    assert content(place) == content(made)
    store.release_weights(place)
    assert not (place / "model.safetensors").exists()
    store.require_weights(place)
    assert content(place) == content(made)


def test_a_model_of_another_machine_is_here_when_its_weights_are_asked_for(fast, machine):
    for stage in ("fit", "average"):
        made, facts = machine(1, fast).folder(stage, {}, make)
        store = machine(2, fast)
        place = store.root / stage / made.name
        assert store.facts(place) == facts
        store.require_weights(place)
        assert content(place) == content(made)


def test_weights_that_no_store_has_are_made_again(fast, machine):
    store = machine(1, fast)
    place, facts = store.folder("fit", {}, make)
    store.release_weights(place)
    fs, paths = stored(fast, "files")
    for path in paths:
        fs.rm_file(path)
    with pytest.raises(WeightsGoneError):
        store.require_weights(place)
    assert store.folder("fit", {}, make) == (place, facts)
    store.require_weights(place)
    machine(2, fast).require_weights(machine(2, fast).folder("fit", {}, never)[0])


@pytest.mark.parametrize("many", [3, 1500])
def test_many_are_looked_up_together(many, url, machine):
    store = machine(1, url)
    for number in (0, 2):
        store.folder("augment", {"number": number}, make)
    machine(2, None).folder("augment", {"number": 1}, make)
    found = machine(2, url).finished("augment", [{"number": number} for number in range(many)])
    assert found == [True, True, True] + [False] * (many - 3)
    assert not any(machine(2, url).finished("average", [{"number": number} for number in range(many)]))


def test_what_is_here_is_not_asked_for(machine):
    machine(1, None).folder("augment", {}, make)
    assert machine(1, "nothing://can/be/asked").has("augment", {})


def test_a_store_in_another_process_knows_its_shared_one(fast, machine):
    assert pickle.loads(pickle.dumps(machine(1, fast))).shared == fast


def test_the_environment_says_which(tmp_path, monkeypatch, fast):
    monkeypatch.setenv("UXLA_CACHE", str(tmp_path))
    monkeypatch.setenv("UXLA_STORE", fast)
    assert (open_store().root, open_store().shared) == (tmp_path, fast)
    monkeypatch.setenv("UXLA_STORE", "")
    assert open_store().shared is None


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nothing://bucket", "UXLA_STORE: nothing://bucket: .*expected a folder or an address"),
        ("abfs://bucket", "UXLA_STORE: abfs://bucket: .*[Ii]nstall adlfs"),
    ],
)
def test_an_address_that_cannot_be_opened_is_one_line(url, said, monkeypatch):
    monkeypatch.setenv("UXLA_STORE", url)
    with pytest.raises(ConfigError, match=said):
        open_store()


def test_work_of_a_shared_store_is_not_repeated_nor_the_store_asked(monkeypatch):
    monkeypatch.setenv("UXLA_STORE", "nothing://can/be/asked")
    with pytest.raises(ConfigError, match="keeps the first result"):
        open_store(fresh=True)


class Broken(MemoryFileSystem):
    """A file system that fails as often as it is told."""

    protocol = "broken"
    errors = []  # noqa: RUF012

    def _open(self, path, mode="rb", **more):
        if self.errors and (error := self.errors.pop()):
            raise error
        return super()._open(path, mode, **more)


fsspec.register_implementation("broken", Broken, clobber=True)


@pytest.fixture
def broken(monkeypatch):
    monkeypatch.setattr(Broken, "errors", [])
    return f"broken://{uuid4().hex}", Broken.errors


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_network_that_is_away_for_a_while_is_waited_for(times, broken, machine, notes):
    url, errors = broken
    machine(1, url).folder("average", {}, make)
    errors += [RuntimeError("no route to host")] * times
    machine(2, url).folder("average", {}, never)
    assert len(notes) == 1
    assert "no route to host" in notes[0]


FAULTS = {
    "away": (RuntimeError("no route to host"), "no route to host", "see whether the network and the server work"),
    "full": (OSError(28, "No space left on device"), "No space left on device", "free space there"),
    "read-only": (OSError(30, "Read-only file system"), "Read-only file system", "set UXLA_STORE to another address"),
    "denied": (PermissionError("Access Denied"), "Access Denied", "get the permission to list, read and write there"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_that_stays_is_one_line_and_finished_work_is_kept(fault, broken, machine):
    url, errors = broken
    assert is_conditional(url)
    error, said, remedy = FAULTS[fault]

    def fails_afterwards(into, scratch):
        errors.extend([error] * 100)
        return make(into, scratch)

    line = rf"^UXLA_STORE: {url} cannot be used \({said}\); {remedy}, and run again: finished work is kept$"
    with pytest.raises(UnreachableError if fault == "away" else ArtifactError, match=line) as caught:
        machine(1, url).folder("average", {}, fails_afterwards)
    assert "\n" not in str(caught.value)
    errors.clear()
    machine(1, url).folder("average", {}, never)
    machine(2, url).folder("average", {}, never)


@pytest.fixture
def no_instances():
    """Clients of S3 with the credentials of this test alone."""
    clear = fsspec.get_filesystem_class("s3").clear_instance_cache
    clear()
    yield
    clear()


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("{folder}/file", r"Not a directory"),
        ("http://localhost:9/store", r"nothing can be written there"),
        ("s3://bucket/store", r"Unable to locate credentials"),
    ],
)
def test_an_address_that_no_attempt_can_use_is_said_at_once(where, said, tmp_path, monkeypatch, notes, no_instances):
    (tmp_path / "file").write_text("")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("UXLA_STORE", where.format(folder=tmp_path))
    with pytest.raises(ArtifactError, match=rf"cannot be used \({said}.*\); set .*, and run again") as caught:
        open_store()
    assert "\n" not in str(caught.value)
    assert notes == []


def test_who_may_write_and_not_remove_can_use_a_store(machine, notes):
    class Kept(MemoryFileSystem):
        protocol = "kept"

        def rm_file(self, path):
            raise PermissionError("Access Denied")

    fsspec.register_implementation("kept", Kept, clobber=True)
    url = f"kept://{uuid4().hex}"
    Remote(url).check()
    machine(1, url).folder("average", {}, make)
    machine(2, url).folder("average", {}, never)
    assert notes == []


def test_an_address_and_a_store_may_have_any_names_in_them(fast, machine):
    url = f"{fast}/files/a/records/b"
    machine(1, url).folder("average", {}, make)
    fs, root = remote.opened(url)
    fs.pipe_file(f"{root}/records/.DS_Store", b"")
    [artifact] = SharedStore.at(url).artifacts()
    assert artifact.name.startswith("average-")
    assert len(SharedStore.at(url).clear(-1)) == 1
    assert SharedStore.at(url).artifacts() == []


def test_a_bucket_that_is_not_there_is_found_before_any_work(server, monkeypatch):
    for name, value in {**server, "UXLA_STORE": "s3://nowhere/x"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ArtifactError, match=r"s3://nowhere/x cannot be used .*bucket does not exist"):
        open_store()


def test_a_folder_where_nothing_may_be_written_is_found_before_any_work(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("UXLA_STORE", str(tmp_path / "file/x"))
    with pytest.raises(ArtifactError, match="file/x cannot be used"):
        open_store()


def test_what_is_old_goes_record_first_and_what_is_needed_again_is_made_again(url, machine):
    store = machine(1, url)
    for seed in (1, 2):
        store.folder("average", {"seed": seed}, make)
    shared = SharedStore.at(url)
    assert [one.name.split("-")[0] for one in shared.artifacts()] == ["average", "average"]
    assert all(0 <= one.age < 600 for one in shared.artifacts())
    assert shared.clear(3600) == []
    assert len(shared.clear(-1, dry_run=True)) == len(shared.artifacts()) == 2
    removed = shared.clear(-1)
    assert sum(one.size for one in removed) > 2 * sum(map(len, content(store.root).values())) / 4
    assert shared.artifacts() == []
    machine(2, url).folder("average", {"seed": 1}, make)
    machine(3, url).folder("average", {"seed": 1}, never)


@pytest.mark.parametrize("kind", ["records", "files"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_damaged_there_is_found_and_stays_until_somebody_needs_it(damage, kind, url, machine):
    store, shared = machine(1, url), SharedStore.at(url)
    for seed in (1, 2):
        store.folder("average", {"seed": seed}, make)
    assert verify_shared(shared) == []
    name = full_name(store.folder("average", {"seed": 1}, never)[0])
    fs, paths = stored(url, kind)
    for path in paths:
        if name.removeprefix("average-") in path:
            DAMAGES[damage](fs, path, fs.cat_file(path))
    before = stored(url, "")[1]
    broken = verify_shared(shared)
    silent = kind == "records" and damage == "missing"
    assert [(one.name, one.moved) for one in broken] == [(name, None)] * (not silent)
    assert stored(url, "")[1] == before
    machine(2, url).folder("average", {"seed": 1}, make)
    assert verify_shared(shared) == []


def test_who_ends_the_comparison_waits_for_no_file(machine, monkeypatch):
    blocks, begun = [], Event()

    class Long(MemoryFileSystem):
        """Each file of `slow` artifacts has a thousand blocks."""

        protocol = "long"

        def open(self, path, mode="rb", **more):
            stream = super().open(path, mode, **more)
            if mode == "rb" and "/files/fit/" in path:
                stream.read = reading
            return stream

    def reading(size=-1):
        time.sleep(0.005)
        blocks.append(size)
        begun.set()
        return b"x" * (len(blocks) < 1000)

    def ending(bar, steps):
        begun.wait(5)
        raise KeyboardInterrupt

    fsspec.register_implementation("long", Long, clobber=True)
    url = f"long://{uuid4().hex}"
    machine(1, url).folder("average", {}, make)
    machine(1, url).folder("fit", {}, text)
    monkeypatch.setattr(progress.Count, "advance", ending)
    with pytest.raises(KeyboardInterrupt):
        verify_shared(SharedStore.at(url))
    assert 0 < len(blocks) < 1000


def test_the_command_line_verifies_a_shared_store(fast, machine, monkeypatch):
    machine(1, fast).folder("average", {}, make)
    monkeypatch.setenv("UXLA_STORE", fast)
    run = partial(CliRunner().invoke, cache, ["verify", "--shared"])
    assert (run().exit_code, run().output) == (0, "no artifact is damaged\n")
    fs, [path, _] = stored(fast, "files")
    fs.pipe_file(path, b"")
    assert run().exit_code == 1
    assert (
        "has other bytes than were written; a machine that needs it and does not have it makes it again" in run().output
    )


def test_the_command_line_lists_and_clears_a_shared_store(fast, machine, monkeypatch, tmp_path):
    machine(1, fast).folder("average", {}, make)
    monkeypatch.setenv("UXLA_CACHE", str(tmp_path / "empty"))
    monkeypatch.setenv("UXLA_STORE", fast)
    run = partial(CliRunner().invoke, cache)
    assert f"{fast}: 1 artifacts, " in run(["ls"]).output
    assert "would remove 1, " in run(["gc", "--shared", "--older-than", "0s", "--dry-run"]).output
    assert "removed 1, " in run(["gc", "--shared", "--older-than", "0s"]).output
    for wrong in (["gc", "--shared"], ["gc", "--shared", "--older-than", "1d", "--max-size", "1GB"]):
        with pytest.raises(ConfigError, match="give an age"):
            run(wrong, catch_exceptions=False)
    monkeypatch.delenv("UXLA_STORE")
    with pytest.raises(ConfigError, match="UXLA_STORE names no shared store"):
        run(["gc", "--shared", "--older-than", "1d"], catch_exceptions=False)


FOREIGN = ["files/2019/photos/me.jpg", "records/2019/q1/taxes.pdf", "records/fit/a/abc.tmp", "files/fit/a/b/c"]


def test_files_that_are_not_the_store_s_are_neither_removed_nor_verified(url, machine):
    machine(1, url).folder("average", {}, make)
    fs, root = remote.opened(url)
    for path in FOREIGN:
        fs.pipe_file(f"{root}/{path}", b"mine")
    assert verify_shared(SharedStore.at(url)) == []
    assert len(SharedStore.at(url).clear(-1)) == 1
    assert [fs.cat_file(f"{root}/{path}") for path in FOREIGN] == [b"mine"] * len(FOREIGN)


@pytest.mark.parametrize("command", ["verify --shared", "gc --shared --older-than 0s"])
@pytest.mark.parametrize("where", ["memory", "folder", "file", "s3"])
def test_where_no_store_is_none_is_verified_or_cleared_and_none_made(where, command, tmp_path, request, monkeypatch):
    (tmp_path / "file").write_text("")
    bucket = f"bucket-{uuid4().hex}"
    if where == "s3":
        for name, value in request.getfixturevalue("server").items():
            monkeypatch.setenv(name, value)
        remote.opened("s3://any")[0].mkdir(bucket)
    urls = {"memory": f"memory://{bucket}", "s3": f"s3://{bucket}/x"}
    monkeypatch.setenv("UXLA_STORE", urls.get(where, str(tmp_path / where)))
    with pytest.raises(ArtifactError, match=r"set UXLA_STORE to another address, and run again"):
        CliRunner().invoke(cache, command.split(), catch_exceptions=False)
    assert stored(shared_url(), "")[1] in ([], [str(tmp_path / "file")])
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


def test_machines_look_again_after_a_removal_that_was_ended_in_the_middle(machine):
    class Ended(MemoryFileSystem):
        protocol = "ended"

        def rm_file(self, path):
            super().rm_file(path)
            if "records" in path:
                raise KeyboardInterrupt

    fsspec.register_implementation("ended", Ended, clobber=True)
    url = f"ended://{uuid4().hex}"
    machine(1, url).folder("average", {}, make)
    with pytest.raises(KeyboardInterrupt):
        SharedStore.at(url).clear(-1)
    machine_s_process(url, machine, 1).folder("average", {}, never)
    machine(2, url).folder("average", {}, never)


def test_what_a_command_has_seen_goes_to_its_jobs_as_it_is(tmp_path):
    seen = Seen(needed={tmp_path / "a"}, damaged={tmp_path / "b"}, since=1.5)
    there = pickle.loads(pickle.dumps(seen))
    assert (there.manifests, there.needed, there.damaged, there.since) == ({}, {tmp_path / "a"}, {tmp_path / "b"}, 1.5)
