"""Standard input as a file: raw text and JSON lines while they come, other formats when their end has come."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from codecs import BOM_UTF8
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from uxla.data.columns import Shape
from uxla.data.conll.first_lines import LOOKED_AT, may_have_columns
from uxla.data.files import BOM, decode, split_lines, text_codec
from uxla.data.growing import at_hand, growing
from uxla.data.load import stream_format
from uxla.data.options import ReadOptions
from uxla.data.spans.records import is_spans
from uxla.errors import UxlaError

NAME = Path("-")
_COPY = "standard-input"
_ARRAY, _OPEN = re.compile(rb"\s*\[\s*\{"), re.compile(rb"\s*\[?\s*")


class Input(NamedTuple):
    """A file and how to read it; `grows` says that it is a stream whose end nobody waits for."""

    path: Path
    options: ReadOptions
    grows: bool = False


@contextmanager
def standard_input(stream: BinaryIO, shape: Shape, options: ReadOptions, *, as_it_comes: bool) -> Iterator[Input]:
    """The stream as a file, a copy, in whose errors it is called `-`; without `as_it_comes` all of it."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / _COPY
        try:
            raw, format = _begun(stream, shape, options, copy)
            grows = as_it_comes and format in ("text", "jsonl")
            if grows or (shape == "tagging" and format in ("text", "conll")):
                options = options.model_copy(update={"format": format})
            copy = copy.with_suffix(".jsonl" if format in ("jsonl", "json") else ".txt")
            copy.write_bytes(raw)
            with growing(copy, stream) if grows else nullcontext():
                if not grows:
                    with copy.open("ab") as file:
                        shutil.copyfileobj(stream, file)
                yield Input(copy, options, grows)
        except UxlaError as error:
            own = re.compile(rf"{re.escape(str(copy))}(\.\w+)?")
            error.args = (own.sub(str(NAME), str(error)),)
            error.mistakes = tuple(own.sub(str(NAME), mistake) for mistake in error.mistakes)
            raise


def called(path: Path) -> Path:
    """The name of an input in messages."""
    return NAME if path.stem == _COPY else path


def _begun(stream: BinaryIO, shape: Shape, options: ReadOptions, path: Path) -> tuple[bytes, str]:
    """As much of the stream as shows what it is, and that: `text` and `jsonl` are read as they come; `conll`, `json`
    and `other` formats are not."""
    if options.format not in ("auto", "text", "jsonl") or "\n".encode(text_codec(options.encoding)) != b"\n":
        raw = stream.read()
        is_words = shape == "tagging" and options.format in ("auto", "conll", "text")
        return raw, stream_format(raw, path=path, options=options) if is_words and raw else "other"
    raw, lines, is_open = b"", list[str](), True
    while is_open and (more := at_hand(stream)):
        raw += more
        lines = _lines(raw[: raw.rfind(b"\n") + 1], options, path)
        is_open = _OPEN.fullmatch(raw.removeprefix(BOM_UTF8)) is not None or not any(line.strip() for line in lines)
        if not is_open and options.format == "auto" and len(lines) < LOOKED_AT:
            is_open = may_have_columns(lines, shape)
    lines = _lines(raw, options, path) if is_open else lines
    return raw, _format(raw, lines, is_open, shape, options, path)


def _format(raw: bytes, lines: Sequence[str], is_open: bool, shape: Shape, options: ReadOptions, path: Path) -> str:
    first = next((line for line in lines if line.strip()), "")
    if options.format == "text" or not first:
        return "text"
    if _ARRAY.match(raw.removeprefix(BOM_UTF8)) or (options.format == "jsonl" and first.lstrip().startswith("[")):
        return "json"
    found = _object(first)
    if options.format == "jsonl":
        return "jsonl"
    if found is not None:
        has_spans = shape == "tagging" and options.columns is None and is_spans(found) is not False
        return "json" if has_spans else "jsonl"
    if not is_open or shape == "pair" or options.columns is not None:
        return "text"
    if shape == "tagging":
        return stream_format(raw, path=path, options=options)
    return "other" if may_have_columns(lines, shape) else "text"


def _lines(raw: bytes, options: ReadOptions, path: Path) -> list[str]:
    return list(split_lines(decode(raw, options.encoding, file=path).removeprefix(BOM))) if raw else []


def _object(line: str) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
