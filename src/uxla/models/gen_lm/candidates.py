"""Which pieces of a vocabulary may take the place of a masked one."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b
from itertools import chain
from string import ascii_letters
from typing import Any, Literal

import regex

from uxla.models.batches import chunks
from uxla.models.word_tokenizer import WordTokenizer, piece_ids

Slot = Literal["start", "inside", "apart"]
"""Where in a word a piece stands.

`start`: where it begins, with the marker of the space before it (`▁x`, `Ġx`, WordPiece without `##`). `inside`: glued
to what is before. `apart`: a character the tokenizer reads by itself wherever it stands (with WordPiece every Chinese
character and every punctuation mark)."""

_JOINING = regex.compile(r"[\p{M}\p{GCB=Extend}\p{GCB=SpacingMark}\p{GCB=ZWJ}\p{GCB=V}\p{GCB=T}]")
_WORDS_A_LINE = 64
"""Words in one line when the tokenizer is asked how it reads them."""


@dataclass(frozen=True)
class Candidates:
    """The pieces of one slot in id order, each with its text. All share a slot, so no space comes or goes."""

    ids: tuple[int, ...]
    surfaces: tuple[str, ...]


@dataclass(frozen=True, eq=False, repr=False)
class Vocabulary:
    """A tokenizer's pieces, sorted by the slots they may take.

    `start`: written out as a word of its own, the tokenizer reads exactly that piece back. `apart`: it also reads it
    back behind a letter. `inside`: decoded behind a letter, it is glued to it. These rules need no knowledge of
    markers. They leave out halves of characters, special tokens and placeholders. White space, control characters and
    what begins with a combining mark are in none of the three.
    """

    candidates: dict[Slot, Candidates]
    """Slots without a candidate are missing."""
    slots: dict[int, Slot]
    """The slot of each candidate's id: `apart` where it is both that and `start`."""
    empty: frozenset[int]
    """Pieces without text: the bare marker of a space."""

    @classmethod
    def of(cls, tokenizer: WordTokenizer, limit: int) -> Vocabulary:
        """The vocabulary of a tokenizer, as far as its ids are below `limit`; the last one is remembered."""
        content = f"{limit} {sorted(tokenizer.special)} {tokenizer.backend.to_str()}"
        return _read(_Content(blake2b(content.encode()).digest(), tokenizer), limit)


@dataclass(frozen=True)
class _Content:
    digest: bytes
    tokenizer: WordTokenizer = field(compare=False)


@lru_cache(maxsize=1)  # a run opens the same model several times, and 250,002 pieces take seconds
def _read(content: _Content, limit: int) -> Vocabulary:
    tokenizer = content.tokenizer
    backend = tokenizer.backend
    count = min(limit, backend.get_vocab_size(with_added_tokens=True))
    letter, behind = _anchor(tokenizer)
    decoded = backend.decode_batch([[behind, i] for i in range(count)], skip_special_tokens=False)
    before = backend.decode([behind], skip_special_tokens=False)
    surfaces = [text.removeprefix(before).removeprefix(" ") for text in decoded]
    spaced = {i for i, text in enumerate(decoded) if text.startswith(f"{before} ")}
    words = [i for i, surface in enumerate(surfaces) if i not in tokenizer.special and is_word(surface)]
    exact = backend.decode(piece_ids(backend, f"{letter} .")) == f"{letter} ."
    asked = [i for i in words if i in spaced] if exact else words
    start = _read_back(tokenizer, "", (), asked, surfaces)
    single = [i for i in start if len(surfaces[i]) == 1]
    apart = _read_back(tokenizer, letter, (behind,), single, surfaces)
    named = set(backend.get_added_tokens_decoder()).union(start)
    alone = {surfaces[i] for i in apart}  # `##字` beside `字` is never read
    glued = (i for i in words if i not in spaced and i not in named and surfaces[i] not in alone)
    found: dict[Slot, list[int]] = {"start": start, "inside": _unique(glued, backend, surfaces), "apart": apart}
    return Vocabulary(
        {slot: Candidates(tuple(ids), tuple(surfaces[i] for i in ids)) for slot, ids in found.items() if ids},
        {i: slot for slot, ids in found.items() for i in ids},
        frozenset(i for i, text in enumerate(surfaces) if not text.strip() and i not in tokenizer.special),
    )


def is_word(surface: str) -> bool:
    """Whether something is to be seen, which does not begin with a mark that would join what stands before it.

    Nor may anything in it be white space, a control character or U+FFFD.
    """
    if not surface or _JOINING.match(surface):
        return False
    if surface.isalnum():  # most are: nothing invisible, no space
        return True
    if any(char.isspace() or char == "\ufffd" or unicodedata.category(char) == "Cc" for char in surface):
        return False
    return any(unicodedata.category(char)[0] != "C" for char in surface)


def _anchor(tokenizer: WordTokenizer) -> tuple[str, int]:
    """A letter that is one piece, and that piece: the others are looked at behind it."""
    backend = tokenizer.backend
    for letter in chain(ascii_letters, _endings(backend)):
        ids = piece_ids(backend, tokenizer.before_word + letter)
        if letter.isalpha() and len(ids) == 1 and ids[0] not in tokenizer.special:
            return letter, ids[0]
    return "", 0


def _endings(backend: Any) -> Iterator[str]:
    yield from sorted({token[-1:] for token in backend.get_vocab()})  # late: only where no ASCII letter is a piece


def _read_back(
    tokenizer: WordTokenizer, before: str, ids_before: tuple[int, ...], asked: Iterable[int], surfaces: Sequence[str]
) -> list[int]:
    """The pieces which the tokenizer finds again in their own text, written behind `before`.

    It is asked about many at once, joined by spaces, and about each only where one of the many is not found again.
    """
    found: list[int] = []
    lines = list(chunks(asked, _WORDS_A_LINE))
    texts = [[before + surfaces[i] for i in line] for line in lines]
    for line, words, ids in zip(lines, texts, _encode(tokenizer, [" ".join(words) for words in texts]), strict=True):
        if ids == [piece for i in line for piece in (*ids_before, i)]:
            found += line
        else:
            each = _encode(tokenizer, words)
            found += [i for i, own in zip(line, each, strict=True) if own == [*ids_before, i]]
    return found


def _unique(inside: Iterable[int], backend: Any, surfaces: Sequence[str]) -> list[int]:
    """`inside` with one piece a text; a byte's placeholder (`<0x41>` beside `A`) gives way."""
    chosen: dict[str, int] = {}
    for i in inside:
        if surfaces[i] not in chosen or backend.id_to_token(i) == surfaces[i]:
            chosen[surfaces[i]] = i
    return sorted(chosen.values())


def _encode(tokenizer: WordTokenizer, texts: Sequence[str]) -> list[list[int]]:
    lines = [tokenizer.before_word + text for text in texts]
    return [encoded.ids for encoded in tokenizer.backend.encode_batch_fast(lines, add_special_tokens=False)]
