"""How a model's tokenizer reads words and texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import sha256
from itertools import compress
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from uxla.errors import ModelError
from uxla.models.loading import require_fast
from uxla.models.ragged import Ragged, stacked, sums
from uxla.models.windows import Frame
from uxla.models.word_by_word import drops_blanks, is_ordinary, reads_word_by_word
from uxla.records import Bools, Ints

_CACHE_LIMIT = 500_000

_RARE = ("a", "\ua66e", "\U0001f9ff")
"""Words with characters that hardly any vocabulary has all of."""

Token = tuple[int, int, int]
"""A piece's id and the characters of the word it covers: first, and one past the last."""


class Split(NamedTuple):
    """Texts split at each space: the distinct `words`, the numbers (K,) of the words in them, and how many words each
    text has (N,)."""

    words: list[str]
    numbers: Ints
    counts: Ints

    @classmethod
    def of(cls, texts: pa.LargeStringArray) -> Split:
        """Each text has one word at least, which may be empty."""
        cells = pc.split_pattern(texts, " ")
        found = cells.flatten().dictionary_encode()
        counts = np.asarray(pc.list_value_length(cells), dtype=np.int64)
        return cls(found.dictionary.to_pylist(), np.asarray(found.indices, dtype=np.int64), counts)

    def everywhere(self, marked: Bools) -> Bools:
        """(N,) whether all words of a text are among the marked ones."""
        return np.asarray(sums(marked[self.numbers].astype(np.int64), self.counts) == self.counts)


@dataclass(eq=False, repr=False)
class WordTokenizer:
    """A fast tokenizer that turns words into piece ids, and remembers the words it has read."""

    backend: Any
    """The `tokenizers.Tokenizer`."""
    before_word: str
    """What must precede a word so that it is read as in mid-sentence: nothing, or a space."""
    prefix: tuple[int, ...]
    """The special tokens before a text."""
    suffix: tuple[int, ...]
    """The special tokens after a text."""
    pad: int
    mask: int | None
    special: frozenset[int]
    unknown: tuple[int, ...]
    segment_numbers: bool
    """Whether the second text of a pair is marked by a number of its own (`token_type_ids`)."""
    size: int
    """One more than the highest id: a model must have as many embeddings."""
    _known: dict[str, tuple[int, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, tokenizer: Any, name: str) -> WordTokenizer:
        """The reader of a transformers tokenizer. ModelError for a slow one, and for one that drops words unread."""
        require_fast(tokenizer, name)
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
            before_word="" if piece_ids(backend, "a a") == piece_ids(backend, "a") * 2 else " ",
            prefix=tuple(wrapped.ids[: body[0]]),
            suffix=tuple(wrapped.ids[body[-1] + 1 :]),
            pad=0 if tokenizer.pad_token_id is None else tokenizer.pad_token_id,
            mask=tokenizer.mask_token_id,
            special=frozenset(added.union(tokenizer.all_special_ids)),
            segment_numbers="token_type_ids" in tokenizer.model_input_names,
            size=max(backend.get_vocab(with_added_tokens=True).values()) + 1,
            unknown=tuple(i for i in stand_ins if i is not None)[:1],
        )

    @property
    def special_count(self) -> int:
        """How many special tokens stand around a text."""
        return self.frame.size

    @property
    def frame(self) -> Frame:
        """The special tokens around a text."""
        ids = (*self.prefix, None, *self.suffix)
        return Frame(ids, (0,) * len(ids))

    def check_fits(self, model: Any, name: str) -> None:
        """ModelError where `model` has fewer embeddings than the tokenizer has pieces: some text would break it."""
        rows = embedding_rows(model)
        if self.size > rows:
            fault = f"its tokenizer has {self.size:,} pieces, the model's embeddings {rows:,}"
            raise ModelError(f"{name}: {fault}; call resize_token_embeddings, or take the model's own tokenizer")

    def encode_words(self, words: Sequence[str]) -> list[tuple[int, ...]]:
        """The ids of each word in mid-sentence, never empty where the tokenizer has an unknown token.

        Unknown are a word that the tokenizer turns into nothing, and a special token that the user's text happens to
        spell.
        """
        return [ids or self.unknown for ids in self._read(words)]

    def words(self, words: Sequence[str]) -> Ragged:
        """What `encode_words` gives, as one array."""
        return Ragged.of(self.encode_words(words), self.dtype)

    def texts(self, texts: pa.LargeStringArray) -> Ragged:
        """The ids of each whole text as it stands; special tokens that it happens to spell are unknown.

        Most texts are read word by word, each word once; the others whole.
        """
        if not self.reads_word_by_word:
            return self._whole(texts)
        split = Split.of(texts)
        ordinary = list(map(is_ordinary, split.words))
        read = iter(self._read(list(compress(split.words, ordinary))))
        words = [next(read) if each else () for each in ordinary]
        unknown, blank = set(self.unknown), self.blank
        pairs = zip(split.words, words, strict=True)
        by_word = split.everywhere(np.array([w == blank or bool(ids and unknown.isdisjoint(ids)) for w, ids in pairs]))
        found = Ragged.of(words, self.dtype).take(split.numbers).grouped(split.counts)
        if by_word.all():
            return found
        number = np.arange(len(found))
        number[~by_word] = len(found) + np.arange(len(found) - by_word.sum())
        return stacked([found, self._whole(texts.filter(pa.array(~by_word)))]).take(number)

    def encode_text(self, text: str) -> tuple[int, ...]:
        """The ids of one text, as of `texts`."""
        return self._plain(piece_ids(self.backend, self.before_word + text))

    def encode_with_spans(self, words: Sequence[str]) -> list[list[Token]]:
        """The ids of `encode_words`, each with the characters it covers; none of a word that turned into nothing."""
        encoded = self.backend.encode_batch([self.before_word + word for word in words], add_special_tokens=False)
        shift = len(self.before_word)
        return [
            [
                (plain, max(start - shift, 0), max(stop - shift, 0))
                for i, (start, stop) in zip(e.ids, e.offsets, strict=True)
                for plain in self._plain((i,))
            ]
            for e in encoded
        ]

    def unknown_share(self, words: Mapping[str, int]) -> float:
        """The share of words, given with their numbers, that have characters which the vocabulary lacks."""
        encoded = zip(words.items(), self.encode_words(list(words)), strict=True)
        unknown = sum(count for (_, count), ids in encoded if not set(ids).isdisjoint(self.unknown))
        return unknown / max(1, sum(words.values()))

    @property
    def ignores_case(self) -> bool:
        """Whether capitals are read as small letters."""
        capital, small = self.encode_words(["A", "a"])
        return capital == small and set(small).isdisjoint(self.unknown)

    @cached_property
    def without_segment_numbers(self) -> WordTokenizer:
        """The same, for a model that does not take segment numbers; both remember the same words."""
        return replace(self, segment_numbers=False)

    @property
    def dtype(self) -> npt.DTypeLike:
        """The smallest type that holds all ids."""
        return np.min_scalar_type(self.size)

    @cached_property
    def reads_word_by_word(self) -> bool:
        """Whether the ids of a text are those of its words, where these are ordinary and known to the vocabulary."""
        return bool(self.unknown) and reads_word_by_word(self.backend, self.before_word)

    @cached_property
    def blank(self) -> str | None:
        """What stands between two spaces, if it makes no difference to a text that is read word by word."""
        return "" if drops_blanks(self.backend.pre_tokenizer) else None

    @cached_property
    def digest(self) -> str:
        """SHA-256 over all that decides how it reads."""
        tokens = self.prefix, self.suffix, self.pad, self.mask, sorted(self.special), self.unknown
        own = f"{self.before_word!r} {tokens} {self.segment_numbers} {self.backend.to_str()}"
        return sha256(own.encode()).hexdigest()

    def forget(self) -> None:
        """Forget the words that were read; they will be read again."""
        self._known = {}

    def _read(self, words: Sequence[str]) -> list[tuple[int, ...]]:
        """The ids of each word in mid-sentence; of some that the tokenizer drops, none."""
        if len(self._known) > _CACHE_LIMIT:
            self.forget()
        known = self._known
        new = [word for word in dict.fromkeys(words) if word not in known]
        if new:
            given = [self.before_word + word for word in new]
            encoded = self.backend.encode_batch_fast(given, add_special_tokens=False)
            known.update((word, self._plain(e.ids)) for word, e in zip(new, encoded, strict=True))
        return [known[word] for word in words]

    def _whole(self, texts: pa.LargeStringArray) -> Ragged:
        given = [self.before_word + text for text in texts.to_pylist()]
        encoded = self.backend.encode_batch_fast(given, add_special_tokens=False)
        return Ragged.of([self._plain(e.ids) for e in encoded], self.dtype)

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
    """A tokenizer without an unknown token must be able to spell anything, as tokenizers of bytes are."""
    for word in _RARE if tokenizer.unk_token_id is None else ():
        try:
            ids = piece_ids(tokenizer.backend_tokenizer, word)
        except Exception:  # what tokenizers raises for a missing unknown token has no type of its own
            ids = []
        if not ids:
            fault = f"its tokenizer has no unknown token and cannot read {word!r}"
            raise ModelError(f"{name}: {fault}; add one (unk_token), or take another model")


def piece_ids(backend: Any, text: str) -> list[int]:
    """The ids of a text without special tokens around it."""
    return list(backend.encode(text, add_special_tokens=False).ids)
