"""What the methods of one run share: data, backbone, settings; trainings and Algorithm 1 from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from uxla.algorithm.agreement import Agree
from uxla.algorithm.cotraining import CoTraining, Epoch
from uxla.algorithm.mixing import balanced_mix, judging_sample
from uxla.choices import Order, Selection
from uxla.config.training import Training
from uxla.events import Emit
from uxla.executors.executor import in_turn, independent
from uxla.lm.tuning import LMTraining
from uxla.methods.method import Method
from uxla.methods.registry import title, trainings_of
from uxla.models.heads import Heads
from uxla.models.lm.settings import Recipe
from uxla.records import Corpus, ModelHandle
from uxla.seeds import derive, generator
from uxla.study.after_training import AfterTraining
from uxla.study.inputs import Inputs
from uxla.study.labelling import Labelling, Triple
from uxla.study.remembered import StoredLearner, fitted
from uxla.study.settings import UXLA, agreement_of
from uxla.study.vicinities import GenLM, OwnVicinity
from uxla.study.weights import Weights
from uxla.targets import Target


@dataclass(frozen=True)
class Study:
    """The data of a run, its settings, and ways to train: what a method is given as its lab."""

    inputs: Inputs
    labelling: Labelling
    """The task, the backbone, where models compute, and the store."""
    uxla: UXLA
    """UXLA's settings, its two trainings included."""
    vicinity: GenLM
    mlm: Recipe
    weights: Weights
    around: OwnVicinity | None = None
    """A vicinity of the user's own, in place of Gen-LM."""
    seed: int = 0
    checkpoint_minutes: float = 10.0

    @property
    def source(self) -> Corpus:
        """The labelled source."""
        return self.inputs.train

    @property
    def dev(self) -> Corpus | None:
        """The source's dev set."""
        return self.inputs.dev

    @property
    def targets(self) -> tuple[Target, ...]:
        """The target languages."""
        return self.inputs.targets

    @property
    def methods(self) -> Sequence[Method]:
        """The methods of the run."""
        return self.weights.methods

    @property
    def final(self) -> Method:
        """The method whose models the run delivers."""
        return self.weights.final

    @property
    def emit(self) -> Emit:
        """Tells the listener of the store."""
        return self.labelling.store.emit

    @property
    def after(self) -> AfterTraining:
        """What is done when a training has ended."""
        return AfterTraining(self.inputs, self.labelling, self.weights, self.uxla.collapse_share, self.seed)

    @property
    def epochs(self) -> Sequence[Epoch]:
        """The epochs that the run has for UXLA."""
        return self.uxla.epochs

    @property
    def warm_up_training(self) -> Training:
        """How models are trained on labels."""
        assert self.uxla.warm_up is not None
        return self.uxla.warm_up

    def warm_up(
        self, method: str, *, penalty: bool = True, selection: Selection | None = None, same_layer: bool = False
    ) -> Triple:
        """Three models trained on the source (§2.1); with `same_layer` all begin with the first one's layer."""
        training = self.warm_up_training if penalty else self._unpenalised
        training = training.model_copy(update={"selection": selection or training.selection})
        layer = derive(self.seed, "warm-up", 1) if same_layer else None
        return self._trained_on([self.source], training, self.dev, method, None, layer)

    def train(self, method: str, target: Target, corpora: Sequence[Corpus], dev: Corpus | None) -> Triple:
        """Three models trained on labelled corpora, all of their sentences alike; `dev` chooses their checkpoints."""
        training = self._unpenalised
        if dev is None and training.selection == "source_dev":
            training = training.model_copy(update={"selection": "last"})
        return self._trained_on(corpora, training, dev, method, target.name)

    def tuned(self) -> Study:
        """The same study on a backbone that first read the sentences of the source and all targets (Table 7)."""
        corpora = [self.source, *(target.train for target in self.inputs.targets)]
        labelling, seed = self.labelling, derive(self.seed, "mlm")
        training = LMTraining(self.mlm, labelling.runtime, labelling.store, seed, self.checkpoint_minutes)
        [model] = independent(partial(training.tuned, labelling.backbone), [corpora])
        return replace(self, labelling=replace(labelling, backbone=model))

    def averaged(self, models: Triple) -> ModelHandle:
        """One model in place of the run's three: the mean of their weights (`Labelling.averaged`)."""
        start = self.final.start
        study = self.tuned() if start is not None and start.tunes else self  # as far from what they began with
        return study.labelling.averaged(models)

    def three_heads(self) -> Triple:
        """One model trained on the source with three classification layers (App. A), as three models."""
        mix, seed = self._mix([self.source], self.warm_up_training, 1), derive(self.seed, "warm-up", 1)
        learner = self.learner(self.warm_up_training, self.dev, "warm-up of three heads")
        learner = replace(learner, heads=Heads(), task_name=f"{self.labelling.task_name}, heads")
        [model] = self.labelling.trainings(fitted, [(learner, self.labelling.backbone, mix, seed)])
        heads = [replace(model, head=head) for head in range(3)]
        self.after.ended("three_heads", None, None, model, heads)
        return heads[0], heads[1], heads[2]

    def cotrain(
        self,
        method: str,
        target: Target,
        models: Triple,
        epochs: Sequence[Epoch],
        *,
        agreement: Agree | str | None = None,
        order: Order | None = None,
    ) -> list[Triple]:
        """The three models after each epoch of Algorithm 1 by these epochs, beginning with `models`."""
        own = self.uxla
        assert own.adaptation is not None
        dev = {"source_dev": self.dev, "target_dev": target.dev}.get(own.adaptation.selection)
        learner = self.learner(own.adaptation, dev, f"{title(method, self.methods)} training for {target.name}")
        known = [target.train] if self.dev is None else [self.dev, target.train]
        cotraining = CoTraining(
            learner=replace(learner, judged_on=self._at_once(*known)),
            vicinity=self.around or self.vicinity,
            schedule=[replace(epoch, select=self.vicinity.knowing(epoch.select)) for epoch in epochs],
            alpha=own.alpha,
            agreement=agreement_of(agreement, own.agreement),
            order=order or own.order,
            collapse_share=own.collapse_share,
            labelled_share=own.labelled_share,
            draws=own.adaptation.draws,
            seed=self.seed,
            emit=partial(self.after.step, method, target),
            share=None if models[0].head is None else lambda head, new: replace(new, head=head.head),
            map=self.labelling.trainings,
            expect=self.labelling.expect,
        )
        return cotraining(self.source, target.train, models, target.labelled)

    def learner(self, training: Training, dev: Corpus | None, purpose: str) -> StoredLearner:
        """`fit` and `predict` with one training's values; `purpose` names the training for a person."""
        looks = training.selection in ("source_dev", "target_dev")
        learner = self.labelling.learner(training, purpose)
        return replace(learner, dev=dev if looks else None, checkpoint_minutes=self.checkpoint_minutes)

    @property
    def _unpenalised(self) -> Training:
        return self.warm_up_training.model_copy(update={"penalty": 0.0})

    def as_one(self, method: str, models: Triple) -> Sequence[ModelHandle] | None:
        """The models whose mean probabilities a method's row scores; None where it scores each of the three."""
        return self.labelling.as_one(models, self.weights.named(method))

    def _trained_on(
        self,
        corpora: Sequence[Corpus],
        training: Training,
        dev: Corpus | None,
        method: str,
        target: str | None,
        layer: int | None = None,
    ) -> Triple:
        known = [] if dev is not self.dev or dev is None else [dev]  # else it is of another language
        learner = replace(self.learner(training, dev, ""), judged_on=self._at_once(*known), layer_of=layer)
        jobs = (
            (
                replace(learner, purpose=f"{trainings_of(method, self.methods)} of model {number} of 3"),
                self.labelling.backbone,
                self._mix(corpora, training, number),
                derive(self.seed, "warm-up", number),
            )
            for number in (1, 2, 3)
        )
        models = []
        for number, model in enumerate(self.labelling.trainings(fitted, jobs), start=1):
            self.after.ended(method, target, number, model, [model] if dev is self.dev else [])
            models.append(model)
        return models[0], models[1], models[2]

    def _at_once(self, *corpora: Corpus) -> tuple[Corpus, ...]:
        """What a model is asked to label when its training has ended: where others train, within the same job."""
        return () if in_turn() else tuple(judging_sample(corpus, self.seed) for corpus in corpora)

    def _mix(self, corpora: Sequence[Corpus], training: Training, number: int) -> Corpus:
        rng, draws = generator(self.seed, "warm-up", number), training.draws(sum(map(len, corpora)))
        return balanced_mix(corpora, alpha=1.0, rng=rng, draws=draws)[0]
