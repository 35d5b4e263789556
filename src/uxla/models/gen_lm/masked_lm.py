"""The Gen-LM engine (§2.2): a masked language model that replaces units one after the other, many sentences at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import chain, groupby, zip_longest
from operator import attrgetter
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from transformers import AutoConfig, AutoTokenizer

from uxla.choices import Match, Precision, Unit
from uxla.errors import ModelError, spelling
from uxla.models.compiled import compile_layers
from uxla.models.device import HALF, attention_values, matmul_precision, pick_device
from uxla.models.gen_lm.batches import MaskedRow, decoder_batches, features, fitting
from uxla.models.gen_lm.candidates import Candidates, Vocabulary
from uxla.models.gen_lm.fluency import Fluency
from uxla.models.gen_lm.half_precision import cast_on_cpu
from uxla.models.gen_lm.mask_heads import Best, MaskHead, mask_head
from uxla.models.gen_lm.places import Place, Places, slot_of
from uxla.models.gen_lm.sampling import choices, drawn
from uxla.models.gen_lm.units import Cell, Cutter, Request, RequestState
from uxla.models.hub import local_folder
from uxla.models.loading import MaskedLanguageModel, check_weights, read_model, usable_length
from uxla.models.memory import Budget, memory_errors
from uxla.models.model_safety import offline, reason, weight_files
from uxla.models.runtime import Runtime
from uxla.models.word_tokenizer import WordTokenizer
from uxla.progress import bar

Query = MaskedRow[Place]
"""One input of the masked LM, and what may take the mask's place."""


@dataclass(frozen=True, eq=False, repr=False)
class MaskedLM:
    """A frozen masked LM as the vicinity model: a `MaskFiller`.

    A unit (see `Cutter`) becomes one mask, and one piece takes its place (see `Places`). Each prediction sees the
    replacements before it. No row is ever padded, so a sample depends on its request alone.
    """

    cutter: Cutter
    mask: int
    places: Places
    heads: dict[Place, MaskHead]
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
        runtime: Runtime | None = None,
        *,
        revision: str | None = None,
        top: int = 1,
        unit: Unit = "word",
        match: Match = "none",
    ) -> MaskedLM:
        """The masked LM of a folder or of the Hub.

        Sentences longer than the runtime's `max_length` are masked inside windows. Its `precision` is that of the
        weights and of all that is computed: in half precision choices are approximate, and may differ a little between
        batch sizes. `top` is S of §2.2, 1 is argmax; `unit` is what is masked as one; `match` is in what a
        replacement must be like the unit. ModelError for what cannot be loaded, has no masked-LM head, or no fast
        tokenizer with a mask.
        """
        runtime = runtime or Runtime()
        device = pick_device(runtime.device, runtime.precision)
        model, tokenizer, budget = _load(name_or_path, revision, runtime, device)
        if tokenizer.mask is None:
            raise ModelError(f"{name_or_path}: its tokenizer has no mask token; {_remedy()}")
        vocabulary = Vocabulary.of(tokenizer, model.config.vocab_size)
        longest = usable_length(model)
        room = min(runtime.max_length or longest, longest) - tokenizer.special_count
        if room < 1 or "start" not in vocabulary.candidates:
            lacks = f"no room for a word in max_length {runtime.max_length}" if room < 1 else "no piece that is a word"
            raise ModelError(f"{name_or_path}: {lacks}; {_remedy()}")
        probe = _probe(tokenizer, tokenizer.mask, vocabulary.candidates["start"].ids[: min(8, room - 1)])
        head = partial(mask_head, model, probe=probe, at=probe.index(tokenizer.mask))
        wanted = {slot: c for slot, c in vocabulary.candidates.items() if unit != "word" or slot == "start"}
        places = Places.of(wanted, match)
        if device.type == "cpu" and runtime.precision in HALF:
            start = torch.tensor(vocabulary.candidates["start"].ids)
            cast_on_cpu(model, name_or_path, runtime.precision, partial(head, candidates=start), room)
        with memory_errors(f"{name_or_path} on {device.type}"):
            heads = _heads(head, places, model.device)
        open_head = cache(lambda: head(candidates=torch.arange(model.config.vocab_size, device=model.device)))
        if runtime.compile:  # behind the probes, which are of one row: a variant that nothing else needs
            compile_layers(model)
        cutter, precision = Cutter(tokenizer, vocabulary, unit), runtime.precision
        return cls(cutter, tokenizer.mask, places, heads, open_head, room, budget, top, model.device, precision)

    @property
    def tokenizer(self) -> WordTokenizer:
        """How the model's tokenizer reads words."""
        return self.cutter.tokenizer

    @property
    def candidates(self) -> dict[Place, Candidates]:
        """What may stand in each place."""
        return self.places.candidates

    def units(self, texts: Sequence[str]) -> list[list[tuple[int, int]]]:
        """The character spans of each text's units, left to right: none of them holds or touches white space."""
        spans = ([cell[:2] for cell in cells if cell.start < cell.stop] for cells in self.cutter.cut(texts))
        return [
            [span for span in some if self.places.takes(text[slice(*span)])]
            for text, some in zip(texts, spans, strict=True)
        ]

    def fill(self, requests: Sequence[Request]) -> list[str]:
        """The text of each request with the units at its spans replaced; every other character is as it was."""
        states = self._states(requests)
        masks = sum(len(state.order) for state in states)
        with torch.inference_mode(), matmul_precision(self.precision), bar("replacing masked words", masks) as running:
            turns = [self._replacing(group, running.advance) for group in self._groups(states)]
            for _ in zip_longest(*turns):
                pass
        return [state.result() for state in states]

    def log_likelihood(self, texts: Sequence[str | Sequence[str]]) -> npt.NDArray[np.float64]:
        """(N,) mean log probability, in nats, of a text's pieces when each of them alone is masked: its fluency.

        Pseudo log likelihood (Salazar et al. 2020) by piece, among the whole vocabulary; special tokens have none. Of
        several texts given as one (a pair), the mean over all their pieces, each seen within its own text; of a text
        without pieces 0, the logarithm of an empty product. Sentences longer than a row are scored inside windows. It
        takes one forward pass a piece. Values are equal but for rounding whatever else is scored with a text.
        """
        with matmul_precision(self.precision):
            return Fluency(self.open_head(), self.tokenizer, self.mask, self.room, self.budget)(texts)

    def _states(self, requests: Sequence[Request]) -> list[RequestState]:
        """Every distinct text is cut once, and nothing is tokenized again later."""
        texts = list(dict.fromkeys(request.text for request in requests))
        cells = dict(zip(texts, self.cutter.cut(texts), strict=True))
        number = {text: {cell[:2]: n for n, cell in enumerate(cut)} for text, cut in cells.items()}
        return [self._state(request, cells[request.text], number[request.text]) for request in requests]

    def _state(self, request: Request, cells: Sequence[Cell], number: Mapping[tuple[int, int], int]) -> RequestState:
        order = [number[span] for span in request.spans]
        units = [request.text[start:stop] for start, stop in request.spans]
        places = [self.places.at(cells[n].slot, unit) for n, unit in zip(order, units, strict=True)]
        return RequestState(request, order, places, [cell.ids for cell in cells])

    def _groups(self, states: Sequence[RequestState]) -> list[list[RequestState]]:
        """The requests in groups that take turns, those of one text together: their rows may be equal.

        A GPU computes for one group while Python reads and prepares the rows of another.
        """
        number = {text: n for n, text in enumerate(dict.fromkeys(state.request.text for state in states))}
        groups: list[list[RequestState]] = [[] for _ in range(2 if self.device.type == "cuda" else 1)]
        for state in states:
            groups[number[state.request.text] % len(groups)].append(state)
        return groups

    def _replacing(self, states: Sequence[RequestState], advance: Callable[[int], Any]) -> Iterator[None]:
        """Make the replacements of all requests, one of each at a time; equal rows share a forward pass.

        It yields when passes have begun, before it waits for their results. `advance` is told of replacements begun.
        """
        for step in range(max((len(state.order) for state in states), default=0)):
            waiting: defaultdict[Query, list[RequestState]] = defaultdict(list)
            for state in states:
                if step < len(state.order):
                    waiting[self._query(state, state.order[step], state.places[step])].append(state)
            begun = []
            for batch in self._batches(waiting):
                begun.append((batch, self.budget.fit(partial(self._best, batch), "replacing masked words")))
                advance(sum(len(waiting[query]) for query in batch))
            yield
            for batch, best in begun:
                for query, choice in zip(batch, choices(*best), strict=True):
                    candidates = self.candidates[query.asked]
                    for state in waiting[query]:
                        column = drawn(choice, state.request.seed, step)
                        state.ids[state.order[step]] = (candidates.ids[column],)
                        state.chosen.append(candidates.surfaces[column])

    def _query(self, state: RequestState, unit: int, place: Place) -> Query:
        """The sentence with `unit` as one mask; of one too long, the cells around the mask that fit."""
        state.ids[unit] = (self.mask,)
        first, last = 0, len(state.ids)
        if sum(map(len, state.ids)) > self.room:
            first, last = fitting([len(ids) for ids in state.ids], unit, self.room)
        before = len(self.tokenizer.prefix) + sum(map(len, state.ids[first:unit]))
        ids = (*self.tokenizer.prefix, *chain(*state.ids[first:last]), *self.tokenizer.suffix)
        return Query(ids, before, place)

    def _batches(self, queries: Iterable[Query]) -> Iterator[list[Query]]:
        """Queries of one place together, those of one length side by side."""
        by_place = attrgetter("asked")
        for place, group in groupby(sorted(queries, key=by_place), by_place):
            yield from decoder_batches(group, self.heads[place])

    def _best(self, batch: Sequence[Query], tokens: int) -> Best:
        """The top candidates of each query; a forward pass has queries of one length, at most `tokens` pieces."""
        head = self.heads[batch[0].asked]
        return head.best(features(head, batch, tokens), self.top)


def _heads(open_head: Callable[..., MaskHead], places: Places, device: torch.device) -> dict[Place, MaskHead]:
    """The head of each place; those of slots are tried on the probe."""
    ids = {place: torch.tensor(candidates.ids, device=device) for place, candidates in places.candidates.items()}
    whole = {slot: open_head(candidates=ids[slot]) for slot in ids if slot == slot_of(slot)}
    return whole | {place: whole[slot_of(place)].among(ids[place]) for place in ids if place not in whole}


def _probe(tokenizer: WordTokenizer, mask: int, words: Sequence[int]) -> list[int]:
    """A row with a mask in it, on which the heads are tried."""
    return [*tokenizer.prefix, *words[:3], mask, *words[3:], *tokenizer.suffix]


def _load(name: str, revision: str | None, runtime: Runtime, device: torch.device) -> tuple[Any, WordTokenizer, Budget]:
    """The frozen model on the device, in float32 on a CPU, its tokenizer, and the size of its forward passes."""
    values = attention_values(runtime.attention, device, runtime.precision)
    try:
        folder = local_folder(name, revision=revision, safety=runtime.safety)
        weight_files(folder, runtime.safety)  # before anything else of the folder is read
        config = AutoConfig.from_pretrained(str(folder), **offline(runtime.safety), **values)
        model, info = read_model(MaskedLanguageModel, folder, runtime.safety, config=config)
        own = AutoTokenizer.from_pretrained(str(folder), **offline(runtime.safety))
    except Exception as error:  # whatever foreign files, and code where that is trusted, can raise
        why = str(error).removeprefix(f"{name}: ") if isinstance(error, ModelError) else reason(error)
        raise ModelError(f"{name}: cannot be loaded as a masked LM ({why}); {_remedy()}") from error
    check_weights(name, model, info)
    model = model.eval().requires_grad_(False)
    budget = runtime.budget_of(model, device)
    with memory_errors(f"{name} on {device.type}"):
        model = model.to(device, torch.float32 if device.type == "cpu" else HALF.get(runtime.precision, torch.float32))
    tokenizer = WordTokenizer.of(own, name)
    tokenizer.check_fits(model, name)
    return model, tokenizer, budget


def _remedy() -> str:
    """What to give in place of a model that is no masked LM."""
    name = {"python": "model=", "yaml": "vicinity.model=", "options": "--model"}[spelling()]
    kind = f"give a masked LM with safetensors weights as {name}"
    return f"{kind}: a folder, or a Hub name such as FacebookAI/xlm-roberta-base"
