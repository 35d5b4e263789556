"""Noise in raw text: markup, escapes, one beginning of every line or ending of every word, and text encoded twice."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from uxla.errors import setting

_MARKUP = (
    ("a tag of markup", re.compile(r"</[A-Za-z][\w:-]*>|<br\b")),
    ("a character reference of HTML", re.compile(r"&(?:#\d+|#x[0-9a-fA-F]+|nbsp|amp|quot|apos|lt|gt);")),
    ("an escape", re.compile(r"\\u[0-9a-fA-F]{4}|\\x[0-9a-f]{2}|(?:%[0-9A-F]{2}){2}|(?:=[0-9A-F]{2}){2}")),
)
_BEHIND = re.compile(r"\w[^\w\s]*[/|,;#_]+([A-Za-z][\w$.-]*|\d{1,2})[\"']?\Z")
_TAIL = 30  # characters in which a tag is looked for, so that a very long word takes no time
_RUNS = re.compile(r"(?P<number>\d+)|[^\W\d_]+")
_FEW = 10  # lines or words
_MOST = 0.9


def noise_in(words: Counter[str], texts: Counter[str]) -> Iterator[str]:
    """One sentence about each kind of noise in these words and texts."""
    for what, pattern in _MARKUP:
        found = {word: count for word, count in words.items() if pattern.search(word)}
        if sum(found.values()) >= max(_FEW, 0.01 * words.total()):
            example = max(found, key=lambda word: found[word])
            yield f"{sum(found.values())} words have {what}, as {_short(example)!r}; write the text alone"
    if _have_ends(words):
        yield f"nearly every word has a tag attached, as {_short(next(iter(words)))!r}; remove it"
    elif _have_ends(last := _last_words(texts)):
        table = setting("format", "csv")
        yield f"nearly every text ends like {_short(next(iter(last)))!r}; of a table set {table}"
    elif (begins := _usual(texts)) is not None:
        yield f"nearly every text begins like {_short(begins)!r}: a label, a date or markup? leave it out"
    bare = {text: count for text, count in texts.items() if re.search(r"\d", text) and not re.search(r"[^\W\d_]", text)}
    if sum(bare.values()) >= max(_FEW, 0.1 * texts.total()):
        yield f"{sum(bare.values())} texts have numbers and no letter, as {_short(next(iter(bare)))!r}; leave them out"


def _usual(texts: Counter[str]) -> str | None:
    """An example of how nearly all texts begin, if their beginning has signs or digits."""
    forms: Counter[str] = Counter()
    examples: dict[str, str] = {}
    for text, count in texts.items():
        word = "".join(text.split(maxsplit=1)[:1])
        form = _RUNS.sub(lambda run: "0" if run["number"] else "a", word)
        forms[form] += count
        examples.setdefault(form, word)
    usual = [form for form, count in forms.most_common(1) if count >= _MOST * texts.total()]
    odd = [form for form in usual if len(texts) >= _FEW and re.search(r"^0|[^a0.,!?:;'’-]", form)]
    return examples[odd[0]] if odd else None


def _last_words(texts: Counter[str]) -> Counter[str]:
    last: Counter[str] = Counter()
    for text, count in texts.items():
        last.update(dict.fromkeys(text.rsplit(maxsplit=1)[-1:], count))
    return last


def _have_ends(words: Counter[str]) -> bool:
    """Whether nearly all words end in one of a few tags after a sign, as in `word/NN`."""
    found = {word: match[1] for word in words if (match := _BEHIND.search(word[-_TAIL:]))}
    count = sum(words[word] for word in found)
    total = words.total()
    return total >= _FEW and count >= _MOST * total and len(set(found.values())) <= total / 3


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"


_LATIN = "cp1252"
_CODECS = (_LATIN, "cp1251", "cp1250")
_FEWEST, _SHARE = 3, 0.01


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
    few = max(_FEWEST, _SHARE * sum(words.values()))
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
