"""Which pieces of a vocabulary may take the place of a masked one."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain
from string import ascii_letters
from typing import Any, Literal

import regex

from uxla.models.batches import chunks
from uxla.models.word_tokenizer import WordTokenizer

Slot = Literal["start", "inside", "apart"]
"""Where in a word a piece stands.

`start`: where it begins, with the marker of the space before it (`▁x`, `Ġx`, WordPiece without `##`). `inside`: glued
to what is before. `apart`: a character the tokenizer reads by itself wherever it stands (with WordPiece every Chinese
character and every punctuation mark)."""

_JOINING = regex.compile(r"[\p{M}\p{GCB=Extend}\p{GCB=SpacingMark}\p{GCB=ZWJ}\p{GCB=V}\p{GCB=T}]")
_TOGETHER = 64  # words in one line when the tokenizer is asked how it reads them


@dataclass(frozen=True)
class Candidates:
    """Pieces of one place, in id order, each with the text it stands for: the same place, so no space comes or goes."""

    ids: tuple[int, ...]
    surfaces: tuple[str, ...]


@dataclass(frozen=True, eq=False, repr=False)
class Vocabulary:
    """A tokenizer's pieces, sorted by the places they may take.

    `start`: written out as a word of its own, the tokenizer reads exactly that piece back. `apart`: it also reads it
    back behind a letter. `inside`: decoded behind a letter, it is glued to it. These rules need no knowledge of markers
    and leave out halves of characters, special tokens and placeholders; white space, control characters and what begins
    with a combining mark are left out of all three.
    """

    candidates: dict[Slot, Candidates]
    """Places without a candidate are missing."""
    places: dict[int, Slot]
    """The place of each candidate's id: `apart` where it is both that and `start`."""
    blank: frozenset[int]
    """Pieces without text: the bare marker of a space."""

    @classmethod
    def of(cls, pieces: WordTokenizer, limit: int) -> Vocabulary:
        """The vocabulary of a tokenizer, as far as its ids are below `limit`; asked again, at no cost."""
        key = blake2b(f"{limit} {sorted(pieces.special)} {pieces.backend.to_str()}".encode()).digest()
        if key not in _KNOWN:
            _KNOWN.clear()
            _KNOWN[key] = cls._read(pieces, limit)
        return _KNOWN[key]

    @classmethod
    def _read(cls, pieces: WordTokenizer, limit: int) -> Vocabulary:
        backend = pieces.backend
        count = min(limit, backend.get_vocab_size(with_added_tokens=True))
        letter, behind = _anchor(pieces)
        decoded = backend.decode_batch([[behind, i] for i in range(count)], skip_special_tokens=False)
        before = backend.decode([behind], skip_special_tokens=False)
        surfaces = [text.removeprefix(before).removeprefix(" ") for text in decoded]
        spaced = {i for i, text in enumerate(decoded) if text.startswith(f"{before} ")}
        seen = [i for i, surface in enumerate(surfaces) if i not in pieces.special and is_word(surface)]
        exact = backend.decode(_ids(backend, f"{letter} .")) == f"{letter} ."
        asked = [i for i in seen if i in spaced] if exact else seen
        start = list(_read_back(pieces, "", (), asked, surfaces))
        single = [i for i in start if len(surfaces[i]) == 1]
        apart = list(_read_back(pieces, letter, (behind,), single, surfaces))
        named = set(backend.get_added_tokens_decoder()).union(start)
        alone = {surfaces[i] for i in apart}  # `##字` beside `字` is never read
        glued = (i for i in seen if i not in spaced and i not in named and surfaces[i] not in alone)
        inside = _unique(glued, pieces, surfaces)
        found: dict[Slot, Sequence[int]] = {"start": start, "inside": inside, "apart": apart}
        return cls(
            {p: Candidates(tuple(ids), tuple(surfaces[i] for i in ids)) for p, ids in found.items() if ids},
            {i: place for place, ids in found.items() for i in ids},
            frozenset(i for i, text in enumerate(surfaces) if not text.strip() and i not in pieces.special),
        )


_KNOWN: dict[bytes, Vocabulary] = {}
"""The last vocabulary read, by the tokenizer's content: a run opens the same model several times, and 250,002 pieces
take seconds."""


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


def _anchor(pieces: WordTokenizer) -> tuple[str, int]:
    """A letter that is one piece, and that piece: what the others are looked at behind."""
    backend = pieces.backend
    for letter in chain(ascii_letters, _endings(backend)):
        ids = _ids(backend, pieces.lead + letter)
        if letter.isalpha() and len(ids) == 1 and ids[0] not in pieces.special:
            return letter, ids[0]
    return "", 0


def _endings(backend: Any) -> Iterator[str]:
    yield from sorted({token[-1:] for token in backend.get_vocab()})


def _read_back(
    pieces: WordTokenizer, before: str, ids_before: tuple[int, ...], asked: Iterable[int], surfaces: Sequence[str]
) -> Iterator[int]:
    """The pieces which the tokenizer finds again in their own text, written behind `before`.

    It is asked about many at once, joined by spaces, and about each only where one of the many is not found again.
    """
    lines = list(chunks(asked, _TOGETHER))
    texts = [[before + surfaces[i] for i in line] for line in lines]
    for line, words, read in zip(lines, texts, _encode(pieces, [" ".join(words) for words in texts]), strict=True):
        if read == [piece for i in line for piece in (*ids_before, i)]:
            yield from line
        else:
            each = _encode(pieces, words)
            yield from (i for i, ids in zip(line, each, strict=True) if ids == [*ids_before, i])


def _unique(inside: Iterable[int], pieces: WordTokenizer, surfaces: Sequence[str]) -> list[int]:
    """`inside` with one piece a text; a byte's placeholder (`<0x41>` beside `A`) gives way."""
    chosen: dict[str, int] = {}
    for i in inside:
        if surfaces[i] not in chosen or pieces.backend.id_to_token(i) == surfaces[i]:
            chosen[surfaces[i]] = i
    return sorted(chosen.values())


def _encode(pieces: WordTokenizer, texts: Sequence[str]) -> list[list[int]]:
    lines = [pieces.lead + text for text in texts]
    return [read.ids for read in pieces.backend.encode_batch_fast(lines, add_special_tokens=False)]


def _ids(backend: Any, text: str) -> list[int]:
    return list(backend.encode(text, add_special_tokens=False).ids)
