"""Two runs at once on one store, round after round: is any work done twice, or anything different from a run alone?

python bench/together.py [--rounds 20] [--folder DIR]
"""

import argparse
import random
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

from kill import SMALL, differing, start, undisturbed

from uxla.store.journal import read

TINY = [
    *SMALL,
    *("testbed.train=80", "testbed.unlabelled=80", "testbed.dev=20", "testbed.test=40", "warmup.epochs=1"),
    "methods=[penalty, uxla]",
]


def together(folder: Path, pause: float) -> tuple[int, int, list[str]]:
    """Artifacts made by two runs, those made twice, and the files in which a run folder differs from the one alone."""
    outs = [folder / "first", folder / "second"]
    for place in (*outs, folder / "store"):
        shutil.rmtree(place, ignore_errors=True)
    first = start(outs[0], folder / "store", TINY)
    first.join(pause)
    second = start(outs[1], folder / "store", TINY)
    for process in (first, second):
        process.join()
        assert process.exitcode == 0, f"exit {process.exitcode}"
    stages = [event for out in outs for event in read(out / "journal.jsonl") if event["event"] == "stage"]
    made = Counter((event["stage"], event["key"]) for event in stages if not event["hit"])
    return (
        len(made),
        sum(made.values()) - len(made),
        [name for out in outs for name in differing(folder / "whole", out)],
    )


def main(rounds: int, folder: Path) -> None:
    undisturbed(folder, TINY)
    draws, made, twice, wrong = random.Random(0), 0, 0, []
    for _ in range(rounds):
        count, again, names = together(folder, draws.uniform(0, 6))
        made, twice, wrong = made + count, twice + again, wrong + names
    print(f"{rounds} rounds of two runs: {made} artifacts made, {twice} of them twice")
    print(f"files that differ from a run alone: {', '.join(wrong) or 'none'}")
    if twice or wrong:
        sys.exit(1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--folder", type=Path, default=None)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as place:
        main(given.rounds, Path(place))
