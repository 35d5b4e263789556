"""Test examples that adaptation fixed, broke, or left wrong, with their gold and predicted labels, for the page.

Read by templates/mistakes.js.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from uxla.metrics import spans_in
from uxla.records import IGNORED, Bools, Ints
from uxla.report.folder import TestSet
from uxla.report.scoring import counts

KINDS = ("broken", "wrong", "fixed")
"""Wrong only after adaptation; before and after; only before."""

MOST = 300
"""The page has at most so many examples of each kind: those with the highest confidence."""

LONGEST = 2_000_000
"""The page has at most so many characters of text."""


def mistakes(test: TestSet, before: str | None, *, spans: bool) -> dict[str, Any]:
    """The examples, surest first; without a method `before` to compare with, all that are wrong are `wrong`."""
    wrong = _wrong(test, test.final, spans=spans)
    earlier = wrong if before is None else _wrong(test, before, spans=spans)
    kinds = {"broken": wrong & ~earlier, "wrong": wrong & earlier, "fixed": ~wrong & earlier}
    sizes = np.diff(test.offsets)
    sure = np.bincount(np.repeat(np.arange(len(test)), sizes), test.confidence, len(test)) / np.maximum(sizes, 1)
    ranked = np.argsort(-sure, kind="stable")
    shown = [place for kind in KINDS for place in ranked[kinds[kind][ranked]][:MOST].tolist()]
    shown.sort(key=lambda place: -sure[place])
    room = np.cumsum([sum(map(len, test.segments[place])) for place in shown]) <= LONGEST
    of_kind = {place: kind for kind in KINDS for place in np.flatnonzero(kinds[kind]).tolist()}
    sides = [test.gold, *(test.labels[method] for method in (before, test.final) if method is not None)]
    return {
        "tagging": spans,
        "counts": {kind: int(kinds[kind].sum()) for kind in KINDS},
        "rows": [
            {"kind": of_kind[place], "text": test.segments[place], "sure": round(float(sure[place]), 3)}
            | {"labels": [_labels(test, labels, place, spans) for labels in sides]}
            for place, fits in zip(shown, room, strict=True)
            if fits
        ],
    }


def _wrong(test: TestSet, method: str, *, spans: bool) -> Bools:
    """(N,) whether any entity, or the label, is wrong or missing."""
    gold, predicted, correct = counts(test, method, spans=spans).T
    return np.asarray((gold != correct) | (predicted != correct))


def _labels(test: TestSet, labels: Ints, place: int, spans: bool) -> Any:
    """Type, first word and the one after the last of each entity; for sentence tasks the label."""
    own = slice(int(test.offsets[place]), int(test.offsets[place + 1]))
    if not spans:
        return test.label_names[labels[own.start]]
    known = test.gold[own] != IGNORED
    tags = [test.label_names[label] if there else "O" for label, there in zip(labels[own], known, strict=True)]
    return list(spans_in(tags, "conlleval"))
