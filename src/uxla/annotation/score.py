"""Another tool's labels of a run's test set, by the run's own metric and beside each of its methods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from uxla.annotation.labelled_data import read_labelled
from uxla.corpora import require_labels
from uxla.errors import ConfigError, DataError
from uxla.markup import Figure, Row, Table
from uxla.methods.registry import ordered
from uxla.records import IGNORED, Corpus
from uxla.report.folder import RunFolder, TestSet
from uxla.report.paired import Difference, Pair, difference
from uxla.report.scores import own_methods
from uxla.report.scoring import counts, score
from uxla.schema import unknown_name

_NAME = "predictions"
_SHOWN = 60


@dataclass(frozen=True)
class Compared:
    """A method of a run: its `score` in percent, and how much better the predictions are, with a 95 % interval."""

    score: float
    difference: Difference | None
    """None for a test set of one example."""
    title: str
    """The name of its row in tables."""


@dataclass(frozen=True)
class Scored:
    """Another tool's predictions: their `score` in percent, and by name each method of the run, three models as one.

    >>> found = result.score("theirs.conll")                            # doctest: +SKIP
    >>> found.score, found.methods["uxla"].difference                   # doctest: +SKIP
    (71.3, Difference(value=-2.1, low=-3.4, high=-0.9))
    """

    metric: str
    score: float
    methods: Mapping[str, Compared]

    def _repr_markdown_(self) -> str:
        """The table, in a notebook."""
        return table_of(self).markdown()


def table_of(scored: Scored, name: str = _NAME) -> Table:
    """The predictions, called `name`, and each method, as rows."""
    metric = "F1" if scored.metric == "f1" else scored.metric
    rows = [Row((name,), (Figure(f"{scored.score:.2f}"), Figure("")))]
    for one in scored.methods.values():
        rows.append(Row((one.title,), (Figure(f"{one.score:.2f}"), _interval(one.difference))))
    note = (
        f"{metric} on the run's test set, of each method the ensemble; the difference is that of {name} from the "
        "method, with its 95 % interval over sentences"
    )
    return Table(("labels",), (metric, "difference"), tuple(rows), notes=(note,))


def score_predictions(run: RunFolder, predictions: Any, target: str | None = None, **options: Any) -> Scored:
    """How good labels of a target's test set are, by the metric of the run.

    `predictions` is a corpus, or what `uxla.read` takes with `options`: the sentences of the test set, in its order or
    in another one, with the predicted labels in place of gold ones. A label that the run does not know counts as wrong.
    DataError where a sentence is missing, or is cut into other words; ConfigError for a run without a test set,
    and for options that the run decides.
    """
    if target is None and len(run.targets) > 1:
        raise ConfigError(f"target: the run has several ({', '.join(run.targets)}); say whose test set this is")
    target = run.targets[0] if target is None else target
    if target not in run.targets:
        raise ConfigError(f"target: got {target!r}; {unknown_name(target, run.targets)}")
    test = run.test_set(target)
    if test is None:
        raise ConfigError(f"{run.path}: the target {target} has no test set to score predictions on")
    task = run.results["task"]
    if not isinstance(predictions, Corpus):
        name = str(predictions) if isinstance(predictions, str | Path) else "predictions"
        predictions = read_labelled(predictions, task, name, options)
    require_labels(predictions, predictions.name, "the predicted ones")
    spans, test = task == "ner", _with_predictions(test, predictions)
    mine = counts(test, _NAME, spans=spans)
    found = {}
    for method, own in ordered((name for name in test.labels if name != _NAME), own_methods(run.results)).items():
        its = counts(test, method, spans=spans)
        found[method] = Compared(score(its), difference([Pair(mine, its, 0)]), own.title)
    return Scored(run.results["metric"], score(mine), found)


def _with_predictions(test: TestSet, corpus: Corpus) -> TestSet:
    """The test set with the predictions as one more method, and its label names with those of the predictions."""
    names = tuple(dict.fromkeys((*test.label_names, *corpus.label_names)))
    ids = np.array([names.index(name) for name in corpus.label_names])
    labels = corpus.take(_order(test, corpus)).gold_labels
    if (labels == IGNORED).any():
        raise DataError(f"{corpus.name}: some words have no label, expected the predicted ones; predict one for each")
    return replace(test, label_names=names, labels={**test.labels, _NAME: ids[labels]})


def _order(test: TestSet, corpus: Corpus) -> Any:
    """The rows of the corpus in the order of the test set. Sentences that are there twice keep their order."""
    places: dict[tuple[str, ...], list[int]] = {}
    for row, example in enumerate(corpus):
        places.setdefault(tuple(example.segments), []).append(row)
    found = []
    for number, segments in enumerate(test.segments, start=1):
        rows = places.get(tuple(segments))
        if not rows:
            raise DataError(_missing(number, segments, corpus), file=corpus.name)
        found.append(rows.pop(0))
    for words in dict.fromkeys(tuple(segments) for segments in test.segments):
        if places[words]:
            raise DataError(_repeated(words), file=corpus.name)
    return np.array(found)


def _missing(number: int, segments: Sequence[str], corpus: Corpus) -> str:
    shown, letters = repr(" | ".join(segments)[:_SHOWN]), "".join(segments).replace(" ", "")
    others = (list(example.segments) for example in corpus)
    if any(other != [*segments] and "".join(other).replace(" ", "") == letters for other in others):
        return f"sentence {number} of the test set has other words here: {shown}; label its words as they are"
    return f"sentence {number} of the test set is not here: {shown}; label each sentence of the test set once"


def _repeated(segments: Sequence[str]) -> str:
    shown = repr(" | ".join(segments)[:_SHOWN])
    return f"has {shown} more often than the test set; label each sentence of the test set once"


def _interval(found: Difference | None) -> Figure:
    return Figure("" if found is None else f"{found.value:+.2f} [{found.low:.2f}, {found.high:.2f}]")
