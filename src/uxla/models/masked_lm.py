"""The Gen-LM engine (§2.2): a masked language model that replaces units one after the other, many sentences at once."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from itertools import chain
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import AutoModelForMaskedLM, AutoTokenizer

from uxla.errors import ModelError
from uxla.models.batches import chunks
from uxla.models.candidates import Candidates, Place, Vocabulary
from uxla.models.loading import pick_device, usable_length
from uxla.models.mask_head import MaskHead, mask_head
from uxla.models.memory import Budget
from uxla.models.pieces import Pieces
from uxla.models.rows import Request, Row, window
from uxla.models.units import Cutter, Unit
from uxla.progress import bar

Query = tuple[tuple[int, ...], int, Place]
"""One forward's row: piece ids with the mask among them, where the mask is, and what may take its place."""
Choice = tuple[list[int], list[float]]
"""The top candidates of a query, best first, and their cumulative probabilities."""

_LOGITS_A_BATCH = 2**25
"""Bounds the memory of logits (128 MB in float32), which grows with the candidates and not with the pieces."""
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
        device: str = "auto",
        max_length: int | None = None,
        budget: Budget | None = None,
        top: int = 1,
        unit: Unit = "word",
    ) -> MaskedLM:
        """The masked LM of a folder or of the Hub, in float32.

        `max_length`: pieces of a row with its special tokens (at most, and by default, what the model takes); longer
        sentences are masked inside windows. `budget`: pieces of one forward, by default 4096. `top`: S of §2.2, 1 is
        argmax. `unit`: what is masked as one. What cannot be loaded, has no masked-LM head or no fast tokenizer with a
        mask is a ModelError.
        """
        model, tokenizer = _load(name_or_path, revision)
        model = model.eval().requires_grad_(False).to(pick_device(device))
        pieces = Pieces.of(tokenizer, name_or_path)
        mask = pieces.mask
        if mask is None:
            raise ModelError(f"{name_or_path}: its tokenizer has no mask token; {_REMEDY}")
        vocabulary = Vocabulary.of(pieces, model.config.vocab_size)
        room = min(max_length or usable_length(model), usable_length(model)) - len(pieces.prefix) - len(pieces.suffix)
        if room < 1 or "start" not in vocabulary.candidates:
            lacks = f"no room for a word in max_length {max_length}" if room < 1 else "no piece that is a word"
            raise ModelError(f"{name_or_path}: {lacks}; {_REMEDY}")
        probe = [*pieces.prefix, mask, *pieces.suffix]
        heads = {
            place: mask_head(model, torch.tensor(candidates.ids, device=model.device), probe)
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
        for batch in self._batches(list(waiting)):
            choices = self.budget.fit(partial(self._within, batch), "masked words")
            for query, choice in zip(batch, choices, strict=True):
                for row in waiting[query]:
                    self._replace(row, step, choice)
            yield sum(len(waiting[query]) for query in batch)

    def _query(self, row: Row, unit: int) -> Query:
        """The row with `unit` as one mask; of a sentence too long, the cells around it that fit."""
        row.ids[unit] = (self.mask,)
        first, last = 0, len(row.ids)
        if sum(map(len, row.ids)) > self.room:
            first, last = window([len(ids) for ids in row.ids], unit, self.room)
        before = len(self.pieces.prefix) + sum(map(len, row.ids[first:unit]))
        ids = (*self.pieces.prefix, *chain(*row.ids[first:last]), *self.pieces.suffix)
        return ids, before, row.cells[unit].place

    def _batches(self, queries: Sequence[Query]) -> Iterator[list[Query]]:
        """Queries of one length and place together, under the budgets of pieces and of logits."""
        alike: defaultdict[tuple[int, Place], list[Query]] = defaultdict(list)
        for query in queries:
            alike[len(query[0]), query[2]].append(query)
        for (length, place), group in sorted(alike.items()):
            size = min(self.budget.tokens // length, _LOGITS_A_BATCH // self.heads[place].floats_a_row(length))
            yield from chunks(group, max(1, size))

    def _within(self, batch: Sequence[Query], tokens: int) -> list[Choice]:
        """The choices of a batch, in as many forwards as a budget that was halved meanwhile asks for."""
        size = max(1, tokens // len(batch[0][0]))
        return [choice for some in chunks(batch, size) for choice in self._choices(some)]

    def _choices(self, batch: Sequence[Query]) -> list[Choice]:
        ids = torch.tensor([ids for ids, _, _ in batch]).to(self.device)
        at = torch.tensor([position for _, position, _ in batch]).to(self.device)
        logits = self.heads[batch[0][2]](ids, at)
        if self.top == 1:
            return [([column], [1.0]) for column in logits.argmax(-1).tolist()]
        best, columns = logits.topk(min(self.top, logits.shape[-1]))
        cumulative = best.double().softmax(-1).cumsum(-1)
        return list(zip(columns.tolist(), cumulative.tolist(), strict=True))

    def _replace(self, row: Row, step: int, choice: Choice) -> None:
        columns, cumulative = choice
        rank = bisect_right(cumulative, uniform(row.request.seed, step))
        column = columns[min(rank, len(columns) - 1)]  # the last sum may fall short of 1 by a rounding
        unit = row.order[step]
        candidates = self.candidates[row.cells[unit].place]
        row.ids[unit] = (candidates.ids[column],)
        row.chosen.append(candidates.surfaces[column])


def uniform(seed: int, step: int) -> float:
    """A number in [0, 1) that depends on the sample's seed and the replacement's number alone."""
    return int.from_bytes(blake2b(f"{seed}:{step}".encode(), digest_size=6).digest(), "big") / 2**48


def _load(name: str, revision: str | None) -> tuple[Any, Any]:
    try:
        model, info = AutoModelForMaskedLM.from_pretrained(
            name, dtype=torch.float32, use_safetensors=True, output_loading_info=True, revision=revision
        )
        tokenizer = AutoTokenizer.from_pretrained(name, revision=revision)
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ModelError(f"{name}: cannot be loaded as a masked LM ({reason}); {_REMEDY}") from error
    missing = sorted(info["missing_keys"])
    if missing:
        raise ModelError(f"{name}: has no masked-LM head ({missing[0]} is not among its weights); {_REMEDY}")
    return model, tokenizer
