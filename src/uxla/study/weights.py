"""The life of a run's weights: what nothing claims any more may go."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, takewhile
from pathlib import Path
from threading import RLock
from typing import Any, NamedTuple

from uxla.algorithm.mixing import judging_sample
from uxla.choices import KeepWeights
from uxla.methods.method import Method
from uxla.methods.registry import final_method
from uxla.records import Corpus, ModelHandle
from uxla.store.store import Store
from uxla.study.inputs import Inputs
from uxla.study.labelling import Triple
from uxla.study.settings import UXLA, agreement_of
from uxla.targets import Target


class Claim(NamedTuple):
    """Who still needs weights: a method, for a target."""

    target: str
    method: str


_LASTING = Claim("", "")
"""Needs what is there when the run has ended."""
_CHOICE = ""
"""In place of a method: the choice of the models that are delivered for a target."""


@dataclass
class Weights:
    """Who needs which weights of a run; those that nobody needs are released.

    `keep` says what stays: `last`: the models that the run delivers; `warmup`: also those that methods begin with;
    `all`: everything. `choosing`: the epoch that is delivered is chosen after the last one. Methods may be under way
    side by side, in threads.
    """

    store: Store
    keep: KeepWeights
    methods: Sequence[Method]
    uxla: UXLA
    choosing: bool = False
    _claims: dict[Path, set[Claim]] = field(default_factory=lambda: defaultdict(set))
    _ended: set[Claim] = field(default_factory=set)
    _over: bool = False
    _lock: Any = field(default_factory=RLock)

    @property
    def final(self) -> Method:
        """The method whose models the run delivers."""
        found = final_method(self.methods)
        assert found is not None, "refused with the arguments"
        return found

    def named(self, name: str) -> Method | None:
        """The method of this name, where the run has it."""
        return next((one for one in self.methods if one.name == name), None)

    def asked_of(self, method: str, target: Target, inputs: Inputs, seed: int) -> Iterator[Corpus]:
        """What the results of the run will have the models of a method label."""
        start = "" if self.final.start is None else self.final.start.method
        warm_up = method == "penalty" and any(one.name == "uxla" for one in self.methods)
        yield from (*_given(target.test), *_given(target.dev))
        if warm_up:
            yield from _given(inputs.test)
        if method in ("zero_shot", "penalty", "uxla", self.final.name, start):
            yield judging_sample(target.train, seed)
            yield from (judging_sample(dev, seed) for dev in _given(inputs.dev))

    def anew(self) -> Weights:
        """The weights of the run as it begins once more. What still goes on in threads of the first pass releases
        nothing."""
        with self._lock:
            self._over = True
        return Weights(self.store, self.keep, self.methods, self.uxla, self.choosing)

    def started(self, start: str, models: Triple, targets: Iterable[Target]) -> None:
        """The models that methods begin with were made, and have labelled all that the results ask of them."""
        if self.keep != "last":
            self._require(models)
        begun = [one for one in self.methods if one.start is not None and one.start.method == start]
        for target in targets:
            for method in begun:
                if method.adapts:
                    self._claim(target.name, method.name, models)
                if method is self.final and (self.choosing or not method.adapts):
                    self._claim(target.name, _CHOICE, models)
        if self.keep == "warmup":
            self._claim(*_LASTING, models)
        self._release(model.path for model in models)

    def replaced(self, target: Target, name: str, model: ModelHandle) -> None:
        """A training of a method that began with `model` has ended; of a method with steps of its own it is known only
        when it has ended what it needs."""
        method = self.named(name)
        if method is not None and method.steps is None:
            self._drop(Claim(target.name, name), [model.path])

    def untaught(self, target: Target, name: str, model: ModelHandle) -> None:
        """A training of a method in which nothing pseudo-labelled taught has ended with `model`: other methods may come
        to the same."""
        start = next((one.start for one in self.methods if one.name == name), None)
        for other in self.methods:
            if other.name != name and other.start == start and other.schedule is not None:
                self._claim(target.name, other.name, [model])

    def epoch_ended(self, target: Target, name: str, epoch: int, models: Triple) -> None:
        """These are a method's models after an epoch, and have labelled all that the results ask of them."""
        if self.keep == "all":
            self._require(models)
        method = self.named(name)
        self._claim(target.name, name, models)
        if method is not None:
            for other in self.methods:
                if other is not method and _in_common(method, other, self.uxla) >= epoch:
                    self._claim(target.name, other.name, models)
            if method is self.final and self.choosing:
                self._claim(target.name, _CHOICE, models)

    def ended(self, target: Target, method: Method, after: Sequence[Triple]) -> None:
        """A method has ended with the models `after` each epoch, and these have labelled all that is asked of them."""
        claim = Claim(target.name, method.name)
        if method is self.final:
            self._claim(target.name, _CHOICE, chain.from_iterable(after if self.choosing else after[-1:]))
        if method.steps is not None:
            self._claim(*claim, chain.from_iterable(after))
        self._ended.add(claim)
        self._drop(claim, list(self._claims))

    def delivered(self, target: Target, models: Triple) -> None:
        """The models for a target are chosen: nobody needs anything else for it.

        WeightsGoneError where a run of another configuration, whose final models they are not, has released them.
        """
        self._require(models)
        self._claim(*_LASTING, models)
        for claim in set(chain.from_iterable(self._claims.values())):
            if claim.target == target.name:
                self._drop(claim, list(self._claims))

    def may_go(self, target: Target, name: str, model: ModelHandle) -> bool:
        """Whether a method, for a target, is the only one to need these weights still."""
        return self._claims.get(model.path) == {Claim(target.name, name)}

    def _require(self, models: Iterable[ModelHandle]) -> None:
        for model in models:
            self.store.require_weights(model.path)

    def _claim(self, target: str, method: str, models: Iterable[ModelHandle]) -> None:
        claim = Claim(target, method)
        with self._lock:
            if claim not in self._ended:
                for model in models:
                    self._claims[model.path].add(claim)

    def _drop(self, claim: Claim, paths: Iterable[Path]) -> None:
        with self._lock:
            for path in paths:
                self._claims[path].discard(claim)
            self._release(paths)

    def _release(self, paths: Iterable[Path]) -> None:
        with self._lock:
            for path in dict.fromkeys(paths):
                if not self._claims[path] and not self._over:
                    del self._claims[path]
                    self.store.release_weights(path, remove=self.keep != "all")


def _given(corpus: Corpus | None) -> list[Corpus]:
    return [] if corpus is None else [corpus]


def _in_common(method: Method, other: Method, uxla: UXLA) -> int:
    """The last epoch after which `other` goes on from the same models as `method`, -1 where it never does."""
    if method.start is None or other.start is None or method.start.method != other.start.method:
        return -1
    if method.schedule is None or other.schedule is None or _how(method, uxla) != _how(other, uxla):
        return -1
    ours, theirs = method.epochs(uxla.epochs), other.epochs(uxla.epochs)
    alike = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(ours, theirs, strict=False)))
    return min(alike, len(theirs) - 1)


def _how(method: Method, uxla: UXLA) -> tuple[Any, Any]:
    """Agreement and order of a method's epochs."""
    return agreement_of(method.agreement, uxla.agreement), method.order or uxla.order
