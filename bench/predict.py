"""`uxla predict` on many lines: when the first answer comes, and the memory of the process while it goes on.

    python bench/predict.py RUN [--lines 1000000] [--every 30] [--folder DIR]

The lines are sentences of the testbed's far language, words joined to raw text. The command runs in a process of its
own and writes to a pipe; its resident memory (VmRSS) is read every so many seconds. Linux. Seconds are those of the
clock: on a shared machine they say little, memory says all.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

from uxla.testbed.world import World

_COMMAND = "from uxla.cli.app import main; main()"
_SENTENCES = 5000


def lines(count: int) -> Iterator[str]:
    """So many lines of raw text."""
    sentences = [" ".join(words) for words, _ in World(0).sentences("far", "test", _SENTENCES)]
    return islice(cycle(sentences), count)


def memory(process: int) -> int:
    """The resident memory of a process, in MB; 0 when it has ended."""
    try:
        found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text(encoding="utf-8"))
    except OSError:
        return 0
    return int(found[1]) // 1024 if found else 0


def measure(run: Path, count: int, every: float, file: Path) -> None:
    """Print a row of the table every so many seconds."""
    with file.open("w", encoding="utf-8") as sink:
        sink.writelines(f"{line}\n" for line in lines(count))
    began, answered, done = time.monotonic(), 0, threading.Event()
    command = [sys.executable, "-c", _COMMAND, "predict", str(run), str(file)]
    print("| seconds | lines answered | MB resident |\n|--:|--:|--:|", flush=True)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:

        def row() -> None:
            seconds = time.monotonic() - began
            print(f"| {seconds:,.0f} | {answered:,} | {memory(process.pid):,} |", flush=True)

        def rows() -> None:
            while not done.wait(every):
                row()

        clock = threading.Thread(target=rows)
        assert process.stdout is not None
        for _ in process.stdout:
            answered += 1
            if answered == 1:
                row()
                clock.start()
            if answered == count:
                row()
        done.set()
    assert answered == count, f"{answered} answers to {count} lines"


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="a run folder")
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--every", type=float, default=30.0, help="seconds between two rows")
    parser.add_argument("--folder", type=Path, default=None, help="where the lines are written")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        measure(asked.run, asked.lines, asked.every, Path(folder) / "lines.txt")


if __name__ == "__main__":
    main()
