"""A corpus as what models label: whether it is of their kind, and its texts as they take them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow.compute as pc

from uxla.errors import DataError
from uxla.phrases import counted
from uxla.records import Corpus

_NO_WORDS = r"\A\z|\A | \z|  "
"""What is in a text that is not words with one space between them."""


def check_corpus(corpus: Corpus, segments: int, *, words: bool) -> None:
    """DataError where an example has not as many texts as the models read, or is not `words` where it must be."""
    counts = pc.list_value_length(corpus.table.column("segments")).to_numpy()
    other = np.flatnonzero(counts != segments)
    if len(other):
        got = f"example {other[0]} has {counted(int(counts[other[0]]), 'text')}"
        raise DataError(f"{corpus.name}: {got}, the models read {'pairs' if segments == 2 else 'single texts'}")
    if words and pc.any(odd := pc.match_substring_regex(corpus.texts, _NO_WORDS)).as_py():
        number = np.flatnonzero(odd.to_numpy(zero_copy_only=False))[0]
        got = f"example {number} is not words with single spaces between them"
        raise DataError(f"{corpus.name}: {got}; read it with task='ner'")


def entries_of(corpus: Corpus, *, words: bool) -> Iterator[Any]:
    """Each example as a caller would give it: its words, a text, or a pair."""
    for example in corpus:
        yield example.words if words else example.segments if len(example.segments) > 1 else example.segments[0]
