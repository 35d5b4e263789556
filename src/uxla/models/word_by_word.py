"""Whether a tokenizer reads a text as it reads the words of it one by one: then each word has to be read once only."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any
from unicodedata import category, is_normalized

_LOCAL = {"NFC", "NFD", "NFKC", "NFKD", "Nmt", "Precompiled", "Lowercase", "StripAccents", "BertNormalizer", "Strip"}
"""Normalizers that change each character, with the marks behind it, whatever stands before and after."""
_KINDS = ("b", "É", "7", ".", "(", "я", "字", "ก")
_JOINED = {"Mn", "Mc", "Me", "Sk"}
"""Kinds of characters that can belong to what stands before them."""
_SPACES = {"\u2581", "\ufffd"}
"""SentencePiece's sign of a space, and the character of which its normalizer and `Nmt` make a space."""
_LONGEST = 32
"""A longer word, as a sentence of a script without spaces, will hardly come again."""


def reads_word_by_word(backend: Any, before_word: str) -> bool:
    """Whether a text of ordinary words has the ids of these words, each read behind `before_word`, one after the other.

    So it is if the tokenizer always cuts at a space (the model then sees one word at most), and nothing before that
    looks further than one character and its marks.
    """

    def ids(text: str) -> list[int]:
        return list(backend.encode(before_word + text, add_special_tokens=False).ids)

    added = backend.get_added_tokens_decoder().values()
    if not all(token.special and " " not in token.content for token in added):
        return False
    if not _normalizes_locally(backend.normalizer) or backend.pre_tokenizer is None or not _cuts(backend.pre_tokenizer):
        return False
    return all(ids(f"{a} {b}") == ids(a) + ids(b) for a, b in product(_KINDS, _KINDS))


def drops_blanks(pre_tokenizer: Any) -> bool:
    """Whether further spaces between, before and behind words make no difference to any kind of words."""

    def cut(text: str) -> list[str]:
        return [piece for piece, _ in pre_tokenizer.pre_tokenize_str(text)]

    pairs = product(_KINDS, _KINDS)
    return cut(" ") == [] and all(cut(f" {a}  {b} ") == cut(f"{a} {b}") for a, b in pairs)


def is_ordinary(word: str) -> bool:
    """Whether nothing about a word depends on the space before or behind it: no blanks, controls, compatibility
    characters (some stand for a space), sign of a space or U+FFFD (often read as one), and no mark that would join what
    stands before it."""
    if not 0 < len(word) <= _LONGEST or not word.isprintable():
        return False
    if word.isascii():
        return True
    return not _SPACES & set(word) and is_normalized("NFKC", word) and category(word[0]) not in _JOINED


def _normalizes_locally(normalizer: Any) -> bool:
    """Whether all steps of a normalizer are local; of one in Python nobody knows."""
    if normalizer is None:
        return True
    try:
        state = normalizer.__getstate__()
    except Exception:  # tokenizers has no other type for what it cannot serialize
        return False
    return all(map(_is_local, _steps(json.loads(state))))


def _steps(normalizer: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if normalizer.get("type") == "Sequence":
        for step in normalizer["normalizers"]:
            yield from _steps(step)
    elif normalizer:
        yield normalizer


def _is_local(normalizer: Mapping[str, Any]) -> bool:
    if normalizer["type"] == "Replace":
        pattern = normalizer["pattern"]
        within_a_word = " " not in pattern.get("String", " ") and " " not in normalizer["content"]
        return within_a_word or pattern == {"Regex": " {2,}"}
    return normalizer["type"] in _LOCAL


def _cuts(pre_tokenizer: Any) -> bool:
    """Whether it cuts at the space between any two kinds of characters."""
    pairs = [f"{a} {b}" for a, b in product(_KINDS, _KINDS)]
    return not any(start < 1 < stop - 1 for pair in pairs for _, (start, stop) in pre_tokenizer.pre_tokenize_str(pair))
