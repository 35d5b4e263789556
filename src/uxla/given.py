"""What a caller gives to be labelled, walked once: sentences as lists of words, texts as tuples of their parts."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from numbers import Real
from pathlib import Path
from typing import Any

from uxla.errors import ConfigError, DataError

_SHOWN = 40


def sentences(given: Iterable[Any]) -> Iterator[list[str]]:
    """The words of each sentence. DataError, with the place, for what is no list of words without spaces."""
    return (words(row, f"sentence {i}") for i, row in enumerate(each(given, "sentences", "lists of words")))


def texts(given: Iterable[str | Iterable[str]], count: int) -> Iterator[tuple[str, ...]]:
    """The one text, or `count` texts, of each entry. DataError, with the place, for what is none."""
    return (parts(entry, count, f"text {i}") for i, entry in enumerate(each(given, "texts", "texts")))


def check_list(given: Any, name: str, what: str) -> None:
    """DataError for what is no list, array, column or other iterable with an order of its own."""
    if isinstance(given, str):
        remedy = f"write [{name.removesuffix('s')}]" if name.isidentifier() else "put it in a list"
        raise DataError(f"{name} is one str, expected a list of {what}; {remedy}")
    if hasattr(given, "columns"):  # of pandas, polars, Arrow: its entries would be the columns' names
        raise DataError(f"{name}: got a table ({type(given).__name__}), expected {what}; give one of its columns")
    if not _is_ordered(given):
        raise DataError(f"{name}: got {shown(given)}, expected a list of {what}")


def _is_ordered(given: Any) -> bool:
    unordered = isinstance(given, bytes | Mapping | set | frozenset)
    return isinstance(given, Iterable) and not unordered and getattr(given, "ndim", None) != 0


def check_text_or_words(given: Any, where: str) -> None:
    """DataError, which begins with `where`, for what is neither a text nor a list."""
    if not isinstance(given, str) and not _is_ordered(given):
        raise DataError(f"{where}: got {shown(given)}, expected a text (str) or a list of words")


def words(given: Any, where: str, *, first: int = 0) -> list[str]:
    """The words of one sentence, of which the `first` is called so in messages.

    DataError, which begins with `where`, for what is no list of words without spaces.
    """
    if isinstance(given, str):
        raise DataError(f"{where}: got one str, expected a list of words; give text.split()")
    found = items(given, where, "words")
    for number, word in enumerate(found, start=first):
        place = f"{where}, word {number}"
        check_text(word, place)
        if not word or " " in word:
            got = f"got {word[:_SHOWN]!r}, expected a word with something in it and no space"
            raise DataError(f"{place}: {got}; {'cut it in two' if word else 'leave it out'}")
    return [str(word) for word in found]


def parts(entry: Any, count: int, where: str) -> tuple[str, ...]:
    """The one text, or `count` texts, of an entry. DataError, which begins with `where`, for what is none."""
    pair = "a pair; give (first, second)"
    if isinstance(entry, str):
        found = [entry]
    elif isinstance(entry, bytes) or not isinstance(entry, Iterable) or (count > 1 and not _is_ordered(entry)):
        raise DataError(f"{where}: {_no_text(entry) if count == 1 else f'got {shown(entry)}, expected {pair}'}")
    else:
        found = items(entry, where, "texts")
    if len(found) != count:
        expected = pair if count > 1 else "one; give it as a str"
        raise DataError(f"{where}: got {len(found)} text{'s' if len(found) != 1 else ''}, expected {expected}")
    for number, text in enumerate(found):
        check_text(text, where if count == 1 else f"{where}, part {number}")
    return tuple(str(text) for text in found)


def path(given: Any, name: str) -> Path:
    """The path that is meant, `~` being the home folder. ConfigError for what is none."""
    if not isinstance(given, str | os.PathLike) or not str(given) or "\0" in str(given):
        raise ConfigError(f"{name}: got {shown(given)}, expected a path")
    try:
        return Path(given).expanduser()
    except RuntimeError as error:  # ~ of a user whom this machine does not know
        raise ConfigError(f"{name}: {given}: {error}; write the whole path") from None


def items(given: Any, name: str, what: str) -> list[Any]:
    """The entries of a list or any other iterable with an order. DataError for what is none."""
    return list(each(given, name, what))


def each(given: Any, name: str, what: str) -> Iterator[Any]:
    """The same entries, one at a time."""
    check_list(given, name, what)
    return map(plain, given)


def plain(entry: Any) -> Any:
    """An entry of a column of Arrow, NumPy or polars as Python's value, anything else as it is."""
    convert = next((getattr(entry, name) for name in ("as_py", "to_list", "tolist") if hasattr(entry, name)), None)
    return entry if convert is None else convert()


def check_text(text: Any, where: str) -> None:
    """DataError, which begins with `where`, for what is no str, or a str that is no text."""
    if not isinstance(text, str):
        raise DataError(f"{where}: {_no_text(text)}")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise DataError(f"{where}: half a surrogate pair (\\ud800 to \\udfff); write the character itself") from None


def _no_text(value: Any) -> str:
    if is_missing(value):
        remedy = "leave it out, or write what stands there"
    elif isinstance(value, bytes):
        remedy = "decode it, as value.decode('utf-8')"
    elif isinstance(value, list | tuple):
        remedy = "words with their tags are a tuple, (words, tags)"
    else:
        remedy = "write str(value) where that is what you mean"
    return f"got {shown(value)}, expected a str; {remedy}"


def is_missing(value: Any) -> bool:
    """None, NaN, and what pandas calls missing."""
    return (
        value is None or type(value).__name__ in ("NAType", "NaTType") or (isinstance(value, Real) and value != value)
    )


def shown(value: Any) -> str:
    """The beginning of a value and its type, for a message."""
    if value is None or is_missing(value):
        return f"{value}, a missing value"
    text = repr(value)
    return f"{text if len(text) <= _SHOWN else text[:_SHOWN] + '…'} ({type(value).__name__})"
