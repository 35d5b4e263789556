"""The learner and the vicinity that Algorithm 1 is given: `models/` behind the store, so that no work is done twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from safetensors.numpy import load_file, save_file

from uxla import progress
from uxla.algorithm.vicinity import Vicinity
from uxla.models.learner import Loaded, Optimisation, Runtime, fit
from uxla.models.loading import weights_digest
from uxla.models.tasks import Task
from uxla.records import Corpus, ModelHandle, Predictions
from uxla.run.store import Store, reading
from uxla.seeds import derive


@dataclass(frozen=True)
class StoredLearner:
    """`fit` and `predict` of one task with one set of training values; `dev` is what `settings.selection` looks at.

    `backbone` is the pretrained model: its folder has the tokenizer, and fitting it means a new classification layer.
    `purpose` is what a person is told the work is for.
    """

    task_name: str
    task: Task
    backbone: ModelHandle
    settings: Optimisation
    runtime: Runtime
    store: Store
    purpose: str
    dev: Corpus | None = None

    def fit(self, model: ModelHandle, mix: Corpus, *, seed: int) -> ModelHandle:
        """`model` trained on `mix` (Algorithm 1, line 21), on disk."""
        inputs = {
            **self._model_inputs(model),
            "mix": mix.digest,
            "seed": seed,
            "settings": asdict(self.settings),
            "dev": self.dev.digest if self.dev is not None else None,
        }
        folder, facts = self.store.folder("fit", inputs, lambda into: self._fit(model, mix, seed, into))
        return ModelHandle(folder, facts["weights"])

    def predict(self, model: ModelHandle, corpus: Corpus) -> Predictions:
        """Class probabilities of `model` on `corpus`."""
        inputs = {**self._model_inputs(model), "corpus": corpus.unlabelled().digest}
        folder, _ = self.store.folder("predict", inputs, lambda into: self._predict(model, corpus, into))
        with reading(folder):
            arrays = load_file(folder / "predictions.safetensors")
            return Predictions(arrays["probs"], arrays["offsets"])

    def check(self, label_names: Sequence[str]) -> None:
        """Load the backbone as `fit` does and let go of it: ModelError where it cannot be trained on such labels."""
        self._open(self.backbone, **_labels(label_names))

    def _model_inputs(self, model: ModelHandle) -> dict[str, Any]:
        limits = {"max_length": self.runtime.max_length}
        return {"task": self.task_name, "model": model.digest, "backbone": self.backbone.digest, **limits}

    def _open(self, model: ModelHandle, **config_values: Any) -> Loaded:
        return Loaded.open(self.task, model.path, self.backbone.path, self.runtime, **config_values)

    def _fit(self, model: ModelHandle, mix: Corpus, seed: int, into: Path) -> Mapping[str, Any]:
        values = {"head_seed": derive(seed, "head"), "dropout": self.settings.dropout, **_labels(mix.label_names)}
        loaded = self._open(model, **values)
        facts = fit(loaded, mix, self.settings, seed=seed, label=f"{self.purpose}: train", dev=self.dev)
        loaded.module.save_pretrained(into)
        return {**facts, "cut": _told(loaded, mix), "weights": weights_digest(into)}

    def _predict(self, model: ModelHandle, corpus: Corpus, into: Path) -> Mapping[str, Any]:
        loaded = self._open(model)
        predictions = loaded.predict(corpus, f"{self.purpose}: label {corpus.name}")
        arrays: dict[str, Any] = {"probs": predictions.probs, "offsets": predictions.offsets}
        save_file(arrays, into / "predictions.safetensors")
        return {"corpus": corpus.name, "examples": len(corpus), "cut": _told(loaded, corpus)}


def _labels(names: Sequence[str]) -> dict[str, Any]:
    return {"id2label": dict(enumerate(names)), "label2id": {name: i for i, name in enumerate(names)}}


def _told(loaded: Loaded, corpus: Corpus) -> int:
    """How many texts were cut to the model's length, said aloud where there are any."""
    cut = loaded.seen["cut"]
    if cut:
        _say_once(f"{corpus.name}: {cut} of {loaded.seen['examples']} longer than {loaded.max_length} pieces, cut")
    return cut


@cache
def _say_once(text: str) -> None:
    """Three models cut the same texts: told once a process."""
    progress.note(text)


@dataclass(frozen=True)
class StoredVicinity:
    """GEN-LM behind the store: each corpus is generated from once, or once an epoch with `fresh`."""

    open_vicinity: Any
    inputs: Mapping[str, Any]
    store: Store
    fresh: bool = False

    def __call__(self, corpus: Corpus, epoch: int) -> Corpus:
        """The virtual sentences of `corpus` (Algorithm 1, lines 8 and 15)."""
        draw = epoch if self.fresh else 0
        inputs = {**self.inputs, "corpus": corpus.unlabelled().digest, "draw": draw}
        folder, _ = self.store.folder("vicinity", inputs, lambda into: self._generate(corpus, draw, into))
        with reading(folder):
            return Corpus.read(folder / "corpus.arrow")

    def _generate(self, corpus: Corpus, draw: int, into: Path) -> Mapping[str, Any]:
        vicinity: Vicinity = self.open_vicinity()
        result = vicinity(corpus, draw)
        result.corpus.write(into / "corpus.arrow")
        counts = {"drawn": result.drawn, "unchanged": result.unchanged, "duplicates": result.duplicates}
        return {"corpus": corpus.name, "examples": len(result.corpus), **counts}
