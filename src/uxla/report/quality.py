"""How good the pseudo labels were, where the target's training sentences have gold labels: for scoring only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from uxla.records import IGNORED, Ints

_FATES = ("used", "dropped: peers disagree", "dropped: not trusted", "dropped: a model collapsed")


@dataclass(frozen=True)
class Quality:
    """The examples of one fate in one epoch, over all its trainings: the share of peer k's labels that are right."""

    epoch: int
    fate: str
    examples: int
    words_right: float
    """Percent of the words (examples, for sentence tasks)."""
    examples_right: float
    """Percent of the examples without a wrong label."""


def quality(decisions: pa.Table, texts: pa.Table, target: str) -> list[Quality]:
    """By epoch and fate, for the target's own sentences; empty without gold labels."""
    known = texts.filter(pc.and_(pc.equal(texts["data"], target), pc.is_valid(texts["gold"])))
    own = decisions.filter(pc.equal(decisions["data"], target))
    own = own.append_column("place", pc.index_in(own["id"], known["id"].combine_chunks()))
    own = own.filter(pc.is_valid(own["place"]))
    gold = pc.take(known["gold"].combine_chunks(), own["place"].combine_chunks())
    labels = own["labels_k"].combine_chunks()
    if not len(own) or pc.list_value_length(gold) != pc.list_value_length(labels):
        return []
    right, known_words = _right(labels, gold)
    fates, epochs = _fates(own), own["epoch"].to_numpy()
    return [
        _quality(epoch, fate, right[chosen], known_words[chosen])
        for epoch in np.unique(epochs).tolist()
        for fate in range(len(_FATES))
        if (chosen := (epochs == epoch) & (fates == fate)).any()
    ]


def _quality(epoch: int, fate: int, right: Ints, words: Ints) -> Quality:
    share = 100.0 * right.sum() / max(words.sum(), 1)
    return Quality(epoch, _FATES[fate], len(right), float(share), float(100.0 * (right == words).mean()))


def _right(labels: pa.Array, gold: pa.Array) -> tuple[Ints, Ints]:
    """(n,) how many labels of each example are right, and how many have a gold label at all."""
    counts = pc.list_value_length(labels).to_numpy(zero_copy_only=False)
    owner = np.repeat(np.arange(len(counts)), counts)
    expected, found = (np.asarray(values.flatten()) for values in (gold, labels))
    known = expected != IGNORED
    right = np.bincount(owner, known & (found == expected), len(counts)).astype(np.int64)
    return right, np.bincount(owner, known, len(counts)).astype(np.int64)


def _fates(decisions: pa.Table) -> Ints:
    """(n,) places in `_FATES`."""
    used, k, j, agreed = (np.asarray(decisions[name]) for name in ("used", "kept_by_k", "kept_by_j", "agreed"))
    return np.select([used, ~(k & j), ~agreed], [0, 2, 1], default=3)
