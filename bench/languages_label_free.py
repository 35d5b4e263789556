"""What a finished run tells of its states without any label of the target, for rules of when to adapt.

It stands in a cell's record, so that a rule that nobody has thought of yet can be tried when the run folder is gone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np

from uxla.report.folder import RunFolder, TestSet
from uxla.report.scoring import counts, score
from uxla.store.journal import JOURNAL, read

State = tuple[str, int | None]
"""A method, and an epoch of it."""
_NOT_KEPT = ("event", "at", "target")


def label_free(run: RunFolder, target: str, rows: Mapping[str, State]) -> dict[str, Any]:
    """Of the test sentences' texts, by row of the table, and of the raw text:

    - `agreed_within`: how far each two of the row's three models agree, in points of the task's score;
    - `agreed`: the same for the ensembles of each two methods;
    - `labels`: how often each of the models gives each of `label_names`;
    - `confidence`: the mean of the final models';
    - `co_label`: what peers selected and agreed on, of each training.
    """
    test, labels = run.test_set(target), run.scored_labels(target)
    assert test is not None, f"{run.path}: a cell has a test set"
    spans, names = run.results["task"] == "ner", test.label_names
    events = [event for event in read(run.path / JOURNAL) if event["event"] == "co_label"]
    return {
        "agreed_within": {
            row: _pairs(labels[state], test, spans=spans) for row, state in rows.items() if len(labels[state]) > 1
        },
        "agreed": [
            [one, other, agreement(test.labels[one], test.labels[other], test, spans=spans)]
            for one, other in combinations(sorted(test.labels), 2)
        ],
        "label_names": list(names),
        "labels": {
            row: [np.bincount(found, minlength=len(names)).tolist() for found in labels[state]]
            for row, state in rows.items()
        },
        "confidence": float(test.confidence.mean()),
        "co_label": [{key: event[key] for key in event if key not in _NOT_KEPT} for event in events],
    }


def agreement(one: np.ndarray, other: np.ndarray, test: TestSet, *, spans: bool) -> float:
    """The score of one labelling of the test sentences with the other one as gold."""
    return score(counts(replace(test, gold=one, labels={"other": other}), "other", spans=spans))


def _pairs(labels: Sequence[np.ndarray], test: TestSet, *, spans: bool) -> list[float]:
    return [agreement(*pair, test, spans=spans) for pair in combinations(labels, 2)]
