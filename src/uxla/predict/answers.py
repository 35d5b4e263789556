"""Rows labelled block by block, and the answers of finished blocks in a file, with which a killed command goes on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from uxla import signals
from uxla.errors import UxlaError
from uxla.models.batches import blocks, chunks
from uxla.models.mentions import Answer, Mention
from uxla.predict.row import Row

Label = Callable[[Sequence[Sequence[str]]], list[Answer]]
"""A function from rows, each the words of a sentence or the parts of a text, to what is found in each."""


def answered(
    batches: Iterator[list[Row]], label: Label, *, batch_size: int, at_once: bool
) -> Iterator[tuple[list[Row], list[Answer]]]:
    """Some rows and their answers again and again, in order. With `at_once` all rows of a batch are answered before the
    next batch is waited for. What is wrong with a row is raised when those before it are answered."""
    fault: UxlaError | None = None

    def sound() -> Iterator[list[Row]]:
        nonlocal fault
        try:
            yield from batches
        except UxlaError as error:
            fault = error

    parts: Iterator[list[Row]]
    if at_once:
        parts = chain.from_iterable(chunks(batch, batch_size) for batch in sound())
    else:
        parts = blocks(chain.from_iterable(sound()), batch_size)
    for rows in parts:
        yield rows, label([row.parts for row in rows])
    if fault is not None:
        raise fault


@contextmanager
def remembered(file: Path, of: str, label: Label) -> Iterator[Label]:
    """`label`, which finds in `file` what a killed command had labelled already and adds there what it labels.

    A line is a block: its answers, and the digest of its rows and of `of`, which names the models.
    """
    with file.open("a+b") as stream:
        stream.seek(0)
        yield lambda rows: _found(stream, sha256(json.dumps([of, rows]).encode()).hexdigest(), rows, label)


def _found(stream: BinaryIO, digest: str, rows: Sequence[Sequence[str]], label: Label) -> list[Answer]:
    start = stream.tell()
    try:
        of, found = json.loads(stream.readline())
        if of == digest:
            return [[Mention(*mention) for mention in answer] for answer in found]
    except ValueError:  # the end, or half a line
        pass
    answers = label(rows)
    with signals.postponed():
        stream.truncate(start)
        stream.write(json.dumps([digest, answers]).encode() + b"\n")
        stream.flush()
    return answers
