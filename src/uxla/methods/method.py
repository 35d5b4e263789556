"""What a method is: the one value that configuration, table, report, card and documents read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args

from uxla.choices import Order, Selection
from uxla.errors import ConfigError

if TYPE_CHECKING:  # numpy and Arrow, which names and titles do without
    from uxla.algorithm.agreement import Agree
    from uxla.algorithm.cotraining import Epoch
    from uxla.records import Corpus, ModelHandle
    from uxla.targets import Target

    Triple = tuple[ModelHandle, ModelHandle, ModelHandle]
    Schedule = Sequence[Epoch]

Group = Literal["supervised", "baseline", "uxla", "extension"]
"""Where the paper's result tables have a method: with labels of the target; without; its own; or not at all."""

Together = Literal["probabilities", "weights"]
"""What of three models becomes one mean, where a method's row scores one."""


class Lab(Protocol):
    """What a method may use: the run's data and settings, and ways to train on them."""

    @property
    def source(self) -> Corpus:
        """The labelled source."""

    @property
    def dev(self) -> Corpus | None:
        """The source's dev set."""

    @property
    def epochs(self) -> Schedule:
        """The epochs that the run has for UXLA."""

    def warm_up(
        self, method: str, *, penalty: bool = True, selection: Selection | None = None, same_layer: bool = False
    ) -> Triple:
        """Three models trained on the source (§2.1), with the confidence penalty or without.

        `method` is whose models they are, in messages and results. `selection` says which weights of a training are
        kept; None: as the run has it. With `same_layer` all three begin with the classification layer of the first, and
        differ in the order of the data and in dropout only.
        """

    def tuned(self) -> Lab:
        """The same on a backbone that was first tuned as a masked LM on the raw text (Table 7)."""

    def three_heads(self) -> Triple:
        """One model with three classification layers (App. A), as three models."""

    def train(self, method: str, target: Target, corpora: Sequence[Corpus], dev: Corpus | None) -> Triple:
        """Three models trained on labelled corpora; `dev` is what chooses their checkpoints."""

    def cotrain(
        self,
        method: str,
        target: Target,
        models: Triple,
        epochs: Schedule,
        *,
        agreement: Agree | str | None = None,
        order: Order | None = None,
    ) -> list[Triple]:
        """The three models after each epoch of Algorithm 1, which begins with `models`.

        Agreement and order are the run's unless they are given.
        """


@dataclass(frozen=True)
class Start:
    """Models that no target has a part in: made once a run, for every method and target that begins with them."""

    method: str
    """The method that they are the models of."""
    make: Callable[[Lab], Triple]
    trainings: str
    """What their trainings are called."""
    tunes: bool = False
    """Whether the backbone is tuned as a masked LM for them (`Lab.tuned`)."""


PENALISED = Start("penalty", lambda lab: lab.warm_up("penalty"), "warm-up")
"""The warm-up of the paper (§2.1): what all adaptation begins with."""


@dataclass(frozen=True)
class Method:
    """A way to get three models for a target language.

    A method that varies Algorithm 1 has a `schedule`, and maybe an `agreement` or an `order` of its own. One that does
    anything else has `steps`: a function of the lab, the target and the models of `start`, whose value is the three
    models after each epoch. With neither, its models are those of `start`.

    >>> sure = uxla.Epoch(uxla.MostConfident(0.5), source=True, target=True)
    >>> Method("half", "the surer half", schedule=lambda epochs: [sure] * len(epochs)).title
    'the surer half'
    """

    name: str
    """Its name in a configuration and in results; as an entry point it has the same one."""
    title: str
    """The name of its row in tables."""
    in_sentence: str = ""
    """Its name within a sentence; by default the title."""
    learned_from: str = "labelled text in {s} and raw text in {t}, by {method}"
    """What its models learned from, for the model card: `{s}` is the source, `{t}` the target, `{method}` its title."""
    paper: str = ""
    """Its place in the paper."""
    group: Group = "extension"
    needs: tuple[Literal["labelled", "translated"], ...] = ()
    """What it reads of the target beside raw text."""
    reads_target: bool = True
    """Whether its models learn from the target's raw text."""
    rank: int | None = 95
    """The models of a run are those of its method with the highest rank. None: never this one's."""
    baseline: bool = False
    """Whether a report compares the run's models with it first."""
    together: Together | None = None
    """What its row scores: the mean of its models' probabilities, the one model that has the mean of their weights, or
    (None) each of the three."""
    start: Start | None = PENALISED
    """What it begins with."""
    schedule: Callable[[Schedule], Schedule] | None = None
    """From the run's epochs to those of this method."""
    agreement: Agree | str | None = None
    """What peers must have in common: the kind of an agreement, or a callable; None: as the run has it."""
    order: Order | None = None
    steps: Callable[[Any, Target, Any], Sequence[Triple]] | None = None

    @property
    def adapts(self) -> bool:
        """Whether it trains on from the models of its start."""
        return self.start is not None and (self.schedule is not None or self.steps is not None)

    @property
    def spoken(self) -> str:
        """Its name within a sentence."""
        return self.in_sentence or self.title

    def __post_init__(self) -> None:
        """ConfigError for a method that could give no models, or whose row would score nothing that is known."""
        if self.start is None and self.steps is None:
            raise ConfigError(f"method {self.name}: has neither start nor steps, expected one of them")
        if self.together not in (None, *get_args(Together)):
            known = ", ".join(get_args(Together))
            raise ConfigError(f"method {self.name}: together is {self.together!r}, expected None or one of {known}")

    def run(self, lab: Lab, target: Target, models: Triple | None) -> list[Triple]:
        """Its three models after each epoch; `models` are those of its start.

        ConfigError where its schedule, agreement, order or steps, which may be a user's own, are of no use.
        """
        if self.steps is None and self.schedule is None:
            assert models is not None
            return [models]
        after: Any = self._cotrained(lab, target, models) if self.steps is None else self.steps(lab, target, models)
        if not isinstance(after, list | tuple) or not after or not all(map(_is_triple, after)):
            raise ConfigError(f"method {self.name}: steps gave {after!r:.80}, expected the three models of each epoch")
        return list(after)

    def epochs(self, of_the_run: Schedule) -> Schedule:
        """Its epochs of Algorithm 1, for those that the run has; ConfigError where its schedule gives anything else."""
        from uxla.algorithm.cotraining import Epoch

        assert self.schedule is not None
        found: Any = self.schedule(of_the_run)
        if not isinstance(found, list | tuple) or not found or not all(isinstance(one, Epoch) for one in found):
            raise ConfigError(f"method {self.name}: schedule gave {found!r:.80}, expected a list of uxla.Epoch")
        return list(found)

    def data_sets(self, of_the_run: Schedule) -> int:
        """How many data sets its models learn from after its start, over all epochs."""
        epochs = [] if self.schedule is None else self.epochs(of_the_run)
        parts = ("source", "target", "source_vicinity", "target_vicinity", "labelled")
        return sum(getattr(epoch, part) for epoch in epochs for part in parts)

    def _cotrained(self, lab: Lab, target: Target, models: Any) -> list[Triple]:
        from uxla.algorithm.agreement import AGREEMENTS

        epochs = self.epochs(lab.epochs)
        for name, given, known in (("agreement", self.agreement, AGREEMENTS), ("order", self.order, get_args(Order))):
            if isinstance(given, str) and given not in known:
                raise ConfigError(f"method {self.name}: {name} is {given!r}, expected one of {', '.join(known)}")
        return lab.cotrain(self.name, target, models, epochs, agreement=self.agreement, order=self.order)


def _is_triple(models: object) -> bool:
    return isinstance(models, list | tuple) and len(models) == 3
