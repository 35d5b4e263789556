"""The scripts of `bench/` follow the package: what each imports is there."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench"


@pytest.mark.parametrize("name", sorted(path.stem for path in BENCH.glob("*.py")))
def test_a_benchmark_can_be_imported(name, bench, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # `pitfalls` sets it, and it goes back with the test
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert bench(name).__doc__


def answers(number):
    return {"twice": 2 * number}


def fails(number):
    raise ValueError(f"no {number}\n here")


def dies(number):
    os.kill(os.getpid(), signal.SIGKILL)


def hangs(place):
    """Goes on for ever, with a child that writes to a file."""
    subprocess.Popen(
        [sys.executable, "-c", f"import time\nwhile True: open({str(place)!r}, 'a').write('x'); time.sleep(.01)"]
    )
    time.sleep(1000)


def test_a_part_that_fails_dies_or_hangs_loses_itself_alone(bench, tmp_path, capfd):
    guarded = bench("guarded").guarded
    assert guarded(60, answers, 4).figures == {"twice": 8}
    assert guarded(60, fails, 4).failure == "ValueError: no 4 here"
    assert guarded(60, dies, 4).failure == "its process died"
    assert "ValueError" in capfd.readouterr().err


def test_what_a_part_began_ends_with_it(bench, tmp_path):
    file = tmp_path / "written"
    assert bench("guarded").guarded(3, hangs, file).failure == "stopped after 3 s"
    size = file.stat().st_size if file.exists() else 0
    time.sleep(0.3)
    assert (file.stat().st_size if file.exists() else 0) == size


def seconds_of(number, together):
    together.wait()
    return float(number)


def test_processes_begin_side_by_side(bench):
    assert bench("guarded").side_by_side(3, seconds_of, 7) == [7.0, 7.0, 7.0]


@pytest.mark.slow
def test_all_parts_for_a_gpu_work_on_a_cpu(tmp_path):
    arguments = ["--device", "cpu", "--short", "--json", tmp_path / "gpu.json"]
    done = subprocess.run([sys.executable, BENCH / "gpu.py", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    parts = json.loads((tmp_path / "gpu.json").read_text(encoding="utf-8"))["parts"]
    assert parts["smoke"]["saved and loaded it answers the same"]
    assert parts["deterministic"]["two runs, same bytes"]
    assert parts["deterministic"]["two trainings, same weights"]
    assert "| together | one training, s |" in done.stdout
