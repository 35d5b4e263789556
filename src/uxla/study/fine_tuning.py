"""`uxla.FineTuning`: an encoder that learns and labels, for algorithms written with uxla's parts."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Sequence
from pathlib import Path

from uxla.choices import Device, Precision, Task, check_task
from uxla.models.ensemble import Ensemble
from uxla.models.hub import resolve
from uxla.models.runtime import Runtime
from uxla.models.tasks import TASKS
from uxla.models.training.settings import TrainingSettings
from uxla.process_settings import process_settings
from uxla.records import Corpus, ModelHandle, Predictions
from uxla.store.seen import WeightsGoneError
from uxla.store.store import Store
from uxla.study.remembered import StoredLearner
from uxla.testbed import model_name


class FineTuning:
    """A pretrained encoder as the learner of Algorithm 1: `fit` trains it on a corpus, `predict` labels one.

    `model` is a folder, a Hub id or `testbed`. A training goes once through its corpus, in its order, in steps of
    `batch_size` examples; the learning rate rises to `learning_rate` and falls again; `penalty` is the weight of the
    confidence penalty (Eq. 1). Models are handles: folders, in the `store` or, without one, in a temporary folder that
    goes with the learner. ModelError for a model that cannot be used, ConfigError for a `task` that is none.

    >>> learner = FineTuning("testbed", learning_rate=1e-3)
    >>> corpus = uxla.read("testbed:source/train", take=8)
    >>> model = learner.fit(learner.start, corpus, seed=0)
    >>> learner.predict(model, corpus).probs.shape[1] == len(corpus.label_names)
    True
    """

    def __init__(
        self,
        model: str | Path,
        *,
        task: Task = "ner",
        batch_size: int = 16,
        learning_rate: float = 3e-5,
        penalty: float = 0.0,
        max_length: int = 280,
        device: Device = "auto",
        precision: Precision = "fp32",
        store: Store | None = None,
    ) -> None:
        check_task(task)
        if store is None:
            store = Store(Path(tempfile.mkdtemp(prefix="uxla-")))
            weakref.finalize(self, shutil.rmtree, store.root, ignore_errors=True)
        self.start: ModelHandle = resolve(model_name(str(model)))
        """The pretrained model: what the first training begins with."""
        settings = TrainingSettings(batch_size=batch_size, learning_rate=learning_rate, penalty=penalty)
        runtime = Runtime(device=device, max_length=max_length, precision=precision)
        self._task = task
        self._learner = StoredLearner(task, TASKS[task](), self.start, settings, runtime, store, "fine-tuning")

    def fit(self, model: ModelHandle, mix: Corpus, *, seed: int) -> ModelHandle:
        """`model` trained on the labelled examples of `mix`, once through, in their order; `seed` is for dropout and
        the first classification layer. ValueError for an example without labels, ModelError for a model that cannot
        be used."""
        with process_settings():
            trained = self._learner.fit(model, mix, seed=seed)
            try:
                self._learner.store.require_weights(trained.path)
            except WeightsGoneError:  # of a run that had the same training
                trained = self._learner.fit(model, mix, seed=seed)
            return trained

    def predict(self, model: ModelHandle, corpus: Corpus) -> Predictions:
        """The class probabilities of every word, or text, of `corpus`: (R, C) in the order of its label names.
        ModelError for a model that cannot be used."""
        with process_settings():
            return self._learner.predict(model, corpus)

    def ensemble(self, models: Sequence[ModelHandle], label_names: Sequence[str]) -> Ensemble:
        """Models as one, in memory, that labels texts. ModelError where one of them cannot be used."""
        paths = [model.path for model in models]
        return Ensemble.of(self._task, tuple(label_names), paths, self.start.path, self._learner.runtime)

    def __repr__(self) -> str:
        return f"FineTuning({str(self.start.path)!r}, task={self._task!r})"
