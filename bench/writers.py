"""Eight processes that make the same artifacts at once, round after round, with locks that hold nobody back.

    python bench/writers.py [--rounds 20] [--folder DIR]

Once in one folder, once each in a folder of its own before one bucket of S3, on a server on this machine. Counted is
what is damaged, what differs from what one process alone makes, and how often an artifact was made.
"""

import argparse
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
from multiprocessing.pool import Pool
from pathlib import Path

from servers import bucket, no_locks

from uxla.files import file_digest
from uxla.store.artifacts import check
from uxla.store.store import Store

_WRITERS, _ARTIFACTS = 8, 10


def make(number: int, into: Path, scratch: Path) -> dict:
    (scratch / "saved").write_text(str(number))
    for part in range(5):
        with (into / f"{part}.bin").open("wb") as stream:
            for block in range(8):  # not at once, so that another writer can come between
                stream.write(bytes([number, part, block]) * 20_000)
    return {"number": number}


def write(root: Path, url: str | None) -> int:
    """How many of the artifacts this process made, and did not find."""
    made = []
    store = Store(root, made.append, shared=url)
    for number in range(_ARTIFACTS):
        store.folder("augment", {"number": number}, lambda into, scratch, number=number: make(number, into, scratch))
    return sum(not event.hit for event in made)


def one_round(pool: Pool, folder: Path, url: str | None) -> int:
    """How many artifacts the processes made together."""
    roots = [folder / "store" if url is None else folder / f"machine {number}" for number in range(_WRITERS)]
    return sum(pool.starmap(write, [(root, url) for root in roots], chunksize=1))


def contents(root: Path) -> dict[str, str]:
    """The digest of each file of each artifact; DamageError where one is damaged."""
    places = sorted(path for path in (root / "augment").iterdir())
    assert all(check(place, read_all=True) for place in places)
    return {f"{place.name}/{file.name}": file_digest(file) for place in places for file in place.glob("*.bin")}


def rounds(count: int, folder: Path, url: str | None) -> None:
    write(folder / "alone", None)
    alone, made, differing = contents(folder / "alone"), 0, 0
    with multiprocessing.get_context("spawn").Pool(_WRITERS) as pool:
        for number in range(count):
            of_this = folder / str(number)
            made += one_round(pool, of_this, url and f"{url}/{number}")
            differing += sum(contents(root) != alone for root in of_this.iterdir())
            shutil.rmtree(of_this)
    shutil.rmtree(folder / "alone")
    where = "a folder" if url is None else "S3"
    print(
        f"{where}: {count} rounds of {_WRITERS} writers: {count * _ARTIFACTS} artifacts, made {made} times; "
        f"stores that differ from one writer's: {differing}; damaged: 0",
        flush=True,
    )
    if differing:
        sys.exit(1)


def main(count: int, folder: Path) -> None:
    rounds(count, folder, None)
    with bucket() as url:
        rounds(count, folder, url)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--folder", type=Path, default=None)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as place:
        if "LD_PRELOAD" not in os.environ:
            sys.exit(subprocess.run([sys.executable, *sys.argv], env=os.environ | no_locks(Path(place))).returncode)
        main(given.rounds, Path(place))
