"""A student: one model that learns what the ensemble of three says of unlabelled text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from uxla.algorithm.mixing import balanced_mix
from uxla.config.training import Training
from uxla.models.hub import weights_facts
from uxla.models.task_model import TaskModel
from uxla.models.training.checkpoint import Checkpoints
from uxla.models.training.loop import fit
from uxla.models.training.losses import SoftLabels
from uxla.models.training.objective import Objective
from uxla.records import Corpus, ModelHandle, Predictions, concatenate
from uxla.seeds import derive, generator
from uxla.study.labelling import Triple
from uxla.study.study import Study
from uxla.targets import Target


def student(
    study: Study, target: Target, models: Triple, start: ModelHandle, backbone: ModelHandle, training: Training
) -> ModelHandle:
    """One model trained on the probabilities that the three `models` together give to the run's texts.

    It begins with the weights of `start` and reads by the tokenizer of `backbone`. The texts are those that the run's
    final method learned from: source and target, and their virtual examples where an epoch has them. The training is
    remembered in the store, and resumed like any other.
    """
    texts = concatenate("texts", list(_texts(study, target)))
    taught = study.labelling.ensemble(models, texts)
    numbered = texts.with_labels(np.arange(taught.offsets[-1]), taught.offsets)
    rng, seed = generator(study.seed, "student", target.name), derive(study.seed, "student", target.name)
    mix = balanced_mix([numbered], alpha=1.0, rng=rng, draws=training.draws(len(texts)))[0]
    labelling = study.labelling
    inputs = {
        "task": labelling.task_name,
        "model": start.digest,
        "backbone": backbone.digest,
        "teachers": [model.digest for model in models],
        "mix": mix.digest,
        "seed": seed,
        "settings": training.model_dump(exclude={"epochs", "max_steps"}),
        **labelling.runtime.inputs,
    }
    label = f"compression for {target.name}"
    make = partial(_train, study, start, backbone, mix, taught, training, seed, label)
    folder, facts = labelling.store.folder("student", inputs, make)
    return ModelHandle(folder, facts["weights"])


def _texts(study: Study, target: Target) -> Iterator[Corpus]:
    """The texts that the final method learned from, unlabelled, each corpus once; of its virtual examples the last."""
    source, raw, method = study.source.unlabelled(), target.train, study.final
    vicinity = study.around or study.vicinity
    yield source
    yield raw
    epochs = [] if method.schedule is None else method.epochs(study.epochs)
    for corpus, part in ((source, "source_vicinity"), (raw, "target_vicinity")):
        asked = [number for number, epoch in enumerate(epochs, start=1) if getattr(epoch, part)]
        if asked:
            yield vicinity(corpus, asked[-1])


def _train(
    study: Study,
    start: ModelHandle,
    backbone: ModelHandle,
    mix: Corpus,
    taught: Predictions,
    training: Training,
    seed: int,
    label: str,
    into: Path,
    scratch: Path,
) -> Mapping[str, Any]:
    labelling, names = study.labelling, dict(enumerate(mix.label_names))
    values: dict[str, Any] = {"head_seed": derive(seed, "head"), "dropout": training.dropout, "id2label": names}
    model = TaskModel.open(labelling.task, start.path, backbone.path, labelling.runtime, **values)
    objective = Objective.of(model, SoftLabels(torch.from_numpy(taught.probs)))
    checkpoints = Checkpoints(scratch, study.checkpoint_minutes)
    facts = fit(model, mix, training, seed=seed, label=label, checkpoints=checkpoints, objective=objective)
    model.module.save_pretrained(into)
    return {**facts, **weights_facts(into)}
