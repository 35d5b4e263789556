"""An older tree and this one side by side: each works in a process of its own, and they take turns."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

ROOT = Path(__file__).parents[1]
NOW = "this tree"


class Tree:
    """The sources of one commit, in a process that works whenever it is told to."""

    def __init__(self, source: Path, script: str, folder: Path) -> None:
        around = {**os.environ, "PYTHONPATH": str(source)}
        command = [sys.executable, script, "--works", str(folder)]
        self.process = subprocess.Popen(command, env=around, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def work(self) -> dict[str, float]:
        """The figures of one piece of work: a line of JSON for a line of standard input."""
        print("work", file=self.process.stdin, flush=True)
        return json.loads(self.process.stdout.readline())


def begin(main: Callable[[], None], works: Callable[[Path], None]) -> None:
    """Run a benchmark's `main`, or, in a process that takes turns, `works` in the folder that it is given. One thread
    each."""
    torch.set_num_threads(1)
    if sys.argv[1:2] == ["--works"]:
        works(Path(sys.argv[2]))
    else:
        main()


def by_turns(before: str, script: str, folder: Path, count: int) -> dict[str, list[dict[str, float]]]:
    """The figures of the commit `before` and of this tree, by round, behind one round that warms up.

    `script` is started with `--works FOLDER` and imports nothing that the older sources lack.
    """
    with TemporaryDirectory() as old:
        archive = subprocess.run(["git", "-C", ROOT, "archive", before, "src"], check=True, capture_output=True).stdout
        subprocess.run(["tar", "-x", "-C", old], input=archive, check=True)
        trees = {before: Tree(Path(old, "src"), script, folder), NOW: Tree(ROOT / "src", script, folder)}
        try:
            each = [{name: tree.work() for name, tree in trees.items()} for _ in range(1 + count)]
        finally:
            for tree in trees.values():
                tree.process.communicate()
    return {name: [found[name] for found in each[1:]] for name in trees}
