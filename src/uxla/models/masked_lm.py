"""The Gen-LM engine (§2.2): a masked language model that replaces words one after the other, many sentences at once."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import chain
from typing import Any, Protocol

import torch
from safetensors import SafetensorError
from transformers import AutoModelForMaskedLM, AutoTokenizer

from uxla.errors import ModelError
from uxla.models.loading import pick_device, usable_length
from uxla.models.mask_head import MaskHead, mask_head
from uxla.models.pieces import Pieces, word_spans
from uxla.progress import bar

Query = tuple[tuple[int, ...], int]
"""One forward's row: piece ids with the mask among them, and where the mask is."""
Choice = tuple[list[int], list[float]]
"""The top candidates of a query, best first, and their cumulative probabilities."""

_LOGITS_A_BATCH = 2**25
"""Bounds the memory of logits (128 MB in float32), which grows with the candidates and not with the pieces."""
_REMEDY = "give a masked LM with safetensors weights: a folder, or a Hub name such as FacebookAI/xlm-roberta-base"


class Request(Protocol):
    """What to replace: `algorithm.vicinity.MaskRequest`, by its shape."""

    @property
    def text(self) -> str:
        """The sentence."""

    @property
    def spans(self) -> tuple[tuple[int, int], ...]:
        """The words to replace, as character spans, in draw order."""

    @property
    def seed(self) -> int:
        """Decides which of the top S is taken."""


@dataclass(frozen=True, eq=False)
class MaskedLM:
    """A frozen masked LM as the vicinity model, unit `word`: a `MaskFiller`.

    The whole word becomes one mask, and one piece that starts a word takes its place (see `Pieces`). Each prediction
    sees the replacements before it. No row is ever padded, so a sample depends on its request alone.
    """

    pieces: Pieces
    mask: int
    head: MaskHead
    candidate_ids: tuple[int, ...]
    surfaces: tuple[str, ...]
    room: int
    """The most pieces of a sentence in one row, special tokens not counted."""
    tokens_per_batch: int
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
        tokens_per_batch: int = 4096,
        top: int = 1,
    ) -> MaskedLM:
        """The masked LM of a folder or of the Hub, in float32.

        `max_length`: pieces of a row with its special tokens (at most, and by default, what the model takes); longer
        sentences are masked inside windows. `tokens_per_batch`: pieces of one forward. `top`: S of §2.2, 1 is argmax.
        What cannot be loaded, has no masked-LM head or no fast tokenizer with a mask is a ModelError.
        """
        model, tokenizer = _load(name_or_path, revision)
        model = model.eval().requires_grad_(False).to(pick_device(device))
        pieces = Pieces.of(tokenizer, name_or_path)
        mask = pieces.mask
        if mask is None:
            raise ModelError(f"{name_or_path}: its tokenizer has no mask token; {_REMEDY}")
        candidates = pieces.candidates(model.config.vocab_size)
        room = min(max_length or usable_length(model), usable_length(model)) - len(pieces.prefix) - len(pieces.suffix)
        if room < 1 or not candidates:
            lacks = f"no room for a word in max_length {max_length}" if candidates else "no piece that is a word"
            raise ModelError(f"{name_or_path}: {lacks}; {_REMEDY}")
        ids = tuple(candidates)
        head = mask_head(model, torch.tensor(ids, device=model.device), [*pieces.prefix, mask, *pieces.suffix])
        surfaces = tuple(candidates.values())
        return cls(pieces, mask, head, ids, surfaces, room, tokens_per_batch, min(top, len(ids)), model.device)

    def units(self, texts: Sequence[str]) -> list[list[tuple[int, int]]]:
        """The character spans of each text's words: what lies between single ASCII spaces."""
        return [word_spans(text) for text in texts]

    def fill(self, requests: Sequence[Request]) -> list[str]:
        """The text of each request with the words at its spans replaced; every other character is as it was."""
        rows = self._rows(requests)
        masks = sum(len(row.order) for row in rows)
        with torch.inference_mode(), bar("masked words", masks) as running:
            for step in range(max((len(row.order) for row in rows), default=0)):
                for rows_done in self._advance(rows, step):
                    running.advance(rows_done)
        return [self._written(row) for row in rows]

    def _rows(self, requests: Sequence[Request]) -> list[_Row]:
        """One row a request. Every distinct word is tokenized once, and nothing is tokenized again later."""
        spans = {request.text: word_spans(request.text) for request in requests}
        words = list(dict.fromkeys(text[a:b] for text, cuts in spans.items() for a, b in cuts))
        ids = dict(zip(words, self.pieces.read(words), strict=True))
        read = {text: [ids[text[a:b]] for a, b in cuts] for text, cuts in spans.items()}
        number = {text: {span: n for n, span in enumerate(cuts)} for text, cuts in spans.items()}
        return [
            _Row(request, [number[request.text][span] for span in request.spans], list(read[request.text]))
            for request in requests
        ]

    def _advance(self, rows: Sequence[_Row], step: int) -> Iterator[int]:
        """Make replacement number `step` in all rows that have one, equal rows by one forward.

        Yields how many rows each forward served.
        """
        waiting: defaultdict[Query, list[_Row]] = defaultdict(list)
        for row in rows:
            if step < len(row.order):
                waiting[self._query(row, row.order[step])].append(row)
        for batch in self._batches(list(waiting)):
            for query, choice in zip(batch, self._choices(batch), strict=True):
                for row in waiting[query]:
                    self._replace(row, step, choice)
            yield sum(len(waiting[query]) for query in batch)

    def _query(self, row: _Row, word: int) -> Query:
        """The row with `word` as one mask; of a sentence too long, the words around it that fit."""
        row.words[word] = (self.mask,)
        first, last = 0, len(row.words)
        if sum(map(len, row.words)) > self.room:
            first, last = window([len(ids) for ids in row.words], word, self.room)
        before = len(self.pieces.prefix) + sum(map(len, row.words[first:word]))
        return (*self.pieces.prefix, *chain(*row.words[first:last]), *self.pieces.suffix), before

    def _batches(self, queries: Sequence[Query]) -> Iterator[list[Query]]:
        """Queries of one length together, under the budgets of pieces and of logits."""
        by_length: defaultdict[int, list[Query]] = defaultdict(list)
        for query in queries:
            by_length[len(query[0])].append(query)
        for length, group in sorted(by_length.items()):
            size = min(self.tokens_per_batch // length, _LOGITS_A_BATCH // self.head.floats_a_row(length))
            for start in range(0, len(group), max(1, size)):
                yield group[start : start + max(1, size)]

    def _choices(self, batch: Sequence[Query]) -> list[Choice]:
        ids = torch.tensor([ids for ids, _ in batch]).to(self.device)
        at = torch.tensor([position for _, position in batch]).to(self.device)
        logits = self.head(ids, at)
        if self.top == 1:
            return [([column], [1.0]) for column in logits.argmax(-1).tolist()]
        best, columns = logits.topk(self.top)
        cumulative = best.double().softmax(-1).cumsum(-1)
        return list(zip(columns.tolist(), cumulative.tolist(), strict=True))

    def _replace(self, row: _Row, step: int, choice: Choice) -> None:
        columns, cumulative = choice
        rank = bisect_right(cumulative, uniform(row.request.seed, step))
        column = columns[min(rank, len(columns) - 1)]  # the last sum may fall short of 1 by a rounding
        row.words[row.order[step]] = (self.candidate_ids[column],)
        row.chosen.append(column)

    def _written(self, row: _Row) -> str:
        text = row.request.text
        for (start, end), column in sorted(zip(row.request.spans, row.chosen, strict=True), reverse=True):
            text = text[:start] + self.surfaces[column] + text[end:]
        return text


@dataclass(eq=False)
class _Row:
    """A sentence on its way: piece ids a word, edited in place."""

    request: Request
    order: list[int]
    """Word numbers to replace, in draw order."""
    words: list[tuple[int, ...]]
    chosen: list[int] = field(default_factory=list)
    """Candidate numbers, one for each replacement made."""


def window(lengths: Sequence[int], centre: int, room: int) -> tuple[int, int]:
    """Words `[first, last)` around word `centre` whose `lengths` sum to at most `room`, half of it on either side.

    What one side does not need goes to the other.
    """
    left = room - lengths[centre]
    right_need = sum(lengths[centre + 1 :])
    first, used = centre, 0
    while first > 0 and used + lengths[first - 1] <= max(left - right_need, left // 2):
        first -= 1
        used += lengths[first]
    last = centre + 1
    while last < len(lengths) and used + lengths[last] <= left:
        used += lengths[last]
        last += 1
    return first, last


def uniform(seed: int, step: int) -> float:
    """A number in [0, 1) that depends on the sample's seed and the replacement's number alone."""
    return int.from_bytes(blake2b(f"{seed}:{step}".encode(), digest_size=6).digest(), "big") / 2**48


def _load(name: str, revision: str | None) -> tuple[Any, Any]:
    try:
        model, info = AutoModelForMaskedLM.from_pretrained(
            name, dtype=torch.float32, use_safetensors=True, output_loading_info=True, revision=revision
        )
        tokenizer = AutoTokenizer.from_pretrained(name, revision=revision)
    except (OSError, ValueError, SafetensorError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ModelError(f"{name}: cannot be loaded as a masked LM ({reason}); {_REMEDY}") from error
    missing = sorted(info["missing_keys"])
    if missing:
        raise ModelError(f"{name}: has no masked-LM head ({missing[0]} is not among its weights); {_REMEDY}")
    return model, tokenizer
