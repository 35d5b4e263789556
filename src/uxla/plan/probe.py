"""How fast this device is at the work of a run, and how much arithmetic that is, from a minute of it at most."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from transformers import AutoConfig

from uxla import progress
from uxla.choices import Precision
from uxla.errors import ModelError
from uxla.models.device import HALF, multiplies_in_bf16, pick_device
from uxla.models.footprint import Footprint
from uxla.models.model_safety import offline, reason
from uxla.plan.arithmetic import operations
from uxla.plan.counting import Kind, Work, characters
from uxla.records import Corpus
from uxla.seeds import generator
from uxla.store.store import Store
from uxla.study.study import Study
from uxla.threads import idle_cores

_SIZES = (1, 4, 16, 64)
"""How many batches are tried, until that takes long enough to say how long more take."""
_LONG = 6.0


@dataclass(frozen=True)
class Pace:
    """Seconds that a piece of work takes at any size, and seconds a character."""

    start: float
    each: float

    def __call__(self, amount: int) -> float:
        """Seconds for so many characters."""
        return self.start + self.each * amount


_NO_TIME = Pace(0.0, 0.0)
"""Of a mean of models, and of samples that are not Gen-LM's."""
_LIKE: dict[Kind, Kind] = {"masked LM": "training"}
"""Work whose text takes as long as that of another kind."""


@dataclass(frozen=True)
class Probe:
    """The pace of each kind of work that was tried, and the most memory that it took, in bytes; None where the system
    cannot tell."""

    paces: dict[Kind, Pace]
    memory: int | None
    precision: Precision = "fp32"
    """What was computed in."""
    idle: int = 1
    """How many cores are idle where the run computes on a CPU."""
    in_bf16: Probe | None = None
    """The same in bf16, where the device multiplies in it and the run computes in more digits."""
    arithmetic: dict[Kind, float] = field(default_factory=dict)
    """Floating-point operations a character, by `uxla.plan.arithmetic`."""

    def seconds(self, work: Work) -> float:
        """How long a piece of work takes here."""
        pace = self.paces.get(_LIKE.get(work.kind, work.kind), _NO_TIME)
        return pace(work.characters) + self.paces["labelling"].each * work.labelled

    def operations(self, work: Work) -> float:
        """Floating-point operations of a piece of work, on any device."""
        each = self.arithmetic.get(_LIKE.get(work.kind, work.kind), 0.0)
        return each * work.characters + self.arithmetic.get("labelling", 0.0) * work.labelled


@dataclass(frozen=True)
class OfGpu:
    """The bytes that a training is expected to take of a GPU, by the arithmetic of `Footprint`, with so many tokens in
    a forward pass: as many as here."""

    memory: int
    tokens: int

    @classmethod
    def training(cls, study: Study) -> OfGpu:
        """What a training of the study takes. ModelError for a model that is none for its task."""
        labelling, runtime = study.labelling, study.labelling.runtime
        folder, auto_class = labelling.backbone.path, labelling.task.auto_class
        try:
            config = AutoConfig.from_pretrained(str(folder), **offline(runtime.safety))
            with torch.device("meta"):  # shapes, and no numbers
                module = auto_class.from_config(config, trust_remote_code=runtime.safety.remote_code)
        except Exception as error:  # whatever foreign files can raise
            raise ModelError(f"{folder}: cannot be built as {auto_class.__name__} ({reason(error)})") from error
        found = Footprint.of(module, runtime.precision)
        tokens = runtime.budget_of(module, pick_device(runtime.device)).tokens
        return cls(found.fixed + found.token * tokens, tokens)


def probe(study: Study, *, generates: bool) -> Probe:
    """Pace and arithmetic of training, labelling and, where the run `generates`, of Gen-LM, by a little of each."""
    runtime = study.labelling.runtime
    device = pick_device(runtime.device)
    idle = idle_cores() if device.type == "cpu" else 1
    with _tried(study, generates=generates) as works:
        found = replace(_probe(works), precision=runtime.precision, idle=idle, arithmetic=_arithmetic(works))
    if runtime.precision in HALF or not multiplies_in_bf16(device):
        return found
    half = replace(runtime, precision="bf16")
    labelling, vicinity = replace(study.labelling, runtime=half), replace(study.vicinity, runtime=half)
    in_half = replace(study, labelling=labelling, vicinity=vicinity)
    with progress.without_notes(), _tried(in_half, generates=generates) as works:
        return replace(found, in_bf16=replace(_probe(works), precision="bf16"))


def arithmetic(study: Study, *, generates: bool) -> dict[Kind, float]:
    """Floating-point operations a character of each kind of work that `probe` tries, without its pace."""
    with _tried(study, generates=generates) as works:
        return _arithmetic(works)


_Works = dict[Kind, Callable[[int], int]]
"""Each does so many batches of one kind of work and returns how many characters they are."""


@contextmanager
def _tried(study: Study, *, generates: bool) -> Iterator[_Works]:
    with TemporaryDirectory(prefix="uxla-probe-") as folder:
        labelling, stores = study.labelling, _stores(Path(folder))
        training = study.warm_up_training.model_copy(update={"selection": "last"})
        learner = replace(labelling.learner(training, "probe"), store=next(stores), devices=1)
        batch, raw = training.step_size, study.targets[0].train
        model = learner.fit(labelling.backbone, _sample(study.source, batch), seed=0)  # what is loaded once

        def train(batches: int) -> int:
            mix = _sample(study.source, batch * batches)
            replace(learner, store=next(stores)).fit(labelling.backbone, mix, seed=0)
            return characters(mix)

        def label(batches: int) -> int:
            part = _sample(raw, 8 * batch * batches)
            replace(learner, store=next(stores)).predict(model, part)
            return characters(part)

        def generate(batches: int) -> int:
            part, store = _sample(raw, batch * batches), next(stores)
            replace(study.vicinity, store=store)(part, 1)
            copies = study.vicinity.settings.copies_of(study.vicinity.segments)
            return characters(part) * copies[0] * (copies[1] if len(copies) > 1 else 1)

        works: _Works = {"training": train, "labelling": label}
        if generates and study.around is None:
            works["samples"] = generate
        yield works


def _probe(works: _Works) -> Probe:
    return Probe({kind: _pace(work) for kind, work in works.items()}, _peak_memory())


def _pace(work: Callable[[int], int]) -> Pace:
    """From a small and a larger amount of the same work, the larger one so large that it takes some seconds."""
    tried = list[tuple[int, float]]()
    for size in _SIZES:
        began = time.monotonic()
        amount = work(size)
        tried.append((amount, time.monotonic() - began))
        if tried[-1][1] > _LONG:
            break
    (small, short), (large, long) = tried[0], tried[-1]
    if large == small:
        return Pace(0.0, long / max(large, 1))
    each = max((long - short) / (large - small), 0.0)
    return Pace(max(short - each * small, 0.0), each)


def _arithmetic(works: _Works) -> dict[Kind, float]:
    def each(work: Callable[[int], int]) -> float:
        amounts = list[int]()
        return operations(lambda: amounts.append(work(1))) / max(sum(amounts), 1)

    return {kind: each(work) for kind, work in works.items()}


def _sample(corpus: Corpus, size: int) -> Corpus:
    """So many examples of a corpus, drawn from all of it, again and again where it has fewer."""
    return corpus.take(generator(0, "probe").permutation(len(corpus))[np.arange(size) % len(corpus)])


def _peak_memory() -> int | None:
    """The most memory that the work took so far: of the GPU where there is one, else of the process. On Windows Python
    does not tell it."""
    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated())
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def _stores(folder: Path) -> Iterator[Store]:
    """Empty stores: in each all work is done anew."""
    number = 0
    while True:
        number += 1
        yield Store(folder / str(number))
