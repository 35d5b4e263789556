"""A finished run: its models, their scores, and everything that is written about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from uxla.confidence import Scaling
from uxla.config.run import RunConfig
from uxla.data.raw_words import splitter, together_in_source
from uxla.models.ensemble import Ensemble
from uxla.raw_text import Splitter
from uxla.records import ModelHandle
from uxla.study.labelling import Triple
from uxla.study.study import Study
from uxla.study.trace import Trace


@dataclass(frozen=True, eq=False)
class FinishedRun:
    """The models of a run for each target, and what the run says of them.

    `results` is what `results.json` holds (docs/results-schema.md): `targets` with the scores of every method,
    `estimates`, `trainings` (what each training learned from, by method, target, epoch and peers), `warnings`.
    """

    config: RunConfig
    """Every setting. Data that was given in memory has no path in it."""
    results: Mapping[str, Any]
    environment: Mapping[str, Any]
    """Versions, hardware, seconds by kind of work: what `environment.json` holds."""
    models: Mapping[str, Mapping[str, Sequence[Triple]]]
    """By target and method the three models after each epoch, as handles: folders of the store and digests. Weights of
    others than the final models are gone unless `keep_weights` keeps them."""
    final: Mapping[str, Triple]
    """By target the three models that the run is for: those of its method with the highest rank, in the epoch that was
    kept."""
    single: Mapping[str, ModelHandle]
    """By target the one model in place of the three: the mean of their weights."""
    scaling: Mapping[str, Scaling | None]
    """By target what makes calibrated confidences of the models' probabilities; None without a dev set of the source.
    """
    study: Study
    """The data, the backbone and the store that they came from; `study.labelling` labels more text with them."""
    traces: Mapping[str, Trace]
    """By target what became of each pseudo-labelled example, and why; empty where no trace was asked for."""

    @property
    def targets(self) -> tuple[str, ...]:
        """The names of the targets."""
        return tuple(self.final)

    @property
    def split(self) -> Splitter:
        """How raw text is cut into words: as was asked for the target, else as the source is."""
        options = self.config.target_data
        if options.together is None and self.config.task == "ner":
            options = options.model_copy(update={"together": together_in_source(self.study.inputs.train)})
        return splitter(options)

    @property
    def label_names(self) -> tuple[str, ...]:
        """The labels that the models give."""
        return self.study.inputs.train.label_names

    def ensemble(self, target: str) -> Ensemble:
        """The three models of a target as one, in memory. ModelError where one of them cannot be used."""
        labelling, models = self.study.labelling, [model.path for model in self.final[target]]
        given = labelling.task_name, self.label_names, models, labelling.backbone.path, labelling.runtime
        return Ensemble.of(*given, self.split, self.scaling[target])
