"""The sections about the work as such: its task and model, and where, how large and how exact models compute."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from uxla import devices as devices_of
from uxla.choices import AskedPrecision, Attention, Device, Precision, Task
from uxla.schema import Devices, NumberOrAuto, Section, key

if TYPE_CHECKING:
    from uxla.config.method import MaskedLMVicinity
    from uxla.models.gen_lm.masked_lm import MaskedLM
    from uxla.models.model_safety import ModelSafety
    from uxla.models.runtime import Runtime


_DETERMINISTIC = 8192
"""Tokens in a forward pass: dropout's draws depend on them."""


class Job(Section):
    """What a run is about."""

    task: Task = key(
        "`ner`: tags of words; `nli`, `paraphrase`: a label of two texts; `classification`: of one", "ner", paper="§3.1"
    )
    seed: int = key("everything random derives from it", 0, ge=0)
    model: str = key("the backbone: Hub id, folder, or `testbed` for the shipped one", paper="Table 8", min_length=1)
    revision: str | None = key("the backbone's revision on the Hub", None)


class ModelSettings(Section):
    """How exactly models compute, and what may come with them."""

    precision: AskedPrecision = key(
        "what models compute in: `fp32` is exact; `tf32`, `bf16` and `fp16` are faster where a device has them, and "
        "change results a little; `auto`: `bf16` on a GPU that has it, else `fp32`",
        "fp32",
    )
    threads: NumberOrAuto | None = key(
        "torch's CPU threads, which change the last digits of results: a number, or `auto`, one for each core that is "
        "idle at the start; null: 1, or OMP_NUM_THREADS",
        None,
    )
    deterministic: bool = key("on a GPU, only operations that give the same bytes every time; slower", False)
    tokens_per_batch: NumberOrAuto = key(
        "padded pieces in one forward pass, of training, labelling or generation; `auto`: by a GPU's free memory, or "
        "8192 on a CPU and if `deterministic`",
        "auto",
    )
    trust_remote_code: bool = key("run Python code that comes with a model; only for authors you trust", False)
    allow_pickle_weights: bool = key(
        "take `pytorch_model.bin` where a model has no safetensors; only tensors are read from it", False
    )

    @property
    def safety(self) -> ModelSafety:
        """What a model may bring along."""
        from uxla.models.model_safety import ModelSafety

        return ModelSafety(self.trust_remote_code, self.allow_pickle_weights)

    def process(self) -> AbstractContextManager[None]:
        """The settings of the process while models compute: threads, and determinism if it is asked for.

        Where only other processes compute, it has one thread.
        """
        from uxla.process_settings import process_settings
        from uxla.threads import cpu_threads

        return process_settings(threads=cpu_threads(self.threads), deterministic=self.deterministic)

    @property
    def settled_precision(self) -> Precision:
        """The precision, which is part of what finished work is found by: never `auto`."""
        from uxla.models.device import settled_precision

        return settled_precision(self.precision, self.where)

    def runtime(self, max_length: int | None = None, **more: Any) -> Runtime:
        """The same for `models`, with what is not among these keys."""
        from uxla.models.memory import Budget
        from uxla.models.runtime import Runtime

        fixed = self.deterministic and self.tokens_per_batch == "auto"  # free memory is not the same every time
        budget = Budget(_DETERMINISTIC if fixed else self.tokens_per_batch)
        return Runtime(self.where, max_length, budget, self.safety, self.settled_precision, **more)

    @property
    def where(self) -> str:
        """The device of a model."""
        return "auto"


class DeviceSettings(ModelSettings):
    """Where and how exactly models compute."""

    device: Device = key("`cpu`, `cuda`, or `auto`: a GPU where there is one", "auto")

    @property
    def where(self) -> str:
        """The device of a model."""
        return self.device

    @property
    def placement(self) -> devices_of.Placement:
        """Where the jobs of a command are done."""
        return _placement(self, self.device)


class Compute(ModelSettings):
    """How the models of a run compute."""

    devices: Devices = key(
        "where: `cpu`, `cuda` (all GPUs), `[cuda:0, cuda:1]`, `{cpu: 2}` (two processes), `auto`: all GPUs, or one CPU",
        "auto",
    )
    jobs_per_device: int = key(
        "how many trainings or labellings run at the same time on each device; for small models",
        1,
        ge=1,
        le=devices_of.MOST,
    )
    devices_per_training: int = key(
        "how many devices share each training, for large models; changes rounding, and which units dropout drops",
        1,
        ge=1,
        le=devices_of.MOST,
    )
    max_length: int = key("pieces of a window; longer sentences are read in several", 280, paper="Table 8", ge=8)
    attention: Attention = key(
        "what computes attention; `auto`: what transformers takes; changes rounding only", "auto"
    )
    compile: bool = key(
        "compile encoder layers (torch.compile), for GPUs; changes rounding, and which units dropout drops", False
    )
    checkpoint_minutes: float = key(
        "minutes between checkpoints of a training; a training that is killed loses at most this much", 10.0, gt=0
    )

    @property
    def where(self) -> str:
        """The device of a model."""
        kind = devices_of.kind(self.devices)
        return kind if self.jobs_per_device == 1 else kind.partition(":")[0]  # a process of several sees one GPU

    def runtime(self, max_length: int | None = None, **more: Any) -> Runtime:
        """As that of `ModelSettings`, which leaves room for the other jobs of the device."""
        return super().runtime(max_length, jobs=self.jobs_per_device, **more)

    @property
    def placement(self) -> devices_of.Placement:
        """Where the jobs of the run are done."""
        return _placement(self, self.devices, self.jobs_per_device, self.devices_per_training)


class LMSource(DeviceSettings):
    """Which masked LM does the work of a command, and where and how exactly."""

    model: str = key("the masked LM: a folder, a name on the Hub, or `testbed` for the shipped one", min_length=1)
    revision: str | None = key("the model's revision on the Hub", None)
    max_length: int | None = key(
        "pieces of a text seen at once; longer ones are read in windows; null: what the model takes",
        None,
        ge=3,
    )

    @property
    def name(self) -> str:
        """The folder of the shipped model for `testbed`, any other name as it is."""
        from uxla.testbed import model_name

        return model_name(self.model)

    def load(self, settings: MaskedLMVicinity) -> MaskedLM:
        """The model, set to replace as the settings say; the last one stays in memory. ModelError where it is of no
        use."""
        return _loaded(self, settings)

    def digest(self) -> str:
        """The digest of all that decides what the model computes. ModelError where there is no such model."""
        from uxla.models.hub import resolve

        return resolve(self.name, revision=self.revision, safety=self.safety).digest


def _placement(
    models: ModelSettings, devices: devices_of.Devices, jobs_per_device: int = 1, devices_per_training: int = 1
) -> devices_of.Placement:
    threads = models.threads if isinstance(models.threads, int) else 1
    return devices_of.Placement(devices, jobs_per_device, threads, models.deterministic, devices_per_training)


@lru_cache(maxsize=1)
def _loaded(source: LMSource, settings: MaskedLMVicinity) -> MaskedLM:
    from uxla.models.gen_lm.masked_lm import MaskedLM

    runtime, revision = source.runtime(source.max_length), source.revision
    return MaskedLM.load(
        source.name, runtime, revision=revision, top=settings.top, unit=settings.unit, match=settings.match
    )
