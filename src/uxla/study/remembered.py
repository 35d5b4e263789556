"""Training, labelling and Gen-LM with the store behind them, so that finished work is never done again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file, save_file

from uxla.ahead import Ahead
from uxla.algorithm.vicinity import Vicinity
from uxla.events import TextsCut, unheard
from uxla.executors.executor import beforehand
from uxla.models.gen_lm.masked_lm import MaskedLM
from uxla.models.heads import ONE_HEAD, Heads
from uxla.models.hub import weights_facts
from uxla.models.runtime import Runtime
from uxla.models.task_model import TaskModel, joined
from uxla.models.tasks import Task
from uxla.models.training.settings import TrainingSettings
from uxla.models.windows import Windows
from uxla.records import Corpus, ModelHandle, Predictions, concatenate
from uxla.seeds import derive
from uxla.store.artifacts import reading
from uxla.store.locks import waiting
from uxla.store.store import Store
from uxla.study.one_training import OneTraining
from uxla.study.parts import each_with_bar, in_store, shares

_LABELLED_TOGETHER, _GENERATED_TOGETHER = 8192, 4096
"""Examples in one artifact of the store: at most so many are lost when a run is killed."""
_WINDOWS = "windows.safetensors"
Encode = Callable[[], Windows]


@dataclass(frozen=True)
class StoredLearner:
    """`fit` and `predict` of one task with the settings of one training; `dev` is what `settings.selection` looks at.

    `backbone` is the pretrained model: its folder has the tokenizer, and fitting it means a new classification layer.
    `purpose` names the training, as "warm-up of model 1 of 3".
    """

    task_name: str
    task: Task
    backbone: ModelHandle
    settings: TrainingSettings
    runtime: Runtime
    store: Store
    purpose: str
    dev: Corpus | None = None
    checkpoint_minutes: float = 10.0
    heads: Heads = ONE_HEAD
    judged_on: tuple[Corpus, ...] = ()
    """What a trained model is to label at once, since it will be asked for."""
    layer_of: int | None = None
    """The seed of a training with which this one has its first classification layer in common; None: its own."""
    devices: int = 1
    """How many devices share a training."""

    def fit(self, model: ModelHandle, mix: Corpus, *, seed: int) -> ModelHandle:
        """`model` trained on `mix` (Algorithm 1, line 21), on disk."""
        inputs = {
            **self._model_inputs(model),
            "mix": mix.digest,
            "seed": seed,
            "settings": self.settings.model_dump(exclude={"epochs", "max_steps"}),
            "dev": self.dev.digest if self.dev is not None else None,
        }
        if self.layer_of not in (None, seed):
            inputs["layer"] = self.layer_of
        if self.devices > 1:
            inputs["devices"] = self.devices
        folder, facts = self.store.folder("fit", inputs, partial(self._fit, model, mix, seed))
        trained = replace(model, path=folder, digest=facts["weights"])
        for corpus in self.judged_on:
            self.predict(trained, corpus)
        return trained

    def predict(self, model: ModelHandle, corpus: Corpus) -> Predictions:
        """Class probabilities of `model` on `corpus`. Each part is in the store as soon as it is labelled."""
        self.expect([(model, corpus)])
        opened, tables, cut = cache(lambda: self._open(model)), [], 0
        parts = list(corpus.unlabelled().parts(_LABELLED_TOGETHER))
        with Ahead(lambda number: opened().encode(parts[number]), len(parts)) as encode:
            for number, part in enumerate(each_with_bar(f"labelling {corpus.name}", parts)):
                inputs = self._labels_inputs(model, part)
                make = partial(self._predict, opened, partial(encode, number), part)
                folder, facts = self.store.folder("predict", inputs, make)
                with reading(folder):
                    arrays = load_file(folder / "predictions.safetensors")
                    tables.append(Predictions(arrays["probs"], arrays["offsets"]))
                cut += facts["cut"]
        if opened.cache_info().currsize:  # there was work to do
            self._tell(opened(), corpus, cut)
        return joined(tables)

    def expect(self, labellings: Sequence[tuple[ModelHandle, Corpus]]) -> None:
        """Make the predictions that will be asked for next and are not there, side by side if there are several
        devices."""
        asked = {(model, corpus.digest): (model, corpus.unlabelled()) for model, corpus in labellings}
        jobs = ((model, share) for model, corpus in asked.values() for share in shares(corpus, _LABELLED_TOGETHER))
        beforehand(partial(_label, replace(self, dev=None, judged_on=())), jobs, self._is_labelled)

    def _is_labelled(self, labelling: tuple[ModelHandle, Corpus]) -> bool:
        model, share = labelling
        return in_store(_LABELLED_TOGETHER, self.store, "predict", partial(self._labels_inputs, model), share)

    def check(self, label_names: Sequence[str]) -> str:
        """Load the backbone as `fit` does. ModelError where it cannot be trained on such labels.

        What a person should know of its classification layer is the value; empty where it has none.
        """
        return self._open(self.backbone, label_names).remark

    def _model_inputs(self, model: ModelHandle) -> dict[str, Any]:
        runtime = self.runtime.inputs
        head = {} if model.head is None else {"head": model.head}
        return {"task": self.task_name, "model": model.digest, "backbone": self.backbone.digest, **runtime, **head}

    def _labels_inputs(self, model: ModelHandle, part: Corpus) -> dict[str, Any]:
        return {**self._model_inputs(model), "corpus": part.digest}

    def _open(self, model: ModelHandle, names: Sequence[str] = (), **config_values: Any) -> TaskModel:
        """The model in memory; with label `names`, its configuration has one column for each of them.

        WeightsGoneError where its weights are gone.
        """
        self.store.require_weights(model.path)
        heads = self.heads if model.head is None else Heads(only=model.head)
        if names:
            config_values["id2label"] = dict(enumerate(heads.columns(names)))
        return TaskModel.open(self.task, model.path, self.backbone.path, self.runtime, heads, **config_values)

    def _fit(self, model: ModelHandle, mix: Corpus, seed: int, into: Path, scratch: Path) -> Mapping[str, Any]:
        layer = seed if self.layer_of is None else self.layer_of
        values = {"head_seed": derive(layer, "head"), "dropout": self.settings.dropout}
        opened = partial(replace(self, dev=None, judged_on=())._open, model, mix.label_names, **values)
        training = OneTraining(opened, mix, self.settings, seed, self.purpose, scratch, self.checkpoint_minutes)
        loaded, facts = training.on(self.devices, self.dev)
        loaded.module.save_pretrained(into)
        self._tell(loaded, mix, int(facts["cut"]))
        return {**facts, **weights_facts(into)}

    def _predict(
        self, opened: Callable[[], TaskModel], encode: Encode, part: Corpus, into: Path, scratch: Path
    ) -> Mapping[str, Any]:
        loaded = opened()
        windows = self._windows(loaded, encode, part)
        predictions = loaded.label(part, windows, f"labelling {part.name}")
        arrays: dict[str, Any] = {"probs": predictions.probs, "offsets": predictions.offsets}
        save_file(arrays, into / "predictions.safetensors")
        return {"corpus": part.name, "examples": len(part), "cut": int(np.count_nonzero(windows.cut))}

    def _windows(self, loaded: TaskModel, encode: Encode, part: Corpus) -> Windows:
        """What the model reads of `part`: the first model to label it has it encoded, the others find it."""
        reader = {"max_length": loaded.max_length, "segment_numbers": loaded.tokenizer.segment_numbers}
        inputs = {"task": self.task_name, "backbone": self.backbone.digest, "corpus": part.digest, **reader}
        with waiting(True):  # for another device that encodes the same is soon done
            folder, _ = replace(self.store, emit=unheard).folder("encoded", inputs, partial(_encode, encode))
        with reading(folder):
            return Windows.read(folder / _WINDOWS)

    def _tell(self, loaded: TaskModel, corpus: Corpus, cut: int) -> None:
        if cut:
            self.store.emit(TextsCut(corpus.name, cut, len(corpus), loaded.max_length))


def _encode(encode: Encode, into: Path, scratch: Path) -> Mapping[str, Any]:
    windows = encode()
    windows.write(into / _WINDOWS)
    return {"windows": len(windows), "pieces": len(windows.ids.values)}


def fitted(job: tuple[StoredLearner, ModelHandle, Corpus, int]) -> ModelHandle:
    """The model after a training: by which learner, from which model, on what, with which seed."""
    learner, model, mix, seed = job
    return learner.fit(model, mix, seed=seed)


def _label(learner: StoredLearner, labelling: tuple[ModelHandle, Corpus]) -> None:
    learner.predict(*labelling)


@dataclass(frozen=True)
class StoredVicinity:
    """GEN-LM with the store behind it: samples of a corpus are made once or, with `fresh`, once an epoch."""

    open_vicinity: Callable[[], Vicinity]
    inputs: Mapping[str, Any]
    store: Store
    fresh: bool = False

    def __call__(self, corpus: Corpus, epoch: int) -> Corpus:
        """The virtual sentences of `corpus` (Algorithm 1, lines 8 and 15), stored part by part."""
        draw = epoch if self.fresh else 0
        inputs = partial(self._samples_inputs, draw)
        is_made = partial(in_store, _GENERATED_TOGETHER, self.store, "vicinity", inputs)
        beforehand(partial(self, epoch=epoch), shares(corpus, _GENERATED_TOGETHER), is_made)
        opened = cache(self.open_vicinity)
        made = []
        for part in each_with_bar(f"generating the vicinity of {corpus.name}", list(corpus.parts(_GENERATED_TOGETHER))):
            folder, _ = self.store.folder("vicinity", inputs(part), partial(self._generate, opened, part, draw))
            with reading(folder):
                made.append(Corpus.read(folder / "corpus.arrow"))
        return concatenate(f"{corpus.name}~", made)  # those in the store may be around a corpus of another name

    def _samples_inputs(self, draw: int, part: Corpus) -> dict[str, Any]:
        return {**self.inputs, "corpus": part.unlabelled().digest, "draw": draw}

    def _generate(
        self, opened: Callable[[], Vicinity], part: Corpus, draw: int, into: Path, scratch: Path
    ) -> Mapping[str, Any]:
        result = opened()(part, draw)
        result.corpus.write(into / "corpus.arrow")
        counts = {"drawn": result.drawn, "unchanged": result.unchanged, "duplicates": result.duplicates}
        return {"corpus": part.name, "examples": len(result.corpus), **counts}


@dataclass(frozen=True)
class StoredFluency:
    """How fluent the vicinity model finds the examples of a corpus (App. C), with the store behind it."""

    open_model: Callable[[], MaskedLM]
    inputs: Mapping[str, Any]
    store: Store

    def __call__(self, corpus: Corpus) -> npt.NDArray[np.float64]:
        """(N,) each example's mean log likelihood a piece, in nats."""
        is_scored = partial(in_store, _GENERATED_TOGETHER, self.store, "fluency", self._scores_inputs)
        beforehand(self, shares(corpus, _GENERATED_TOGETHER), is_scored)
        opened = cache(self.open_model)
        found = []
        for part in each_with_bar(f"scoring the fluency of {corpus.name}", list(corpus.parts(_GENERATED_TOGETHER))):
            folder, _ = self.store.folder("fluency", self._scores_inputs(part), partial(self._score, opened, part))
            with reading(folder):
                found.append(load_file(folder / "fluency.safetensors")["fluency"])
        return np.concatenate(found)

    def _scores_inputs(self, part: Corpus) -> dict[str, Any]:
        return {**self.inputs, "corpus": part.unlabelled().digest}

    def _score(self, opened: Callable[[], MaskedLM], part: Corpus, into: Path, scratch: Path) -> Mapping[str, Any]:
        values = opened().log_likelihood([example.segments for example in part])
        save_file({"fluency": values}, into / "fluency.safetensors")
        return {"corpus": part.name, "examples": len(part)}
