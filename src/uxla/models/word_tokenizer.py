"""How a model's tokenizer reads words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from uxla.errors import ModelError

_CACHE_LIMIT = 1_000_000

_RARE = ("a", "\ua66e", "\U0001f9ff")
"""Words that hardly a vocabulary of characters has all of."""

Token = tuple[int, int, int]
"""A piece's id and the characters of the word it covers: first, and one past the last."""


@dataclass(frozen=True, eq=False, repr=False)
class WordTokenizer:
    """A fast tokenizer, read as: words to piece ids."""

    backend: Any
    """The `tokenizers.Tokenizer`."""
    lead: str
    """What must precede a word so that it is read as in mid-sentence: nothing, or the space."""
    prefix: tuple[int, ...]
    suffix: tuple[int, ...]
    pad: int
    mask: int | None
    special: frozenset[int]
    unknown: tuple[int, ...]
    typed: bool
    """Whether the model was made for segment numbers (`token_type_ids`), as its tokenizer's settings say."""
    size: int
    """One more than the highest id: so many embeddings a model must have."""
    known: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """Words already read: a corpus repeats most of its words."""

    @classmethod
    def of(cls, tokenizer: Any, name: str) -> WordTokenizer:
        """The pieces of a transformers tokenizer. ModelError for a slow one, and for one that drops words unread."""
        if not tokenizer.is_fast:
            raise ModelError(f"{name}: its tokenizer has no fast version (tokenizer.json), which word alignment needs")
        backend = tokenizer.backend_tokenizer
        backend.no_padding()
        backend.no_truncation()
        _refuse_dropped_words(tokenizer, name)
        wrapped = backend.encode("a")
        body = [i for i, special in enumerate(wrapped.special_tokens_mask) if not special]
        body = body or [i for i, token in enumerate(wrapped.ids) if token == tokenizer.unk_token_id]
        added = {i for i, token in tokenizer.added_tokens_decoder.items() if token.special}
        stand_ins = (tokenizer.unk_token_id, tokenizer.sep_token_id, tokenizer.eos_token_id)
        return cls(
            backend,
            lead="" if _ids(backend, "a a") == _ids(backend, "a") * 2 else " ",
            prefix=tuple(wrapped.ids[: body[0]]),
            suffix=tuple(wrapped.ids[body[-1] + 1 :]),
            pad=0 if tokenizer.pad_token_id is None else tokenizer.pad_token_id,
            mask=tokenizer.mask_token_id,
            special=frozenset(added.union(tokenizer.all_special_ids)),
            typed="token_type_ids" in tokenizer.model_input_names,
            size=max(backend.get_vocab(with_added_tokens=True).values()) + 1,
            unknown=tuple(i for i in stand_ins if i is not None)[:1],
        )

    def check_fit(self, model: Any, name: str) -> None:
        """ModelError where `model` has fewer embeddings than the tokenizer has pieces: some text would break it."""
        rows = embedding_rows(model)
        if self.size > rows:
            fault = f"its tokenizer has {self.size:,} pieces, the model's embeddings {rows:,}"
            raise ModelError(f"{name}: {fault}; call resize_token_embeddings, or take the model's own tokenizer")

    def read(self, words: Sequence[str]) -> list[tuple[int, ...]]:
        """The ids of each word in mid-sentence, never empty where the tokenizer has an unknown token.

        A word the tokenizer turns into nothing, and a special token the user's text happens to spell, are unknown.
        """
        if len(self.known) > _CACHE_LIMIT:
            self.known.clear()
        unread = [word for word in dict.fromkeys(words) if word not in self.known]
        if unread:
            encoded = self.backend.encode_batch_fast([self.lead + word for word in unread], add_special_tokens=False)
            self.known.update((w, self._plain(e.ids) or self.unknown) for w, e in zip(unread, encoded, strict=True))
        return [self.known[word] for word in words]

    def unread(self, words: Mapping[str, int]) -> float:
        """The share of words, given with their numbers, that the vocabulary lacks characters of."""
        read = zip(words.items(), self.read(list(words)), strict=True)
        lacking = sum(count for (_, count), ids in read if not set(ids).isdisjoint(self.unknown))
        return lacking / max(1, sum(words.values()))

    @cached_property
    def untyped(self) -> WordTokenizer:
        """The same, for a model without segment numbers."""
        return replace(self, typed=False)

    @property
    def ignores_case(self) -> bool:
        """Whether capitals are read as small letters."""
        capital, small = self.read(["A", "a"])
        return capital == small and set(small).isdisjoint(self.unknown)

    def read_text(self, text: str) -> tuple[int, ...]:
        """The ids of a whole text as it stands; special tokens it happens to spell are unknown."""
        return self._plain(self.backend.encode(self.lead + text, add_special_tokens=False).ids)

    def spell(self, words: Sequence[str]) -> list[list[Token]]:
        """The ids of `read`, each with the characters it covers; a word that turned into nothing has none."""
        encoded = self.backend.encode_batch([self.lead + word for word in words], add_special_tokens=False)
        shift = len(self.lead)
        return [
            [
                (plain, max(start - shift, 0), max(stop - shift, 0))
                for i, (start, stop) in zip(e.ids, e.offsets, strict=True)
                for plain in self._plain((i,))
            ]
            for e in encoded
        ]

    def _plain(self, ids: Sequence[int]) -> tuple[int, ...]:
        if self.special.isdisjoint(ids):
            return tuple(ids)
        return tuple(plain for i in ids for plain in (self.unknown if i in self.special else (i,)))


def embedding_rows(model: Any) -> int:
    """How many pieces the model has embeddings for."""
    try:
        return int(model.get_input_embeddings().weight.shape[0])
    except (AttributeError, NotImplementedError):  # of a model with code of its own
        return int(model.config.vocab_size)


def _refuse_dropped_words(tokenizer: Any, name: str) -> None:
    """A tokenizer without an unknown token must be able to spell anything, as those of bytes are."""
    for word in _RARE if tokenizer.unk_token_id is None else ():
        try:
            read = _ids(tokenizer.backend_tokenizer, word)
        except Exception:  # what tokenizers raises for a missing unknown token has no type of its own
            read = []
        if not read:
            fault = f"its tokenizer has no unknown token and cannot read {word!r}"
            raise ModelError(f"{name}: {fault}; add one (unk_token), or take another model")


def _ids(backend: Any, text: str) -> list[int]:
    return list(backend.encode(text, add_special_tokens=False).ids)
