"""A run and a grid on clusters of one to three simulated machines give the bytes of one process."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from uxla.store.journal import read

SIZES = ("testbed.train=60", "testbed.unlabelled=30", "testbed.dev=10", "testbed.test=20", "threads=1")
TINY = (*SIZES, "target=near", "warmup.epochs=1", "methods=[penalty, uxla]")
MACHINES = """
import subprocess, sys
sys.path.insert(0, sys.argv[1])
from ray_nodes import simulated
import os
with simulated(int(sys.argv[2])) as cluster:
    raise SystemExit(subprocess.run(sys.argv[3:], env=os.environ | {"RAY_ADDRESS": cluster.address}).returncode)
"""
NODES = Path(__file__).parents[1] / "executors"

pytestmark = pytest.mark.slow


def uxla(store, *arguments, machines=0):
    """The command with a store of its own, on so many simulated machines."""
    command = [sys.executable, "-c", "from uxla.cli.app import main; main()", *map(str, arguments)]
    if machines:
        command = [sys.executable, "-c", MACHINES, str(NODES), str(machines), *command, "--executor", "ray"]
    return subprocess.run(command, env=os.environ | {"UXLA_CACHE": str(store)}, capture_output=True, text=True)


def differing(one, two):
    """The files of two folders that are not the same bytes, but for those that tell when and where."""

    def files(folder):
        found = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
        told = ("journal.jsonl", "environment.json")
        return {str(path.relative_to(folder)): path.read_bytes() for path in found if path.name not in told}

    a, b = files(one), files(two)
    assert any(name.endswith("results.json") for name in a)
    return [name for name in a.keys() | b.keys() if a.get(name) != b.get(name)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    done = uxla(folder / "store", "run", "testbed", *TINY, "--out", folder / "run", "--executor", "serial")
    assert done.returncode == 0, done.stderr
    return folder / "run"


@pytest.mark.parametrize("machines", [1, 2, 3])
def test_a_run_on_a_cluster_is_the_run_of_one_process(whole, machines, tmp_path):
    pytest.importorskip("ray")
    done = uxla(tmp_path / "store", "run", "testbed", *TINY, "--out", tmp_path / "run", machines=machines)
    assert done.returncode == 0, done.stderr
    assert differing(whole, tmp_path / "run") == []
    made = [event["key"] for event in read(tmp_path / "run/journal.jsonl") if event["event"] == "stage"]
    again = [event["key"] for event in read(tmp_path / "run/journal.jsonl") if not event.get("hit", True)]
    assert len(again) == len(set(again)) > 10, "nothing was made twice"
    assert len(made) > len(again)


def test_augment_and_predict_on_a_cluster_write_the_bytes_of_one_process(whole, tmp_path):
    pytest.importorskip("ray")
    (tmp_path / "a.txt").write_text("".join(f"ko{' mira' * (i % 3)}\n" for i in range(5000)))
    augment = ["augment", tmp_path / "a.txt", "--model", "testbed", "--copies", 1]
    predict = ["predict", whole, tmp_path / "a.txt", "--device", "cpu"]
    for number, (command, suffix) in enumerate([(augment, "tsv"), (predict, "jsonl")]):
        for machines in (0, 2):
            out = tmp_path / f"{machines}-{number}.{suffix}"
            done = uxla(tmp_path / f"store-{machines}", *command, "--out", out, machines=machines)
            assert done.returncode == 0, done.stderr
        assert out.read_bytes() == (tmp_path / f"0-{number}.{suffix}").read_bytes()


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # Ray leaves files open
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_run_whose_head_is_lost_asks_to_be_repeated_and_finds_its_work_again(whole, tmp_path, monkeypatch):
    pytest.importorskip("ray")
    monkeypatch.syspath_prepend(NODES)
    from ray_nodes import simulated

    monkeypatch.setenv("UXLA_CACHE", str(tmp_path / "store"))
    command = [sys.executable, "-c", "from uxla.cli.app import main; main()", "run", "testbed", *TINY]
    command += ["--out", str(tmp_path / "run"), "--executor", "ray", "-q"]
    with simulated(1) as cluster:
        around = os.environ | {"RAY_ADDRESS": cluster.address}
        with subprocess.Popen(command, env=around, stderr=subprocess.PIPE, text=True) as process:
            while process.poll() is None and not list(tmp_path.glob("store/fit/*/meta.json")):
                time.sleep(0.05)
            for one in cluster.head_node.all_processes["gcs_server"]:
                one.process.kill()
            said = process.communicate()[1].rstrip().splitlines()
    assert process.returncode == 75, said
    assert re.fullmatch(r"uxla: error: executor ray: the head .* is lost \(.*\); start .* work is kept", said[-1])
    done = uxla(tmp_path / "store", "run", "testbed", *TINY, "--out", tmp_path / "run", "--executor", "serial")
    assert done.returncode == 0, done.stderr
    assert differing(whole, tmp_path / "run") == []


def test_a_grid_on_a_cluster_names_the_run_that_fails_and_makes_the_others(whole, tmp_path):
    pytest.importorskip("ray")
    varied = [*TINY, "model=testbed,nowhere", "alpha=0.5,0.7"]
    done = uxla(tmp_path / "store", "grid", "testbed", *varied, "--out", tmp_path / "grid", machines=2)
    assert done.returncode == 2
    assert "2 of 4 runs failed and are left out: model=nowhere_alpha=0.5_seed=0" in done.stderr
    told = uxla(tmp_path / "store", "status", tmp_path / "grid").stdout
    assert told.startswith("2 finished, 2 failed of 4 runs")
    assert f"| model=testbed_alpha=0.7_seed=0 | finished | {os.uname().nodename} |" in told
    assert differing(whole, tmp_path / "grid" / "model=testbed_alpha=0.7_seed=0") == ["config.yaml"]
