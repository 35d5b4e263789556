"""Keep the share of small languages: python balance.py OUT FILE… writes a part of each file, one file a language.

Of n lines all are kept of the smallest file, of a file with n times as many n ** 0.6 times as many. The lines are drawn
with a fixed seed and keep their order; a line that is there twice is one.
"""

import random
import sys
from pathlib import Path

POWER = 0.6


def balanced(sizes: list[int]) -> list[int]:
    """How many lines to keep of files with so many."""
    least = min(sizes)
    return [round(least * (size / least) ** POWER) for size in sizes]


def main(out: Path, files: list[Path]) -> None:
    """Write the parts into the folder `out`, under the files' names."""
    if len({file.name for file in files}) < len(files):
        sys.exit("two files have one name: name each after its language")
    texts = [dict.fromkeys(file.read_text(encoding="utf-8").splitlines()) for file in files]
    for file, text in zip(files, texts, strict=True):
        if not any(map(str.strip, text)):
            sys.exit(f"{file}: has no sentence; leave it out")
    out.mkdir(parents=True, exist_ok=True)
    if others := sorted({file.name for file in out.glob("[!.]*")} - {file.name for file in files}):
        sys.exit(f"{out}: has {', '.join(others)} of another try, which would be trained on too; remove that folder")
    for file, lines, size in zip(files, texts, balanced([len(text) for text in texts]), strict=True):
        kept = sorted(random.Random(0).sample(range(len(lines)), size))
        every = list(lines)
        (out / file.name).write_text("".join(f"{every[i]}\n" for i in kept), encoding="utf-8")
        print(f"{file.name}: {size:,} of {len(lines):,} lines")


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
