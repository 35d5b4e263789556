"""Algorithm 1 of the paper: three models that label for each other, epoch by epoch. Start reading here.

Pure: everything heavy is passed in (`Learner`, `vicinity`), so the algorithm runs with a toy learner in a test as it
does with XLM-R on a GPU. Models are opaque values; this file never loads one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import permutations
from typing import Generic, Literal, Protocol, TypeVar

import numpy as np

from uxla.algorithm.distil import Agreement, MostConfident, Select, distil, has_fallen, majority_share
from uxla.algorithm.mixing import balanced_mix, looked_at
from uxla.records import IGNORED, Bools, Corpus, Ints, Predictions
from uxla.seeds import derive, generator

M = TypeVar("M")
Order = Literal["synchronous", "in_place", "alone"]
Record = Callable[..., None]
"""Receives what happened: an event's name and its counts, as keywords."""

Place = tuple[int, int, int, int]
"""(e, k, j, l): the epoch from 1, the two peers and the model they teach from 0."""


@dataclass(frozen=True, eq=False)
class Decisions:
    """One labelling of one corpus by two peers: what `CoTraining.watch` receives. Pairs are (of k, of j)."""

    place: Place
    corpus: Corpus
    predictions: tuple[Predictions, Predictions]
    selected: tuple[Bools, Bools]
    """(N,) what each peer was trusted on (DISTIL)."""
    agreed: Bools
    """(N,) what the peers label alike."""
    chosen: Bools
    """(N,) what teaches: with `exact`, selected by both and agreed on; nothing where a peer has collapsed."""


class Learner(Protocol[M]):
    """The two things Algorithm 1 asks of a model."""

    def fit(self, model: M, mix: Corpus, *, seed: int) -> M:
        """`model`, trained further on `mix`, once through, in its order."""

    def predict(self, model: M, corpus: Corpus) -> Predictions:
        """Class probabilities of `model` on every example of `corpus`."""


@dataclass(frozen=True)
class Epoch:
    """One line of the schedule: which of the four data sets are used (line 22), and how they are distilled (η_e)."""

    select: Select
    source: bool = False
    target: bool = False
    source_vicinity: bool = False
    target_vicinity: bool = False


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
    teaches nobody.
    `draws` turns Σ n_i into the number of examples of one training. `record` is told the counts of each step, `watch`
    what became of every example. `share` says what another model becomes when one was trained: itself, unless they
    have a backbone in common (App. A).
    """

    learner: Learner[M]
    vicinity: Callable[[Corpus, int], Corpus]
    schedule: Sequence[Epoch] = PAPER_SCHEDULE
    alpha: float = 0.7
    agreement: Agreement = "exact"
    min_agreed: float = 0.5
    order: Order = "synchronous"
    collapse_share: float = 0.995
    draws: Callable[[int], int] = lambda total: total
    seed: int = 0
    record: Record = field(default=lambda event, **counts: None)
    watch: Callable[[Decisions], None] = field(default=lambda decisions: None)
    share: Callable[[M, M], M] = field(default=lambda other, trained: other)

    def __call__(self, source: Corpus, target: Corpus, models: Sequence[M]) -> list[tuple[M, M, M]]:
        """The three models after each epoch. `target` must carry no labels: the algorithm may not see any."""
        _require_unlabelled(target)
        warmed_up, models, after = tuple(models), list(models), []
        for e, epoch in enumerate(self.schedule, start=1):  # line 2
            start_of_epoch = tuple(models)
            for k, j, l in triples(self.order):  # lines 3-6, 19-20
                teachers = start_of_epoch if self.order == "synchronous" else models
                peers, before, place = (teachers[k], teachers[j]), (warmed_up[k], warmed_up[j]), (e, k, j, l)
                label = partial(
                    self.co_label, peers=peers, select=epoch.select, source=source, place=place, before=before
                )
                mix = []
                if epoch.source:
                    mix += [source]  # D_s
                if epoch.target:
                    mix += [label(target)]  # D'_t, lines 4, 12-13
                if epoch.source_vicinity:
                    mix += [label(self.vicinity(source, e))]  # lines 8-10
                if epoch.target_vicinity:
                    mix += [label(self.vicinity(target, e))]  # lines 15-17
                trained = self.train(models[l], mix, place)  # lines 20-22
                models = [trained if i == l else self.share(model, trained) for i, model in enumerate(models)]
            after.append((models[0], models[1], models[2]))
        return after  # line 23: the last entry

    def co_label(
        self,
        corpus: Corpus,
        peers: tuple[M, M],
        select: Select,
        source: Corpus,
        place: Place,
        before: tuple[M, M] | None = None,
    ) -> Corpus:
        """The examples of `corpus` that both peers selected (DISTIL) and agree on (AGREEMENT), with their labels.

        `before`: what the peers were after the warm-up, where they have been trained since.
        """
        k, j = (self.learner.predict(peer, corpus) for peer in peers)
        selected = select(k, corpus), select(j, corpus)
        chosen, agreed, labels = distil(k, j, selected, self.agreement, self.min_agreed)
        states = zip("kj", (k, j), peers, before or peers, strict=True)
        collapsed = [name for name, found, *peer in states if self.has_collapsed(found, corpus, *peer, source=source)]
        if collapsed:
            chosen = np.zeros_like(chosen)
        self.watch(Decisions(place, corpus, (k, j), selected, agreed, chosen))
        self.record(
            "co_label",
            **_numbers(place),
            data=corpus.name,
            of=len(corpus),
            kept_by_k=int(selected[0].sum()),
            kept_by_j=int(selected[1].sum()),
            agreed=int(chosen.sum()),
            classes=_counts(labels[np.repeat(chosen, np.diff(k.offsets))], corpus.label_names),
            collapsed=collapsed,
        )
        return corpus.with_labels(labels, k.offsets).take(np.flatnonzero(chosen))

    def train(self, model: M, mix: Sequence[Corpus], place: Place) -> M:
        """`model` after one training on the balanced mix (Eq. 2); unchanged where distillation left nothing at all."""
        where, key = _numbers(place), self._key(place)
        sizes = {corpus.name: len(corpus) for corpus in mix}
        if not any(sizes.values()):
            self.record("skip", **where, sizes=sizes)
            return model
        rng = generator(self.seed, "mix", *key)
        drawn_from, counts = balanced_mix(mix, alpha=self.alpha, rng=rng, draws=self.draws(sum(sizes.values())))
        self.record("train", **where, sizes=sizes, drawn=dict(zip(sizes, counts, strict=True)))
        return self.learner.fit(model, drawn_from, seed=derive(self.seed, "fit", *key))

    def has_collapsed(self, found: Predictions, corpus: Corpus, peer: M, before: M, *, source: Corpus) -> bool:
        """Whether `peer` gives nearly one label only to `corpus`, and not because the corpus is so.

        The source's own labels must not be so either. A corpus with few entities is told from a collapse by three
        things: the peer has fallen far behind what it gave after the warm-up (`before`), it gives no other label at
        all, or it labels the source, where others are known to stand, just so. More is labelled only where it gives
        nearly one label: the corpus by `before`, at most 8,192 drawn examples of the source by `peer`.
        """
        if not majority_share(found.pseudo_labels) > self.collapse_share >= majority_share(gold_labels(source)):
            return False
        earlier = found if before == peer else self.learner.predict(before, corpus)
        if has_fallen(found.pseudo_labels, earlier.pseudo_labels):
            return True
        at_home = self.learner.predict(peer, looked_at(source, self.seed))
        return majority_share(at_home.pseudo_labels) > self.collapse_share

    def _key(self, place: Place) -> Place:
        """What a training's draws depend on: of frozen peers, which two they are, whoever is called k."""
        e, k, j, l = place
        return (e, min(k, j), max(k, j), l) if self.order == "synchronous" else place


def triples(order: Order) -> list[tuple[int, int, int]]:
    """The (k, j, l) of one epoch: every ordered pair of peers and the third model; each model once as k; or itself.

    Where the peers need not agree the labels are k's: so in every order each model's labels teach as often.
    """
    if order == "alone":
        return [(l, l, l) for l in range(3)]
    if order == "in_place":
        return [(k, j, l) for k, j, l in permutations(range(3))]
    return [(0, 1, 2), (1, 2, 0), (2, 0, 1)]


def _numbers(place: Place) -> dict[str, int]:
    """The place as a person counts: models, too, from 1."""
    e, k, j, l = place
    return {"epoch": e, "k": k + 1, "j": j + 1, "l": l + 1}


def gold_labels(corpus: Corpus) -> Ints:
    """(R,) all labels of a labelled corpus, example by example."""
    column = corpus.table.column("labels").combine_chunks()
    return np.asarray(column.flatten().to_numpy(zero_copy_only=False), dtype=np.int64)


def _counts(labels: Ints, names: Sequence[str]) -> dict[str, int]:
    counts = np.bincount(labels[labels != IGNORED], minlength=len(names)).tolist()
    return dict(zip(names, counts, strict=True))


def _require_unlabelled(target: Corpus) -> None:
    if target.table.column("labels").null_count < len(target):
        raise ValueError("the target corpus carries labels; pass target.unlabelled()")
