"""Stage 2 of distillation (§2.3): which pseudo-labelled examples two peers have in common, and with which labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Protocol

import numpy as np

from uxla.algorithm.distil import confidence, example_means
from uxla.records import IGNORED, Bools, Ints, Predictions


class Agreed(NamedTuple):
    """The result of an agreement: what two peers have in common on N examples with R rows.

    >>> import numpy as np
    >>> Agreed(np.ones(1, dtype=bool), np.ones(1, dtype=bool), np.array([0, 2])).chosen.tolist()
    [True]
    """

    chosen: Bools
    """(N,) the examples that teach."""
    agreed: Bools
    """(N,) the examples that the peers label alike."""
    labels: Ints
    """(R,) the labels to learn from; `IGNORED` carries no loss."""


class Agree(Protocol):
    """An agreement: a callable on the predictions of the peers k and j, and on what each of them selected, (N,) bool.

    >>> class AtLeastOneOfThem:
    ...     def __call__(self, k, j, selected):
    ...         either = selected[0] | selected[1]
    ...         return Agreed(either, either, k.pseudo_labels)
    """

    def __call__(self, k: Predictions, j: Predictions, selected: tuple[Bools, Bools]) -> Agreed:
        """What the two have in common."""


@dataclass(frozen=True)
class Exact:
    """The paper's AGREEMENT (§2.3): both selected the example, and all its labels are equal.

    >>> import numpy as np
    >>> k, j = (uxla.Predictions(np.float32([[p, 1 - p], [0.9, 0.1]]), np.arange(3)) for p in (0.8, 0.3))
    >>> both = np.ones(2, dtype=bool)
    >>> Exact()(k, j, (both, both)).chosen.tolist()
    [False, True]
    """

    kind: ClassVar[str] = "exact"
    sentence: ClassVar[str] = "on which models {k} and {j} agree"

    def __call__(self, k: Predictions, j: Predictions, selected: tuple[Bools, Bools]) -> Agreed:
        """What the two have in common."""
        agreed = _share_of_equal_labels(k, j) == 1.0
        return Agreed(selected[0] & selected[1] & agreed, agreed, k.pseudo_labels)


@dataclass(frozen=True)
class Token:
    """Word by word, an extension: both selected the example, and at least `min_agreed` of its labels are equal.

    Labels that the peers dispute carry no loss.

    >>> import numpy as np
    >>> k, j = (uxla.Predictions(np.float32([[p, 1 - p], [0.9, 0.1]]), np.array([0, 2])) for p in (0.8, 0.3))
    >>> one = np.ones(1, dtype=bool)
    >>> Token(0.5)(k, j, (one, one)).labels.tolist()
    [-100, 0]
    """

    min_agreed: float = 0.5
    kind: ClassVar[str] = "token"
    sentence: ClassVar[str] = "on whose words models {k} and {j} mostly agree"

    def __call__(self, k: Predictions, j: Predictions, selected: tuple[Bools, Bools]) -> Agreed:
        """What the two have in common."""
        agreed = _share_of_equal_labels(k, j) >= self.min_agreed
        labels = np.where(k.pseudo_labels == j.pseudo_labels, k.pseudo_labels, IGNORED)
        return Agreed(selected[0] & selected[1] & agreed, agreed, labels)


@dataclass(frozen=True)
class NoAgreement:
    """No condition: what both selected, with the labels of k (φ in Table 5).

    >>> import numpy as np
    >>> k, j = (uxla.Predictions(np.float32([[p, 1 - p]]), np.arange(2)) for p in (0.8, 0.3))
    >>> one = np.ones(1, dtype=bool)
    >>> NoAgreement()(k, j, (one, one)).labels.tolist()
    [0]
    """

    kind: ClassVar[str] = "none"
    sentence: ClassVar[str] = "that models {k} and {j} are both sure of, with the labels of model {k}"

    def __call__(self, k: Predictions, j: Predictions, selected: tuple[Bools, Bools]) -> Agreed:
        """What the two have in common."""
        return Agreed(selected[0] & selected[1], np.ones(len(k), dtype=np.bool_), k.pseudo_labels)


@dataclass(frozen=True)
class Union:
    """What either peer selected, an extension: with the labels of that peer, and where both selected it, of the more
    confident one (of k where they are level).

    >>> import numpy as np
    >>> k, j = (uxla.Predictions(np.float32([[p, 1 - p]]), np.arange(2)) for p in (0.8, 0.1))
    >>> Union()(k, j, (np.array([False]), np.array([True]))).labels.tolist()
    [1]
    """

    kind: ClassVar[str] = "union"
    sentence: ClassVar[str] = "that model {k} or model {j} is sure of"

    def __call__(self, k: Predictions, j: Predictions, selected: tuple[Bools, Bools]) -> Agreed:
        """What the two have in common."""
        surer = confidence(j) > confidence(k)
        of_j = np.repeat(np.where(selected[0] & selected[1], surer, selected[1]), np.diff(k.offsets))
        labels = np.where(of_j, j.pseudo_labels, k.pseudo_labels)
        return Agreed(selected[0] | selected[1], _share_of_equal_labels(k, j) == 1.0, labels)


AGREEMENTS: dict[str, type[Exact | Token | NoAgreement | Union]] = {
    agreement.kind: agreement for agreement in (Exact, Token, NoAgreement, Union)
}
"""The agreements of uxla by their kind in a configuration."""


def kind_of(part: object) -> str:
    """The name of an agreement, or of another part, in results and messages: its `kind`, else that of its function or
    class."""
    return str(getattr(part, "kind", None) or getattr(part, "__name__", type(part).__name__))


def _share_of_equal_labels(k: Predictions, j: Predictions) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    equal = lambda rows: (k.pseudo_labels[rows] == j.pseudo_labels[rows]).astype(np.float64)  # noqa: E731
    return example_means(equal, k.offsets)
