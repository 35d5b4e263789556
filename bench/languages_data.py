"""The files of a cell of `bench/languages.py`: parts of data sets, as files of their own, and shared sentences."""

import json
import lzma
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from uxla.files import write_file

File = str | Mapping[str, Any]
"""A path, or a mapping with `file`, and perhaps `rows` ([from, to]) and `most`."""

TEXT = ("text", "premise", "hypothesis", "sentence1", "sentence2")
"""The columns of TSV files that are text."""


def parts_of(given: File, place: Path, targets: Sequence[str], data: Path) -> Path:
    """The path of a file, or of the asked part of it, with `{target}` where it was; each target's part is made.

    Relative paths start from `data`. A part stands beside `place`, by a name of its own for each way of asking.
    """
    if isinstance(given, str):
        return data / given
    suffix = f"-{sha256(json.dumps(given).encode()).hexdigest()[:6]}{Path(given['file']).suffix}"
    named = place.with_name(place.name + suffix)
    for target in targets:
        part = in_language(named, target)
        if not part.exists():
            head, sentences = read(in_language(data / given["file"], target))
            start, stop = given.get("rows", (None, None))
            part.parent.mkdir(parents=True, exist_ok=True)
            write_file(part, head + "".join(evenly(sentences[start:stop], given.get("most"))))
    return named


def in_language(path: Path, target: str) -> Path:
    """The path of one target's file."""
    return Path(str(path).replace("{target}", target))


def read(file: Path) -> tuple[str, list[str]]:
    """The header of a TSV file (else nothing), and the file's sentences as written, with all that ends them."""
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".conll":
        return "", [f"{block.strip()}\n\n" for block in text.split("\n\n") if block.strip()]
    head, *lines = (f"{line}\n" for line in text.split("\n") if line)
    return head, lines


def evenly(sentences: Sequence[str], most: int | None) -> list[str]:
    """At most so many of them, at equal distances from the first on."""
    size = len(sentences)
    count = min(most or size, size)
    return [sentences[i * size // count] for i in range(count)]


def texts(file: Path) -> list[str]:
    """Each sentence of a file of `read` without labels and numbers: words of CoNLL, else the columns of text."""
    head, sentences = read(file)
    if file.suffix != ".conll":
        columns = [place for place, name in enumerate(head.rstrip("\n").split("\t")) if name in TEXT]
        lines = [sentence.rstrip("\n").split("\t") for sentence in sentences]
        return ["\t".join(line[place] for place in columns) for line in lines]
    return [" ".join(line.split("\t")[0] for line in sentence.strip().split("\n")) for sentence in sentences]


def shared(test: Iterable[str], train: Iterable[str]) -> list[int]:
    """The places of the test sentences that also stand among others."""
    known = set(train)
    return [place for place, text in enumerate(test) if text in known]


def first_lines(file: Path, most: int, place: Path) -> Path:
    """The first lines of a compressed text, as a file."""
    if not place.exists():
        with lzma.open(file, "rt", encoding="utf-8") as stream:
            lines = [line for line, _ in zip(stream, range(most), strict=False)]
        place.parent.mkdir(parents=True, exist_ok=True)
        write_file(place, "".join(lines))
    return place
