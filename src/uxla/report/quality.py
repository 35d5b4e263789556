"""The quality of pseudo labels, if the target's training sentences have gold labels, which serve for this only."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from uxla.markup import Figure, Row, Table
from uxla.records import IGNORED, Ints

_FATES = ("used", "dropped: peers disagree", "dropped: not trusted", "dropped: a model collapsed")
_HEADS = ("epoch", "fate of the sentence"), ("sentences", "labels right", "all right")


def quality_table(decisions: pa.Table, texts: pa.Table, target: str) -> Table:
    """The share of correct labels on the target's own sentences, by epoch and fate, over all trainings of an epoch.

    Of used examples these are the labels that taught, words that taught nothing left out; of others peer k's. Without
    gold labels there is no row.
    """
    known = texts.filter(pc.and_(pc.equal(texts["data"], target), pc.is_valid(texts["gold"])))
    own = decisions.filter(pc.equal(decisions["data"], target))
    own = own.append_column("place", pc.index_in(own["id"], known["id"].combine_chunks()))
    own = own.filter(pc.is_valid(own["place"]))
    gold = pc.take(known["gold"].combine_chunks(), own["place"].combine_chunks())
    if not len(own) or pc.list_value_length(gold) != pc.list_value_length(own["labels_k"].combine_chunks()):
        return Table(*_HEADS, ())
    right, known_words = _right(own, gold)
    fates, epochs = _fates(own), own["epoch"].to_numpy()
    rows = (
        _row(epoch, fate, right[chosen], known_words[chosen])
        for epoch in np.unique(epochs).tolist()
        for fate in range(len(_FATES))
        if (chosen := (epochs == epoch) & (fates == fate)).any()
    )
    return Table(*_HEADS, tuple(rows))


def _row(epoch: int, fate: int, right: Ints, words: Ints) -> Row:
    """How many examples, the share of right words (examples, for sentence tasks), that of examples without a fault."""
    share, whole = 100.0 * right.sum() / max(words.sum(), 1), 100.0 * (right == words).mean()
    figures = f"{len(right):,.0f}", f"{share:.1f} %", f"{whole:.1f} %"
    return Row((str(epoch), _FATES[fate]), tuple(map(Figure, figures)))


def _right(decisions: pa.Table, gold: pa.Array) -> tuple[Ints, Ints]:
    """(n,) how many labels of each example are right, and how many can be: they have a gold label and, in an example
    that was used, taught."""
    counts = pc.list_value_length(gold).to_numpy(zero_copy_only=False)
    owner = np.repeat(np.arange(len(counts)), counts)
    used, labels, of_k = (decisions[name].combine_chunks() for name in ("used", "labels", "labels_k"))
    expected, found = (np.asarray(lists.flatten()) for lists in (gold, pc.if_else(used, labels, of_k)))
    known = (expected != IGNORED) & (found != IGNORED)
    right = np.bincount(owner, known & (found == expected), len(counts)).astype(np.int64)
    return right, np.bincount(owner, known, len(counts)).astype(np.int64)


def _fates(decisions: pa.Table) -> Ints:
    """(n,) places in `_FATES`. What the agreement took, and yet was not used, a collapsed model dropped."""
    used, k, j = (np.asarray(decisions[name]) for name in ("used", "selected_by_k", "selected_by_j"))
    taken = np.asarray(decisions["labels"].is_valid())
    return np.select([used, taken, ~(k & j)], [0, 3, 2], default=1)
