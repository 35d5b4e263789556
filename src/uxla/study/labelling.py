"""Labels and scores of models on disk, behind the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

from uxla.algorithm.training_input import Map
from uxla.executors.executor import independent
from uxla.methods.method import Method
from uxla.metrics import Score
from uxla.models.averaging import average_weights, pretrained_weights
from uxla.models.ensemble import average
from uxla.models.hub import weights_facts
from uxla.models.runtime import Runtime
from uxla.models.tasks import Task
from uxla.models.training.settings import TrainingSettings
from uxla.records import Corpus, ModelHandle, Predictions
from uxla.store.artifacts import copy_content
from uxla.store.store import Store
from uxla.study.remembered import StoredLearner

Triple = tuple[ModelHandle, ModelHandle, ModelHandle]

_NO_TRAINING = TrainingSettings(batch_size=1, learning_rate=1.0)


@dataclass(frozen=True)
class Labelling:
    """One task on one backbone: what any model of a run says of a corpus."""

    task_name: str
    task: Task
    backbone: ModelHandle
    runtime: Runtime
    store: Store
    devices_per_training: int = 1

    @property
    def trainings(self) -> Map:
        """How trainings are done that do not depend on each other."""
        return partial(independent, devices=self.devices_per_training)

    def learner(self, training: TrainingSettings | None, purpose: str) -> StoredLearner:
        """`predict`, and with a `training` also `fit`; `purpose` names the training for a person."""
        given = (self.task_name, self.task, self.backbone, training or _NO_TRAINING, self.runtime, self.store, purpose)
        return StoredLearner(*given, devices=self.devices_per_training)

    def predict(self, model: ModelHandle, corpus: Corpus) -> Predictions:
        """The model's class probabilities."""
        return self.learner(None, "score").predict(model, corpus)

    def expect(self, labellings: Sequence[tuple[ModelHandle, Corpus]]) -> None:
        """Make the predictions that will be asked for next, side by side if there are several devices."""
        self.learner(None, "score").expect(labellings)

    def predictions(self, models: Sequence[ModelHandle], corpus: Corpus) -> list[Predictions]:
        """The class probabilities of each model."""
        self.expect([(model, corpus) for model in models])
        return [self.predict(model, corpus) for model in models]

    def ensemble(self, models: Sequence[ModelHandle], corpus: Corpus) -> Predictions:
        """The mean of the models' probabilities."""
        return average(self.predictions(models, corpus))

    def score(self, models: Sequence[ModelHandle], corpus: Corpus) -> dict[str, Any]:
        """The models' scores on a labelled corpus and their mean, in percent."""
        return self.scored(self.predictions(models, corpus), corpus)

    def score_ensemble(self, models: Sequence[ModelHandle], corpus: Corpus) -> dict[str, Any]:
        """The score of the mean of the models' probabilities, in percent."""
        return self.scored([self.ensemble(models, corpus)], corpus)

    def as_one(self, models: Triple, method: Method | None) -> Sequence[ModelHandle] | None:
        """The models whose mean probabilities a method scores: the three, or the one with the mean of their weights.

        None where it scores each of the three.
        """
        together = None if method is None else method.together
        return None if together is None else models if together == "probabilities" else [self.averaged(models)]

    def averaged(self, models: Sequence[ModelHandle]) -> ModelHandle:
        """One model: the mean of the models' weights, as far from the backbone's as theirs are."""
        inputs = {"models": [model.digest for model in models], "backbone": self.backbone.digest}
        folder, facts = self.store.folder("average", inputs, partial(self._average, models))
        return ModelHandle(folder, facts["weights"])

    def _average(self, models: Sequence[ModelHandle], into: Path, scratch: Path) -> Mapping[str, Any]:
        for model in models:
            self.store.require_weights(model.path)
        copy_content(models[0].path, into, weights=None)
        start = pretrained_weights(self.task.auto_class, self.backbone.path, self.runtime.safety)
        average_weights([model.path for model in models], start, into)
        return weights_facts(into)

    def scored(self, tables: Sequence[Predictions], corpus: Corpus) -> dict[str, Any]:
        """The scores of predictions on a labelled corpus and their mean, in percent."""
        found = [self.task.score(corpus, table) for table in tables]
        main = [next(iter(scores.values())) for scores in found]
        others = {name: fmean(scores[name] for scores in found) for name in list(found[0])[1:]}
        return Score.of(main, **others).as_dict()
