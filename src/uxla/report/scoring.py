"""Scores on a run's test set: by class, by length, as a confusion matrix, and calibration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from uxla.confidence import reliability
from uxla.metrics import span_scores
from uxla.records import IGNORED, Bools, Ints
from uxla.report.folder import TestSet

_GROUPS = 4


@dataclass(frozen=True)
class Calibration:
    """`ece` in percent, and the bins that are not empty: mean confidence, share correct, how many."""

    ece: float
    bins: tuple[tuple[float, float, int], ...]


@dataclass(frozen=True)
class Confusion:
    """Rows are gold, columns predicted labels, cells counts of words or examples.

    `types`: the labels are entity types, B and I of each taken together.
    """

    labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    types: bool = False


def counts(test: TestSet, method: str, *, spans: bool) -> Ints:
    """(N, 3) gold, predicted and correct of each example: entities with `spans`, else examples."""
    none = np.zeros((len(test), 3), dtype=np.int64)
    return np.asarray(sum(by_class(test, method, spans=spans).values(), none))


def score(found: Ints) -> float:
    """F1 in percent of counts (N, 3); with one entity an example that is accuracy."""
    return float(f1(found.sum(axis=0)))


def by_class(test: TestSet, method: str, *, spans: bool) -> dict[str, Ints]:
    """(N, 3) gold, predicted and correct of each example, for each class: entity types with `spans`, else labels."""
    if not spans:
        gold, found = test.gold, np.where(test.gold == IGNORED, IGNORED, test.labels[method])
        return {
            name: np.stack([gold == i, found == i, (gold == i) & (found == i)], axis=1).astype(np.int64)
            for i, name in enumerate(test.label_names)
        }
    found_of: dict[str, Ints] = {}
    for i, (tags, predicted) in enumerate(_sentences(test, method)):
        for name, one in span_scores([tags], [predicted], mode="conlleval").by_type.items():
            of_class = found_of.setdefault(name, np.zeros((len(test), 3), dtype=np.int64))
            of_class[i] = one.gold, one.predicted, one.correct
    return dict(sorted(found_of.items()))


def by_length(test: TestSet, *, spans: bool) -> dict[str, Bools]:
    """(N,) which examples are in each of up to four groups of about equal size, short to long, by their lengths."""
    lengths = np.array([sum(len(text.split(" ") if spans else text) for text in texts) for texts in test.segments])
    if not len(lengths):
        return {}
    unit = "words" if spans else "characters"
    edges = np.unique(np.quantile(lengths, np.linspace(0, 1, _GROUPS + 1), method="higher")[1:])
    groups, low = {}, 0
    for high in edges:
        inside = (lengths > low) & (lengths <= high)
        lowest = lengths[inside].min()
        groups[f"{high} {unit}" if lowest == high else f"{lowest}–{high} {unit}"] = inside
        low = high
    return groups


def calibration(test: TestSet) -> Calibration | None:
    """How often the final models are right, by their confidence, over words or examples with a gold label."""
    known = test.gold != IGNORED
    sure, right = test.confidence[known], (test.labels[test.final] == test.gold)[known]
    if not len(sure):
        return None
    found = reliability(sure, right)
    filled = [(float(mean), float(share), int(size)) for mean, share, size in zip(*found, strict=True) if size]
    return Calibration(found.error, tuple(filled))


def confusion(test: TestSet, *, spans: bool, widest: int) -> Confusion | None:
    """What the final models take for what: of more than `widest` labels by entity type, with `spans`; None where there
    are still more."""
    names, known = test.label_names, test.gold != IGNORED
    gold, found = test.gold[known], test.labels[test.final][known]
    types = spans and len(names) > widest
    if types:
        kinds = [name[2:] if name != "O" else None for name in names]
        distinct = list(dict.fromkeys(kinds))  # None: a type may be called O
        names = tuple(kind or "O" for kind in distinct)
        place = np.array([distinct.index(kind) for kind in kinds])
        gold, found = place[gold], place[found]
    size = len(names)
    if size > widest:
        return None
    table = np.bincount(gold * size + found, minlength=size * size).reshape(size, size)
    return Confusion(names, tuple(tuple(row) for row in table.tolist()), types)


def _sentences(test: TestSet, method: str) -> list[tuple[list[str], list[str]]]:
    """The gold and the predicted tags of each sentence, words without a gold label left out."""
    found, names, tags = test.labels[method], test.label_names, []
    for start, stop in zip(test.offsets[:-1], test.offsets[1:], strict=True):
        labelled = [i for i in range(start, stop) if test.gold[i] != IGNORED]
        tags.append(([names[test.gold[i]] for i in labelled], [names[found[i]] for i in labelled]))
    return tags


def f1(sums: Ints) -> npt.NDArray[np.float64]:
    """(…, 3) -> (…): 100 · 2 correct / (gold + predicted), 0 where there is neither."""
    return np.asarray(200.0 * sums[..., 2] / np.maximum(sums[..., 0] + sums[..., 1], 1))
