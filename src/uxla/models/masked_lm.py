"""The Gen-LM engine (§2.2): a masked language model that replaces units one after the other, many sentences at once."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from itertools import chain, groupby
from typing import Any

import numpy as np
import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer

from uxla.errors import ModelError
from uxla.models.batches import chunks, equal_length
from uxla.models.candidates import Candidates, Place, Vocabulary
from uxla.models.device import Precision, sent
from uxla.models.loading import local_folder, offline, pick_device, reason, usable_length, use_safetensors
from uxla.models.mask_head import MaskHead, mask_head
from uxla.models.memory import Budget
from uxla.models.pieces import Pieces
from uxla.models.rows import Request, Row, window
from uxla.models.trust import SAFE, Trust
from uxla.models.units import Cutter, Unit
from uxla.progress import bar

Query = tuple[tuple[int, ...], int, Place]
"""One forward's row: piece ids with the mask among them, where the mask is, and what may take its place."""
Choice = tuple[list[int], list[float]]
"""The top candidates of a query, best first, and their cumulative probabilities."""

_NUMBERS_A_BATCH = 2**25
"""Bounds the memory of what forwards result in (128 MB in float32), where that is logits of all candidates."""
_CPU_TOKENS = 2048
"""More pieces in a forward would be no faster on a CPU, but leave its caches."""
_POOL = 1024
"""Rows, of whatever length, whose candidates are compared together: the decoder's weights are read once for all."""
_TYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
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
    heads: dict[Place, MaskHead]
    room: int
    """The most pieces of a sentence in one row, special tokens not counted."""
    budget: Budget
    top: int
    device: torch.device

    @classmethod
    def load(
        cls,
        name_or_path: str,
        *,
        revision: str | None = None,
        trust: Trust = SAFE,
        device: str = "auto",
        max_length: int | None = None,
        budget: Budget | None = None,
        top: int = 1,
        unit: Unit = "word",
        precision: Precision = "fp32",
    ) -> MaskedLM:
        """The masked LM of a folder or of the Hub.

        `max_length`: pieces of a row with its special tokens (at most, and by default, what the model takes); longer
        sentences are masked inside windows. `budget`: pieces of one forward, by default 4096. `top`: S of §2.2, 1 is
        argmax. `unit`: what is masked as one. `precision`: of the weights and all that is computed; other than `fp32`
        is faster, its choices are approximate, and may differ a little between batch sizes. What cannot be loaded, has
        no masked-LM head or no fast tokenizer with a mask is a ModelError.
        """
        model, tokenizer = _load(name_or_path, revision, trust)
        model = model.eval().requires_grad_(False).to(pick_device(device), _TYPES[precision])
        pieces = Pieces.of(tokenizer, name_or_path)
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
        heads = {
            place: mask_head(model, torch.tensor(candidates.ids, device=model.device), probe, probe.index(mask))
            for place, candidates in vocabulary.candidates.items()
            if unit != "word" or place == "start"
        }
        return cls(Cutter(pieces, vocabulary, unit), mask, heads, room, budget or Budget(4096), top, model.device)

    @property
    def pieces(self) -> Pieces:
        """How the model's tokenizer reads words."""
        return self.cutter.pieces

    @property
    def candidates(self) -> dict[Place, Candidates]:
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
        with torch.inference_mode(), bar("masked words", masks) as running:
            for step in range(max((len(row.order) for row in rows), default=0)):
                for rows_done in self._advance(rows, step):
                    running.advance(rows_done)
        return [row.written() for row in rows]

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
        for place, group in groupby(
            sorted(queries, key=lambda query: (query[2], len(query[0]))), lambda query: query[2]
        ):
            yield from chunks(group, max(1, min(_POOL, _NUMBERS_A_BATCH // self.heads[place].floats_a_row(1))))

    def _choices(self, pool: Sequence[Query], tokens: int) -> list[Choice]:
        """The choices of a pool, its queries forwarded in batches of one length that hold at most `tokens` pieces."""
        head = self.heads[pool[0][2]]
        features = []
        for batch in self._batches(pool, tokens):
            ids = torch.from_numpy(np.array([ids for ids, _, _ in batch]))
            at = torch.from_numpy(np.array([position for _, position, _ in batch]))
            features.append(head(sent(ids, self.device), sent(at, self.device)))
        best, columns = head.best(torch.cat(features), self.top)
        cumulative = best.double().softmax(-1).cumsum(-1)
        return list(zip(columns.tolist(), cumulative.tolist(), strict=True))

    def _batches(self, pool: Sequence[Query], tokens: int) -> Iterator[list[Query]]:
        if self.device.type == "cpu":
            tokens = min(tokens, _CPU_TOKENS)
        floats = self.heads[pool[0][2]].floats_a_row
        for batch in equal_length(pool, lambda query: len(query[0]), tokens):
            yield from chunks(batch, max(1, _NUMBERS_A_BATCH // floats(len(batch[0][0]))))

    def _replace(self, row: Row, step: int, choice: Choice) -> None:
        columns, cumulative = choice
        rank = bisect_right(cumulative, uniform(row.request.seed, step)) if self.top > 1 else 0
        column = columns[min(rank, len(columns) - 1)]  # the last sum may fall short of 1 by a rounding
        unit = row.order[step]
        candidates = self.candidates[row.cells[unit].place]
        row.ids[unit] = (candidates.ids[column],)
        row.chosen.append(candidates.surfaces[column])


def uniform(seed: int, step: int) -> float:
    """A number in [0, 1) that depends on the sample's seed and the replacement's number alone."""
    return int.from_bytes(blake2b(f"{seed}:{step}".encode(), digest_size=6).digest(), "big") / 2**48


def _load(name: str, revision: str | None, trust: Trust) -> tuple[Any, Any]:
    try:
        folder = local_folder(name, revision=revision, trust=trust)
        safe = use_safetensors(folder, trust)
        model, info = AutoModelForMaskedLM.from_pretrained(
            str(folder), dtype=torch.float32, use_safetensors=safe, output_loading_info=True, **offline(trust)
        )
        tokenizer = AutoTokenizer.from_pretrained(str(folder), **offline(trust))
    except Exception as error:  # whatever foreign files, and code where that is trusted, can raise
        why = str(error).removeprefix(f"{name}: ") if isinstance(error, ModelError) else reason(error)
        raise ModelError(f"{name}: cannot be loaded as a masked LM ({why}); {_REMEDY}") from error
    missing = sorted(info["missing_keys"])
    if missing:
        raise ModelError(f"{name}: has no masked-LM head ({missing[0]} is not among its weights); {_REMEDY}")
    return model, tokenizer
