"""The keys of a configuration: those of the run as a whole, and its sections."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator

from uxla.choices import KeepWeights, Order
from uxla.config.compute import Compute, Job
from uxla.config.files import Source, TargetData, World
from uxla.config.method import PAPER_SCHEDULE, Agree, AgreeSection, EpochPlan, MaskedLMVicinity, VicinitySection
from uxla.config.training import Adaptation, WarmUp
from uxla.methods import registry
from uxla.models.lm.settings import Recipe
from uxla.schema import Name, OneOrSeveral, Several, key, refusal, unknown_name


def _is_method(name: str) -> str:
    if name not in registry.names():
        raise refusal("", f"got {name!r}; {unknown_name(name, registry.names())} (`uxla methods` lists them)")
    registry.method(name)
    return name


Method = Annotated[str, AfterValidator(_is_method)]
"""The name of a method, of uxla or of a plug-in."""


class RunKeys(Compute, Job):
    """The keys of a configuration, each checked by itself."""

    source: Source = key("the labelled language")
    target: OneOrSeveral[Name] = key("the target language's name, or a list of names", min_length=1)
    target_data: TargetData = key("the target languages' files")
    testbed: World | None = key("the synthetic world; needed for paths that begin with `testbed:`", None)
    warmup: WarmUp = key("the three task models' training on the source", paper="§2.1")
    adaptation: Adaptation = key("each training inside Algorithm 1", paper="line 21")
    alpha: float = key("exponent of balanced sampling; 1: by size, 0: equal shares", 0.7, paper="Eq. 2", ge=0)
    labelled_share: float | None = key(
        "share of a training's draws that come from `target_data.labelled`, in epochs with `labelled` data; null: as "
        "`alpha` has it",
        None,
        gt=0,
        lt=1,
    )
    schedule: Several[EpochPlan] = key("Algorithm 1's epochs in order", PAPER_SCHEDULE, paper="§2.4", min_length=1)
    agree: AgreeSection = key("how peers must agree", Agree(), paper="§2.3, stage 2")
    order: Order = key(
        "`synchronous`: peers frozen for an epoch, three trainings; `in_place`: replaced at once, six; "
        "`alone`: each model teaches itself",
        "synchronous",
        paper="Algorithm 1",
    )
    collapse_share: float = key(
        "a model that comes to give one label to more than this share of words teaches nobody",
        0.995,
        gt=0,
        le=1,
    )
    keep: Literal["last", "estimated"] = key(
        "which models are kept: `last`: the last epoch's; `estimated`: those of the epoch, or the warm-up, with the "
        "best score estimated without labels (needs source.dev)",
        "last",
    )
    keep_weights: KeepWeights = key(
        "which weights stay on the disk: `last`: those of the final models; `warmup`: also those that methods begin "
        "with, for runs with other targets; `all`. Predictions and results stay in any case",
        "last",
    )
    vicinity: VicinitySection = key("how virtual sentences are made", MaskedLMVicinity(), paper="§2.2")
    mlm: Recipe = key("the backbone's own training in the method `mlm_tuned`", Recipe(), paper="Table 7")
    trace: int = key(
        "examples of each data set whose labelling is written into the run folder, for `uxla report`; 0: none",
        20_000,
        ge=0,
    )
    tracking: Several[Literal["tensorboard", "mlflow", "wandb"]] = key(
        "experiment trackers that receive losses, selected shares and scores: `tensorboard`, `mlflow`, `wandb`", ()
    )
    methods: Several[Method] = key(
        "what is compared; docs/algorithm.md says what each is. Without a test set `[uxla]`",
        ("zero_shot", "penalty", "ensemble", "uxla"),
        paper="Tables 1, 5",
        min_length=1,
    )
