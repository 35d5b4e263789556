"""Text that was encoded twice: UTF-8 read as another encoding and written as UTF-8 again, `Ã©` for `é`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

_LATIN = "cp1252"
_CODECS = (_LATIN, "cp1251", "cp1250")
_FEW = 3
_SHARE = 0.01


@dataclass(frozen=True)
class Twice:
    """How many words were encoded twice, by which encoding, and one of them: what stands there and what was meant."""

    words: int
    codec: str
    example: str
    meant: str


def encoded_twice(words: Mapping[str, int]) -> Twice | None:
    """What was encoded twice among words with their numbers; None where hardly anything was.

    One word with such a sequence is enough with Windows-1252 (or Latin-1): hardly a language has them. Those of other
    encodings are letters of real words now and then, and must be one word in a hundred.
    """
    found = {codec: _found(words, codec) for codec in _CODECS}
    counts = {codec: sum(words[word] for word in each) for codec, each in found.items()}
    few = max(_FEW, _SHARE * sum(words.values()))
    codec = max((codec for codec in _CODECS if codec == _LATIN or counts[codec] >= few), key=lambda each: counts[each])
    if not found[codec]:
        return None
    example = max(found[codec], key=lambda word: words[word])
    return Twice(counts[codec], codec, example, found[codec][example])


def _found(words: Mapping[str, int], codec: str) -> dict[str, str]:
    """The words that hold such a sequence, and what was meant."""
    runs = _runs(codec)
    meant = {word: runs.sub(lambda run: _decoded(run[0], codec), word) for word in words if runs.search(word)}
    return {word: other for word, other in meant.items() if other != word}


def _decoded(run: str, codec: str) -> str:
    """What the run was; itself where it is no UTF-8, or may be what it seems: a letter and a mark, as in `É”`."""
    try:
        text = bytes(_bytes(codec)[char] for char in run).decode()
    except UnicodeDecodeError:
        return run
    known = all(char.isprintable() or char == "\xa0" for char in text)
    likely = len(text) > 1 or text < "\u0180" or "\u2010" <= text <= "\u2122"
    return text if known and likely else run


@cache
def _bytes(codec: str) -> dict[str, int]:
    """The byte of every character beyond ASCII; bytes without one stand for themselves, with Latin-1 all below A0."""
    found = {_character(byte, codec): byte for byte in range(0x80, 0x100)}
    return found | ({chr(byte): byte for byte in range(0x80, 0xA0)} if codec == _LATIN else {})


def _character(byte: int, codec: str) -> str:
    try:
        return bytes([byte]).decode(codec)
    except UnicodeDecodeError:
        return chr(byte)


@cache
def _runs(codec: str) -> re.Pattern[str]:
    return re.compile(f"[{re.escape(''.join(_bytes(codec)))}]{{2,}}")
