"""The vicinity of a run: Gen-LM as its settings have it (§2.2), or a user's own, checked."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from uxla.algorithm.distil import CleanCluster, length
from uxla.algorithm.vicinity import Vicinity
from uxla.augmentation.settings import gen_lm
from uxla.config.method import MaskedLMVicinity
from uxla.errors import ConfigError
from uxla.models.gen_lm.masked_lm import MaskedLM
from uxla.models.runtime import Runtime
from uxla.records import Corpus, ModelHandle
from uxla.seeds import derive
from uxla.store.store import Store
from uxla.study.remembered import StoredFluency, StoredVicinity

Around = Callable[[Corpus], Corpus] | Callable[[Corpus, int], Corpus]
"""A vicinity of a user's own: virtual examples of a corpus without labels; the epoch, from 1, where it takes one."""


@dataclass(frozen=True)
class GenLM:
    """GEN-LM of a run: the samples around a corpus, and how fluent the vicinity model finds examples (App. C)."""

    settings: MaskedLMVicinity
    model: ModelHandle
    task_name: str
    segments: int
    """Texts of an example."""
    runtime: Runtime
    store: Store
    seed: int

    def __call__(self, corpus: Corpus, epoch: int) -> Corpus:
        """The virtual examples of `corpus` (Algorithm 1, lines 8 and 15)."""
        return self.stored(corpus, epoch)

    @property
    def stored(self) -> StoredVicinity:
        """The samples behind the store."""
        settings, copies = self.settings, self.settings.copies_of(self.segments)
        seed = derive(self.seed, "vicinity")
        inputs = self.runtime.inputs | settings.model_dump(exclude={"model", "revision", "fresh"})
        inputs |= {"lm": self.model.digest, "seed": seed, "copies": copies}

        return StoredVicinity(self.opened, inputs, self.store, settings.fresh)

    def opened(self) -> Vicinity:
        """Gen-LM with its model in memory."""
        return gen_lm(self.settings, self.masked_lm(), self.segments, derive(self.seed, "vicinity"))

    def knowing(self, select: Any) -> Any:
        """A selector with the features that a run knows by name."""
        if not isinstance(select, CleanCluster):
            return select
        return select.knowing({"length": length, "fluency": self.fluency})

    @property
    def fluency(self) -> StoredFluency:
        """How fluent the vicinity model finds examples."""
        inputs = self.runtime.inputs | {"lm": self.model.digest, "task": self.task_name}
        return StoredFluency(self.masked_lm, inputs, self.store)

    def masked_lm(self) -> MaskedLM:
        """The vicinity model in memory. ModelError where it cannot be used as the settings have it."""
        settings = self.settings
        return MaskedLM.load(
            str(self.model.path), self.runtime, top=settings.top, unit=settings.unit, match=settings.match
        )


@dataclass(frozen=True)
class OwnVicinity:
    """A user's own vicinity, called once for each corpus, or once for each epoch where it takes one.

    What it gives is checked, and named as Algorithm 1 has it: labels in it are not read.
    """

    around: Around

    def __post_init__(self) -> None:
        object.__setattr__(self, "around", getattr(self.around, "part", self.around))  # of a plug-in

    def __call__(self, corpus: Corpus, epoch: int) -> Corpus:
        """The virtual examples of `corpus`. ConfigError for anything else than a corpus of the same kind."""
        key = (corpus.digest, epoch if self._takes_epoch else 0)
        if key not in self._made:
            self._made[key] = self._checked(corpus, self._called(corpus, epoch))
        return self._made[key]

    @cached_property
    def _made(self) -> dict[tuple[str, int], Corpus]:
        """What was made in this run."""
        return {}

    @cached_property
    def _takes_epoch(self) -> bool:
        try:
            parameters = inspect.signature(self.around).parameters.values()
        except (TypeError, ValueError):  # a function of C has none to look at
            return False
        positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        return sum(p.kind in positional and p.default is p.empty for p in parameters) > 1

    def _called(self, corpus: Corpus, epoch: int) -> Any:
        around: Any = self.around
        return around(corpus.unlabelled(), epoch) if self._takes_epoch else around(corpus.unlabelled())

    def _checked(self, corpus: Corpus, made: Any) -> Corpus:
        who = f"vicinity {getattr(self.around, '__name__', type(self.around).__name__)}, of {corpus.name}"
        if not isinstance(made, Corpus):
            raise ConfigError(f"{who}: gave a {type(made).__name__}, expected a Corpus; see Corpus.from_examples")
        if made.label_names != corpus.label_names:
            names = "other label names than the corpus that it was given"
            raise ConfigError(f"{who}: gave a corpus with {names}; pass on corpus.label_names")
        segments = len(corpus[0].segments) if len(corpus) else 0
        wrong = next((example for example in made if len(example.segments) != segments), None)
        if wrong is not None:
            got = f"example {wrong.id} has {len(wrong.segments)} texts, expected {segments}"
            raise ConfigError(f"{who}: {got}; give as many as the example that it was made from has")
        return made.unlabelled().renamed(f"{corpus.name}~")
