"""Training a masked LM on text: masks are drawn again each time (RoBERTa); some sentences are held out."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow.compute as pc

from uxla import progress
from uxla.errors import DataError
from uxla.models.lm.model import TrainableLM
from uxla.models.lm.settings import Recipe
from uxla.models.training.checkpoint import Checkpoints
from uxla.models.training.loop import fit
from uxla.models.training.objective import Objective
from uxla.models.training.selection import CheckpointChoice, Facts, Weights
from uxla.models.training.settings import TrainingSettings
from uxla.process_settings import seeded
from uxla.records import Corpus, Example, Ints
from uxla.seeds import derive, generator

_SORTED_STEPS = 64
"""Steps whose texts are sorted by length together, so that little is padded."""
_MOST_HELD_OUT = 1000

OPTIMISER: dict[str, Any] = {"lr_warmup": 0.06, "weight_decay": 0.01, "adam_epsilon": 1e-6, "max_grad_norm": 1.0}
"""AdamW's settings in every training of a masked LM (Liu et al. 2019)."""


def texts_of(corpora: Sequence[Corpus]) -> Corpus:
    """The sentences of all corpora one by one, of a pair each on its own, without labels."""
    return Corpus.from_examples(
        "texts",
        (),
        (Example(e.id, "", (text,)) for corpus in corpora for e in corpus for text in e.segments),
    )


def fit_lm(
    lm: TrainableLM,
    texts: Corpus,
    recipe: Recipe,
    *,
    seed: int,
    label: str,
    checkpoints: Checkpoints | None = None,
) -> dict[str, float]:
    """Train `lm` in place on `texts` (one text an example); what is worth recording.

    That is `steps`, `examples`, `loss` (the mean of the last steps'), `learned` and `held_out` (sentences), and, where
    any are held out, `held_out_loss` (nats a masked piece) and `held_out_accuracy` (percent of the masked pieces that
    are guessed), each also as `…_before`. With `checkpoints` a training that was interrupted goes on to the same
    weights. DataError for no text at all, ModelError as `training.loop.fit`.
    """
    learned, held_out = split(texts, share=recipe.held_out, seed=seed)
    if len(learned) == 0:
        raise DataError("no text to learn from; give files with sentences in them")
    own = recipe.model_dump(include={"batch_size", "accumulation", "learning_rate", "evaluate_every"})
    settings = TrainingSettings(**own, **OPTIMISER)
    order = by_length(_sizes(learned), draws=recipe.draws(len(learned)), step=settings.step_size, seed=seed)
    facts = fit(
        lm.model,
        learned.take(order),
        settings,
        seed=derive(seed, "masks"),
        label=label,
        checkpoints=checkpoints,
        objective=Objective(lm.rows, lm.logits),
        choice=_choice(lm, held_out, label, seed),
    )
    del facts["cut"]  # texts are taken apart, not cut
    return {**facts, "learned": len(learned), "held_out": len(held_out)}


def split(texts: Corpus, *, share: float, seed: int, most: int = _MOST_HELD_OUT) -> tuple[Corpus, Corpus]:
    """The texts to learn from, and distinct texts held out: `share` of those there are, at least one, at most `most`.

    A text that is held out is not learned from however often it occurs. Of a single text, and with share 0, none is.
    """
    keys = np.empty(len(texts), dtype=np.int64)
    with progress.bar("choosing held-out text", len(texts)) as bar:
        for i, example in enumerate(texts):
            keys[i] = derive(seed, "held out", example.segments[0])
            bar.advance()
    distinct, first = np.unique(keys, return_index=True)
    count = 0 if share == 0 or len(distinct) < 2 else min(most, max(1, math.floor(share * len(distinct))))
    held = np.sort(first[:count])
    return texts.take(np.flatnonzero(~np.isin(keys, distinct[:count]))), texts.take(held)


def by_length(sizes: Ints, *, draws: int, step: int, seed: int) -> Ints:
    """(draws,) numbers of texts in the order they are learned: shuffled, each of the steps of texts of like size.

    All texts come once before any comes again; `step` is how many one step has.
    """
    rng = generator(seed, "order")
    epochs = math.ceil(draws / len(sizes))
    stream = np.concatenate([rng.permutation(len(sizes)) for _ in range(epochs)])[:draws]
    ordered = []
    for start in range(0, draws, _SORTED_STEPS * step):
        pool = stream[start : start + _SORTED_STEPS * step]
        pool = pool[np.argsort(sizes[pool], kind="stable")]
        whole = len(pool) // step * step
        ordered += [rng.permutation(pool[:whole].reshape(-1, step)).ravel(), pool[whole:]]
    return np.concatenate(ordered)


def _sizes(texts: Corpus) -> Ints:
    """(N,) bytes of each text: a guess at its number of pieces that needs no tokenizer."""
    flat = pc.list_flatten(texts.table.column("segments"))
    return np.asarray(pc.binary_length(flat).to_numpy(), dtype=np.int64)


def _choice(lm: TrainableLM, held_out: Corpus, label: str, seed: int) -> CheckpointChoice:
    with seeded(derive(seed, "held-out masks")):
        rows = lm.rows(held_out)
    return _HeldOut(lambda: lm.score(rows), label) if len(rows[1]) else CheckpointChoice()


class _HeldOut(CheckpointChoice):
    """Scores the held-out text, always with the same masks, before the training and at its checkpoints."""

    def __init__(self, score: Callable[[], tuple[float, float]], label: str) -> None:
        self.score, self.label = score, label
        self.facts: Facts = {}
        self.see(0)
        self.facts |= {f"{name}_before": value for name, value in self.facts.items()}

    def see(self, step: int) -> None:
        loss, accuracy = self.score()
        self.facts |= {"held_out_loss": loss, "held_out_accuracy": accuracy}
        progress.note(
            f"{self.label}, step {step}: held-out loss {loss:.3f}, {accuracy:.1f} % of the masked pieces right"
        )

    def finish(self) -> dict[str, float]:
        return dict(self.facts)

    def state(self) -> tuple[Weights, Facts]:
        return {}, dict(self.facts)

    def restore(self, weights: Weights, facts: Facts) -> None:
        self.facts = dict(facts)
