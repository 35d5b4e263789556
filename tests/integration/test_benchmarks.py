"""The scripts of `bench/` follow the package: what each imports is there."""

from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench"


@pytest.mark.parametrize("name", sorted(path.stem for path in BENCH.glob("*.py")))
def test_a_benchmark_can_be_imported(name, bench, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # `pitfalls` sets it, and it goes back with the test
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert bench(name).__doc__
