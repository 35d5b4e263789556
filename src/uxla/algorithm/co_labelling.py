"""What Algorithm 1 asks of a model, and how two of them label a corpus (lines 4-17)."""

from __future__ import annotations

from typing import Protocol, TypeVar

import numpy as np

from uxla.algorithm.agreement import Agree, Exact
from uxla.algorithm.distil import Select
from uxla.records import Corpus, Predictions

M = TypeVar("M")
_EXACT = Exact()


class Learner(Protocol[M]):
    """The two things Algorithm 1 asks of a model, whatever a model is to it.

    >>> import numpy as np
    >>> class Constant:
    ...     def fit(self, model, mix, *, seed):
    ...         return model
    ...     def predict(self, model, corpus):
    ...         rows = [len(example.words) for example in corpus]
    ...         probs = np.full((sum(rows), 2), 0.5, dtype=np.float32)
    ...         return uxla.Predictions(probs, np.cumsum([0, *rows]))
    >>> uxla.co_label(uxla.read(["a b"], label_names=["O", "B-X"]), ("k", "j"), Constant(), uxla.MostConfident(1.0))
    Corpus('data': 1 example; labels O, B-X)
    """

    def fit(self, model: M, mix: Corpus, *, seed: int) -> M:
        """`model`, trained further on `mix`, once through, in its order."""

    def predict(self, model: M, corpus: Corpus) -> Predictions:
        """Class probabilities of `model` on every example of `corpus`."""


def co_label(
    corpus: Corpus, peers: tuple[M, M], learner: Learner[M], select: Select, agreement: Agree = _EXACT
) -> Corpus:
    """The examples of `corpus` that both `peers` are trusted on and agree on, with their labels (lines 4-17).

    `select` is stage 1 of distillation, `agreement` stage 2 (§2.3). The corpus has as many examples as teach, maybe
    none. `CoTraining` does the same, tells what happened, and leaves out peers that have collapsed.

    >>> learner = uxla.FineTuning("testbed", learning_rate=1e-3)
    >>> source = uxla.read("testbed:source/train", take=8)
    >>> models = [learner.fit(learner.start, source, seed=seed) for seed in (0, 1)]
    >>> taught = uxla.co_label(source.unlabelled(), models, learner, uxla.MostConfident(0.5))
    >>> len(taught) <= 4
    True
    """
    k, j = (learner.predict(peer, corpus) for peer in peers)
    found = agreement(k, j, (select(k, corpus), select(j, corpus)))
    return corpus.with_labels(found.labels, k.offsets).take(np.flatnonzero(found.chosen))
