"""How a masked LM's tokenizer reads words, and which of its pieces may stand in a word's place."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from uxla.errors import ModelError

_CACHE_LIMIT = 1_000_000


@dataclass(frozen=True, eq=False)
class Pieces:
    """A fast tokenizer, read as: words to piece ids, and piece ids that are words.

    A candidate is a piece that, written out as a word of its own, the tokenizer reads back as exactly that piece. This
    one rule needs no knowledge of markers (`▁`, `Ġ`, `##`), and excludes continuation pieces, halves of characters,
    special tokens and placeholders. It also makes a sample read back as the very ids the model predicted.
    """

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
    known: dict[str, tuple[int, ...]] = field(default_factory=dict, repr=False)
    """Words already read: a corpus repeats most of its words."""

    @classmethod
    def of(cls, tokenizer: Any, name: str) -> Pieces:
        """The pieces of a transformers tokenizer; a slow one is a ModelError."""
        if not tokenizer.is_fast:
            raise ModelError(f"{name}: its tokenizer has no fast version (tokenizer.json), which word alignment needs")
        backend = tokenizer.backend_tokenizer
        backend.no_padding()
        backend.no_truncation()
        wrapped = backend.encode("a")
        body = [i for i, special in enumerate(wrapped.special_tokens_mask) if not special]
        added = {i for i, token in tokenizer.added_tokens_decoder.items() if token.special}
        return cls(
            backend,
            lead="" if _ids(backend, "a a") == _ids(backend, "a") * 2 else " ",
            prefix=tuple(wrapped.ids[: body[0]]),
            suffix=tuple(wrapped.ids[body[-1] + 1 :]),
            pad=0 if tokenizer.pad_token_id is None else tokenizer.pad_token_id,
            mask=tokenizer.mask_token_id,
            special=frozenset(added.union(tokenizer.all_special_ids)),
            unknown=() if tokenizer.unk_token_id is None else (tokenizer.unk_token_id,),
        )

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

    def _plain(self, ids: Sequence[int]) -> tuple[int, ...]:
        if self.special.isdisjoint(ids):
            return tuple(ids)
        return tuple(plain for i in ids for plain in (self.unknown if i in self.special else (i,)))

    def candidates(self, limit: int) -> dict[int, str]:
        """The pieces with an id below `limit` that may replace a word, in id order, each with its text."""
        count = min(limit, self.backend.get_vocab_size(with_added_tokens=True))
        decoded = self.backend.decode_batch([[i] for i in range(count)], skip_special_tokens=False)
        surfaces = [text.removeprefix(" ") for text in decoded]
        return {
            i: surface
            for i, (surface, ids) in enumerate(zip(surfaces, self.read(surfaces), strict=True))
            if ids == (i,) and i not in self.special and _is_word(surface)
        }


def word_spans(text: str) -> list[tuple[int, int]]:
    """The character spans of the words: what lies between single ASCII spaces, so NBSP and U+3000 stay inside."""
    spans = []
    start = 0
    for word in text.split(" "):
        if word:
            spans.append((start, start + len(word)))
        start += len(word) + 1
    return spans


def _is_word(surface: str) -> bool:
    """Whether something is to be seen, and nothing in it is white space, a control character or U+FFFD."""
    if any(char.isspace() or char == "\ufffd" or unicodedata.category(char) == "Cc" for char in surface):
        return False
    return any(unicodedata.category(char)[0] != "C" for char in surface)


def _ids(backend: Any, text: str) -> list[int]:
    return list(backend.encode(text, add_special_tokens=False).ids)
