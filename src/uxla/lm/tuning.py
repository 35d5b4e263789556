"""Training masked LMs through the store: tuning one on the task's sentences (Table 7), or making a new one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from transformers import AutoTokenizer

from uxla.config.compute import LMSource
from uxla.data.corpus import DataSource
from uxla.lm.folder import HUB_ID, OutputFolder, card, read_texts, summary, table
from uxla.markup import code_span
from uxla.models.hub import resolve
from uxla.models.lm.model import TrainableLM
from uxla.models.lm.new_model import write_new_model
from uxla.models.lm.settings import LMShape, Recipe
from uxla.models.lm.training import fit_lm, texts_of
from uxla.models.loading import usable_length
from uxla.models.model_safety import offline
from uxla.models.runtime import Runtime
from uxla.models.training.checkpoint import Checkpoints
from uxla.records import Corpus, ModelHandle
from uxla.save_tokenizer import save_tokenizer
from uxla.seeds import derive
from uxla.store.artifacts import Facts
from uxla.store.store import Store

_CHECKPOINT_EVERY = 500


def tuned(
    backbone: ModelHandle,
    corpora: Sequence[Corpus],
    recipe: Recipe,
    runtime: Runtime,
    store: Store,
    seed: int,
    *,
    checkpoint_every: int = _CHECKPOINT_EVERY,
) -> ModelHandle:
    """The masked LM `backbone` tuned on the sentences of `corpora` (Table 7), with its tokenizer: a backbone itself.

    Labels are not looked at. What was done before with equal sentences, recipe and seed is found in the store.
    """
    texts = texts_of(corpora)
    folder, facts = trained(backbone, texts, recipe, runtime, store, seed, checkpoint_every=checkpoint_every)
    return ModelHandle(folder, str(facts["model"]))


def trained(
    model: ModelHandle,
    texts: Corpus,
    recipe: Recipe,
    runtime: Runtime,
    store: Store,
    seed: int,
    *,
    checkpoint_every: int = _CHECKPOINT_EVERY,
) -> tuple[Path, Facts]:
    """The folder of `model` trained on `texts`, one text an example, and what `fit_lm` told; `model` is its digest."""
    inputs = training_inputs(model, texts, recipe, runtime, seed)
    make = partial(_train, model, texts, recipe, runtime, seed, checkpoint_every)
    return store.folder("mlm", inputs, make)


def training_inputs(model: ModelHandle, texts: Corpus, recipe: Recipe, runtime: Runtime, seed: int) -> dict[str, Any]:
    """All that decides what a training comes to."""
    inputs = {"model": model.digest, "texts": texts.digest, "recipe": recipe.model_dump(), "seed": seed}
    return inputs | runtime.inputs


def new_model(texts: Corpus, shape: LMShape, store: Store, seed: int) -> ModelHandle:
    """An untrained masked LM of this shape with a vocabulary made from `texts`."""

    def make(into: Path, scratch: Path) -> Facts:
        write_new_model(into, texts, shape, seed=derive(seed, "blank"))
        return {"model": resolve(str(into)).digest}

    folder, facts = store.folder("mlm", {"blank": shape.model_dump(), "texts": texts.digest, "seed": seed}, make)
    return ModelHandle(folder, str(facts["model"]))


@dataclass(frozen=True)
class LMTraining:
    """A training on files from which a model goes into the folder `out`."""

    out: Path
    recipe: Recipe
    runtime: Runtime
    store: Store
    seed: int
    checkpoint_every: int = _CHECKPOINT_EVERY

    def tune(self, sources: Sequence[DataSource], lm: LMSource) -> str:
        """Go on training the masked LM; the figures as a table, and a sentence on what was learned from."""
        base = lm.model if HUB_ID.fullmatch(lm.model) and not Path(lm.model).is_dir() else None
        begin = f"It went on from {code_span(base or Path(lm.model).name)}"
        model = resolve(lm.name, revision=lm.revision, safety=lm.safety)
        return self._run(sources, lambda texts: model, begin, base)

    def pretrain(self, sources: Sequence[DataSource], shape: LMShape) -> str:
        """Make a model of this shape from the text alone; the value is as that of `tune`."""
        begin = f"It learned from this text alone ({shape.layers} layers of {shape.hidden}, {shape.heads} heads)"
        return self._run(sources, lambda texts: new_model(texts, shape, self.store, self.seed), begin, None)

    def _run(
        self, sources: Sequence[DataSource], start: Callable[[Corpus], ModelHandle], begin: str, base: str | None
    ) -> str:
        folder = OutputFolder(self.out)
        with folder.alone():
            read = read_texts(sources)
            model = start(read.texts)
            inputs = training_inputs(model, read.texts, self.recipe, self.runtime, self.seed)
            facts = folder.check(inputs, fresh=self.store.fresh)
            if facts is None:
                made, facts = trained(
                    model,
                    read.texts,
                    self.recipe,
                    self.runtime,
                    self.store,
                    self.seed,
                    checkpoint_every=self.checkpoint_every,
                )
                folder.write(made, inputs, facts, card(begin, base, read, inputs, facts))
        return f"{table(facts)}\n{summary(facts)}"


def _train(
    model: ModelHandle,
    texts: Corpus,
    recipe: Recipe,
    runtime: Runtime,
    seed: int,
    checkpoint_every: int,
    into: Path,
    scratch: Path,
) -> Mapping[str, Any]:
    lm = TrainableLM.open(model.path, runtime, masked=recipe.masked)
    checkpoints = Checkpoints(scratch, checkpoint_every)
    facts = fit_lm(lm, texts, recipe, seed=seed, label="training of the masked LM", checkpoints=checkpoints)
    lm.model.module.save_pretrained(into)
    tokenizer = AutoTokenizer.from_pretrained(str(model.path), **offline(runtime.safety))
    save_tokenizer(tokenizer, into, length=usable_length(lm.model.module))
    return {**facts, "model": resolve(str(into), safety=runtime.safety).digest}
