"""The score of a run's ensemble on a labelled file, in all and by class, with intervals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from uxla.annotation.labelled_data import read_labelled
from uxla.corpora import require_labels
from uxla.corpus_table import renumbered
from uxla.errors import setting
from uxla.markup import Figure, Row, Table
from uxla.models.ensemble import Ensemble
from uxla.models.tasks import TASKS
from uxla.progress import note
from uxla.records import IGNORED, Corpus, Ints
from uxla.report.folder import TestSet
from uxla.report.scoring import by_class, f1
from uxla.seeds import generator

_RESAMPLES, _TOGETHER = 2000, 100
_NAME = "ensemble"


@dataclass(frozen=True)
class ClassScore:
    """Precision, recall and F1 in percent, the bounds of F1's 95 % interval over examples, and how many are gold."""

    precision: float
    recall: float
    f1: float
    low: float
    high: float
    gold: int


@dataclass(frozen=True)
class Evaluated:
    """The score of all classes together, and of each; F1 over all classes of whole texts is their accuracy.

    >>> found = result.evaluate("es/test.conll")                        # doctest: +SKIP
    >>> found.total.f1, found.classes["PER"].gold                       # doctest: +SKIP
    (71.3, 240)
    """

    task: str
    examples: int
    total: ClassScore
    """Its `precision`, `recall` and `f1` in percent, the bounds `low` and `high` of F1's 95 % interval, and `gold`."""
    classes: Mapping[str, ClassScore]
    """Those that are gold or given."""
    unknown: Mapping[str, int]
    """The gold labels that the models do not have, and how many there are: all of them count as missed."""

    def as_dict(self) -> dict[str, Any]:
        """The scores as JSON values."""
        return asdict(self)

    def _repr_markdown_(self) -> str:
        """The table, in a notebook."""
        return table_of(self).markdown()


def table_of(evaluated: Evaluated) -> Table:
    """A row a class, the total first."""
    whole = "all" if evaluated.task == "ner" else "all (accuracy)"
    rows = [_row(name, one) for name, one in {whole: evaluated.total, **evaluated.classes}.items()]
    columns = ("precision", "recall", "F1", "95 % interval of F1", "gold")
    return Table(("class",), columns, tuple(rows))


def evaluate(ensemble: Ensemble, gold: Any, **options: Any) -> Evaluated:
    """How well the ensemble labels `gold`: a labelled corpus, or what `uxla.read` takes with `options`.

    A gold label that the models do not have counts as one that they miss; `unknown` and a note say so. DataError for
    data without labels, ConfigError for options that the ensemble decides.
    """
    if not isinstance(gold, Corpus):
        gold = read_labelled(gold, ensemble.task, Path(gold).name if isinstance(gold, str | Path) else "gold", options)
    require_labels(gold, gold.name)
    names = tuple(dict.fromkeys((*ensemble.label_names, *gold.label_names)))
    expected = renumbered(gold.gold_labels, [*map(names.index, gold.label_names)], ignored=IGNORED)
    found = ensemble.probabilities(gold.unlabelled())
    labels = TASKS[ensemble.task]().decode(found, ensemble.label_names)
    segments = [list(example.segments) for example in gold]
    best = found.best.astype(np.float64)
    test = TestSet(names, _NAME, segments, found.offsets, expected, best, {_NAME: labels})
    counts = by_class(test, _NAME, spans=ensemble.task == "ner")
    total = np.asarray(sum(counts.values(), np.zeros((len(gold), 3), dtype=np.int64)))
    present = {name: own for name, own in sorted(counts.items()) if own.any()}
    known = {label[2:] if ensemble.task == "ner" else label for label in ensemble.label_names}
    unknown = {label: int(own[:, 0].sum()) for label, own in present.items() if label not in known}
    if unknown:
        listed = ", ".join(f"{label} ({count:,} gold)" for label, count in unknown.items())
        remedy = f"if it has another name, set {setting('labels', {'OLD': 'NEW'})}"
        note(f"{gold.name}: the models have no {listed}; counted as missed; {remedy}")
    classes = {name: _score(own) for name, own in present.items()}
    return Evaluated(ensemble.task, len(gold), _score(total), classes, unknown)


def _score(counts: Ints) -> ClassScore:
    """From the gold, predicted and correct (N, 3) of each example."""
    gold, predicted, correct = (int(number) for number in counts.sum(axis=0))
    low, high = _interval(counts)
    precision, recall = 100 * correct / max(predicted, 1), 100 * correct / max(gold, 1)
    return ClassScore(precision, recall, float(f1(counts.sum(axis=0))), low, high, gold)


def _interval(counts: Ints) -> tuple[float, float]:
    """The middle 95 % of F1 over examples drawn again and again with replacement."""
    random, size = generator(0, "evaluate"), len(counts)
    drawn = (random.multinomial(size, np.full(size, 1 / size), size=_TOGETHER) for _ in range(_RESAMPLES // _TOGETHER))
    scores = np.concatenate([f1(weights @ counts) for weights in drawn])
    low, high = np.percentile(scores, (2.5, 97.5))
    return float(low), float(high)


def _row(name: str, one: ClassScore) -> Row:
    figures = [f"{value:.1f}" for value in (one.precision, one.recall, one.f1)]
    return Row((name,), tuple(map(Figure, (*figures, f"{one.low:.1f} to {one.high:.1f}", f"{one.gold:,}"))))
