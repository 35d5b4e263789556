"""From raw text to words with their places, and from a source's words to what it keeps in one word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, chain, islice, pairwise
from typing import Any, Literal, get_args

import regex

from uxla.errors import ConfigError
from uxla.writing_systems import CLUSTER, UNSPACED

Place = tuple[int, int]
"""Where something starts and ends in a text, in code points; the end is not included."""
Segmenter = Literal["auto", "pythainlp", "jieba", "fugashi"]
"""What cuts scripts that write no spaces: `auto` character by character, or a package of that name."""
Together = Literal["hyphens", "apostrophes", "elisions", "clitics", "numbers", "abbreviations", "repeats", "addresses"]
"""What can stay in one word although it has punctuation in it: `well-known`; `don't`; the `l'` of `l'eau`; the `'s` of
`Ana's`; `1,000.5`; `U.S.` and `J.`; `...`; `@ana`, `#lima`, web and mail addresses."""

TOGETHER: tuple[Together, ...] = tuple(kind for kind in get_args(Together) if kind not in ("elisions", "clitics"))
"""What stays in one word where no source says otherwise."""

_LETTER = rf"[[\p{{L}}\p{{M}}\p{{N}}]--[{UNSPACED}\p{{scx=Kana}}]]"
_INVISIBLE = r"[\s\p{Cc}\p{Default_Ignorable_Code_Point}]"
_HYPHEN, _APOSTROPHE = "[-‐\u2011]", "['’]"
_CLITIC = rf"(?:n{_APOSTROPHE}t|{_APOSTROPHE}(?:[sSmd]|re|ve|ll))"
_NAME = "[A-Za-z0-9_.+-]"
_WHOLE: dict[Together, str] = {
    "addresses": rf"(?:https?://|www\.)[!-~]*[A-Za-z0-9/_&=#%~-]|{_NAME}{{1,64}}+@{_NAME}+(?<=[A-Za-z0-9])"
    rf"|(?<!\w)[@#](?:{_LETTER}|_)+",
    "clitics": rf"(?<=\p{{L}}\p{{M}}*){_CLITIC}(?!{_LETTER})",
    "abbreviations": rf"(?<!{_LETTER})(?:(?:\p{{L}}\p{{M}}*\.){{2,}}|\p{{Lu}}\p{{M}}*\.(?=\s+\S))",
    "repeats": r"([.!?…。*_~=–—-])\1+",
}
"""Words by themselves, in the order in which they are tried."""
_INSIDE: dict[Together, str] = {
    "hyphens": _HYPHEN,
    "apostrophes": rf"(?<=\p{{L}}\p{{M}}*){_APOSTROPHE}(?=\p{{L}})",
    "numbers": r"(?<=\p{Nd})[.,:٫٬](?=\p{Nd})",
}
"""Punctuation between letters or digits that belongs to their word."""
_PACKAGES: dict[str, tuple[str, str]] = {
    "pythainlp": (r"\p{Thai}", "thai"),
    "jieba": (r"\p{Han}", "chinese"),
    "fugashi": (r"[\p{Han}\p{Hiragana}\p{Katakana}ー]", "japanese"),
}
"""The letters that each segmenter cuts, and the extra of uxla that installs it."""
_FEW_NUMBERS, _FEW_WORDS = 50, 5000
"""In fewer words it is chance that none has punctuation in it."""
_CLUSTERS = regex.compile(CLUSTER)
AT_SPACES = regex.compile("[^ \t\r\n]+")
"""A word of text that is cut at spaces: NBSP and U+3000 stay in it."""
LOOKED_AT = 1000
"""So many texts show whether they are cut into words already."""
_MARKS = regex.compile(r"\p{P}+")
_GLUED = regex.compile(
    r"[\p{L}\p{M}\p{N}](?:[\p{Pe}\p{Pf}\",;:!?…。，、；：！？،؛؟।።։]\p{P}*|(?<=[\p{L}\p{M}]{2})\.)$"
    r"|^\p{P}*[\p{Ps}\p{Pi}\"¿¡][\p{L}\p{N}]"
)
"""A word with a mark at its side, as in text that is not cut into words."""
_LONG = {r"[\p{Han}\p{Hiragana}\p{Katakana}]": 4, rf"[{UNSPACED}]": 12}
"""Words of these scripts have no more characters than that on average."""


def split_words(text: str, segmenter: Segmenter = "auto", *, together: Collection[Together] = TOGETHER) -> list[Place]:
    """The places of the words, left to right: `text[start:end]` is the word.

    A word is a run of letters, marks and digits, with the invisible joiners inside it, and with the punctuation that
    `together` names. Every other visible character is a word of its own, with its marks: punctuation, symbols, emoji,
    and, unless a segmenter cuts them, the characters of scripts that write no spaces (Chinese, Japanese, Thai, Lao,
    Khmer, Burmese, Tibetan). White space and what cannot be seen stand between words. ConfigError, which says what to
    install, for a segmenter that is not there.

    >>> text = "Ana-Li, U.S. trip; 3,5 km…"
    >>> [text[start:end] for start, end in split_words(text)]
    ['Ana-Li', ',', 'U.S.', 'trip', ';', '3,5', 'km', '…']
    >>> [text[start:end] for start, end in split_words(text, together=())]
    ['Ana', '-', 'Li', ',', 'U', '.', 'S', '.', 'trip', ';', '3', ',', '5', 'km', '…']
    """
    places = (match.span() for match in _pattern(frozenset(together), segmenter).finditer(text))
    if segmenter == "auto":
        return list(places)
    letters, cut = regex.compile(_PACKAGES[segmenter][0]), _cutter(segmenter)
    parts = (_cut(text, place, cut) if letters.match(text, place[0]) else [place] for place in places)
    return list(chain.from_iterable(parts))


def places_of(words: Iterable[str]) -> list[Place]:
    """The places of words in their sentence, in which one space stands between two of them."""
    starts = accumulate((len(word) + 1 for word in words), initial=0)
    return [(start, after - 1) for start, after in pairwise(starts)]


@dataclass(frozen=True)
class Splitter:
    """A way to cut raw text into words: `split_words` with its options, or at ASCII spaces, TABs and line ends.

    ValueError for a segmenter that is none.
    """

    segmenter: Segmenter | Literal["spaces"] = "auto"
    together: tuple[Together, ...] = TOGETHER

    def __post_init__(self) -> None:
        if self.segmenter not in ("spaces", *get_args(Segmenter)):
            raise ValueError(f"no segmenter {self.segmenter!r}")

    def __call__(self, text: str) -> list[Place]:
        """The places of the words of a text."""
        if self.segmenter == "spaces":
            return [match.span() for match in AT_SPACES.finditer(text)]
        return split_words(text, self.segmenter, together=self.together)


DEFAULT_SPLITTER = Splitter()


def together_in(words: Mapping[str, int]) -> tuple[Together, ...]:
    """What a source keeps in one word, by its words and how often each occurs; as in `TOGETHER` where they do not
    show it.

    >>> together_in({"Ana": 9, "O'Brien": 3, "'s": 3, "-": 2, "1,000": 1})
    ('apostrophes', 'clitics', 'numbers', 'abbreviations', 'repeats', 'addresses')
    """

    def count(pattern: str) -> int:
        return sum(number for word, number in words.items() if regex.fullmatch(pattern, word))

    total = sum(words.values())
    inside = count(rf"(?!{_CLITIC}$).*\p{{L}}{_APOSTROPHE}\p{{L}}.*")
    elided, clitics = count(rf"\p{{L}}+{_APOSTROPHE}"), count(_CLITIC)
    known: dict[Together, bool] = {
        "hyphens": count(rf".*\w{_HYPHEN}\w.*") >= count(_HYPHEN),
        "apostrophes": inside >= elided and (inside > 0 or count(_APOSTROPHE) + clitics == 0),
        "elisions": elided > inside,
        "clitics": clitics > 0,
        "numbers": count(r"\p{Nd}+") < _FEW_NUMBERS or count(r".*\p{Nd}[.,:]\p{Nd}.*") > 0,
        "abbreviations": total < _FEW_WORDS or count(_WHOLE["abbreviations"].replace(r"(?=\s+\S)", "")) > 0,
        "repeats": total < _FEW_WORDS or count(_WHOLE["repeats"]) > 0,
        "addresses": True,
    }
    return tuple(kind for kind in get_args(Together) if known.get(kind))


def is_cut(texts: Iterable[str]) -> bool:
    """Whether texts are words with blanks between them already: no more punctuation marks end a word than stand by
    themselves, and scripts that write no spaces have some.

    >>> is_cut(["Ana vive en Lima .", "U.S. troops"]), is_cut(["Ana vive en Lima."]), is_cut(["阿娜住在利马"])
    (True, False, False)
    """
    chunks = Counter(chain.from_iterable(text.split() for text in islice(texts, LOOKED_AT)))
    apart = sum(count for chunk, count in chunks.items() if _MARKS.fullmatch(chunk))
    glued = sum(count for chunk, count in chunks.items() if _GLUED.search(chunk))
    return glued <= apart and not any(_are_sentences(chunks, *script) for script in _LONG.items())


def _are_sentences(chunks: Counter[str], script: str, longest: int) -> bool:
    """Whether what stands between blanks in a script is too long on average to be words."""
    letters = regex.compile(script)
    own = [(len(letters.findall(chunk)), count) for chunk, count in chunks.items()]
    return sum(length * count for length, count in own) > longest * sum(count for length, count in own if length)


@cache
def _pattern(together: frozenset[Together], segmenter: Segmenter) -> regex.Pattern[str]:
    letter = rf"(?!n{_APOSTROPHE}t(?!{_LETTER})){_LETTER}" if "clitics" in together else _LETTER
    letters = rf"(?:{letter})+(?:[\u200c\u200d\u00ad]+(?:{letter})+)*"
    inside = "|".join(sign for kind, sign in _INSIDE.items() if kind in together) or "(?!)"
    inside = rf"(?!{_CLITIC}(?!{_LETTER}))(?:{inside})" if "clitics" in together else f"(?:{inside})"
    end = rf"(?:{_APOSTROPHE}(?=\p{{L}}))?" if "elisions" in together else ""
    words = [word for kind, word in _WHOLE.items() if kind in together]
    words += [f"(?!{_INVISIBLE}){letters}(?:{inside}{letters})*{end}"]
    words += [] if segmenter == "auto" else [f"(?:(?={_PACKAGES[segmenter][0]}){CLUSTER})+"]
    return regex.compile("|".join([*words, rf"(?!{_INVISIBLE})(?:\p{{GCB=Prepend}}+(?=\s)|{CLUSTER})"]), regex.V1)


def _cut(text: str, place: Place, cut: Callable[[str], Iterable[str]]) -> Iterator[Place]:
    """The words that a segmenter finds at a place; its cuts within a character and its marks do not count."""
    start, end = place
    whole, at, edges = text[start:end], 0, {0, end - start}
    for word in cut(whole):
        at = max(at, whole.find(word, at))
        edges |= {at, at := min(at + len(word), len(whole))}
    kept = edges & {match.start() for match in _CLUSTERS.finditer(whole)} | {len(whole)}
    return ((start + first, start + last) for first, last in pairwise(sorted(kept)))


def _cutter(segmenter: Segmenter) -> Callable[[str], Iterable[str]]:
    try:
        if segmenter == "pythainlp":
            from pythainlp.tokenize import word_tokenize

            return word_tokenize
        if segmenter == "jieba":
            import jieba

            jieba.setLogLevel("ERROR")
            return jieba.cut  # type: ignore[no-any-return]
        from fugashi import Tagger
    except ImportError as error:
        extra = _PACKAGES[segmenter][1]
        raise ConfigError(f"{segmenter} is not installed ({error}); run: pip install 'uxla[{extra}]'") from None
    tagger = _made(Tagger)
    return lambda text: [word.surface for word in tagger(text)]


@cache
def _made(tagger: Callable[[], Any]) -> Any:
    return tagger()
