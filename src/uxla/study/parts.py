"""Corpora that are worked on part by part: one bar over all parts, and shares of them for several devices."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import ceil
from typing import Any

from uxla import progress
from uxla.records import Corpus
from uxla.store.store import Store

_SHARES = 16
"""At most so many jobs are made of one corpus."""


def each_with_bar(label: str, parts: Sequence[Corpus]) -> Iterator[Corpus]:
    """The parts that are finished one by one; with several, one bar over all of them, also over work within a part."""
    if len(parts) == 1:
        yield parts[0]
        return
    with progress.bar(label, sum(map(len, parts))) as bar:
        end = 0
        for part in parts:
            yield part
            end += len(part)
            bar.advance(end - bar.done)  # all of a part that was found, nothing of one that has counted itself


def shares(corpus: Corpus, size: int) -> Iterator[Corpus]:
    """What different devices are to do of a corpus: shares of whole parts of `size`."""
    return corpus.parts(size * max(1, ceil(len(corpus) / size / _SHARES)))


def in_store(size: int, store: Store, stage: str, inputs: Callable[[Corpus], Mapping[str, Any]], share: Corpus) -> bool:
    """Whether all parts of a share are done."""
    return all(store.has(stage, inputs(part)) for part in share.parts(size))
