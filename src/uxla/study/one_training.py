"""One training, on one device or shared by several."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from uxla.executors.executor import call_others
from uxla.models.task_model import TaskModel
from uxla.models.training.checkpoint import Checkpoints
from uxla.models.training.loop import fit
from uxla.models.training.ranks import meeting, meeting_place
from uxla.models.training.settings import TrainingSettings
from uxla.records import Corpus


@dataclass(frozen=True)
class OneTraining:
    """What all ranks of a training have in common; `opened` gives each its model, and `scratch` has the checkpoint."""

    opened: Callable[[], TaskModel]
    mix: Corpus
    settings: TrainingSettings
    seed: int
    label: str
    scratch: Path
    checkpoint_minutes: float

    def on(self, devices: int, dev: Corpus | None) -> tuple[TaskModel, Mapping[str, Any]]:
        """The model after the training, which so many devices share, and figures of it; `dev` chooses the weights."""
        place = None
        if devices > 1:
            place = meeting_place()
            call_others(partial(self._take_part, place, devices), range(1, devices))
        return self._as_rank(0, devices, place, dev)

    def _take_part(self, place: Path, devices: int, rank: int) -> None:
        self._as_rank(rank, devices, place)

    def _as_rank(
        self, rank: int, devices: int, place: Path | None, dev: Corpus | None = None
    ) -> tuple[TaskModel, Mapping[str, Any]]:
        model, checkpoints = self.opened(), Checkpoints(self.scratch, self.checkpoint_minutes)
        with meeting(place, rank, devices, model.device) as ranks:
            given = model, self.mix, self.settings
            facts = fit(*given, seed=self.seed, label=self.label, dev=dev, checkpoints=checkpoints, ranks=ranks)
        return model, facts
