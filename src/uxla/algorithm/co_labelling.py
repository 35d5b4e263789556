"""What Algorithm 1 asks of a model, and how two of them label a corpus (lines 4-17)."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

import numpy as np

from uxla.algorithm.agreement import Agree, Agreed, Exact, kind_of
from uxla.algorithm.distil import Select
from uxla.errors import ConfigError
from uxla.records import IGNORED, Bools, Corpus, Predictions

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
    none. `CoTraining` does the same, tells what happened, and leaves out peers that have collapsed. ConfigError where
    `select` or `agreement` cannot be used on the corpus, or gives what does not fit it.

    >>> learner = uxla.FineTuning("testbed", learning_rate=1e-3)
    >>> source = uxla.read("testbed:source/train", take=8)
    >>> models = [learner.fit(learner.start, source, seed=seed) for seed in (0, 1)]
    >>> taught = uxla.co_label(source.unlabelled(), models, learner, uxla.MostConfident(0.5))
    >>> len(taught) <= 4
    True
    """
    k, j = (learner.predict(peer, corpus) for peer in peers)
    _, found = distilled(corpus, (k, j), select, agreement)
    return corpus.with_labels(found.labels, k.offsets).take(np.flatnonzero(found.chosen))


def distilled(
    corpus: Corpus, peers: tuple[Predictions, Predictions], select: Select, agreement: Agree
) -> tuple[tuple[Bools, Bools], Agreed]:
    """What each of the two peers selects of `corpus`, (N,) each, and what they have in common (§2.3, both stages).

    ConfigError where the selector or the agreement, which may be a user's own, gives anything else.
    """
    k, j = peers
    who = f"selector {kind_of(select)}, of {corpus.name}"
    selected = _selected(select, k, corpus, who), _selected(select, j, corpus, who)
    found: Any = agreement(k, j, selected)
    who = f"agreement {kind_of(agreement)}, of {corpus.name}"
    if not isinstance(found, tuple) or len(found) != len(Agreed._fields):
        raise ConfigError(f"{who}: gave a {type(found).__name__}, expected a uxla.Agreed(chosen, agreed, labels)")
    chosen, agreed, labels = found
    chosen, agreed = (_booleans(one, len(corpus), who) for one in (chosen, agreed))
    return selected, Agreed(chosen, agreed, _labels(labels, k, who))


def _selected(select: Select, found: Predictions, corpus: Corpus, who: str) -> Bools:
    """What is selected; of nothing nothing, whatever a selector would make of that."""
    return _booleans(select(found, corpus), len(corpus), who) if len(corpus) else np.zeros(0, dtype=np.bool_)


def _booleans(given: Any, n: int, who: str) -> Bools:
    found = np.asarray(given)
    if found.dtype != np.bool_ or found.shape != (n,):
        raise ConfigError(f"{who}: gave {_kind(found)}, expected {n} booleans, one for each example")
    return found


def _labels(given: Any, k: Predictions, who: str) -> Any:
    found, (rows, classes) = np.asarray(given), k.probs.shape
    if not np.issubdtype(found.dtype, np.integer) or found.shape != (rows,):
        raise ConfigError(f"{who}: gave labels as {_kind(found)}, expected {rows} whole numbers, one for each row")
    wrong = found[((found < 0) | (found >= classes)) & (found != IGNORED)]
    if len(wrong):
        raise ConfigError(f"{who}: gave the label {wrong[0]}, expected 0 to {classes - 1}, or {IGNORED} for no loss")
    return found


def _kind(found: np.ndarray[Any, Any]) -> str:
    return f"{found.dtype} of shape {found.shape}"
