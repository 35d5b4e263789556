"""How a run adapts and where it computes, as values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from uxla.algorithm.agreement import AGREEMENTS, Agree, Exact, Token
from uxla.algorithm.cotraining import PAPER_SCHEDULE, Epoch, Order
from uxla.algorithm.distil import CleanCluster, MostConfident, Select
from uxla.config.method import AgreeByToken, ByClustering, ByConfidence, EpochPlan, MaskedLMVicinity
from uxla.config.run import RunConfig
from uxla.config.training import Adaptation, Training, WarmUp


@dataclass(frozen=True)
class UXLA:
    """Algorithm 1 with the paper's settings, or others.

    `epochs` say what each epoch learns from and how it distils (§2.4), `agreement` what peers must have in common
    (§2.3), `alpha` how data sets of different sizes are balanced (Eq. 2). A model that comes to give one label to more
    than `collapse_share` of the words teaches nobody. `warm_up` and `adaptation` are the trainings on the source and
    within Algorithm 1; None: the paper's of the task (Table 8), for the shipped model its own, which goes through few
    sentences so often that it has a hundred steps.

    >>> UXLA(epochs=[Epoch(MostConfident(0.5), source=True, target=True)]).alpha
    0.7
    """

    epochs: Sequence[Epoch] = PAPER_SCHEDULE
    agreement: Agree = field(default_factory=Exact)
    alpha: float = 0.7
    order: Order = "synchronous"
    collapse_share: float = 0.995
    warm_up: WarmUp | None = None
    adaptation: Adaptation | None = None


def method_of(config: RunConfig) -> UXLA:
    """UXLA as a configuration has it."""
    return UXLA(
        epochs=tuple(_epoch(plan) for plan in config.schedule),
        agreement=_agreement(config.agree),
        alpha=config.alpha,
        order=config.order,
        collapse_share=config.collapse_share,
        warm_up=config.warmup,
        adaptation=config.adaptation,
    )


def vicinity_of(config: RunConfig) -> Any:
    """The vicinity as a configuration has it: Gen-LM's settings, or the function that a plug-in makes."""
    section = config.vicinity
    return section if isinstance(section, MaskedLMVicinity) else section.build()


def draws_of(training: Training) -> Draws:
    """From the number of examples to the number drawn in one training."""
    if training.max_steps is not None:
        return Draws(fixed=training.max_steps * training.batch_size * training.accumulation)
    assert training.epochs is not None
    return Draws(passes=training.epochs)


@dataclass(frozen=True)
class Draws:
    """How many examples are drawn in one training: a `fixed` number, or so many `passes` over all."""

    passes: float = 1.0
    fixed: int | None = None

    def __call__(self, total: int) -> int:
        """The number for `total` examples."""
        return self.fixed if self.fixed is not None else max(1, round(total * self.passes))


def _epoch(plan: EpochPlan) -> Epoch:
    return Epoch(_select(plan.select), **dict.fromkeys(plan.data, True))


def _select(section: Any) -> Select:
    match section:
        case ByConfidence(share=share, per_class=per_class):
            return MostConfident(share, per_class=per_class)
        case ByClustering(threshold=threshold, features=features):
            return CleanCluster(threshold, features)
        case plug_in:
            return cast(Select, plug_in.build())


def _agreement(section: Any) -> Agree:
    if isinstance(section, AgreeByToken):
        return Token(section.min_agreed)
    own = AGREEMENTS.get(section.kind)
    return own() if own is not None else cast(Agree, section.build())
