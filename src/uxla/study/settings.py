"""How a run adapts, as values: UXLA with its epochs and trainings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from uxla.algorithm.cotraining import PAPER_SCHEDULE, Epoch, Order
from uxla.algorithm.distil import Agreement
from uxla.config.training import Adaptation, WarmUp


@dataclass(frozen=True)
class UXLA:
    """Algorithm 1 with the paper's settings, or others.

    `epochs` say what each epoch learns from and how it distils (§2.4), `agreement` what peers must have in common
    (§2.3), `alpha` how data sets of different sizes are balanced (Eq. 2). A model that comes to give one label to more
    than `collapse_share` of the words teaches nobody. `warm_up` and `adaptation` are the trainings on the source and
    within Algorithm 1; None: the paper's of the task (Table 8), for the shipped model its own.

    >>> UXLA(epochs=[Epoch(MostConfident(0.5), source=True, target=True)]).alpha
    0.7
    """

    epochs: Sequence[Epoch] = PAPER_SCHEDULE
    agreement: Agreement = "exact"
    alpha: float = 0.7
    order: Order = "synchronous"
    collapse_share: float = 0.995
    warm_up: WarmUp | None = None
    adaptation: Adaptation | None = None
