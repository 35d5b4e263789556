"""A store that counts work instead of doing it: what is there is used, for what is not an imitation is given out.

A run asks its store for everything that is heavy. With this store in place of its own, the very same code says which
trainings, labellings and samples it will ask for, and how large they are.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow.compute as pc
from safetensors.numpy import save_file

from uxla.records import Corpus
from uxla.store.artifacts import Facts, digest, weights_gone
from uxla.store.seen import WeightsGoneError
from uxla.store.store import Make, Store
from uxla.store.versions import VERSIONS

AGREE = 0.75
"""Assumed: of the sentences that two peers select, on so many they agree."""
NEW = 0.9
"""Assumed: of the samples that are drawn, so many are neither their parent nor another sample of it."""
Kind = Literal["training", "labelling", "samples", "masked LM", "average"]
_HEADER = 600
"""Bytes of an artifact beside its arrays or texts: its manifest, the head of a file."""


@dataclass(frozen=True)
class Work:
    """One piece of work that is not in the store: how much text goes through a model, and what it leaves on the disk.

    `labelled` are the characters that a training reads to score its checkpoints.
    """

    kind: Kind
    steps: int
    examples: int
    characters: int
    size: int
    labelled: int = 0


@dataclass(frozen=True)
class CountingStore(Store):
    """The store at `root`, but what is missing is put down in `work`, and imitated in the folder `imitations`.

    A model that would be trained is `model_bytes` large. Of three models trained one after the other, each two agree on
    the same share of sentences.
    """

    imitations: Path = Path()
    model_bytes: int = 0
    work: list[Work] = field(default_factory=list)
    found: dict[Path, str] = field(default_factory=dict)
    """What was found in the store, with its stage."""
    given: dict[str, tuple[Path, Facts]] = field(default_factory=dict)
    disk: list[int] = field(default_factory=lambda: [0])
    """Bytes on the disk beyond those of now, after each change."""
    gone: dict[str, Path] = field(default_factory=dict)
    """The artifacts whose weights are gone, by the digest of these."""

    def folder(self, stage: str, inputs: Mapping[str, Any], make: Make) -> tuple[Path, Facts]:
        """As `Store.folder`, without doing the work."""
        key = digest({"stage": stage, "version": VERSIONS[stage], "inputs": inputs})
        place = self.root / stage / key
        if stage in ("world", "model") or (self.has(stage, inputs) and self._obtained(place)):
            self.found[place] = stage
            _, facts = super().folder(stage, inputs, make)
            if not self.shared and weights_gone(place, self.seen.manifests[place]):
                self.gone[facts["weights"]] = place
            return place, facts
        if key not in self.given:
            for model in (inputs.get("model"), *inputs.get("models", ())):
                if model in self.gone:
                    self.seen.needed.add(self.gone[model])
            assert isinstance(make, partial)
            folder = self.imitations / stage / key
            folder.mkdir(parents=True)
            doer = getattr(make.func, "__self__", None)  # whose method does the work
            facts = _IMITATIONS[stage](self, folder, doer, make.args, inputs)
            if place in self.seen.manifests:  # only its weights are gone
                folder, facts = place, dict(self.seen.manifests[place].facts)
            self.given[key] = folder, facts
            self.disk.append(self.disk[-1] + self.work[-1].size)
        return self.given[key]

    def require_weights(self, place: Path) -> None:
        """As `Store.require_weights`, but weights that are gone are only noted as needed."""
        if not self.shared:  # which has them
            with suppress(WeightsGoneError):
                super().require_weights(place)

    def release_weights(self, place: Path, *, remove: bool = True) -> None:
        """As `Store.release_weights`, without removing anything."""
        digest = self.facts(place)["weights"]
        if remove and place not in self.seen.needed and digest not in self.gone:
            self.gone[digest] = place
            self.disk.append(self.disk[-1] - self.model_bytes)

    def _obtained(self, place: Path) -> bool:
        """Whether an artifact that has a record is whole: what is damaged in the shared store will be made again."""
        return self._is_here(place) or self._fetched(place, whole=place in self.seen.needed)

    def _publish(self, place: Path, shared: str) -> None:
        """A plan uploads nothing."""

    def facts(self, place: Path) -> Facts:
        """What is told of an artifact, finished or imitated."""
        return next((facts for folder, facts in self.given.values() if folder == place), None) or super().facts(place)

    def note(self, kind: Kind, corpus: Corpus, size: int, *, steps: int = 0, labelled: int = 0) -> None:
        """Put down a piece of work on `corpus`."""
        size += _HEADER
        self.work.append(Work(kind, steps, len(corpus), characters(corpus), size, labelled))


def characters(corpus: Corpus) -> int:
    """How many characters a corpus has: what a pass of a model over it takes time in proportion to."""
    return int(pc.sum(pc.utf8_length(pc.list_flatten(corpus.table["segments"]))).as_py() or 0)


def _fit(store: CountingStore, folder: Path, learner: Any, args: Any, inputs: Any) -> Facts:
    _, mix, _ = args
    steps = math.ceil(len(mix) / learner.settings.step_size)
    looks = math.ceil(steps / learner.settings.evaluate_every) if learner.dev is not None else 0
    labelled = looks * characters(learner.dev) if looks else 0
    store.note("training", mix, store.model_bytes, steps=steps, labelled=labelled)
    return {"steps": steps, "examples": len(mix), "loss": 0.0, "cut": 0, "weights": digest(str(folder))}


def _average(store: CountingStore, folder: Path, learner: Any, args: Any, inputs: Any) -> Facts:
    store.work.append(Work("average", 0, 0, 0, store.model_bytes + _HEADER))
    return {"weights": digest(str(folder))}


def _predict(store: CountingStore, folder: Path, learner: Any, args: Any, inputs: Any) -> Facts:
    *_, part = args
    trained = [facts["weights"] for _, facts in store.given.values() if "weights" in facts]
    number = trained.index(inputs["model"]) if inputs["model"] in trained else int(inputs["model"][:8], 16)
    model = inputs.get("head", number) % 3
    shared = store.imitations / f"{part.digest}-{model}"
    if not shared.exists():
        shared.mkdir()
        save_file(imitated_predictions(part, learner.task, model), shared / "predictions.safetensors")
    os.link(shared / "predictions.safetensors", folder / "predictions.safetensors")
    size, encoded = (folder / "predictions.safetensors").stat().st_size, store.imitations / part.digest
    if not encoded.exists():  # the first of the models has to read the texts
        encoded.mkdir()
        size += characters(part)
    store.note("labelling", part, size)
    return {"corpus": part.name, "examples": len(part), "cut": 0}


def _vicinity(store: CountingStore, folder: Path, vicinity: Any, args: Any, inputs: Any) -> Facts:
    _, part, _ = args
    drawn = np.repeat(np.arange(len(part)), math.prod(inputs["copies"]))
    kept = np.random.default_rng(0).random(len(drawn)) < NEW
    made = part.unlabelled().take(drawn[kept]).renamed(f"{part.name}~")
    made.write(folder / "corpus.arrow")
    size = (folder / "corpus.arrow").stat().st_size
    store.note("samples", part.unlabelled().take(drawn), size)
    return {"corpus": part.name, "examples": len(made), "drawn": len(drawn), "unchanged": 0, "duplicates": 0}


def _fluency(store: CountingStore, folder: Path, fluency: Any, args: Any, inputs: Any) -> Facts:
    _, part = args
    save_file({"fluency": np.random.default_rng(0).random(len(part))}, folder / "fluency.safetensors")
    store.note("labelling", part, 8 * len(part))
    return {"corpus": part.name, "examples": len(part)}


def _mlm(store: CountingStore, folder: Path, training: Any, args: Any, inputs: Any) -> Facts:
    _, texts = args
    recipe = training.recipe
    read = texts.take(np.arange(recipe.draws(len(texts))) % max(len(texts), 1))
    steps = math.ceil(len(read) / recipe.step_size)
    store.note("masked LM", read, store.model_bytes, steps=steps)
    return {"model": digest(str(folder))}


_IMITATIONS: Mapping[str, Callable[[CountingStore, Path, Any, Any, Any], Facts]] = {
    "fit": _fit,
    "average": _average,
    "predict": _predict,
    "vicinity": _vicinity,
    "fluency": _fluency,
    "mlm": _mlm,
}


def imitated_predictions(corpus: Corpus, task: Any, model: int) -> dict[str, Any]:
    """What one of three models says that are equally sure of each example, and of which at most one disagrees."""
    random, classes = np.random.default_rng(0), max(len(corpus.label_names), 2)
    offsets = np.concatenate([[0], np.cumsum(task.rows(corpus))])
    labels = random.integers(classes, size=offsets[-1])
    sure = np.repeat(random.uniform(1 / classes, 1, len(corpus)), np.diff(offsets))
    disagrees = np.floor(random.random(len(corpus)) / ((1 - AGREE) / 2)) == model
    first = offsets[:-1][disagrees & (np.diff(offsets) > 0)]
    labels[first] = (labels[first] + 1) % classes
    probs = np.repeat((1 - sure) / (classes - 1), classes).reshape(-1, classes).astype(np.float32)
    probs[np.arange(len(labels)), labels] = sure
    return {"probs": probs, "offsets": offsets}
