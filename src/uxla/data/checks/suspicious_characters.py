"""Characters in words that deserve a second look: kept as they are by every reader, and often put there by accident."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

_SPACE = "\u00a0\u202f\u2007\u1680\u2000-\u2006\u2008-\u200a\u205f\u3000"
_ZERO_WIDTH = "\u00ad\u200b\u2060\ufeff"
_JOINER = "\u200c\u200d"
_DIRECTION = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
INVISIBLE = re.compile(f"[{_SPACE}{_ZERO_WIDTH}{_JOINER}{_DIRECTION}\ufe00-\ufe0f]+")
"""One or more invisible characters."""

_KINDS = {
    "no-break space": re.compile("[\u00a0\u202f\u2007]"),
    "other space": re.compile("[\u1680\u2000-\u2006\u2008-\u200a\u205f\u3000]"),
    "zero-width character": re.compile(f"[{_ZERO_WIDTH}]"),
    "joiner or non-joiner": re.compile(f"[{_JOINER}]"),
    "direction mark": re.compile(f"[{_DIRECTION}]"),
    "control character": re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]"),
    "replacement character": re.compile("\ufffd"),
    "nothing visible": re.compile(rf"\A{INVISIBLE.pattern}\Z"),
}

_BURMESE = re.compile("[\u1000-\u109f]")
# Zawgyi stores what is drawn left of a consonant (U+1031, and its U+103B) before it, and closes syllables with U+1039;
# Unicode stores both after the consonant and follows U+1039 with one.
_ZAWGYI = re.compile(
    "(?<![\u1000-\u102a\u103b-\u103f\u104e\u1050-\u1055\u105a-\u1061\u1065-\u1070\u1075-\u1082])[\u1031\u103b]"
    "|\u1039(?![\u1000-\u102a\u103f\u1050-\u1097])"
)
_ZAWGYI_SHARE = 0.1


@dataclass(frozen=True)
class SuspiciousWords:
    """How many words have suspicious characters of one kind, and the line of the first such word."""

    kind: str
    words: int
    line: int


@dataclass
class WordCount:
    """How often each word occurs, and for each kind of suspicious characters the first line with one."""

    counts: Counter[str] = field(default_factory=Counter)
    first_lines: dict[str, int] = field(default_factory=dict)

    def add(self, words: Iterable[str], line_of: Callable[[int], int]) -> None:
        """Count the words of one example; `line_of` gives the line of the word at an index."""
        for i, word in enumerate(words):
            if word not in self.counts:
                for kind, pattern in _KINDS.items():
                    if kind not in self.first_lines and pattern.search(word):
                        self.first_lines[kind] = line_of(i)
            self.counts[word] += 1

    def suspicious(self) -> tuple[SuspiciousWords, ...]:
        """The kinds of suspicious characters that occur."""
        kinds = [kind for kind in _KINDS if kind in self.first_lines]
        return tuple(SuspiciousWords(kind, self._with(_KINDS[kind]), self.first_lines[kind]) for kind in kinds)

    @property
    def probable_zawgyi(self) -> bool:
        """Whether more than a few of the Burmese words are in Zawgyi, the old font encoding."""
        return self._with(_ZAWGYI, _BURMESE) > _ZAWGYI_SHARE * self._with(_BURMESE)

    def _with(self, *patterns: re.Pattern[str]) -> int:
        found = (word for word in self.counts if all(pattern.search(word) for pattern in patterns))
        return sum(self.counts[word] for word in found)
