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
from uxla.hub_id import is_hub_id
from uxla.lm.folder import OutputFolder, card, read_texts, summary, table
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


@dataclass(frozen=True)
class LMTraining:
    """How masked LMs are trained. A training that was done before, with equal text, is found in the store."""

    recipe: Recipe
    runtime: Runtime
    store: Store
    seed: int
    checkpoint_minutes: float = 10.0

    def tuned(self, backbone: ModelHandle, corpora: Sequence[Corpus]) -> ModelHandle:
        """`backbone` trained on the sentences of `corpora` (Table 7), with its tokenizer: a backbone itself.

        Labels are not read.
        """
        folder, facts = self.trained(backbone, texts_of(corpora))
        return ModelHandle(folder, str(facts["model"]))

    def trained(self, model: ModelHandle, texts: Corpus) -> tuple[Path, Facts]:
        """The folder of `model` trained on `texts`, one text an example, and what `fit_lm` gives; `model` is its
        digest."""
        return self.store.folder("mlm", self.inputs(model, texts), partial(self._train, model, texts))

    def inputs(self, model: ModelHandle, texts: Corpus) -> dict[str, Any]:
        """Everything the result of a training depends on."""
        inputs = {"model": model.digest, "texts": texts.digest, "recipe": self.recipe.model_dump(), "seed": self.seed}
        return inputs | self.runtime.inputs

    def tune(self, sources: Sequence[DataSource], lm: LMSource, out: Path) -> str:
        """Train the masked LM on files, into the folder `out`; a table of figures, and a sentence about the text."""
        base = lm.model if is_hub_id(lm.model) else None
        begin = f"It was trained further from {code_span(base or Path(lm.model).name)}"
        model = resolve(lm.name, revision=lm.revision, safety=lm.safety)
        return self._write(sources, lambda texts: model, begin, base, OutputFolder(out))

    def pretrain(self, sources: Sequence[DataSource], shape: LMShape, out: Path) -> str:
        """Make a model of this shape from the text of files alone; the value is as that of `tune`."""
        begin = f"It learned from this text alone ({shape.layers} layers of {shape.hidden}, {shape.heads} heads)"
        return self._write(sources, partial(self._new_model, shape), begin, None, OutputFolder(out))

    def _write(
        self,
        sources: Sequence[DataSource],
        start: Callable[[Corpus], ModelHandle],
        begin: str,
        base: str | None,
        folder: OutputFolder,
    ) -> str:
        with folder.alone():
            read = read_texts(sources)
            model = start(read.texts)
            inputs = self.inputs(model, read.texts)
            facts = folder.check(inputs, fresh=self.store.fresh)
            if facts is None:
                made, facts = self.trained(model, read.texts)
                folder.write(made, inputs, facts, card(begin, base, read, inputs, facts))
        return f"{table(facts)}\n{summary(facts)}"

    def _new_model(self, shape: LMShape, texts: Corpus) -> ModelHandle:
        """An untrained masked LM of this shape with a vocabulary made from `texts`."""

        def make(into: Path, scratch: Path) -> Facts:
            write_new_model(into, texts, shape, seed=derive(self.seed, "blank"))
            return {"model": resolve(str(into)).digest}

        inputs = {"blank": shape.model_dump(), "texts": texts.digest, "seed": self.seed}
        folder, facts = self.store.folder("mlm", inputs, make)
        return ModelHandle(folder, str(facts["model"]))

    def _train(self, model: ModelHandle, texts: Corpus, into: Path, scratch: Path) -> Mapping[str, Any]:
        lm = TrainableLM.open(model.path, self.runtime, masked=self.recipe.masked)
        checkpoints = Checkpoints(scratch, self.checkpoint_minutes)
        label = "training of the masked LM"
        facts = fit_lm(lm, texts, self.recipe, seed=self.seed, label=label, checkpoints=checkpoints)
        lm.model.module.save_pretrained(into, save_original_format=False)  # with the names that transformers knows
        tokenizer = AutoTokenizer.from_pretrained(str(model.path), **offline(self.runtime.safety))
        save_tokenizer(tokenizer, into, length=usable_length(lm.model.module))
        return {**facts, "model": resolve(str(into), safety=self.runtime.safety).digest}
