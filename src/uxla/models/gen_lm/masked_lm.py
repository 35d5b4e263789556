"""The Gen-LM engine (§2.2): a masked language model that replaces units one after the other, many sentences at once."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from hashlib import blake2b
from itertools import chain, groupby
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer

from uxla.errors import ModelError
from uxla.models.compiled import compile_layers
from uxla.models.device import Attention, Precision, attention_values, check_precision, tensor_float32
from uxla.models.gen_lm.batches import Masked, features, pools
from uxla.models.gen_lm.candidates import Candidates, Slot, Vocabulary
from uxla.models.gen_lm.fluency import Fluency
from uxla.models.gen_lm.mask_heads import MaskHead, mask_head
from uxla.models.gen_lm.requests import Request, Row, window
from uxla.models.gen_lm.units import Cutter, Unit
from uxla.models.loading import (
    INFORMED,
    check_weights,
    local_folder,
    offline,
    pick_device,
    reason,
    usable_length,
    use_safetensors,
)
from uxla.models.memory import Budget, memory_errors
from uxla.models.model_safety import SAFE, ModelSafety
from uxla.models.word_tokenizer import WordTokenizer
from uxla.progress import bar

Query = Masked[Slot]
"""One forward's row, and what may take the mask's place."""
Choice = tuple[list[int], list[float]]
"""The top candidates of a query, best first, and their cumulative probabilities."""

_TYPES = {"fp32": torch.float32, "tf32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
_REMEDY = (
    "give a masked LM with safetensors weights as vicinity.model=: a folder, or a Hub name such as "
    "FacebookAI/xlm-roberta-base"
)


@dataclass(frozen=True, eq=False, repr=False)
class MaskedLM:
    """A frozen masked LM as the vicinity model: a `MaskFiller`.

    A unit (see `Cutter`) becomes one mask, and one piece of the same place takes its place (see `Vocabulary`). Each
    prediction sees the replacements before it. No row is ever padded, so a sample depends on its request alone.
    """

    cutter: Cutter
    mask: int
    heads: dict[Slot, MaskHead]
    open_head: Callable[[], MaskHead]
    """Makes the head whose candidates are all pieces: fluency alone needs it."""
    room: int
    """The most pieces of a sentence in one row, special tokens not counted."""
    budget: Budget
    top: int
    device: torch.device
    precision: Precision = "fp32"

    @classmethod
    def load(
        cls,
        name_or_path: str,
        *,
        revision: str | None = None,
        safety: ModelSafety = SAFE,
        device: str = "auto",
        max_length: int | None = None,
        budget: Budget | None = None,
        top: int = 1,
        unit: Unit = "word",
        precision: Precision = "fp32",
        attention: Attention = "auto",
        compile: bool = False,
    ) -> MaskedLM:
        """The masked LM of a folder or of the Hub.

        `max_length`: pieces of a row with its special tokens (at most, and by default, what the model takes); longer
        sentences are masked inside windows. `budget`: pieces of one forward, by default 4096. `top`: S of §2.2, 1 is
        argmax. `unit`: what is masked as one. `precision`: of the weights and all that is computed; other than `fp32`
        is faster, its choices are approximate, and may differ a little between batch sizes. `attention`, `compile`:
        see `Runtime`; they change rounding only. What cannot be loaded, has no masked-LM head or no fast tokenizer
        with a mask is a ModelError.
        """
        where = pick_device(device)
        check_precision(where, precision)
        model, tokenizer = _load(name_or_path, revision, safety, attention_values(attention, where, precision))
        with memory_errors(f"{name_or_path} on {where.type}"):
            model = model.eval().requires_grad_(False).to(where, _TYPES[precision])
        pieces = WordTokenizer.of(tokenizer, name_or_path)
        pieces.check_fit(model, name_or_path)
        mask = pieces.mask
        if mask is None:
            raise ModelError(f"{name_or_path}: its tokenizer has no mask token; {_REMEDY}")
        vocabulary = Vocabulary.of(pieces, model.config.vocab_size)
        room = min(max_length or usable_length(model), usable_length(model)) - len(pieces.prefix) - len(pieces.suffix)
        if room < 1 or "start" not in vocabulary.candidates:
            lacks = f"no room for a word in max_length {max_length}" if room < 1 else "no piece that is a word"
            raise ModelError(f"{name_or_path}: {lacks}; {_REMEDY}")
        body = vocabulary.candidates["start"].ids[: min(8, room - 1)]
        probe = [*pieces.prefix, *body[:3], mask, *body[3:], *pieces.suffix]
        head = partial(mask_head, model, probe=probe, at=probe.index(mask))
        with memory_errors(f"{name_or_path} on {where.type}"):
            heads = {
                place: head(candidates=torch.tensor(candidates.ids, device=model.device))
                for place, candidates in vocabulary.candidates.items()
                if unit != "word" or place == "start"
            }
        open_head = cache(lambda: head(candidates=torch.arange(model.config.vocab_size, device=model.device)))
        if compile:  # behind the probes, which are of one row: a variant that nothing else needs
            compile_layers(model)
        cutter = Cutter(pieces, vocabulary, unit)
        return cls(cutter, mask, heads, open_head, room, budget or Budget(4096), top, model.device, precision)

    @property
    def pieces(self) -> WordTokenizer:
        """How the model's tokenizer reads words."""
        return self.cutter.pieces

    @property
    def candidates(self) -> dict[Slot, Candidates]:
        """What may stand at each place."""
        return self.cutter.vocabulary.candidates

    def units(self, texts: Sequence[str]) -> list[list[tuple[int, int]]]:
        """The character spans of each text's units, left to right: none of them holds or touches white space."""
        return [
            [(cell.start, cell.stop) for cell in cells if cell.start < cell.stop] for cells in self.cutter.cut(texts)
        ]

    def fill(self, requests: Sequence[Request]) -> list[str]:
        """The text of each request with the units at its spans replaced; every other character is as it was."""
        rows = self._rows(requests)
        masks = sum(len(row.order) for row in rows)
        with torch.inference_mode(), tensor_float32(self.precision), bar("masked words", masks) as running:
            for step in range(max((len(row.order) for row in rows), default=0)):
                for rows_done in self._advance(rows, step):
                    running.advance(rows_done)
        return [row.written() for row in rows]

    def log_likelihood(self, texts: Sequence[str | Sequence[str]]) -> npt.NDArray[np.float64]:
        """(N,) mean log probability, in nats, of a text's pieces when each of them alone is masked: its fluency.

        Pseudo log likelihood (Salazar et al. 2020) by piece, among the whole vocabulary; special tokens have none. Of
        several texts given as one (a pair), the mean over all their pieces, each seen within its own text; of a text
        without pieces 0, the logarithm of an empty product. Sentences longer than a row are scored inside windows. One
        forward a piece: what is told is pieces. Equal but for rounding whatever else is scored with a text.
        """
        with tensor_float32(self.precision):
            return Fluency(self.open_head(), self.pieces, self.mask, self.room, self.budget)(texts)

    def _rows(self, requests: Sequence[Request]) -> list[Row]:
        """One row a request. Every distinct text is cut once, and nothing is tokenized again later."""
        texts = list(dict.fromkeys(request.text for request in requests))
        cells = dict(zip(texts, self.cutter.cut(texts), strict=True))
        number = {text: {cell[:2]: n for n, cell in enumerate(cut)} for text, cut in cells.items()}
        return [
            Row(
                request,
                cells[request.text],
                [number[request.text][span] for span in request.spans],
                [cell.ids for cell in cells[request.text]],
            )
            for request in requests
        ]

    def _advance(self, rows: Sequence[Row], step: int) -> Iterator[int]:
        """Make replacement number `step` in all rows that have one, equal rows by one forward.

        Yields how many rows each forward served.
        """
        waiting: defaultdict[Query, list[Row]] = defaultdict(list)
        for row in rows:
            if step < len(row.order):
                waiting[self._query(row, row.order[step])].append(row)
        for pool in self._pools(waiting):
            choices = self.budget.fit(partial(self._choices, pool), "masked words")
            for query, choice in zip(pool, choices, strict=True):
                for row in waiting[query]:
                    self._replace(row, step, choice)
            yield sum(len(waiting[query]) for query in pool)

    def _query(self, row: Row, unit: int) -> Query:
        """The row with `unit` as one mask; of a sentence too long, the cells around it that fit."""
        row.ids[unit] = (self.mask,)
        first, last = 0, len(row.ids)
        if sum(map(len, row.ids)) > self.room:
            first, last = window([len(ids) for ids in row.ids], unit, self.room)
        before = len(self.pieces.prefix) + sum(map(len, row.ids[first:unit]))
        ids = (*self.pieces.prefix, *chain(*row.ids[first:last]), *self.pieces.suffix)
        return ids, before, row.cells[unit].place

    def _pools(self, queries: Iterable[Query]) -> Iterator[list[Query]]:
        """Queries of one place together, those of one length side by side."""
        for place, group in groupby(sorted(queries, key=_place), _place):
            yield from pools(group, self.heads[place])

    def _choices(self, pool: Sequence[Query], tokens: int) -> list[Choice]:
        """The choices of a pool, its queries forwarded in batches of one length that hold at most `tokens` pieces."""
        head = self.heads[_place(pool[0])]
        best, columns = head.best(features(head, pool, tokens), self.top)
        cumulative = best.double().softmax(-1).cumsum(-1)
        return list(zip(columns.tolist(), cumulative.tolist(), strict=True))

    def _replace(self, row: Row, step: int, choice: Choice) -> None:
        columns, cumulative = choice
        rank = bisect_right(cumulative, uniform(row.request.seed, step)) if self.top > 1 else 0
        column = columns[min(rank, len(columns) - 1)]  # the last sum may fall short of 1 by a rounding
        unit = row.order[step]
        candidates = self.candidates[row.cells[unit].place]
        row.ids[unit] = (candidates.ids[column],)
        row.chosen.append(candidates.surfaces[column])


def _place(query: Query) -> Slot:
    return query[2]


def uniform(seed: int, step: int) -> float:
    """A number in [0, 1) that depends on the sample's seed and the replacement's number alone."""
    return int.from_bytes(blake2b(f"{seed}:{step}".encode(), digest_size=6).digest(), "big") / 2**48


def _load(name: str, revision: str | None, safety: ModelSafety, values: Mapping[str, str]) -> tuple[Any, Any]:
    try:
        folder = local_folder(name, revision=revision, safety=safety)
        safe = use_safetensors(folder, safety)
        model, info = AutoModelForMaskedLM.from_pretrained(
            str(folder), dtype=torch.float32, use_safetensors=safe, **values, **offline(safety), **INFORMED
        )
        tokenizer = AutoTokenizer.from_pretrained(str(folder), **offline(safety))
    except Exception as error:  # whatever foreign files, and code where that is trusted, can raise
        why = str(error).removeprefix(f"{name}: ") if isinstance(error, ModelError) else reason(error)
        raise ModelError(f"{name}: cannot be loaded as a masked LM ({why}); {_REMEDY}") from error
    missing = sorted(info["missing_keys"])
    if missing:
        raise ModelError(f"{name}: has no masked-LM head ({missing[0]} is not among its weights); {_REMEDY}")
    check_weights(name, model, info)
    return model, tokenizer
