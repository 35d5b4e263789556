"""The numbers behind Figures 3 and 4: how one model of the warm-up sees the test set, without penalty and with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from uxla import progress
from uxla.algorithm.distil import most_confident
from uxla.corpus_table import names_in
from uxla.errors import ArtifactError
from uxla.records import IGNORED, Bools, Floats, Ints
from uxla.report.folder import RunFolder

COMPARED = {"zero_shot": "without confidence penalty", "penalty": "with confidence penalty"}
"""The methods compared, and what panels call them."""

PERPLEXITY = 30.0
"""Of t-SNE, for at least 91 points; for fewer a third of their number."""

WRONG_AT_MOST = 2
"""Labels that may be wrong in an "accurate" sentence (the paper's accurate-2)."""

_CLASSIFIED, _OUTSIDE = 700, 300  # points of a t-SNE: more take minutes and hide each other


@dataclass(frozen=True, eq=False)
class WarmUp:
    """N test examples, example i owning rows `offsets[i]:offsets[i+1]`, one a word for tagging, else one an example."""

    label_names: tuple[str, ...]
    tagging: bool
    offsets: Ints
    gold: Ints
    """(R,) labels, IGNORED where there is none."""
    lengths: Ints
    """(N,) words."""
    log_probs: Mapping[str, Floats]
    """(R, C) by method."""

    def losses(self, method: str) -> npt.NDArray[np.float64]:
        """(N,) mean cross-entropy, in nats, against the model's own labels (Appendix B.2)."""
        return -self._means(self.log_probs[method].max(axis=1))

    def accurate(self, method: str) -> Bools:
        """(N,) tagging: at most two labels are wrong; sentence tasks: the label is right."""
        wrong = (self.log_probs[method].argmax(axis=1) != self.gold) & (self.gold != IGNORED)
        return np.asarray(np.bincount(self._owners, wrong, len(self.lengths)) <= (WRONG_AT_MOST if self.tagging else 0))

    def most_confident(self, method: str, share: float) -> Bools:
        """(N,) the top floor(share · N) by confidence, ties in the order of the file (§2.3)."""
        sure = self._means(np.exp(self.log_probs[method].max(axis=1).astype(np.float64)))
        return most_confident(sure, share)

    @property
    def _owners(self) -> Ints:
        return np.repeat(np.arange(len(self.lengths)), np.diff(self.offsets))

    def _means(self, values: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
        sums = np.bincount(self._owners, values, len(self.lengths))
        return np.asarray(sums / np.maximum(np.diff(self.offsets), 1))


@dataclass(frozen=True, eq=False)
class Points:
    """n rows placed in the plane by t-SNE: their class, one of `names`, and their places by method."""

    names: tuple[str, ...]
    classes: Ints
    places: Mapping[str, npt.NDArray[np.float64]]
    said: str
    """How many words or examples they are, of how many."""
    perplexity: float


def read_warm_up(run: RunFolder, target: str) -> WarmUp:
    """What the run wrote. ArtifactError where it wrote none, or the file is damaged."""
    path = run.path / "warmup" / f"{target}.parquet"
    if not path.is_file():
        why = f"no such file, which Figures 3 and 4 need{_what_is_missing(run, target)}"
        raise ArtifactError(f"{path}: {why}: finished work is kept")
    try:
        found = pq.read_table(path)
        return _warm_up(found, tagging=run.results["task"] == "ner")
    except (OSError, pa.ArrowException, ValueError, TypeError, LookupError, AttributeError) as error:
        message = f"damaged ({type(error).__name__}), expected a table that `uxla run` wrote"
        raise ArtifactError(f"{path}: {message}; run again to rebuild it") from None


def _what_is_missing(run: RunFolder, target: str) -> str:
    """What the figures need and the run does not have, and what to do."""
    methods = run.results["targets"].get(target) or {}
    missing = [method for method in COMPARED if method not in methods]
    if not methods:
        return f"; the run has no test set of {target}: give target_data.test=FILE and run again"
    if missing:
        return (
            f"; the run has no method {' and no '.join(missing)}: add {' and '.join(COMPARED)} to methods and run again"
        )
    return "; it was lost, since the run has both methods and a test set: run again"


def points(found: WarmUp) -> Points:
    """Rows with a gold class, the same for both methods, each placed by t-SNE of the method's log probabilities."""
    rows, said = sampled(found)
    places = {}
    with progress.bar("t-SNE", len(COMPARED)) as bar:
        for method in COMPARED:
            places[method] = _embedded(found.log_probs[method][rows])
            bar.advance()
    return Points(_names(found), _classes(found)[rows], places, said, _perplexity(len(rows)))


def sampled(found: WarmUp) -> tuple[Ints, str]:
    """At most 1,000 rows with a gold class, and how many of what they are.

    For tagging, O words are few among them: they would hide all others.
    """
    names, classes = _names(found), _classes(found)
    other = (classes == names.index("O")) if found.tagging and "O" in names else np.zeros(len(classes), np.bool_)
    parts = np.flatnonzero((classes >= 0) & ~other), np.flatnonzero(other)
    rng = np.random.default_rng(0)
    limits = (_CLASSIFIED, _OUTSIDE) if found.tagging else (_CLASSIFIED + _OUTSIDE, 0)
    shown = [_some(rows, limit, rng) for rows, limit in zip(parts, limits, strict=True)]
    counts = [f"{len(some):,} of {len(rows):,}" for some, rows in zip(shown, parts, strict=True)]
    said = f"{counts[0]} words of entities and {counts[1]} other words" if found.tagging else f"{counts[0]} examples"
    return np.concatenate(shown), said


def _warm_up(table: pa.Table, *, tagging: bool) -> WarmUp:
    names = names_in(table.schema)
    gold = table["gold"].combine_chunks()
    sizes = gold.value_lengths().to_numpy(zero_copy_only=False)
    log_probs = {}
    for method in COMPARED:
        values = table[method].combine_chunks()
        if not np.array_equal(values.value_lengths().to_numpy(zero_copy_only=False), sizes * len(names)):
            raise ValueError(f"{method} does not fit gold")
        log_probs[method] = np.asarray(values.flatten(), dtype=np.float32).reshape(-1, len(names))
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    labels = np.asarray(gold.flatten(), dtype=np.int64)
    if not len(gold) or not np.isin(labels, [IGNORED, *range(len(names))]).all():
        raise ValueError("no examples, or labels that are none")
    return WarmUp(names, tagging, offsets, labels, np.asarray(table["words"], dtype=np.int64), log_probs)


def _names(found: WarmUp) -> tuple[str, ...]:
    """The classes: labels, for tagging entity types in the order of their labels."""
    return tuple(dict.fromkeys(_type(name) if found.tagging else name for name in found.label_names))


def _type(label: str) -> str:
    return label[2:] if label[:2] in ("B-", "I-") else label


def _classes(found: WarmUp) -> Ints:
    """(R,) the place of each row's class in `_names`, -1 without a gold label."""
    names = _names(found)
    of_label = np.array([names.index(_type(name) if found.tagging else name) for name in found.label_names])
    known = found.gold != IGNORED
    return np.where(known, of_label[np.where(known, found.gold, 0)], -1)


def _some(rows: Ints, at_most: int, rng: np.random.Generator) -> Ints:
    return rows if len(rows) <= at_most else np.sort(rng.choice(rows, at_most, replace=False))


def _perplexity(size: int) -> float:
    return min(PERPLEXITY, (size - 1) // 3)


def _embedded(values: Floats) -> npt.NDArray[np.float64]:
    """(n, 2) by t-SNE, the same on any number of threads; all in one place where few are there or none differs."""
    perplexity = _perplexity(len(values))
    if perplexity < 1 or not np.ptp(values, axis=0).any():
        return np.zeros((len(values), 2))
    with threadpool_limits(1):  # sums over threads differ in their last bits, and t-SNE makes much of those
        placed = TSNE(perplexity=perplexity, init="pca", random_state=0).fit_transform(values)
    return np.asarray(placed, dtype=np.float64)
