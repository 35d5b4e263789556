"""The forms of a run's `results.json`, `config.yaml` and `environment.json`, as far as reports rely on them.

They are checked once, when a file is read: whatever fails later is a bug of uxla's."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from uxla.choices import Task
from uxla.schema import fault_text, refusal

_NEEDED = {
    "confidence": {"share", "per_class"},
    "clustering": {"threshold", "features"},
    "masked_lm": {"share", "copies"},
}
"""The settings of uxla's own parts by their kind."""


def results_fault(results: Any) -> str | None:
    """What is not as docs/results-schema.md has it, with its place; None where nothing is."""
    return _fault(_Results, results)


def config_fault(config: Any) -> str | None:
    """The setting that reports need and a configuration lacks; None where it has all."""
    return _fault(_Config, config)


def environment_fault(found: Any) -> str | None:
    """What of `environment.json` reports cannot use; None where they can use all that is there."""
    return _fault(_Environment, found)


def _fault(form: type[BaseModel], found: Any) -> str | None:
    try:
        form.model_validate(found)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"] if not str(part).startswith(("_", "list[")))
        return f"{place or 'the whole'}: {fault_text(first, None)}"
    return None


class _Form(BaseModel):
    """What is there may have more keys."""

    model_config = ConfigDict(extra="allow", strict=True)


class _Score(_Form):
    mean: float
    sd: float
    models: list[float] = Field(min_length=1)
    strict_f1: float = 0.0
    macro_f1: float = 0.0


class _Estimate(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    score: float
    low: float
    high: float
    atc: float
    doc: float
    agreement: float


_NONE = _Score(mean=0.0, sd=0.0, models=[0.0])
"""Stands for a score that is not there; null is no score."""
_ByMethod = dict[str, _Score | list[_Score]]


class _Scores(_Form):
    """Scores by method."""

    __pydantic_extra__: _ByMethod = Field(init=False)
    penalty: _Score = _NONE
    uxla: list[_Score] = []


class _Single(_Form):
    ensemble: _Score
    averaged: _Score = _NONE
    compressed: _Score = _NONE
    cost: float = 1.0


class _Target(_Scores):
    by_epoch: dict[str, list[_Score]] = {}
    ensembles: dict[str, _Score] = {}
    single: _Single = _Single(ensemble=_NONE)
    dev: _Scores = _Scores()


class _Source(_Form):
    name: str
    before: _Score | None = None
    after: dict[str, _Score] | None = None


class _Transfer(_Form):
    before: dict[str, _Score]
    after: dict[str, dict[str, _Score]]


class _LearnedFrom(_Form):
    kind: str
    of: float
    kept: list[float] | None
    taught: float
    drawn: float
    collapsed: list[int]


class _Training(_Form):
    method: str
    target: str | None
    epoch: int | None
    model: int | None
    loss: float | None
    dev: float | None
    learned_from: list[_LearnedFrom] | None
    steps: int = 0


class _Start(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    method: str
    trainings: str


class _Method(BaseModel):
    """A method that is none of uxla's."""

    model_config = ConfigDict(extra="forbid", strict=True)

    title: str
    in_sentence: str
    needs: list[str]
    reads_target: bool
    baseline: bool
    start: _Start = _Start(method="", trainings="")


class _Results(_Form):
    task: Task
    metric: Literal["f1", "accuracy"]
    source: _Source
    targets: dict[str, _Target]
    agreement: str = ""
    final: str = ""
    methods: dict[str, _Method] = {}
    min_agreed: float = 0.0
    transfer: _Transfer | None = None
    estimates: dict[str, dict[str, _Estimate | list[_Estimate]]] = {}
    kept_epoch: dict[str, int] = {}
    trainings: list[_Training] = []
    warnings: list[str] = []

    @model_validator(mode="after")
    def _epoch_is_there(self) -> _Results:
        for target, epoch in self.kept_epoch.items():
            epochs = len(self.targets[target].uxla) if target in self.targets else 0
            if epochs and not 0 <= epoch <= epochs:
                raise refusal("kept_epoch", f"{target} has epoch {epoch}, of {epochs}")
        return self


class _Hardware(_Form):
    cpu: str
    gpus: list[str]


class _Environment(_Form):
    config: str | None = None
    seconds: dict[str, float] = {}
    hardware: _Hardware = _Hardware(cpu="", gpus=[])
    threads: int = 1
    finished: str = ""
    versions: dict[str, str] = {}


class _Part(_Form):
    """A selector, an agreement or a vicinity; the settings of one that is not uxla's are its own."""

    kind: str

    @model_validator(mode="after")
    def _is_whole(self) -> _Part:
        missing = sorted(_NEEDED.get(self.kind, set()) - self.model_fields_set)
        if missing:
            raise refusal("kind", f"{self.kind} without {missing[0]}")
        return self


class _Stage(_Form):
    dropout: Any
    batch_size: Any
    accumulation: Any
    evaluate_every: Any
    learning_rate: Any
    lr_warmup: Any
    weight_decay: Any
    adam_epsilon: Any
    max_grad_norm: Any
    epochs: Any
    max_steps: Any
    penalty: float


class _Data(_Form):
    share: float


class _SourceData(_Data):
    take: int | None


class _Epoch(_Form):
    select: _Part
    data: list[str]


class _Config(_Form):
    task: Task
    model: str
    seed: int
    methods: list[str]
    max_length: int
    alpha: float
    warmup: _Stage
    adaptation: _Stage
    source: _SourceData
    target_data: _Data
    schedule: list[_Epoch] = Field(min_length=1)
    agree: _Part
    vicinity: _Part
