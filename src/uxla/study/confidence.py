"""How sure the final models' answers are: calibrated on the source's dev set, and what that is worth on the target."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from uxla.confidence import Scaling, fitted, reliability
from uxla.executors.executor import independent
from uxla.metrics import spans_in
from uxla.models.mentions import mentions
from uxla.records import IGNORED, Corpus, Predictions, Reals
from uxla.study.labelling import Labelling, Triple
from uxla.study.study import Study


@dataclass(frozen=True)
class Confidence:
    """The scaling of a target's confidences, None where there was nothing to fit it on, and how good they are."""

    scaling: Scaling | None
    facts: dict[str, Any] = field(default_factory=dict)
    """For `dev` of the source and `test` of the target how many answers there are, and their expected calibration error
    as they come (`raw`) and scaled, in percent."""


def confidences(study: Study, final: Mapping[str, Triple]) -> dict[str, Confidence]:
    """By target that of its final models."""
    asked = [(final[target.name], target.test) for target in study.targets]
    found = independent(partial(_confidence, study.labelling, study.dev), asked)
    return dict(zip((target.name for target in study.targets), found, strict=True))


def _confidence(labelling: Labelling, dev: Corpus | None, asked: tuple[Triple, Corpus | None]) -> Confidence:
    """That of three models; `dev` is the source's, and beside the models stands the target's test set."""
    (models, test), scaling, facts = asked, None, dict[str, Any]()
    for name, corpus in (("dev", dev), ("test", test)):
        if corpus is None:
            continue
        sure, right = judged(labelling, models, corpus)
        scaling = fitted(sure, right) if name == "dev" else scaling
        facts[name] = {"answers": len(sure), "raw": reliability(sure, right).error}
        if scaling is not None:
            facts[name]["scaled"] = reliability(scaling(sure), right).error
    return Confidence(scaling, facts)


def judged(labelling: Labelling, models: Triple, corpus: Corpus) -> tuple[Reals, Reals]:
    """(N,) how sure the answers of three models to a labelled corpus are, and (N,) whether each is right."""
    found, words = labelling.ensemble(models, corpus), labelling.task_name == "ner"
    answers = np.array(list(_judged(found, corpus, words=words)), dtype=np.float64).reshape(-1, 2)
    return answers[:, 0], answers[:, 1]


def _judged(found: Predictions, corpus: Corpus, *, words: bool) -> Iterator[tuple[float, bool]]:
    """How sure each answer is, and whether it is right; an entity with a word that has no gold label is left out."""
    names = corpus.label_names
    for example, answer in zip(corpus, mentions(found, names, words=words), strict=True):
        gold = example.labels or ()
        known = [names[label] if label != IGNORED else "O" for label in gold]
        right = set(spans_in(known, "strict")) if words else {(known[0], 0, 0)}
        for one in answer:
            if IGNORED not in gold[one.first : one.stop]:
                yield one.confidence, (str(one.label), one.first, one.stop) in right
