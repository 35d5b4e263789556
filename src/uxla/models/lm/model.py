"""A masked LM that is trained: text in pieces, some of them masked, and the logits of the masked ones alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from transformers import DataCollatorForLanguageModeling
from transformers.modeling_outputs import BaseModelOutput

from uxla.errors import ModelError
from uxla.models.batches import equal_length
from uxla.models.device import autocast, to_device
from uxla.models.loading import MaskedLanguageModel, load_tokenizer
from uxla.models.memory import Budget
from uxla.models.ragged import Ragged
from uxla.models.runtime import Runtime
from uxla.models.task_model import TaskModel
from uxla.models.tasks import Tagging
from uxla.models.training.objective import Labelled
from uxla.models.windows import Windows
from uxla.records import IGNORED, Corpus, Ints

_LOGITS = 2**28
"""Numbers in the logits of one forward pass (1 GB in float32), whatever the token budget."""


@dataclass(frozen=True)
class TrainableLM:
    """A masked LM in memory, ready to be trained and scored.

    `gathered`: the head sees the masked positions alone, not all pieces of a text times all of the vocabulary.
    """

    model: TaskModel
    collator: Any
    gathered: bool

    @classmethod
    def open(cls, folder: Path, runtime: Runtime, *, masked: float) -> TrainableLM:
        """The masked LM of a folder, of which the share `masked` of all pieces is masked.

        ModelError for one that has no masked-LM head, no mask token, or more pieces than embeddings.
        """
        model = TaskModel.open(Tagging(auto_class=MaskedLanguageModel), folder, folder, runtime)
        tokenizer = load_tokenizer(folder, safety=runtime.safety)
        vocabulary = model.module.config.vocab_size
        if tokenizer.mask_token is None:
            raise ModelError(f"{folder}: its tokenizer has no mask token; give a masked LM with its own tokenizer")
        whole = cls(model, DataCollatorForLanguageModeling(tokenizer, mlm_probability=masked), gathered=False)
        gathered = whole.gathers()
        tokens = _LOGITS // max(1, round(vocabulary * masked if gathered else vocabulary))
        budget = Budget(max(1, min(model.budget.tokens, tokens)))
        return replace(whole, model=replace(model, budget=budget), gathered=gathered)

    def gathers(self) -> bool:
        """Whether the head gives the same for positions that were gathered before it: tried on a few pieces."""
        module, tokenizer = self.model.module, self.model.tokenizer
        if module.base_model is module or not isinstance(module.get_output_embeddings(), nn.Linear):
            return False
        body = [i for i in range(module.config.vocab_size) if i not in tokenizer.special][:2]
        ids = [*tokenizer.prefix, *body, *tokenizer.suffix]
        places = Ragged.of([[len(ids) - 1], [0, 1]], np.int64)
        rows = Windows.of(Ragged.of([ids, ids[:-1]], np.int64), places)  # one padded
        module.eval()
        with torch.inference_mode():
            expected, found = self.logits(rows), replace(self, gathered=True).logits(rows)
        tolerance = (1e-3 if expected.dtype == torch.float32 else 0.25) * float(expected.float().std())
        return expected.shape == found.shape and torch.allclose(expected, found, rtol=1e-3, atol=tolerance)

    def texts(self, examples: Corpus) -> Ragged:
        """(W rows) the ids of texts in as many windows as their pieces take: none is lost, none stands in two."""
        tokenizer = self.model.tokenizer
        texts, room = tokenizer.texts(examples.texts), self.model.max_length - tokenizer.special_count
        counts = -(-texts.lengths // room)
        lengths = np.full(counts.sum(), room)
        lengths[(np.cumsum(counts) - 1)[counts > 0]] += (texts.lengths - counts * room)[counts > 0]
        return tokenizer.frame.around([Ragged(texts.values, lengths)])[0]

    def rows(self, examples: Corpus) -> Labelled:
        """The windows of texts with some pieces masked, drawn from torch's global generator, and what stood there.

        Of all pieces but special ones the collator's share is drawn: 80 % of them become the mask, 10 % any piece, 10 %
        stay (BERT, RoBERTa). A window of which nothing was drawn has nothing to learn from and is left out.
        """
        tokenizer, whole = self.model.tokenizer, self.texts(examples)
        inside = np.arange(whole.lengths.max(initial=0)) < whole.lengths[:, None]
        ids = torch.full(inside.shape, tokenizer.pad)
        ids[torch.from_numpy(inside)] = torch.from_numpy(whole.values.astype(np.int64))
        special = torch.isin(ids, torch.tensor(sorted({tokenizer.pad, *tokenizer.special})))
        inputs, labels = self.collator.torch_mask_tokens(ids, special_tokens_mask=special) if len(whole) else (ids, ids)
        drawn = (labels != IGNORED).numpy()
        positions = Ragged(np.nonzero(drawn)[1], drawn.sum(axis=1))
        windows = Windows.of(Ragged(inputs.numpy()[inside], whole.lengths), positions)
        return windows.take(np.flatnonzero(positions.lengths)), labels.numpy()[drawn]

    def logits(self, windows: Windows) -> Tensor:
        """(R, V) at all positions the windows name, window by window."""
        model, (row, at) = self.model, self.model.positions(windows)
        with autocast(model.device, model.precision), _gathering(model.module, row, at, self.gathered):
            logits: Tensor = model.module(**model.inputs(windows)).logits
        return logits[0] if self.gathered else logits[row, at]

    def score(self, rows: Labelled) -> tuple[float, float]:
        """The mean cross-entropy of the masked pieces in nats, and how many of them are guessed right in percent."""
        self.model.module.eval()
        with torch.inference_mode():
            loss, right = self.model.budget.fit(partial(self._sums, *rows), "held-out text")
        return loss / len(rows[1]), 100 * right / len(rows[1])

    def _sums(self, windows: Windows, pieces: Ints, tokens: int) -> tuple[float, float]:
        loss, right = torch.zeros((), dtype=torch.float64), 0
        for group in equal_length(windows.lengths, tokens):
            some = windows.take(group)
            logits = self.logits(some).float()
            gold = to_device(torch.from_numpy(pieces[some.rows]), self.model.device)
            loss += cross_entropy(logits, gold, reduction="sum").cpu()
            right += int((logits.argmax(-1) == gold).sum())
        return float(loss), right


@contextmanager
def _gathering(module: Any, row: Tensor, at: Tensor, gathered: bool) -> Iterator[None]:
    """Inside the block, if `gathered`, the encoder's result is the hidden states (1, R, H) of these positions."""

    def gather(_module: nn.Module, _inputs: object, outputs: Any) -> BaseModelOutput:
        return BaseModelOutput(last_hidden_state=outputs[0][row, at][None])

    hooks = [module.base_model.register_forward_hook(gather)] if gathered else []
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
