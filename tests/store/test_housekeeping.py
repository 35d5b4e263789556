"""The store's housekeeping: what it lists, what it removes, and what it never touches."""

import os
import signal
import subprocess
import sys
import time

import pytest
from typer.testing import CliRunner

from uxla.cli.app import app
from uxla.errors import ConfigError
from uxla.store.housekeeping import clear, entries, parse_age, parse_size
from uxla.store.journal import Journal
from uxla.store.locks import key_lock, locked
from uxla.store.store import Store
from uxla.store.verify import verify

DAY = 86400.0


@pytest.fixture
def root(tmp_path):
    return tmp_path / "store"


@pytest.fixture
def run(root):
    """What a run that has ended made: each artifact of 100 bytes and its manifest."""

    def make(stage, weights=None, **inputs):
        def fill(into, scratch):
            (into / "file").write_bytes(bytes(100))
            return {} if weights is None else {"weights": weights}

        return Store(root, Journal(root / "journal.jsonl")).folder(stage, inputs, fill)[0]

    return make


@pytest.fixture
def interrupted(root):
    """A run that was interrupted when it had saved 50 bytes; the scratch folder."""

    def make(into, scratch):
        (scratch / "part").write_bytes(bytes(50))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Store(root, Journal(root / "journal.jsonl")).folder("fit", {"seed": "interrupted"}, make)
    [folder] = (root / "scratch").iterdir()
    return folder


@pytest.fixture
def invoke(root, monkeypatch):
    monkeypatch.setenv("UXLA_CACHE", str(root))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    return lambda *arguments: CliRunner().invoke(app, ["cache", *arguments])


def used(place, days):
    """As if last used so long ago; a negative number: from before the clock was set back."""
    moment = time.time() - days * DAY
    os.utime(place / "meta.json", (moment, moment))


def left(root, kind="artifact"):
    return [entry.path for entry in entries(root) if entry.kind == kind]


def test_an_entry_knows_its_size_and_whose_model_it_was_made_with(root, run):
    model = run("fit", weights="abc", model="pretrained")
    labels = run("predict", model="abc")
    by_path = {entry.path: entry for entry in entries(root)}
    assert by_path[labels].source == f"fit-{model.name}"
    assert by_path[model].source is None
    assert by_path[model].size == 100 + (model / "meta.json").stat().st_size
    assert (by_path[model].stage, by_path[model].key) == ("fit", model.name)


def test_a_hit_is_a_use(root, run):
    place = run("fit")
    used(place, days=40)
    [entry] = entries(root)
    assert entry.idle == pytest.approx(40 * DAY, abs=60)
    run("fit")
    [entry] = entries(root)
    assert entry.idle < 60


def test_old_artifacts_and_old_saved_progress_are_removed_and_the_rest_stays(root, run, interrupted):
    old, young = run("fit", seed=1), run("fit", seed=2)
    used(old, days=31)
    used(young, days=29)
    cleared = clear(root, older_than=30 * DAY)
    assert [entry.path for entry in cleared.removed] == [old]
    assert cleared.size == 100 + len((young / "meta.json").read_bytes())
    assert left(root) == [young]
    assert interrupted.is_dir()
    long_ago = time.time() - 31 * DAY
    for path in (interrupted / "part", interrupted):
        os.utime(path, (long_ago, long_ago))
    clear(root, older_than=30 * DAY)
    assert not interrupted.exists()
    assert left(root) == [young]


def test_the_least_recently_used_go_first_until_the_size_is_met(root, run):
    places = [run("fit", seed=number) for number in range(4)]
    for place, days in zip(places, (3, 1, 4, 2), strict=True):
        used(place, days)
    size = entries(root)[0].size
    clear(root, max_size=2 * size)
    assert set(left(root)) == {places[1], places[3]}
    clear(root, max_size=2 * size)
    assert len(left(root)) == 2
    clear(root, max_size=0)
    assert left(root) == []


def test_what_nobody_finishes_and_what_is_damaged_goes_always_and_saved_progress_stays(root, run, interrupted):
    place = run("fit")
    (place / "file").write_bytes(b"")
    verify(root)
    (root / "unfinished" / f"fit-{place.name}").mkdir()
    clear(root)
    assert [left(root, kind) for kind in ("unfinished", "damaged", "scratch")] == [[], [], [interrupted]]


def test_a_dry_run_says_the_same_and_removes_nothing(root, run, interrupted):
    used(run("fit"), days=31)
    before = entries(root)
    said = clear(root, older_than=30 * DAY, dry_run=True)
    assert [entry.path for entry in entries(root)] == [entry.path for entry in before]
    assert [e.name for e in said.removed] == [e.name for e in clear(root, older_than=30 * DAY).removed]


def test_files_that_are_not_the_stores_are_left_alone(root, run):
    run("fit")
    for name in ("fit/notes.txt", "photos/2024/a.jpg", "damaged/mine/a", "scratch/mine/a", "unfinished/a"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("mine")
    clear(root, max_size=0)
    mine = [path for path in root.rglob("*") if path.is_file() and path.read_bytes() == b"mine"]
    assert len(mine) == 5


def test_no_store_is_nothing_to_do(root, invoke):
    assert clear(root).removed == ()
    assert invoke("ls").exit_code == invoke("verify").exit_code == invoke("gc").exit_code == 0
    assert not root.exists()


LIVE = """
import sys, time
from pathlib import Path
from uxla.store.journal import Journal
from uxla.store.store import Store

root = Path(sys.argv[1])
store = Store(root, Journal(root / "journal.jsonl"))
for seed in sys.argv[2:]:
    store.folder("fit", {"seed": seed}, lambda into, scratch: {})

def make(into, scratch):
    (scratch / "part").write_text("saved")
    print("at work", flush=True)
    time.sleep(60)

store.folder("fit", {"seed": "under way"}, make)
"""


def test_what_a_living_run_found_or_made_or_makes_is_never_removed_and_goes_when_it_died(root, run):
    found, other = run("fit", seed="found"), run("fit", seed="other")
    with subprocess.Popen([sys.executable, "-c", LIVE, root, "found", "made"], stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"at work\n"
        for place in left(root):
            used(place, days=400)  # whatever the clock says
        for dry_run in (True, False):
            cleared = clear(root, older_than=0, max_size=0, dry_run=dry_run)
            assert [entry.path for entry in cleared.removed] == [other]
        assert {entry.kind for entry in cleared.in_use} == {"artifact", "scratch", "unfinished"}
        assert found in left(root)
        assert len(left(root)) == 2
        process.send_signal(signal.SIGKILL)
    clear(root, max_size=0)
    assert entries(root) == []


def test_work_under_way_keeps_what_it_saved(root, interrupted):
    with locked(key_lock(root, interrupted.name), ""):
        clear(root, max_size=0)
        assert interrupted.is_dir()
    clear(root, max_size=0)
    assert not interrupted.exists()


def test_a_run_that_begins_while_room_is_made_keeps_what_it_found(root, run, monkeypatch):
    place = run("fit")
    store = Store(root, Journal(root / "journal.jsonl"))

    def begins(entry_root):
        store.folder("fit", {}, None)
        return found(entry_root)

    found = entries
    monkeypatch.setattr("uxla.store.housekeeping.entries", begins)
    assert clear(root, max_size=0).removed == ()
    assert place.is_dir()


@pytest.mark.parametrize("days", [-400, -1, 0, 1, 400])
@pytest.mark.parametrize("shift", [-400, 0, 400])
def test_whatever_the_clock_did_no_time_is_negative(days, shift, root, run):
    place = run("fit")
    used(place, days)
    moment = time.time() - shift * DAY
    os.utime(place, (moment, moment))
    [entry] = entries(root)
    assert (entry.age, entry.idle) == pytest.approx((max(0, shift) * DAY, max(0, days) * DAY), abs=60)
    assert entry.age >= 0
    assert entry.idle >= 0


def test_a_clock_that_was_set_back_makes_nothing_old(root, run):
    used(run("fit"), days=-400)
    clear(root, older_than=1)
    assert len(left(root)) == 1


def test_verify_names_the_damaged_and_sets_them_aside(root, run):
    good, bad, manifest = run("fit", seed=1), run("fit", seed=2), run("predict")
    (bad / "file").write_bytes(bytes(99) + b"\x01")
    (manifest / "meta.json").write_text("{")
    assert {broken.name for broken in verify(root)} == {f"fit-{bad.name}", f"predict-{manifest.name}"}
    assert left(root) == [good]
    assert len(left(root, "damaged")) == 2
    assert verify(root) == []


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("1m", 60), ("12h", 43200), ("30d", 30 * DAY), ("2 w", 14 * DAY), ("0.5d", DAY / 2)],
)
def test_an_age_has_a_unit(text, seconds):
    assert parse_age(text) == seconds


@pytest.mark.parametrize(
    ("text", "size"),
    [("0", 0), ("7B", 7), ("20GB", 20 * 10**9), ("500 MB", 5 * 10**8), ("1.5TiB", 3 * 2**39), ("2K", 2000)],
)
def test_a_size_may_have_a_unit(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "d", "-1d", "1y", "1e3d", "GB", "-1", "5 gigs", "nan", "1 2d"])
@pytest.mark.parametrize("parse", [parse_age, parse_size])
def test_what_is_neither_is_refused(parse, text):
    with pytest.raises(ConfigError, match="expected a number"):
        parse(text)


def test_an_age_without_a_unit_is_refused_too():
    with pytest.raises(ConfigError, match="as 30d"):
        parse_age("30")


def test_ls_shows_what_refers_to_what_and_the_totals(invoke, run, interrupted):
    model, labels = run("fit", weights="abc"), run("predict", model="abc")
    summary = [line.split() for line in invoke("ls").stdout.splitlines()]
    assert [row[:2] for row in summary if row[0] in ("fit", "predict")] == [["fit", "1"], ["predict", "1"]]
    shown = invoke("ls", "--all").stdout
    [row] = [line for line in shown.splitlines() if labels.name[:12] in line]
    assert "predict" in row
    assert model.name[:12] in row
    assert "2 artifacts" in shown
    assert "saved progress: 1, 50 bytes" in shown


def test_gc_says_what_it_removes_and_how_much_that_frees(invoke, run):
    place = run("fit")
    used(place, days=31)
    dry, wet = invoke("gc", "--older-than", "30d", "--dry-run"), invoke("gc", "--older-than", "30d")
    assert dry.stdout.replace("would remove", "removed") == wet.stdout
    first, last = wet.stdout.splitlines()
    assert first.startswith(f"removed artifact fit {place.name[:12]}: ")
    assert first.endswith("last used 31 d ago")
    assert last.startswith("removed 1, ")


def test_verify_exits_1_where_something_is_damaged(invoke, run):
    place = run("fit")
    assert (invoke("verify").exit_code, invoke("verify").stdout) == (0, "no artifact is damaged\n")
    (place / "file").unlink()
    result = invoke("verify")
    assert result.exit_code == 1
    assert result.stdout.startswith(f"damaged fit-{place.name}: file is missing; set aside as ")


def test_a_wrong_size_or_age_is_one_line(invoke):
    result = invoke("gc", "--older-than", "soon")
    assert (result.exit_code, result.stderr) == (
        2,
        "uxla: error: --older-than: got 'soon', expected a number and s, m, h, d or w, as 30d\n",
    )
