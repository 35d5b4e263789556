"""What ten million pairs cost: seconds and peak memory of loading, drawing 5 %, the digest and one pass.

python bench/rows.py [ROWS] [FOLDER]
"""

import resource
import sys
import tempfile
import time
from pathlib import Path

from uxla.data.load import load_corpus

LABELS = ("entailment", "neutral", "contradiction")


def write(path: Path, rows: int) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write("premise\thypothesis\tlabel\n")
        for start in range(0, rows, 10_000):
            numbers = range(start, min(start + 10_000, rows))
            file.writelines(
                f"row {i} says that the river was high\tthe river of row {i} was low\t{LABELS[i % 3]}\n"
                for i in numbers
            )


def main(rows: int, folder: Path) -> None:
    path = folder / "rows.tsv"
    write(path, rows)
    options = {"name": "rows", "lang": "xx", "label_names": LABELS, "labelled": True, "shape": "pair"}
    print(f"{rows:,} pairs, {path.stat().st_size / 1e9:.2f} GB as TSV; at the start {peak():.2f} GB")
    start = time.perf_counter()
    corpus = load_corpus(path, **options)
    start = tell("load", start)
    corpus.digest  # noqa: B018
    start = tell("digest", start)
    assert sum(1 for _ in corpus) == rows
    start = tell("iterate", start)
    print(f"the corpus itself: {corpus.table.nbytes / 1e9:.2f} GB")
    del corpus
    part = load_corpus(path, **options, share=0.05, seed=1)
    tell(f"load and draw {len(part):,}", start)


def tell(what: str, start: float) -> float:
    print(f"{what}: {time.perf_counter() - start:.1f} s, peak {peak():.2f} GB", flush=True)
    return time.perf_counter()


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(dir=sys.argv[2] if len(sys.argv) > 2 else None) as place:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000, Path(place))
