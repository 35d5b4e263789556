"""What the methods of one run share: data, backbone, settings; trainings and Algorithm 1 from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import Any

from uxla.algorithm.agreement import AGREEMENTS, Agree
from uxla.algorithm.cotraining import CoTraining, Epoch
from uxla.algorithm.distil import majority_share
from uxla.algorithm.events import EpochEnded, Skipped, StepEvent, Trained
from uxla.algorithm.mixing import balanced_mix, judging_sample
from uxla.choices import Order, Selection
from uxla.config.training import Training
from uxla.events import Emit, Event, TrainingEnded
from uxla.executors.executor import alone, independent
from uxla.lm.tuning import LMTraining
from uxla.methods.registry import title, trainings_of
from uxla.models.heads import Heads
from uxla.models.lm.settings import Recipe
from uxla.records import Corpus, ModelHandle
from uxla.seeds import derive, generator
from uxla.study.inputs import Inputs
from uxla.study.labelling import Labelling, Triple
from uxla.study.remembered import StoredLearner, fitted
from uxla.study.settings import UXLA
from uxla.study.vicinities import GenLM, OwnVicinity
from uxla.study.weights import Weights
from uxla.targets import Target


@dataclass(frozen=True)
class Study:
    """The data of a run, its settings, and ways to train: what a method is given as its lab."""

    inputs: Inputs
    labelling: Labelling
    """The task, the backbone, where models compute, and the store."""
    method: UXLA
    """UXLA's settings, its two trainings included."""
    vicinity: GenLM
    mlm: Recipe
    emit: Emit
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
    def epochs(self) -> Sequence[Epoch]:
        """The epochs that the run has for UXLA."""
        return self.method.epochs

    @property
    def warm_up_training(self) -> Training:
        """How models are trained on labels."""
        assert self.method.warm_up is not None
        return self.method.warm_up

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

    def three_heads(self) -> Triple:
        """One model trained on the source with three classification layers (App. A), as three models."""
        mix, seed = self._mix([self.source], self.warm_up_training, 1), derive(self.seed, "warm-up", 1)
        learner = self.learner(self.warm_up_training, self.dev, "warm-up of three heads")
        learner = replace(learner, heads=Heads(), task_name=f"{self.labelling.task_name}, heads")
        [model] = self.labelling.trainings(fitted, [(learner, self.labelling.backbone, mix, seed)])
        heads = [replace(model, head=head) for head in range(3)]
        self._ended("three_heads", None, None, model, heads)
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
        own = self.method
        assert own.adaptation is not None
        dev = {"source_dev": self.dev, "target_dev": target.dev}.get(own.adaptation.selection)
        learner = self.learner(own.adaptation, dev, f"{title(method, self.weights.methods)} training for {target.name}")
        known = [target.train] if self.dev is None else [self.dev, target.train]
        cotraining = CoTraining(
            learner=replace(learner, judged_on=self._at_once(*known)),
            vicinity=self.around or self.vicinity,
            schedule=[replace(epoch, select=self.vicinity.knowing(epoch.select)) for epoch in epochs],
            alpha=own.alpha,
            agreement=AGREEMENTS[agreement]() if isinstance(agreement, str) else agreement or own.agreement,
            order=order or own.order,
            collapse_share=own.collapse_share,
            labelled_share=own.labelled_share,
            draws=own.adaptation.draws,
            seed=self.seed,
            emit=partial(self._step, method, target),
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
        one = self.weights.named(method)
        return self.labelling.as_one(models, by=None if one is None else one.together)

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
                replace(learner, purpose=f"{trainings_of(method, self.weights.methods)} of model {number} of 3"),
                self.labelling.backbone,
                self._mix(corpora, training, number),
                derive(self.seed, "warm-up", number),
            )
            for number in (1, 2, 3)
        )
        models = []
        for number, model in enumerate(self.labelling.trainings(fitted, jobs), start=1):
            self._ended(method, target, number, model, [model] if dev is self.dev else [])
            models.append(model)
        return models[0], models[1], models[2]

    def _at_once(self, *corpora: Corpus) -> tuple[Corpus, ...]:
        """What a model is asked to label when its training has ended: where others train, within the same job."""
        return () if alone() else tuple(judging_sample(corpus, self.seed) for corpus in corpora)

    def _mix(self, corpora: Sequence[Corpus], training: Training, number: int) -> Corpus:
        rng, draws = generator(self.seed, "warm-up", number), training.draws(sum(map(len, corpora)))
        return balanced_mix(corpora, alpha=1.0, rng=rng, draws=draws)[0]

    def _step(self, method: str, target: Target, event: Event) -> None:
        """Pass on an event of Algorithm 1; the end of a training becomes an event with its figures."""
        if isinstance(event, EpochEnded):
            self.label_ahead(method, [target], event.models)
            self.weights.epoch_ended(target, method, event.e, event.models)
        if not isinstance(event, StepEvent):
            self.emit(event)
            return
        if not isinstance(event, Trained):
            self.emit(replace(event, method=method, target=target.name))
        if isinstance(event, Trained | Skipped):
            e, k, j, l = event.step
            step: dict[str, Any] = {"epoch": e, "epochs": event.epochs, "peers": [k + 1, j + 1]}
            step["learned_from"] = event.learned_from(target.name)
            if isinstance(event, Trained):
                self._ended(method, target.name, l + 1, event.model, [event.model], step)
                if not any(part.size for part in event.parts if part.labelled is not None):
                    self.weights.untaught(target, method, event.model)
                if e > 1 or not self._may_be_asked_again(method, target, event):
                    self.weights.replaced(target, method, event.began_with)
            else:
                self.emit(TrainingEnded(method, target.name, l + 1, **step, steps=0))

    def label_ahead(self, method: str, targets: Sequence[Target], models: Triple) -> None:
        """Label all that the results will ask of a method's models, so that these need their weights no longer.

        Nobody looks at gold labels here.
        """
        corpora = chain.from_iterable(self.weights.asked_of(method, t, self.inputs, self.seed) for t in targets)
        scored = self.as_one(method, models) or models
        at_home = judging_sample(self.source, self.seed)
        distinct = {one.digest: one for one in (corpus.unlabelled() for corpus in corpora)}.values()
        self.labelling.expect([(model, corpus) for corpus in distinct for model in scored])
        for corpus in distinct:
            for model in scored:
                share = majority_share(self.labelling.predict(model, corpus).pseudo_labels)
                if self.dev is None and share > self.method.collapse_share:
                    self.labelling.predict(model, at_home)

    def _may_be_asked_again(self, method: str, target: Target, event: Trained) -> bool:
        """Whether a model gives one label so often that what it began with may have to label more than now, to tell
        whether it has collapsed: from halfway on between the source's share and that of a collapse."""
        usual, limit = majority_share(self.source.gold_labels), self.method.collapse_share
        if usual > limit or not self.weights.may_go(target, method, event.began_with):
            return False
        found = self.labelling.predict(event.model, judging_sample(target.train, self.seed))
        return majority_share(found.pseudo_labels) > (usual + limit) / 2

    def _ended(
        self,
        method: str,
        target: str | None,
        number: int | None,
        model: ModelHandle,
        scored: Sequence[ModelHandle],
        step: Mapping[str, Any] | None = None,
    ) -> None:
        """Tell what a training gave, and the score of its models on the source's dev set, or a part drawn from it."""
        facts = self.labelling.store.facts(model.path)
        given = {name: facts[name] for name in ("steps", "examples", "loss")}
        dev = None
        if self.dev is not None and scored:
            dev = float(self.labelling.score(scored, judging_sample(self.dev, self.seed))["mean"])
        step = step or {"epoch": None, "peers": None, "learned_from": None}
        self.emit(TrainingEnded(method, target, number, **step, **given, dev=dev))
