"""Damaged and hostile inputs: is each read whole or refused in one line, and how long does the slowest take?

python bench/fuzz.py [--inputs 20000] [--seed 0]

Every row that is read is compared with that of a second, simple reader (tests/fuzz/fuzz_oracles.py). Exit 1, with the
inputs' numbers, if one of them ends in a traceback, loses a row, or hangs. Times are CPU time of one call, so that
other work on the machine does not count.
"""

import argparse
import os
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable
from contextlib import chdir
from functools import partial
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "fuzz"))

import fuzz_answers
import fuzz_config
import fuzz_formats
import fuzz_judge
import fuzz_spans
import fuzz_tables

Try = Callable[[Random], fuzz_judge.Verdict]


def main(inputs: int, seed: int) -> bool:
    """Prints a line a format; whether all was well."""
    warnings.simplefilter("ignore")  # codecs that warn of odd escapes
    tries: dict[str, Try] = {name: partial(_file, name) for name in (*fuzz_formats.MAKERS, *fuzz_tables.MAKERS)}
    tries |= {name: partial(_spans, name) for name in fuzz_spans.NAMES}
    tries |= {f"{name} with answers": partial(_answers, name) for name in fuzz_answers.FORMS} | {"yaml": _yaml}
    each = -(-inputs // len(tries))
    print("| format | inputs | read whole | refused in one line | failures | slowest, ms | rows read |")
    print("|---|--:|--:|--:|--:|--:|--:|")
    failures = [failure for name, attempt in tries.items() for failure in _round(name, attempt, each, seed)]
    print(*failures, sep="\n", file=sys.stderr)
    return not failures


def _round(name: str, attempt: Try, inputs: int, seed: int) -> list[str]:
    verdicts, failures = [], []
    for number in range(inputs):
        try:
            verdicts.append(attempt(Random(f"{name} {seed} {number}")))
        except Exception:  # whatever it is: that is what is counted here
            failures.append(f"{name}, seed {seed}, input {number}: {traceback.format_exc(limit=-2)}")
    read = [verdict for verdict in verdicts if verdict.rows]
    slowest = max(verdict.seconds for verdict in verdicts) * 1000
    counts = f"{inputs} | {len(read)} | {len(verdicts) - len(read)} | {len(failures)}"
    print(f"| {name} | {counts} | {slowest:.0f} | {sum(verdict.rows for verdict in read)} |", flush=True)
    return failures


def _file(name: str, rng: Random) -> fuzz_judge.Verdict:
    return fuzz_judge.judge(fuzz_formats.make(name, rng), Path.cwd())


def _spans(name: str, rng: Random) -> fuzz_judge.Verdict:
    return fuzz_spans.judge(fuzz_spans.make(name, rng), Path.cwd())


def _answers(name: str, rng: Random) -> fuzz_judge.Verdict:
    return fuzz_answers.judge(fuzz_formats.make(name, rng), Path.cwd())


def _yaml(rng: Random) -> fuzz_judge.Verdict:
    return fuzz_config.judge(fuzz_config.make(rng), Path.cwd())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=20_000, help="how many, shared equally by the formats")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        fuzz_config.write_files(Path(folder))
        sys.exit(not main(options.inputs, options.seed))
