"""Studies whose store does no work, or does it: what the pipeline gives to methods."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from uxla.config.run import load_config
from uxla.events import Emit, unheard
from uxla.methods.registry import method
from uxla.records import ModelHandle, Predictions
from uxla.study import pipeline
from uxla.study.arguments import Request
from uxla.study.labelling import Labelling
from uxla.study.pipeline import Models, study_of
from uxla.study.settings import method_of

HANDLE = ModelHandle(Path("m"), "digest")


@dataclass(frozen=True)
class NoWork:
    """A store that finds everything, and remembers by stage what it was asked for."""

    path: Path = Path("m")
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    emit: Emit = unheard

    def folder(self, stage, inputs, make):
        self.asked.append((stage, dict(inputs)))
        number = len(self.asked)
        return self.path, {"weights": f"weights {number}", "model": f"tuned {number}"}

    def require_weights(self, place):
        """All are there."""

    def release_weights(self, place, *, remove):
        """None goes."""

    def facts(self, place):
        return {"steps": 1, "examples": 2, "loss": 0.5}


class NoScores(Labelling):
    """Every score is 50, and every label the first."""

    def predict(self, model, corpus):
        return Predictions(np.ones((len(corpus), 1), dtype=np.float32), np.arange(len(corpus) + 1))

    def score(self, models, corpus):
        return {"mean": 50.0}


def made(overrides, inputs, *, store=None, model=HANDLE, vicinity_model=None, emit=unheard, config="testbed"):
    settings = load_config(config, overrides)
    request = Request(settings, inputs, tuple(map(method, settings.methods)), method_of(settings), None)
    store = NoWork(emit=emit) if store is None else replace(store, emit=emit)
    study = study_of(request, Models(model, vicinity_model or model), store)
    if not isinstance(study.labelling.store, NoWork):
        return study
    return replace(study, labelling=NoScores(**vars(study.labelling)))


@pytest.fixture(scope="session")
def train():
    """From a study and methods to the models that these begin with and, by target, what each trained."""

    def trained(study, methods):
        starts = {}
        return starts, {target.name: pipeline.train(study, methods, target, starts) for target in study.targets}

    return trained


@pytest.fixture(scope="session")
def make_study():
    """From overrides of the preset `testbed`, inputs and a store to a study."""
    return made


@pytest.fixture(scope="session")
def no_work():
    """The class of stores that find everything."""
    return NoWork
