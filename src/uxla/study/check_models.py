"""Whether the models of a run can be used, found out before its long work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from uxla.events import Doubted
from uxla.executors.executor import independent
from uxla.methods.method import Method
from uxla.models.lm.model import TrainableLM
from uxla.study.study import Study


def check_models(study: Study, methods: Sequence[Method], name: str, *, generates: bool) -> None:
    """ModelError if the backbone or the vicinity model cannot be used: raised before the warm-up, not after it.

    Each run checks, since another machine or library may refuse what this one took. An event says what becomes of a
    backbone's own classification layer.
    """
    labelling, learner = study.labelling, study.labelling.learner(study.warm_up_training, "check")
    checks: list[Callable[[], Any]] = [partial(learner.check, study.source.label_names)]
    if any(method.start is not None and method.start.tunes for method in methods):
        path, masked = labelling.backbone.path, study.mlm.masked
        checks.append(partial(TrainableLM.open, path, labelling.runtime, masked=masked))
    if generates and study.around is None:
        checks.append(study.vicinity.masked_lm)
    layer, *_ = independent(_remark, checks)
    if layer:
        study.emit(Doubted(name, "classification layer", layer))


def _remark(check: Callable[[], Any]) -> str:
    """What a check has to say. A model in memory stays where it was opened."""
    said = check()
    return said if isinstance(said, str) else ""
