"""The tokenisation of text with character spans: the places of its words."""

from __future__ import annotations

from collections.abc import Iterator

import regex

from uxla.writing_systems import CLUSTER, UNSPACED

Place = tuple[int, int]
"""Where something starts and ends in a text, in code points; the end is not included."""

_LETTER = rf"(?![{UNSPACED}\p{{scx=Kana}}])[\p{{L}}\p{{M}}\p{{N}}]"
_INVISIBLE = r"[\s\p{Cc}\p{Default_Ignorable_Code_Point}]"
_JOINER = r"[\u200c\u200d\u00ad]"
_WORD = regex.compile(rf"(?:{_LETTER})+(?:{_JOINER}+(?:{_LETTER})+)*|(?!{_INVISIBLE}){CLUSTER}")


def word_places(text: str) -> Iterator[Place]:
    """The places of the words, left to right: `text[start:end]` is the word.

    A word is a run of letters, marks and digits, with the invisible joiners inside it. Every other character that can
    be seen is a word of its own: punctuation, symbols, and, in scripts that write no spaces (Chinese, Japanese, Thai,
    Lao, Khmer, Burmese, Tibetan), each character with its marks. White space and what cannot be seen stand between.

    >>> text = "Ana-Li sah 3,5 km"
    >>> [text[start:end] for start, end in word_places(text)]
    ['Ana', '-', 'Li', 'sah', '3', ',', '5', 'km']
    """
    return (match.span() for match in _WORD.finditer(text))
