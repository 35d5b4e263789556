"""A grid of tiny runs: shared work done once, finished runs taken as they are, failed ones told and left out."""

import json
import os
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from uxla.cli.grid import grid
from uxla.errors import ArtifactError, ConfigError, UxlaError
from uxla.shards import Shard, UnfinishedError
from uxla.store.journal import read
from uxla.study.status import grid_state

SIZES = ("testbed.train=60", "testbed.unlabelled=30", "testbed.dev=10", "testbed.test=20", "threads=1")
ONE_EPOCH = "schedule=[{data: [source, target], select: {kind: confidence, share: 0.8}}]"
SETTINGS = (*SIZES, "warmup.epochs=1", "target=near", "model=testbed,nowhere", "methods=[penalty, uxla]", ONE_EPOCH)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """`agree=exact,token` for one model that is there and one that is not; `again()` gives the same command."""
    folder = tmp_path_factory.mktemp("grid")

    def command(**options):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("UXLA_CACHE", str(folder / "store"))
            patch.setenv("COLUMNS", "200")
            settings = [*SETTINGS, "agree=exact,token"]
            with pytest.raises(UxlaError) as failed:
                grid("testbed", settings, out=folder / "out", against="agree=exact", **options)
        return str(failed.value)

    said = command(seeds=1, fresh=False)
    runs = {name: folder / "out" / f"model=testbed_agree={name}_seed=0" for name in ("exact", "token")}
    return SimpleNamespace(out=folder / "out", said=said, runs=runs, again=command)


def events(run):
    """The run's journal without what differs between any two runs: times, what was planned, what was found or done."""
    volatile = ("at", "seconds", "hit")
    done = [event for event in read(run / "journal.jsonl") if event["event"] != "planned"]
    return [{k: v for k, v in event.items() if k not in volatile} for event in done]


def test_two_runs_that_differ_in_agreement_agree_in_everything_before_the_first_one(done):
    exact, token = (events(run) for run in done.runs.values())
    first = next(i for i, event in enumerate(exact) if event["event"] == "co_label")
    assert sum(event["event"] == "stage" for event in exact[:first]) > 3
    assert exact[:first] == token[:first]
    apart = {key for key in exact[first] if exact[first][key] != token[first][key]}
    assert {"agreed"} <= apart <= {"agreed", "classes"}


def test_and_so_do_the_decisions_of_the_first_epoch(done):
    exact, token = (pq.read_table(run / "trace" / "near.parquet") for run in done.runs.values())
    assert len(exact) > 0
    after = ("agreed", "used", "labels")
    assert exact.drop_columns(after).equals(token.drop_columns(after))
    assert not exact["agreed"].equals(token["agreed"])


def test_work_that_runs_share_is_done_once(done):
    second = [event for event in read(done.runs["token"] / "journal.jsonl") if event["event"] == "stage"]
    fits = [event["hit"] for event in second if event["stage"] == "fit"]
    assert sorted(fits) == [False] * 3 + [True] * (len(fits) - 3)  # three trainings after the agreement are its own


def test_the_tables_have_the_finished_runs(done):
    tidy = pq.read_table(done.out / "grid.parquet")
    results = json.loads((done.runs["token"] / "results.json").read_text(encoding="utf-8"))
    found = tidy.filter(pa.compute.equal(tidy["agree"], "token")).to_pylist()
    [uxla] = [row for row in found if row["method"] == "uxla" and row["epoch"] == 1]
    assert uxla["score"] == results["targets"]["near"]["uxla"][0]["mean"]
    page = (done.out / "grid.md").read_text(encoding="utf-8")
    assert "| model | agree | method | near | near, strict | near − exact |" in page
    assert "nowhere" not in page
    assert sorted(path.name for path in done.out.iterdir() if path.is_file()) == [
        "grid.md",
        "grid.parquet",
        "runs.json",
    ]


def test_a_failed_run_is_told_in_one_line_and_left_out(done):
    assert done.said.startswith("2 of 4 runs failed and are left out: model=nowhere_agree=exact_seed=0: ")
    assert "not on this disk" in done.said
    assert "\n" not in done.said


def of_another_configuration(config):
    times = config.stat()
    config.write_text(config.read_text(encoding="utf-8") + "# and more\n", encoding="utf-8")
    os.utime(config, ns=(times.st_atime_ns, times.st_mtime_ns))


def written_after_the_results(config):
    later = config.with_name("results.json").stat().st_mtime_ns + 1
    os.utime(config, ns=(later, later))


@pytest.mark.parametrize("change", [of_another_configuration, written_after_the_results])
def test_the_same_command_takes_finished_runs_as_they_are_and_makes_the_others(done, change):
    before = {name: (run / "results.json").stat().st_mtime_ns for name, run in done.runs.items()}
    change(done.runs["token"] / "config.yaml")
    done.again(seeds=1, fresh=False)
    after = {name: (run / "results.json").stat().st_mtime_ns for name, run in done.runs.items()}
    assert after["exact"] == before["exact"]
    assert after["token"] > before["token"]
    assert "more" not in (done.runs["token"] / "config.yaml").read_text(encoding="utf-8")


def test_a_damaged_run_is_made_again(done):
    results = done.runs["exact"] / "results.json"
    whole = results.read_bytes()
    results.write_bytes(whole[:100])
    done.again(seeds=1, fresh=False)
    assert results.read_bytes() == whole


@pytest.mark.slow
def test_a_fresh_grid_makes_everything_anew_and_shared_work_once(done):
    told = {run: len(read(run / "journal.jsonl")) for run in done.runs.values()}
    done.again(seeds=1, fresh=True)
    made = [
        (event["stage"], event["key"])
        for run, before in told.items()
        for event in read(run / "journal.jsonl")[before:]
        if event["event"] == "stage" and not event["hit"]
    ]
    assert {"world", "fit", "predict"} <= {stage for stage, _ in made}
    assert len(made) == len(set(made))


def test_a_grid_never_writes_over_runs_of_other_settings_unasked(done, tmp_path):
    before = {path: path.read_bytes() for path in done.out.rglob("*") if path.is_file()}
    settings = [*SETTINGS, "agree=exact,token", "alpha=0.5"]
    with pytest.raises(
        UxlaError, match=r"of another configuration \(alpha is 0.7 there, 0.5 here\); give another folder"
    ):
        grid("testbed", settings, out=done.out, seeds=1, against=None, fresh=False)
    assert {path: path.read_bytes() for path in done.out.rglob("*") if path.is_file()} == before


def test_a_grid_does_not_mix_with_a_run(synchronous):
    before = sorted(path.name for path in synchronous.out.iterdir())
    with pytest.raises(ArtifactError, match=r"is the folder of a run, .*; give another --out"):
        grid("testbed", [*SETTINGS], out=synchronous.out, seeds=1, fresh=False)
    assert sorted(path.name for path in synchronous.out.iterdir()) == before


def test_a_table_that_no_grid_wrote_is_not_written_over(tmp_path):
    (tmp_path / "grid.md").write_text("mine")
    with pytest.raises(ArtifactError, match=r"has grid.md, which no grid wrote"):
        grid("testbed", [*SETTINGS], out=tmp_path, seeds=1, overwrite=True)
    assert (tmp_path / "grid.md").read_text() == "mine"


def test_nothing_is_written_for_a_grid_with_a_fault(tmp_path):
    with pytest.raises(ConfigError, match=r"alpha=-1"):
        grid("testbed", ["alpha=0.7,-1"], out=tmp_path / "out", seeds=1, against=None, fresh=False)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(UxlaError, match=r"--out .*file: is a file"):
        grid("testbed", [], out=tmp_path / "file", seeds=1, against=None, fresh=False)


def test_shards_of_a_grid_make_each_run_once_and_the_last_to_end_writes_the_bytes_of_one_command(
    done, tmp_path, monkeypatch
):
    monkeypatch.setenv("UXLA_CACHE", str(done.out.parent / "store"))  # whose trainings are there
    settings = [*(text for text in SETTINGS if not text.startswith("model=")), "model=testbed", "agree=exact,token"]
    grid("testbed", settings, out=tmp_path / "one", seeds=1)
    out = tmp_path / "out"
    for number, of in ((2, 3), (3, 3), (2, 3)):  # the third has no run
        with pytest.raises(UnfinishedError, match=rf"shard {number}/3 is done; \d of 2 units are not"):
            grid("testbed", settings, out=out, seeds=1, shard=Shard(number, of))
    assert [file.parent.name for file in out.glob("*/results.json")] == ["agree=token_seed=0"]
    made = (out / "agree=token_seed=0" / "results.json").stat().st_mtime_ns
    grid("testbed", settings, out=out, seeds=1, shard=Shard(1, 3))
    assert (out / "agree=token_seed=0" / "results.json").stat().st_mtime_ns == made
    for name in ("grid.md", "grid.parquet"):
        assert (out / name).read_bytes() == (tmp_path / "one" / name).read_bytes()


def test_a_shard_tells_which_of_its_runs_failed_when_it_has_made_the_others(done, tmp_path, monkeypatch):
    monkeypatch.setenv("UXLA_CACHE", str(done.out.parent / "store"))
    settings = [*SETTINGS, "agree=exact,token"]
    said = (
        "1 of 4 runs failed and are left out: model=nowhere_agree=exact_seed=0: .*; for the tables of the others repeat"
    )
    with pytest.raises(UxlaError, match=said):
        grid("testbed", settings, out=tmp_path / "out", seeds=1, shard=Shard(1, 2))
    assert [file.parent.name for file in (tmp_path / "out").glob("*/results.json")] == [
        "model=testbed_agree=exact_seed=0"
    ]
    assert grid_state(tmp_path / "out")["counts"] == {"finished": 1, "failed": 1, "waiting": 2}


def test_a_shard_looks_at_the_folder_before_any_work(done):
    folder = done.runs["exact"]
    with pytest.raises(ArtifactError, match=r"is the folder of a run, which a grid's runs and tables would mix with"):
        grid("testbed", [*SETTINGS, "agree=exact,token"], out=folder, seeds=1, shard=Shard(1, 2))
    assert not (folder / "runs.json").exists()
