"""How likely a masked LM finds texts (App. C, fluency): the pseudo log likelihood of Salazar et al. (2020)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from uxla.models.batches import chunks
from uxla.models.device import to_device
from uxla.models.gen_lm.batches import MaskedRow, decoder_batches, features, fitting
from uxla.models.gen_lm.mask_heads import MaskHead
from uxla.models.gen_lm.units import word_spans
from uxla.models.memory import Budget
from uxla.models.word_tokenizer import WordTokenizer
from uxla.progress import bar

_TEXTS_TOGETHER = 2048
"""Texts whose rows are scored together: a row for each of their pieces."""
_IDS = 2**25
"""Piece ids in the rows that are in memory at a time (268 MB): of 2,048 texts all up to 128 pieces each."""


@dataclass(frozen=True, eq=False)
class Fluency:
    """A masked LM asked for the pieces that are there; `head` has the whole vocabulary as its candidates."""

    head: MaskHead
    tokenizer: WordTokenizer
    mask: int
    room: int
    """The most pieces of a text in one row, special tokens not counted."""
    budget: Budget

    def __call__(self, texts: Sequence[str | Sequence[str]]) -> npt.NDArray[np.float64]:
        """See `MaskedLM.log_likelihood`."""
        examples = [(text,) if isinstance(text, str) else tuple(text) for text in texts]
        ids = {text: self._ids(text) for text in chain(*examples)}
        sums = dict(zip(ids, self._sums(list(ids.values())), strict=True))
        counts = np.array([sum(len(ids[text]) for text in example) for example in examples])
        totals = np.array([sum(sums[text] for text in example) for example in examples], dtype=np.float64)
        means: npt.NDArray[np.float64] = totals / np.maximum(counts, 1)
        return means

    def _ids(self, text: str) -> tuple[int, ...]:
        """The pieces as Gen-LM reads them, word by word."""
        return tuple(chain(*self.tokenizer.encode_words([text[start:stop] for start, stop in word_spans(text)])))

    def _sums(self, texts: Sequence[tuple[int, ...]]) -> Iterator[float]:
        """The sum over each text's pieces of the log probability of the piece."""
        with bar("scoring fluency, piece by piece", sum(map(len, texts))) as running:
            for some in chunks(texts, _TEXTS_TOGETHER):
                ends = np.cumsum([len(ids) for ids in some])
                rows = chain.from_iterable(map(self._rows, some))
                values = np.concatenate([self._scores(portion, running.advance) for portion in portions(rows)])
                yield from (float(part.sum()) for part in np.split(values, ends[:-1]))

    def _rows(self, ids: tuple[int, ...]) -> Iterator[MaskedRow[int]]:
        """A row for each piece, masked; of a text too long, the pieces around it that fit."""
        ones, before = [1] * len(ids), len(self.tokenizer.prefix)
        for i, piece in enumerate(ids):
            first, last = (0, len(ids)) if len(ids) <= self.room else fitting(ones, i, self.room)
            masked = (*ids[first:i], self.mask, *ids[i + 1 : last])
            yield MaskedRow((*self.tokenizer.prefix, *masked, *self.tokenizer.suffix), before + i - first, piece)

    def _scores(self, rows: Sequence[MaskedRow[int]], advance: Callable[[int], Any]) -> npt.NDArray[np.float64]:
        """The log probability of each row's piece, in the rows' order, whatever shares a forward pass."""
        values = np.empty(len(rows))
        numbered = [MaskedRow(row.ids, row.at, number) for number, row in enumerate(rows)]
        with torch.inference_mode():
            for batch in decoder_batches(numbered, self.head):
                numbers = [row.asked for row in batch]
                pieces = [rows[number].asked for number in numbers]
                found = self.budget.fit(partial(self._log_probs, batch, pieces), "scoring fluency")
                values[numbers] = found.cpu().numpy()
                advance(len(batch))
        return values

    def _log_probs(self, batch: Sequence[MaskedRow[int]], pieces: list[int], tokens: int) -> torch.Tensor:
        asked = to_device(torch.tensor(pieces), self.head.candidates.device)
        return self.head.log_probs(features(self.head, batch, tokens), asked)


def portions(rows: Iterable[MaskedRow[int]], most: int = _IDS) -> Iterator[list[MaskedRow[int]]]:
    """The rows in lists of at most `most` piece ids (or one row); of no rows one empty list."""
    portion: list[MaskedRow[int]] = []
    held = 0
    for row in rows:
        if portion and held + len(row.ids) > most:
            yield portion
            portion, held = [], 0
        portion.append(row)
        held += len(row.ids)
    yield portion
