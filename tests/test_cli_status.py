"""What the journal of a run says, and other answers without torch."""

import json
import subprocess
import sys
import threading
import time

import pytest
from typer.testing import CliRunner

from uxla import api, progress
from uxla.cli.app import app
from uxla.config.documents import preset_names, read_preset
from uxla.config.run import load_config
from uxla.errors import UxlaError
from uxla.events import Began
from uxla.files import alone, atomic_file
from uxla.store.journal import read
from uxla.study.recording import recording
from uxla.study.status import Runs, grid_state, shown, state

FIT = {"event": "stage", "stage": "fit", "hit": False, "at": 50.0}
STARTED = [{"event": "data", "at": 1.0}, {"event": "planned", "trainings": 10, "at": 2.0}]
TRAINED = {"event": "training", "method": "uxla", "epoch": 2, "model": 3, "dev": 71.23, "at": 100.0}


@pytest.fixture
def invoke(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(app, list(arguments))


def write(folder, events):
    folder.mkdir()
    (folder / "journal.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events), encoding="utf-8")


def test_the_last_start_of_a_run_is_counted(invoke, tmp_path):
    hit = FIT | {"hit": True}
    write(
        tmp_path / "run",
        [*STARTED, FIT, *STARTED, hit, FIT, FIT, TRAINED, {"event": "doubt", "text": "look", "at": 101.0}],
    )
    lines = invoke("status", "run").stdout.splitlines()
    assert lines == [
        "stopped: 2 of 10 trainings in 2 min, about 7 min left",
        "repeat the command to resume",
        "last training: uxla, epoch 2, model 3, dev score 71.2",
        "problem: look",
    ]


def test_the_time_left_is_that_of_the_trainings_left(invoke, tmp_path):
    found = state([*STARTED, FIT, FIT, TRAINED], running=True)
    assert (found["state"], found["trainings"]) == ("running", {"done": 2, "left": 8})
    assert (found["seconds"], found["seconds_left"]) == (100.0, 400.0)
    ended = state([*STARTED, FIT, {"event": "finished", "at": 60.0}], running=False)
    assert (ended["state"], ended["trainings"], ended["seconds_left"]) == ("finished", {"done": 1, "left": 0}, None)


def test_a_run_that_goes_on_is_told_from_one_that_stopped(invoke, tmp_path):
    write(tmp_path / "run", STARTED)
    with alone(tmp_path / "run", lock=tmp_path / "run" / ".lock"):
        assert json.loads(invoke("status", "run", "--json").stdout)["state"] == "running"
    assert json.loads(invoke("status", "run", "--json").stdout)["state"] == "stopped"


@pytest.mark.parametrize("text", ["", "no event\n"])
def test_a_journal_without_events_is_said_to_have_none(invoke, tmp_path, text):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "journal.jsonl").write_text(text, "utf-8")
    assert "journal.jsonl: no events in it; the run has just begun, or" in invoke("status", "run").stderr


def test_a_folder_without_a_journal_is_no_run(invoke):
    assert (
        "no journal.jsonl and no runs.json, expected a folder that `uxla run` or `uxla grid` writes to"
        in invoke("status", "nowhere").stderr
    )


def test_presets_are_listed_and_printed(invoke):
    shown = invoke("presets").stdout
    assert all(f"| {name} |" in shown for name in preset_names())
    assert invoke("presets", "xner").stdout == read_preset("xner")
    assert "did you mean xner?" in invoke("presets", "xnr").stderr


def test_a_report_of_a_grid_s_folder_names_its_runs(invoke, tmp_path):
    (tmp_path / "grid").mkdir()
    (tmp_path / "grid/grid.parquet").write_bytes(b"")
    assert (
        "grid: is the folder of a grid, expected runs; give its runs: uxla report grid/*/"
        in invoke("report", "grid").stderr
    )


class _Bar:
    def __init__(self, label, total):
        self.label, self.total, self.done = label, total, 0

    def advance(self, amount=1):
        self.done += amount

    def stop(self):
        pass


class _Bars:
    def __init__(self):
        self.shown = []

    def start(self, label, total):
        self.shown.append(_Bar(label, total))
        return self.shown[-1]

    def note(self, text):
        pass


def test_one_bar_counts_all_trainings_of_a_run(tmp_path, monkeypatch):
    monkeypatch.setenv("UXLA_CACHE", str(tmp_path / "cache"))
    small = ["testbed.train=32", "testbed.unlabelled=20", "testbed.dev=10", "testbed.test=10", "warmup.epochs=1"]
    config, bars = load_config("testbed", [*small, "methods=[zero_shot, supervised]"]), _Bars()
    with progress.listening(bars):
        api.run(config, tmp_path / "run")
    assert [(bar.total, bar.done) for bar in bars.shown if bar.label == "all 6 trainings"] == [(6, 6)]
    assert state([], running=False)["trainings"] == {"done": 0, "left": None}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "testbed", "target=fr"], "the testbed has no language 'fr'; did you mean far?"),
        (["run", "testbed", "devices=cuda"], "no CUDA device"),
        (["run", "testbed", "--out", "/proc/x"], "--out /proc/x: nothing can be written in /proc"),
        (["plan", "testbed", "target=fr"], "the testbed has no language 'fr'"),
        (["status", "nowhere"], "no journal.jsonl"),
    ],
)
def test_what_is_cheap_is_checked_before_torch_is_loaded(arguments, said):
    code = (
        "import atexit, sys\natexit.register(lambda: print('torch' in sys.modules))\n"
        "from uxla.cli.app import main\nmain()"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "False\n")
    assert said in done.stderr


PLACED = {"event": "placed", "machine": "node-7", "at": 2.5}
FAILED = {"event": "failed", "text": "x: is wrong; mend it", "at": 60.0}
FINISHED = {"event": "finished", "at": 100.0}


@pytest.fixture
def grid(tmp_path):
    """A grid of five runs, of which one goes on while the fixture lasts."""
    folder = tmp_path / "grid"
    folder.mkdir()
    Runs(folder, ["a", "b", "c", "d", "e"], "").fail("e", "y: is wrong too")
    write(folder / "a", [*STARTED, PLACED, FIT, FINISHED])
    write(folder / "b", [*STARTED, PLACED, FIT])
    write(folder / "c", [*STARTED, PLACED, FIT, FAILED])
    write(folder / "d", STARTED)
    with alone(folder / "b", lock=folder / "b" / ".lock"):
        yield folder


def test_a_grid_is_told_run_by_run_with_machine_trainings_and_time_left(invoke, grid):
    lines = invoke("status", "grid").stdout.splitlines()
    assert lines[0] == "1 finished, 1 running, 2 failed, 1 stopped of 5 runs; about 2 min left"
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    assert table[0] == ["run", "state", "machine", "trainings", "time", "left"]
    assert table[2:] == [
        ["a", "finished", "node-7", "1 of 1", "2 min", ""],
        ["b", "running", "node-7", "1 of 10", "50 s", "8 min"],
        ["c", "failed", "node-7", "1 of 10", "1 min", "9 min"],
        ["d", "stopped", "", "0 of 10", "2 s", ""],
        ["e", "failed", "", "", "", ""],
    ]
    assert lines[-2:] == ["c: x: is wrong; mend it.", "e: y: is wrong too."]


def test_a_grid_as_json_has_each_run(invoke, grid):
    found = json.loads(invoke("status", "grid", "--json").stdout)
    assert found == json.loads(json.dumps(grid_state(grid)))
    assert found["counts"] == {"finished": 1, "running": 1, "failed": 2, "stopped": 1}
    assert (found["runs"]["c"]["reason"], found["seconds_left"]) == ("x: is wrong; mend it", 150.0)


def test_runs_that_go_on_elsewhere_have_a_bar_each_with_their_machine(grid, monkeypatch):
    class Screen:
        bars, ended = {}, threading.Event()

        def start(self, label, total):
            self.bars[label] = [0, total]
            return Shown(label)

    class Shown:
        def __init__(self, label):
            self.label = label

        def advance(self, amount=1):
            Screen.bars[self.label][0] += amount

        def stop(self):
            Screen.ended.set()

    monkeypatch.setattr("uxla.study.status._EVERY", 0.01)
    with progress.listening(Screen()), shown(grid, ["a", "b", "c", "d", "e"]):
        while not Screen.bars:
            time.sleep(0.01)
        write_more = (grid / "b" / "journal.jsonl").open("a", encoding="utf-8")
        with write_more:
            write_more.write(json.dumps(FIT) + "\n")
        while Screen.bars["b on node-7"] != [2, 10]:
            time.sleep(0.01)
    assert Screen.ended.is_set()
    assert list(Screen.bars) == ["b on node-7"]


def test_a_run_that_fails_says_so_in_its_folder(tmp_path):
    config = load_config("testbed")
    with pytest.raises(UxlaError), recording(tmp_path / "run", config) as record:
        record(Began())
        raise UxlaError("x: is wrong; mend it")
    events = read(tmp_path / "run" / "journal.jsonl")
    assert [event["event"] for event in events] == ["placed", "failed"]
    assert state(events, running=False)["reason"] == "x: is wrong; mend it"
    with pytest.raises(UxlaError), recording(tmp_path / "none", config):
        raise UxlaError("before it began")
    assert not (tmp_path / "none").exists()


def test_shards_of_a_grid_keep_what_each_of_them_tells(tmp_path):
    first, second = (Runs(tmp_path, ["a", "b"], "", shards=True) for _ in range(2))
    first.fail("a", "is wrong")
    second.fail("b", "is wrong too")
    assert (first.failed, second.failed) == ({"a": "is wrong"}, {"b": "is wrong too"})
    told = {"a": "is wrong", "b": "is wrong too"}
    assert json.loads((tmp_path / "runs.json").read_bytes()) == told
    Runs(tmp_path, ["a", "b"], "", shards=True)
    assert json.loads((tmp_path / "runs.json").read_bytes()) == told, "another one that begins"


def test_a_shard_that_tells_of_a_fault_waits_for_one_that_is_writing(tmp_path):
    first = Runs(tmp_path, ["a", "b"], "", shards=True)
    with atomic_file(tmp_path / "runs.json") as file:
        telling = threading.Thread(target=first.fail, args=("a", "is wrong"))
        telling.start()
        telling.join(0.2)
        assert telling.is_alive()
        file.write_text(json.dumps({"a": None, "b": "is wrong too"}))
    telling.join()
    assert json.loads((tmp_path / "runs.json").read_bytes()) == {"a": "is wrong", "b": "is wrong too"}
