"""Rows labelled block by block; finished blocks are in the store, with which a killed command goes on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import Any

from uxla.errors import UxlaError
from uxla.models.batches import blocks, chunks
from uxla.models.mentions import Answer, Mention
from uxla.predict.row import Row
from uxla.store.artifacts import reading
from uxla.store.store import Store

Label = Callable[[Sequence[Sequence[str]]], list[Answer]]
"""A function from rows, each the words of a sentence or the parts of a text, to what is found in each."""


def blocks_of(batches: Iterator[list[Row]], *, batch_size: int, at_once: bool) -> Iterator[list[Row]]:
    """The rows that are labelled together, again and again, in order. With `at_once` those of a batch are given before
    the next batch is waited for. What is wrong with a row is raised behind those before it."""
    fault: UxlaError | None = None

    def sound() -> Iterator[list[Row]]:
        nonlocal fault
        try:
            yield from batches
        except UxlaError as error:
            fault = error

    if at_once:
        yield from chain.from_iterable(chunks(batch, batch_size) for batch in sound())
    else:
        yield from blocks(chain.from_iterable(sound()), batch_size)
    if fault is not None:
        raise fault


@dataclass(frozen=True)
class StoredAnswers:
    """`label` with the store behind it: what the same `models` have labelled together is not labelled again."""

    store: Store
    models: str
    label: Label

    def __call__(self, rows: Sequence[Sequence[str]]) -> list[Answer]:
        """What is found in each row."""
        folder, _ = self.store.folder("answers", self.inputs(rows), partial(self._make, rows))
        with reading(folder):
            found = json.loads((folder / "answers.json").read_bytes())
            return [[Mention(*mention) for mention in answer] for answer in found]

    def inputs(self, rows: Sequence[Sequence[str]]) -> dict[str, Any]:
        """By what the store knows their answers; it holds no texts."""
        return {"models": self.models, "rows": sha256(json.dumps(rows).encode()).hexdigest()}

    def _make(self, rows: Sequence[Sequence[str]], into: Path, scratch: Path) -> Mapping[str, Any]:
        (into / "answers.json").write_bytes(json.dumps(self.label(rows)).encode())
        return {"rows": len(rows)}
