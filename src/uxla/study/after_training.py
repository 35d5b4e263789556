"""What follows a training of a run: it is told, its models label what the results ask for, and weights may go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from uxla.algorithm.distil import majority_share
from uxla.algorithm.events import EpochEnded, Skipped, StepEvent, Trained
from uxla.algorithm.mixing import judging_sample
from uxla.events import Event, TrainingEnded
from uxla.records import ModelHandle
from uxla.study.inputs import Inputs
from uxla.study.labelling import Labelling, Triple
from uxla.study.weights import Weights
from uxla.targets import Target


@dataclass(frozen=True)
class AfterTraining:
    """What is done when a training, an epoch or a warm-up has ended; events go to the store's listener."""

    inputs: Inputs
    labelling: Labelling
    weights: Weights
    collapse_share: float
    seed: int

    def label_ahead(self, method: str, targets: Sequence[Target], models: Triple) -> None:
        """Label all that the results will ask of a method's models, so that these need their weights no longer.

        Nobody looks at gold labels here.
        """
        corpora = [one for target in targets for one in self.weights.asked_of(method, target, self.inputs, self.seed)]
        scored = self.labelling.as_one(models, self.weights.named(method)) or models
        at_home = judging_sample(self.inputs.train, self.seed)
        distinct = {one.digest: one for one in (corpus.unlabelled() for corpus in corpora)}.values()
        self.labelling.expect([(model, corpus) for corpus in distinct for model in scored])
        for corpus in distinct:
            for model in scored:
                share = majority_share(self.labelling.predict(model, corpus).pseudo_labels)
                if self.inputs.dev is None and share > self.collapse_share:
                    self.labelling.predict(model, at_home)

    def step(self, method: str, target: Target, event: Event) -> None:
        """Pass on an event of Algorithm 1; the end of a training becomes an event with its figures."""
        emit = self.labelling.store.emit
        if isinstance(event, EpochEnded):
            self.label_ahead(method, [target], event.models)
            self.weights.epoch_ended(target, method, event.e, event.models)
        if not isinstance(event, StepEvent):
            emit(event)
            return
        if not isinstance(event, Trained):
            emit(replace(event, method=method, target=target.name))
        if isinstance(event, Trained | Skipped):
            e, k, j, l = event.step
            step: dict[str, Any] = {"epoch": e, "epochs": event.epochs, "peers": [k + 1, j + 1]}
            step["learned_from"] = event.learned_from(target.name)
            if isinstance(event, Trained):
                self.ended(method, target.name, l + 1, event.model, [event.model], step)
                if not any(part.size for part in event.parts if part.labelled is not None):
                    self.weights.untaught(target, method, event.model)
                if e > 1 or not self._may_be_asked_again(method, target, event):
                    self.weights.replaced(target, method, event.began_with)
            else:
                emit(TrainingEnded(method, target.name, l + 1, **step, steps=0))

    def ended(
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
        if self.inputs.dev is not None and scored:
            dev = float(self.labelling.score(scored, judging_sample(self.inputs.dev, self.seed))["mean"])
        step = step or {"epoch": None, "peers": None, "learned_from": None}
        self.labelling.store.emit(TrainingEnded(method, target, number, **step, **given, dev=dev))

    def _may_be_asked_again(self, method: str, target: Target, event: Trained) -> bool:
        """Whether a model gives one label so often that what it began with may have to label more than now, to tell
        whether it has collapsed: from halfway on between the source's share and that of a collapse."""
        usual, limit = majority_share(self.inputs.train.gold_labels), self.collapse_share
        if usual > limit or not self.weights.may_go(target, method, event.began_with):
            return False
        found = self.labelling.predict(event.model, judging_sample(target.train, self.seed))
        return majority_share(found.pseudo_labels) > (usual + limit) / 2
