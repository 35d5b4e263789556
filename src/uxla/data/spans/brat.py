"""The format of brat: a .ann beside its .txt, whose lines are the sentences."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from uxla.data.files import BOM, decode, read_bytes, split_lines, text_lines
from uxla.data.spans.document import Document, Span, fitting
from uxla.data.spans.records import entity_label
from uxla.errors import DataError
from uxla.raw_text import split_words

ANN, TXT = ".ann", ".txt"

_BRAT = re.compile(r"T\S*\t(\S+) ([0-9]{1,15}(?: [0-9]{1,15};[0-9]{1,15})*) ([0-9]{1,15})(?:\t(.*))?")
_OTHERS = re.compile(r"(?:[REAMNF#]\S*|\*)\t.*|\s*")
_SHOWN = 60


def is_brat_folder(path: Path) -> bool:
    """Whether this is a folder with annotations of brat."""
    return os.path.isdir(path) and any(name.endswith(ANN) for name in os.listdir(path))


def pairs(path: Path) -> list[tuple[Path, Path]]:
    """The texts, each with the file of its annotations, which need not exist.

    DataError for a folder without texts, and for annotations without a text.
    """
    if path.is_dir():
        texts = sorted(each for each in path.iterdir() if each.suffix.lower() == TXT)
        alone = next((each for each in sorted(path.glob(f"*{ANN}")) if not each.with_suffix(TXT).exists()), None)
        if alone is not None or not texts:
            what = f"no {TXT} in it" if alone is None else f"{alone.name} has no {TXT}"
            raise DataError(f"{what}; expected brat's .txt and .ann side by side", file=path)
    else:
        texts = [path.with_suffix(TXT) if path.suffix.lower() == ANN else path]
        if not texts[0].exists() and path.exists():
            raise DataError(f"no {texts[0].name} beside it, which has the text; put it there", file=path)
    return [(text, text.with_suffix(ANN)) for text in texts]


def documents(path: Path, notes: Path, encoding: str, *, labelled: bool) -> Iterator[Document]:
    """The lines of a text, each with its spans. DataError for a span that continues in the next line."""
    raw = path.read_bytes() if path.exists() and path.stat().st_size == 0 else read_bytes(path)
    text = decode(raw, encoding, file=path).removeprefix(BOM)
    known = labelled and notes.exists()
    notes_lines = text_lines(notes, encoding) if known and notes.stat().st_size else ()
    spans = sorted(fitting(annotated(notes_lines, notes), text, notes, None), key=lambda span: span.start)
    begins, taken = 0, 0
    for number, line in enumerate(list(split_lines(text)) or [""], start=1):
        body, first = line.rstrip("\r\n"), taken
        begins += len(line)
        while taken < len(spans) and (spans[taken].start < begins or begins == len(text)):
            taken += 1
        own = tuple(_within(span, begins - len(line), text) for span in spans[first:taken])
        words = split_words(body, together=())
        document = Document(body, words, own if known else None, path, number, begins - len(line))
        for span in own:
            if span.start <= len(body) < span.end <= len(text):
                document.fail(span, "crosses a line break, where a sentence ends; cut it in two")
        yield document


def _within(span: Span, begins: int, text: str) -> Span:
    """The span with offsets into its line, without blanks at its end."""
    end = span.end if span.end > len(text) else span.start + len(text[span.start : span.end].rstrip())
    return replace(span, start=span.start - begins, end=end - begins)


def annotated(lines: Iterable[str], path: Path) -> tuple[Span, ...]:
    """The text-bound annotations of a .ann file; others (relations, events, attributes, notes) are ignored.

    DataError, with the line, for what is no annotation, and for an entity in several pieces.
    """
    spans = []
    for number, line in enumerate(lines, start=1):
        body = line.rstrip("\r\n")
        match = _BRAT.fullmatch(body)
        if match is None:
            if not _OTHERS.fullmatch(body):
                message = f"got {body[:_SHOWN]!r}, expected T1, TAB, TYPE START END, TAB, text; is this brat?"
                raise DataError(message, file=path, line=number)
            continue
        label, start, end, quoted = match.groups()
        if ";" in start:
            message = f"the entity {body[:_SHOWN]!r} has several pieces; a row of words has one: join or cut it"
            raise DataError(message, file=path, line=number)
        spans.append(Span(int(start), int(end), entity_label(label, path, number), quoted))
    return tuple(spans)
