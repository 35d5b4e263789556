"""What `uxla augment` holds in memory, by the number of lines: the peak of anonymous memory and the seconds.

python bench/augment_memory.py [--lines 1000 1000000] [--suffix .txt|.conll|.jsonl] [--model testbed] [--json FILE]

Without --model a function that puts a star behind each drawn word stands in for the masked LM, so that what is measured
is all the rest: reading, drawing, the store, writing. Each size runs in a process of its own. Pages of mapped files,
which the system takes back as it likes, are not counted.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import nullcontext
from pathlib import Path

from uxla.augmentation.files import FileAugmentation
from uxla.config.compute import LMSource
from uxla.config.method import MaskedLMVicinity
from uxla.data.discover import open_rewritable
from uxla.store.journal import Journal
from uxla.store.store import Store

WORDS = 8
KNOWN = 20_000


class Star:
    """Stands in for a masked LM."""

    max_length, precision, process = None, "fp32", nullcontext

    def digest(self):
        return "star"

    def load(self, settings):
        return self

    def units(self, texts):
        return [[match.span() for match in re.finditer(r"\S+", text)] for text in texts]

    def fill(self, requests):
        return [starred(request) for request in requests]


def starred(request):
    text = request.text
    for _, end in sorted(request.spans, reverse=True):
        text = f"{text[:end]}*{text[end:]}"
    return text


class Peak(threading.Thread):
    """The most anonymous memory seen, in MB, looked at every few milliseconds."""

    def __init__(self):
        super().__init__(daemon=True)
        self.most = 0.0

    def run(self):
        while True:
            status = Path("/proc/self/status").read_text()
            self.most = max(self.most, int(re.search(r"RssAnon:\s+(\d+)", status)[1]) / 1024)
            time.sleep(0.005)


def write(path, lines):
    """Sentences of eight words, the last one the line's number: no line comes twice."""
    with path.open("w", encoding="utf-8") as file:
        for i in range(lines):
            words = [f"w{(i * WORDS + j) % KNOWN}" for j in range(WORDS - 1)] + [str(i)]
            if path.suffix == ".conll":
                file.writelines(f"{word}\tX\tO\n" for word in words)
                file.write("\n")
            elif path.suffix == ".jsonl":
                file.write(json.dumps({"id": i, "text": " ".join(words)}) + "\n")
            else:
                file.write(" ".join(words) + "\n")


def measure(lines, suffix, model):
    with tempfile.TemporaryDirectory() as folder:
        path, out = Path(folder) / f"in{suffix}", Path(folder) / ("out.tsv" if suffix == ".txt" else f"out{suffix}")
        write(path, lines)
        peak = Peak()
        peak.start()
        lm = LMSource(model=model) if model else Star()
        source = open_rewritable(path, format="text" if suffix == ".txt" else "auto")
        store = Store(Path(folder) / "store", Journal(out))
        report = FileAugmentation(source, out, MaskedLMVicinity(), lm, store).run()
        megabytes = path.stat().st_size / 2**20
    return {
        "lines": lines,
        "file_mb": round(megabytes, 1),
        "samples": report.written,
        "peak_mb": round(peak.most, 1),
        "seconds": round(report.seconds, 1),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lines", type=int, nargs="+", default=[1_000, 1_000_000])
    parser.add_argument("--suffix", choices=[".txt", ".conll", ".jsonl"], default=".txt")
    parser.add_argument("--model", help="a masked LM, as testbed; default: a star behind each word")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(measure(given.lines[0], given.suffix, given.model)))
        return
    rows = []
    print("| lines | file MB | samples | peak MB | seconds |\n|---:|---:|---:|---:|---:|")
    for lines in given.lines:
        command = [sys.executable, __file__, "--one", "--lines", str(lines), "--suffix", given.suffix]
        done = subprocess.run(
            [*command, *(["--model", given.model] if given.model else [])], capture_output=True, text=True, check=True
        )
        rows.append(json.loads(done.stdout))
        print("| " + " | ".join(f"{value:,}" for value in rows[-1].values()) + " |", flush=True)
    if given.json:
        given.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
