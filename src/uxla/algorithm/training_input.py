"""What a model learns from in one training of Algorithm 1, as values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from uxla.algorithm.co_labelling import Learner
from uxla.algorithm.events import Part, Step
from uxla.records import Corpus

M = TypeVar("M")


class Map(Protocol):
    """How independent work is done: `map` does one after the other; an executor may do several at once."""

    def __call__(self, function: Callable[[Any], Any], items: Iterable[Any], /) -> Iterable[Any]:
        """`function` of each item, in the order of the items."""


class DataSet(NamedTuple):
    """One of the data sets of a training; `labelled` has the counts of its labelling, None for gold labels.

    `share` is its own share of the draws; None: by Eq. 2.
    """

    corpus: Corpus
    labelled: Mapping[str, Any] | None = None
    share: float | None = None


class TrainingInput(NamedTuple, Generic[M]):
    """A training of a step: the model that learns, and its mix, which is None where it stays as it is."""

    step: Step
    model: M
    mix: Corpus | None
    seed: int
    parts: tuple[Part, ...]


def fitted(learner: Learner[M], given: TrainingInput[M]) -> M:
    """The model after its training. A function of values alone: another process can call it too."""
    return given.model if given.mix is None else learner.fit(given.model, given.mix, seed=given.seed)
