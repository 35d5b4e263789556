"""Which texts to label next: those that the three models dispute, spread over the corpus."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import entr  # type: ignore[import-untyped]

from uxla import given
from uxla.algorithm.distil import example_means
from uxla.errors import ConfigError
from uxla.models.ensemble import Ensemble, Found
from uxla.models.tasks import TASKS
from uxla.process_settings import process_settings
from uxla.records import Corpus, Example, Predictions, Reals

_GRAMS, _COLUMNS = (2, 4), 1 << 18
_EQUAL = 1e-9
"""Texts that are nearer than this are the same, but for rounding."""


@dataclass(frozen=True)
class Suggestion:
    """A text that is worth a label: its `row` among the texts, from 0, and what the ensemble finds in it by now.

    >>> one = result.suggest(texts, 20)[0]         # doctest: +SKIP
    >>> texts[one.row] == one.text                 # doctest: +SKIP
    True
    """

    row: int
    text: Any
    """As it was given: a text, a pair of texts, or a list of words."""
    disagreement: float
    """How much the three models dispute it, in nats: 0 if they give the same probabilities, at most ln 3."""
    found: Found


def suggest(ensemble: Ensemble, texts: Iterable[Any], n: int = 50) -> list[Suggestion]:
    """The `n` texts whose labels would help most, the most useful first; fewer if there are fewer different ones.

    A text is chosen by the product of its disagreement and its distance from all texts chosen before (`spread`).
    DataError for what is no text, ConfigError for an `n` below 1.
    """
    if not isinstance(n, int) or n < 1:
        raise ConfigError(f"n: got {n!r}, expected a whole number of at least 1")
    rows = given.items(texts, "texts", "texts")
    parts = _parts(ensemble, rows)
    kept = [i for i, texts_of in enumerate(parts) if all(texts_of)]
    examples = (Example(str(i), "", parts[i]) for i in kept)
    corpus = Corpus.from_examples("texts", ensemble.label_names, examples)
    if not kept:
        return []
    with process_settings():
        tables = [member.predict(corpus, f"model {i}") for i, member in enumerate(ensemble.members, start=1)]
        disputed = disagreement(tables)
        chosen = spread(disputed, [" ".join(parts[i]) for i in kept], n)
        found = ensemble.predict([rows[kept[i]] for i in chosen])
    pairs = zip(chosen, found, strict=True)
    return [Suggestion(kept[i], rows[kept[i]], float(disputed[i]), answer) for i, answer in pairs]


def disagreement(tables: Sequence[Predictions]) -> Reals:
    """(N,) how much models dispute each example: the mean over its rows of the Jensen-Shannon divergence of their
    class probabilities, the entropy of the mean less the mean of the entropies, in nats.

    >>> one, other = (uxla.Predictions(np.float32([[p, 1 - p]]), np.arange(2)) for p in (1.0, 0.0))
    >>> disagreement([one, other, one]).round(2).tolist(), disagreement([one, one]).tolist()
    ([0.64], [0.0])
    """

    def of_rows(rows: slice) -> Reals:
        probs = np.stack([table.probs[rows] for table in tables]).astype(np.float64)
        return np.asarray(entr(probs.mean(axis=0)).sum(axis=1) - entr(probs).sum(axis=2).mean(axis=0))

    return np.maximum(example_means(of_rows, tables[0].offsets), 0.0)


def spread(worth: Reals, texts: Sequence[str], n: int) -> list[int]:
    """At most `n` places of `texts`: each time the largest `worth` times the distance to the nearest chosen text.

    The distance is 1 less the cosine of counts of letter n-grams (2 to 4), in any script; among texts of no worth the
    distance alone decides. A text that is there twice is chosen once. The earlier of two equal texts comes first.

    >>> spread(np.array([0.3, 0.9, 0.9, 0.5]), ["ko mira", "sen tal", "sen tal", "ru duk"], 3)
    [1, 3, 0]
    """
    from sklearn.feature_extraction.text import HashingVectorizer  # late: it takes a second

    counts = HashingVectorizer(analyzer="char_wb", ngram_range=_GRAMS, n_features=_COLUMNS, alternate_sign=False)
    vectors = counts.transform(texts)
    chosen: list[int] = []
    far = np.ones(len(texts))
    while len(chosen) < n and far.max() > 0:
        value = worth * far
        chosen.append(int(np.argmax(value if value.max() > 0 else far)))
        near = np.asarray((vectors @ vectors[chosen[-1]].T).todense()).ravel()
        far = np.minimum(far, np.maximum(1.0 - near, 0.0))
        far[far < _EQUAL] = far[chosen[-1]] = 0.0
    return chosen


def _parts(ensemble: Ensemble, rows: Sequence[Any]) -> list[tuple[str, ...]]:
    """The texts of each example; for a tagger its words, with a space between them."""
    if ensemble.task != "ner":
        return list(given.texts(rows, TASKS[ensemble.task]().segments))
    found: list[tuple[str, ...]] = []
    for i, row in enumerate(rows):
        if isinstance(row, str):
            given.check_text(row, f"text {i}")
            words = (row[start:end] for start, end in ensemble.split(row))
            found.append((" ".join(words),))
        else:
            found.append((" ".join(given.words(row, f"text {i}")),))
    return found
