"""Algorithm 1 of the paper: three models that label for each other, epoch by epoch. Start reading here.

Pure: everything heavy is passed in (`Learner`, `vicinity`), so the algorithm runs with a toy learner in a test as it
does with XLM-R on a GPU. Models are opaque values; this file never loads one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import permutations, tee
from typing import Generic, TypeVar

import numpy as np

from uxla.algorithm.agreement import Agree, Exact
from uxla.algorithm.co_labelling import Learner, distilled
from uxla.algorithm.distil import MostConfident, Select, has_collapsed, majority_share
from uxla.algorithm.events import CoLabelled, EpochEnded, Part, Skipped, Step, Trained, Trains
from uxla.algorithm.mixing import balanced_mix, judging_sample
from uxla.algorithm.training_input import DataSet, Map, TrainingInput, fitted
from uxla.choices import Order
from uxla.errors import ConfigError
from uxla.events import Emit, unheard
from uxla.records import IGNORED, Corpus, Ints, Predictions
from uxla.seeds import derive, generator

M = TypeVar("M")


@dataclass(frozen=True)
class Epoch:
    """One line of the schedule: which of the four data sets are used (line 22), and how they are distilled (η_e).

    `select` is a selector: `MostConfident`, `CleanCluster`, or a function from predictions and their corpus of N
    examples to (N,) bool. `labelled` adds the target's own labelled examples, a few-shot extension of the paper.

    >>> Epoch(uxla.MostConfident(0.8), source=True, target=True).target_vicinity
    False
    """

    select: Select
    source: bool = False
    target: bool = False
    source_vicinity: bool = False
    target_vicinity: bool = False
    labelled: bool = False


PAPER_SCHEDULE = (
    Epoch(MostConfident(0.8), source=True, target=True),
    Epoch(MostConfident(1.0), target_vicinity=True),
    Epoch(MostConfident(1.0), source=True, target=True, source_vicinity=True, target_vicinity=True),
)
"""§2.4 with Table 8's η for XNER."""


@dataclass(frozen=True)
class CoTraining(Generic[M]):
    """Algorithm 1 with its settings; call it with data and three warmed-up models.

    `order` is `in_place` (the algorithm read literally: ordered pairs, the third model replaced at once, six trainings
    an epoch), `synchronous` (peers frozen for the epoch, three trainings) or `alone` (each model its own two peers:
    self-training). `vicinity(corpus, e)` is GEN-LM. A peer that has collapsed (`has_collapsed`, by `collapse_share`)
    teaches nobody. `labelled_share` is the share of the draws that come from the target's labelled examples, in epochs
    that have them; None: by Eq. 2. `draws` turns Σ n_i into the number of draws. `emit` receives what happens. With
    `share` the models have a backbone in common (App. A): it gives what another model becomes when one was trained.
    All of an epoch is labelled before a model is trained, unless a training changes what labels. `expect` is told which
    labellings will be asked for next, and `map` does trainings that are independent of each other.
    """

    learner: Learner[M]
    vicinity: Callable[[Corpus, int], Corpus]
    schedule: Sequence[Epoch] = PAPER_SCHEDULE
    alpha: float = 0.7
    agreement: Agree = field(default_factory=Exact)
    order: Order = "synchronous"
    collapse_share: float = 0.995
    labelled_share: float | None = None
    draws: Callable[[int], int] = lambda total: total
    seed: int = 0
    emit: Emit = unheard
    share: Callable[[M, M], M] | None = None
    map: Map = map
    expect: Callable[[Sequence[tuple[M, Corpus]]], None] = lambda labellings: None

    def __call__(
        self, source: Corpus, target: Corpus, models: Sequence[M], labelled: Corpus | None = None
    ) -> list[tuple[M, M, M]]:
        """The three models after each epoch. `target` must carry no labels: the algorithm may not see any.

        `labelled` are the target's labelled examples. ConfigError where an epoch asks for them and there are none.
        """
        _require_unlabelled(target)
        if labelled is None and any(epoch.labelled for epoch in self.schedule):
            raise ConfigError(f"{target.name}: an epoch learns from labelled text of the target, and there is none")
        warmed_up, models, after = tuple(models), list(models), []
        for e, epoch in enumerate(self.schedule, start=1):  # line 2
            start, raw = tuple(models), self.unlabelled(source, target, epoch, e)
            mixed = partial(self.mixed, raw, epoch=epoch, source=source, labelled=labelled, warmed_up=warmed_up)
            steps = [Step(e, k, j, l) for k, j, l in triples(self.order)]  # lines 3-6, 19-20
            if self.order == "synchronous" or (self.order == "alone" and self.share is None):
                self.expect([(peer, corpus) for peer in start for corpus in raw])
                models = self.trained(models, [mixed(step, teachers=start) for step in steps], steps)
            else:  # what labels in a step is what the step before it left
                for step in steps:
                    self.expect([(models[peer], corpus) for peer in step[1:3] for corpus in raw])
                    models = self.trained(models, [mixed(step, teachers=models)], [step])
            after.append((models[0], models[1], models[2]))
            self.emit(EpochEnded(e, after[-1]))
        return after  # line 23: the last entry

    def trained(self, models: Sequence[M], mixes: Sequence[Sequence[DataSet]], steps: Sequence[Step]) -> list[M]:
        """The three models after the trainings of some steps, which are independent unless a backbone is shared."""
        pairs = list(zip(mixes, steps, strict=True))
        for together in [pairs] if self.share is None else [[pair] for pair in pairs]:
            for l, model in list(self.train(models, together)):
                models = [model if i == l else self._others(models[i], model) for i in range(3)]
        return list(models)

    def unlabelled(self, source: Corpus, target: Corpus, epoch: Epoch, e: int) -> list[Corpus]:
        """What the peers are to label in an epoch."""
        raw = [target] if epoch.target else []
        if epoch.source_vicinity:
            raw += [self.vicinity(source, e)]  # line 8
        if epoch.target_vicinity:
            raw += [self.vicinity(target, e)]  # line 15
        return raw

    def mixed(
        self,
        raw: Sequence[Corpus],
        step: Step,
        *,
        epoch: Epoch,
        source: Corpus,
        labelled: Corpus | None,
        teachers: Sequence[M],
        warmed_up: Sequence[M],
    ) -> list[DataSet]:
        """What model l learns from: gold labels, and what the peers k and j have in common of each corpus in `raw`."""
        _, k, j, _ = step
        peers, before = (teachers[k], teachers[j]), (warmed_up[k], warmed_up[j])
        mix = [DataSet(source)] if epoch.source else []  # D_s
        mix += [self.co_label(corpus, peers, epoch.select, source, step, before) for corpus in raw]  # lines 4, 9-17
        if epoch.labelled and labelled is not None:
            mix += [DataSet(labelled, share=self.labelled_share)]
        return mix

    def co_label(
        self,
        corpus: Corpus,
        peers: tuple[M, M],
        select: Select,
        source: Corpus,
        step: Step,
        before: tuple[M, M] | None = None,
    ) -> DataSet:
        """The examples of `corpus` that both peers selected (DISTIL) and agree on (AGREEMENT), with their labels.

        `before`: what the peers were after the warm-up, where they have been trained since.
        """
        k, j = (self.learner.predict(peer, corpus) for peer in peers)
        selected, found = distilled(corpus, (k, j), select, self.agreement)
        states = zip("kj", (k, j), peers, before or peers, strict=True)
        collapsed = [name for name, given, *peer in states if self.has_collapsed(given, corpus, *peer, source=source)]
        chosen = np.zeros_like(found.chosen) if collapsed else found.chosen
        classes = _counts(found.labels[np.repeat(chosen, np.diff(k.offsets))], corpus.label_names)
        labelled = CoLabelled(
            step=step,
            corpus=corpus,
            predictions=(k, j),
            selected=selected,
            found=found,
            chosen=chosen,
            classes=classes,
            collapsed=tuple(collapsed),
        )
        self.emit(labelled)
        return DataSet(corpus.with_labels(found.labels, k.offsets).take(np.flatnonzero(chosen)), labelled.counts)

    def train(self, models: Sequence[M], mixes: Iterable[tuple[Sequence[DataSet], Step]]) -> Iterator[tuple[int, M]]:
        """Each step's l, and model l after one training on its mix (lines 20-22); unchanged where nothing is left."""
        told, jobs = tee(self.training_input(models[step.l], mix, step) for mix, step in mixes)
        for given, model in zip(told, self.map(partial(fitted, self.learner), jobs), strict=True):
            if given.mix is not None:
                step, parts, epochs, began = given.step, given.parts, len(self.schedule), given.model
                self.emit(Trained(step=step, parts=parts, epochs=epochs, model=model, began_with=began))
            yield given.step.l, model

    def training_input(self, model: M, mix: Sequence[DataSet], step: Step) -> TrainingInput[M]:
        """The draws of one training by Eq. 2; none where distillation left nothing at all."""
        corpora, key, epochs = [data.corpus for data in mix], self._key(step), len(self.schedule)
        agreement = None if self.order == "alone" else self.agreement
        parts = tuple(Part(data.corpus.name, len(data.corpus), labelled=data.labelled) for data in mix)
        seed, total = derive(self.seed, "fit", *key), sum(map(len, corpora))
        if not total:
            self.emit(Skipped(step=step, parts=parts, epochs=epochs, agreement=agreement))
            return TrainingInput(step, model, None, seed, parts)
        rng, shares = generator(self.seed, "mix", *key), [data.share for data in mix]
        drawn, counts = balanced_mix(corpora, alpha=self.alpha, rng=rng, draws=self.draws(total), shares=shares)
        parts = tuple(part._replace(drawn=count) for part, count in zip(parts, counts, strict=True))
        self.emit(Trains(step=step, parts=parts, epochs=epochs, agreement=agreement))
        return TrainingInput(step, model, drawn, seed, parts)

    def has_collapsed(self, found: Predictions, corpus: Corpus, peer: M, before: M, *, source: Corpus) -> bool:
        """Whether `peer`, which gives `found` to `corpus` and was `before` after the warm-up, has collapsed.

        False where the source's own labels are nearly one only. Of the source at most 8,192 examples are labelled.
        """
        if majority_share(source.gold_labels) > self.collapse_share:
            return False

        def earlier() -> Ints:
            return (found if before == peer else self.learner.predict(before, corpus)).pseudo_labels

        def at_home() -> Ints:
            return self.learner.predict(peer, judging_sample(source, self.seed)).pseudo_labels

        return has_collapsed(found.pseudo_labels, self.collapse_share, earlier, at_home)

    def _others(self, model: M, trained: M) -> M:
        """What a model becomes when another one was trained."""
        return model if self.share is None else self.share(model, trained)

    def _key(self, step: Step) -> tuple[int, ...]:
        """What a training's draws depend on: the step; with frozen peers the order of k and j makes no difference."""
        e, k, j, l = step
        return (e, min(k, j), max(k, j), l) if self.order == "synchronous" else tuple(step)


def triples(order: Order) -> list[tuple[int, int, int]]:
    """The (k, j, l) of one epoch: every ordered pair of peers and the third model; each model once as k; or itself.

    Where the peers need not agree the labels are k's: so in every order each model's labels teach as often.
    """
    if order == "alone":
        return [(l, l, l) for l in range(3)]
    if order == "in_place":
        return [(k, j, l) for k, j, l in permutations(range(3))]
    return [(0, 1, 2), (1, 2, 0), (2, 0, 1)]


def _counts(labels: Ints, names: Sequence[str]) -> dict[str, int]:
    counts = np.bincount(labels[labels != IGNORED], minlength=len(names)).tolist()
    return dict(zip(names, counts, strict=True))


def _require_unlabelled(target: Corpus) -> None:
    if target.table.column("labels").null_count < len(target):
        raise ValueError("the target corpus carries labels; pass target.unlabelled()")
