"""Which test fails without the handling of each pitfall: the handling is taken out, one row of the table at a time.

python bench/pitfalls.py [WORD]

Works on a temporary copy of the repository. `pitfalls.yaml` has a row for each pitfall: the file under `src/uxla`, the
text of the handling, what takes its place, and the tests under `tests` that should notice. With WORD only the rows
that have it in their pitfall or file. Exit 1 where a row is not noticed, or its handling is not found.
"""

import multiprocessing
import os
import re
import shutil
import sys
import tempfile
from itertools import chain
from pathlib import Path

os.environ |= {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}  # read when the modules below are loaded

import pyarrow.compute  # noqa: F401 (this and the like: so that no row needs to load them)
import pytest
import sklearn.mixture  # noqa: F401
import torch  # noqa: F401
import yaml
from transformers import AutoModelForMaskedLM, XLMRobertaForMaskedLM  # noqa: F401

ROOT = Path(__file__).resolve().parents[1]
LEFT_OUT = shutil.ignore_patterns(".*", "runs", "build", "dist", "__pycache__")
OPTIONS = ["-qx", "-rfE", "--tb=no", "--assert=plain", "-p", "no:cacheprovider", "--hypothesis-seed=0"]
LIMIT_SECONDS = 600
FAILED = re.compile(r"^(?:FAILED|ERROR) tests/(\S+?::\w+)", re.MULTILINE)


def main(word: str) -> int:
    rows = yaml.safe_load((ROOT / "bench/pitfalls.yaml").read_text(encoding="utf-8"))
    rows = [row for row in rows if word in f"{row['file']}: {row['pitfall']}"]
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "uxla"
        shutil.copytree(ROOT, copy, ignore=LEFT_OUT)
        if (ROOT.parent / "shared").is_dir():
            (Path(folder) / "shared").symlink_to(ROOT.parent / "shared")
        said = run(copy, sorted(set(chain.from_iterable(row["tests"] for row in rows))))
        if said is not None:
            print(f"not in order before anything was taken out: {said}")
            return 1
        print("| pitfall | handling | the test that fails without it |\n| --- | --- | --- |")
        noticed = [tell(copy, row) for row in rows]
    print(f"\n{sum(noticed)} of {len(rows)} are noticed")
    return int(not all(noticed))


def tell(copy: Path, row: dict) -> bool:
    file = copy / "src/uxla" / row["file"]
    before = file.read_text(encoding="utf-8")
    if before.count(row["old"]) != 1:
        said = f"**the handling stands there {before.count(row['old'])} times: adapt the row**"
    else:
        file.write_text(before.replace(row["old"], row["new"]), encoding="utf-8")
        said = run(copy, row["tests"]) or "**SURVIVED**"
        file.write_text(before, encoding="utf-8")
    handling = row["old"].strip().partition("\n")[0].replace("|", "\\|")
    print(f"| {row['pitfall']} | `{row['file']}`: `{handling}` | {said} |", flush=True)
    return "**" not in said


def run(copy: Path, tests: list[str]) -> str | None:
    """The first test that fails; None if none does. In a fork of this process, which has loaded what takes seconds."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        options = [*OPTIONS, f"--basetemp={folder}/tests", f"--rootdir={copy}"]
        arguments = [*options, *(f"{copy}/tests/{test}" for test in tests)]
        child = multiprocessing.get_context("fork").Process(target=in_copy, args=(copy, arguments, log))
        child.start()
        child.join(LIMIT_SECONDS)
        child.kill()
        said = log.read_text(encoding="utf-8")
    if child.exitcode == 0:
        return None
    failed = FAILED.search(said)
    return failed[1] if failed else f"**no test could run: {said[-300:]!r}**"


def in_copy(copy: Path, arguments: list[str], log: Path) -> None:
    os.chdir(copy)
    os.environ.update(PYTHONPATH=str(copy / "src"), PYTHONDONTWRITEBYTECODE="1")
    sys.path.insert(0, str(copy / "src"))
    sys.dont_write_bytecode = True
    with log.open("w", encoding="utf-8", buffering=1) as sys.stdout:
        code = int(pytest.main(arguments))
    os._exit(code)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
