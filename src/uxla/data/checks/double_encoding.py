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
class DoubleEncoding:
    """How many words were encoded twice and with which encoding, an example, and what the example should be."""

    words: int
    codec: str
    example: str
    meant: str


def double_encoding(words: Mapping[str, int]) -> DoubleEncoding | None:
    """The double encoding found in words with their counts; None if there is hardly any.

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
    return DoubleEncoding(counts[codec], codec, example, found[codec][example])


def _found(words: Mapping[str, int], codec: str) -> dict[str, str]:
    """The words that were encoded twice, each with what it should be."""
    runs = _runs(codec)
    meant = {word: runs.sub(lambda run: _decoded(run[0], codec), word) for word in words if runs.search(word)}
    return {word: other for word, other in meant.items() if other != word}


def _decoded(run: str, codec: str) -> str:
    """What the run should be. It stays as it is if it is no UTF-8, or is likely right, as `É”`: a letter and a mark."""
    try:
        text = bytes(_bytes(codec)[char] for char in run).decode()
    except UnicodeDecodeError:
        return run
    known = all(char.isprintable() or char == "\xa0" for char in text)
    likely = len(text) > 1 or text < "\u0180" or "\u2010" <= text <= "\u2122"
    return text if known and likely else run


@cache
def _bytes(codec: str) -> dict[str, int]:
    """The byte of every character beyond ASCII. A byte without one stands for itself, as in Latin-1 below A0."""
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
