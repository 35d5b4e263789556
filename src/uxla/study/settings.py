"""How a run adapts, as values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from uxla.algorithm.agreement import AGREEMENTS, Agree, Exact
from uxla.algorithm.cotraining import PAPER_SCHEDULE, Epoch
from uxla.algorithm.distil import CleanCluster, MostConfident
from uxla.choices import Order
from uxla.config.kinds import PluggedIn
from uxla.config.run import RunConfig
from uxla.config.training import Adaptation, WarmUp

PARTS: dict[str, Any] = {"confidence": MostConfident, "clustering": CleanCluster, **AGREEMENTS}
"""The selectors and agreements of uxla by their kind in a configuration."""


@dataclass(frozen=True)
class UXLA:
    """Algorithm 1 with the paper's settings, or others.

    `epochs` say what each epoch learns from and how it distils (§2.4), `agreement` what peers must have in common
    (§2.3), `alpha` how data sets of different sizes are balanced (Eq. 2). `labelled_share` is the share of the draws
    from labelled text of the target, in epochs that have it; None: by Eq. 2. A model that gives one label to more than
    `collapse_share` of the words teaches nobody. `order` is that of `CoTraining`. `warm_up` and `adaptation` are
    the trainings on the source and within Algorithm 1; None: those of the task's preset (Table 8), or of the shipped
    model's. A warm-up by default that is given in passes has at least a hundred steps, and without a dev set keeps its
    last checkpoint.

    >>> UXLA(epochs=[Epoch(MostConfident(0.5), source=True, target=True)]).alpha
    0.7
    """

    epochs: Sequence[Epoch] = PAPER_SCHEDULE
    agreement: Agree = field(default_factory=Exact)
    alpha: float = 0.7
    order: Order = "synchronous"
    collapse_share: float = 0.995
    labelled_share: float | None = None
    warm_up: WarmUp | None = None
    adaptation: Adaptation | None = None


def agreement_of(own: Agree | str | None, run: Agree) -> Agree:
    """The agreement that holds: a method's `own`, which may be the kind of one; None: that of the run."""
    return AGREEMENTS[own]() if isinstance(own, str) else own or run


def method_of(config: RunConfig) -> UXLA:
    """UXLA as a configuration has it."""
    return UXLA(
        epochs=tuple(Epoch(_part(plan.select), **dict.fromkeys(plan.data, True)) for plan in config.schedule),
        agreement=_part(config.agree),
        alpha=config.alpha,
        order=config.order,
        collapse_share=config.collapse_share,
        labelled_share=config.labelled_share,
        warm_up=config.warmup,
        adaptation=config.adaptation,
    )


def _part(section: Any) -> Any:
    """The selector or agreement of a section; that of a plug-in is the section itself."""
    if isinstance(section, PluggedIn):
        return section
    return PARTS[section.kind](**section.model_dump(exclude={"kind"}))
