"""The demo on one CPU device and on two, beside what two processes of plain matrix products gain over one.

    python bench/devices.py [--short] [--rounds N]

Virtual cores may share a real one, so that two processes of anything gain less than twice. Rounds alternate, and the
figures are medians; everything begins with an empty store. `--short` takes a tenth of the demo's sentences.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

SHORT = ["testbed.train=200", "testbed.unlabelled=100", "testbed.dev=50", "testbed.test=60"]
PRODUCTS = """
import sys, time, torch
torch.set_num_threads(1)
left, right = torch.rand(512, 512), torch.rand(512, 512)
left @ right
print("ready", flush=True)
sys.stdin.readline()
began = time.monotonic()
for _ in range(int(sys.argv[1])):
    left @ right
print(time.monotonic() - began, flush=True)
"""
SAME = ("results.json", "models/*/model.safetensors", "predictions/**/*", "trace/*.parquet", "table.md")
"""The files of a run folder that do not depend on time."""


def products(processes: int, times: int) -> float:
    """The seconds that so many processes take for `times` products each, all at once."""
    command = [sys.executable, "-c", PRODUCTS, str(times)]
    running = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(processes)
    ]
    for process in running:
        assert process.stdout is not None
        process.stdout.readline()
    for process in running:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    return max(float(process.communicate()[0]) for process in running)


def demo(devices: str, settings: Sequence[str], out: Path) -> float:
    """The seconds that the demo takes on these devices, with an empty store."""
    code = "from uxla.cli.app import main; main()"
    command = [sys.executable, "-c", code, "run", "testbed", *settings, f"devices={devices}", "--out", str(out), "-q"]
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as store:
        subprocess.run(command, env=os.environ | {"UXLA_CACHE": store}, check=True, stdout=subprocess.DEVNULL)
        return time.monotonic() - began


def differing(one: Path, two: Path) -> list[str]:
    """The files that should be the same and are not."""
    names = [str(file.relative_to(one)) for pattern in SAME for file in sorted(one.glob(pattern)) if file.is_file()]
    assert len(names) > 5
    return [name for name in names if (one / name).read_bytes() != (two / name).read_bytes()]


def main() -> None:
    """Print the two gains and their ratio."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--short", action="store_true", help="a tenth of the demo")
    options.add_argument("--rounds", type=int, default=2)
    given = options.parse_args()
    settings, times = (SHORT, 500) if given.short else ([], 3000)
    seconds: dict[str, list[float]] = {"one": [], "two": [], "products": [], "products twice": []}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(given.rounds):
            one, two = Path(folder) / f"one-{number}", Path(folder) / f"two-{number}"
            seconds["products"].append(products(1, times))
            seconds["one"].append(demo("cpu", settings, one))
            seconds["products twice"].append(products(2, times))
            seconds["two"].append(demo("{cpu: 2}", settings, two))
            other = differing(one, two)
            print(f"round {number + 1}: {', '.join(f'{name} {values[-1]:.1f} s' for name, values in seconds.items())}")
            print(f"files that differ: {', '.join(other) or 'none'}", flush=True)
    found = {name: statistics.median(values) for name, values in seconds.items()}
    gain, most = found["one"] / found["two"], 2 * found["products"] / found["products twice"]
    print(f"two devices finish the demo {gain:.2f} times as fast as one")
    print(f"two processes of plain matrix products do {most:.2f} times as much as one; ratio {gain / most:.0%}")


if __name__ == "__main__":
    main()
