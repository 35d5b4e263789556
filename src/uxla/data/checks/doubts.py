"""What can be seen from texts and labels alone, and makes it doubtful that they are what they are taken for.

A doubt is no error: what it tells of may be meant. Each rule tells of what real data hardly ever has.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import chain

import numpy as np

from uxla.data.checks.double_encoding import encoded_twice
from uxla.data.checks.noise import strange
from uxla.data.checks.suspicious_characters import WordCount
from uxla.data.columns import Shape
from uxla.data.labels.missing import mixed, odd_type
from uxla.phrases import counted, listed, seen

_WORD = re.compile("[^ \t\r\n]+")
_PREFIX = re.compile(r"([a-z]{2,3}(?:-[a-z]{2,8})?):(?=.)")
_NUMBER = re.compile(r"[-+]?[0-9]{1,20}(\.[0-9]{1,20})?")
_MANY = 10  # labels
_KEPT = 50_000
"""Texts whose repetitions are counted at a time; the rarest give way."""
_FILLERS = {"NS", "nan", "NaN", "NAN", "null", "NULL", "None", "N/A", "n/a", "#N/A", "<NA>", "#REF!", "#VALUE!"}
"""What stands in a cell that has no text."""


@dataclass(frozen=True)
class Doubt:
    """What it is about, in a word or two, and a sentence. `minor`: known of good data too, so that only who looks at
    one file is told."""

    about: str
    text: str
    minor: bool = False


@dataclass
class Portrait:
    """What texts look like, counted while they go by; of an example only numbers are kept.

    `ends` are the last words of texts that have several. Of each example: a number for its texts, one for its labels
    (0: none), and its line (0: unknown).
    """

    shape: Shape = "tagging"
    words: WordCount = field(default_factory=WordCount)
    ends: Counter[str] = field(default_factory=Counter)
    parts: list[Counter[str]] = field(default_factory=list)
    texts: array[int] = field(default_factory=lambda: array("q"))
    labels: array[int] = field(default_factory=lambda: array("q"))
    lines: array[int] = field(default_factory=lambda: array("q"))

    def add(self, texts: Sequence[str], labels: Hashable = None, line_of: Callable[[int], int] = lambda word: 0) -> int:
        """One example: its texts, whatever its labels are, and the line of a word. The number of its words."""
        words = [_WORD.findall(text) for text in texts]
        every = words[0] if len(words) == 1 else list(chain.from_iterable(words))
        self.words.add(every, line_of)
        self.ends.update(part[-1] for part in words if len(part) > 1)
        self.parts.extend(Counter() for _ in texts[len(self.parts) :])
        for part, text in zip(self.parts, texts, strict=True):
            part[text] += 1
            if len(part) > _KEPT:
                for rare, _ in part.most_common()[_KEPT // 2 :]:
                    del part[rare]
        self.texts.append(hash(tuple(texts)))
        self.labels.append(0 if labels is None else hash(labels) or 1)
        self.lines.append(line_of(0))
        return len(every)


def doubts(portrait: Portrait) -> Iterator[Doubt]:
    """What is doubtful about texts on their own."""
    yield from _prefix(portrait)
    yield from _twice(portrait)
    yield from _fillers(portrait)
    yield from _repeated(portrait)
    yield from _contradictions(portrait)
    for texts in portrait.parts:
        words = portrait.words.counts if len(portrait.parts) == 1 else Counter[str]()
        yield from (Doubt("form", text) for text in strange(words, texts))
    if portrait.words.probable_zawgyi:
        yield Doubt(
            "Zawgyi",
            "its Burmese looks like Zawgyi, the old font encoding that no model has read; convert it to Unicode",
        )


def _prefix(portrait: Portrait) -> Iterator[Doubt]:
    """Raw WikiANN has the language before every word."""
    found: Counter[str] = Counter()
    for word, count in portrait.words.counts.items():
        if match := _PREFIX.match(word):
            found[match[1]] += count
    for prefix, count in found.most_common(1):
        if count >= 10 and count >= 0.95 * portrait.words.counts.total():
            yield Doubt("prefix", f"every word begins with '{prefix}:', as in raw WikiANN; cut it off before use")


def _twice(portrait: Portrait) -> Iterator[Doubt]:
    found = encoded_twice(portrait.words.counts)
    if found is not None:
        what = f"{counted(found.words, 'word')} like {found.example!r}, meant as {found.meant!r}"
        yield Doubt("encoding", f"{what}: UTF-8 was read as {found.codec}; repair the text, for instance with ftfy")


def _fillers(portrait: Portrait) -> Iterator[Doubt]:
    found: Counter[str] = Counter()
    for part in portrait.parts if portrait.shape != "tagging" else ():
        found.update({text: count for text, count in part.items() if text.strip() in _FILLERS})
    if found:
        shown = listed(f"{text!r} ({count})" for text, count in found.most_common())
        yield Doubt("no text", f"{shown}: a sign that the text is missing; leave such rows out")


def _repeated(portrait: Portrait) -> Iterator[Doubt]:
    """One text far more often than any other: what was put where there was none, or a notice of a web site."""
    share = 0.02 if portrait.shape == "tagging" else 0.001
    for number, part in enumerate(portrait.parts):
        (text, count), *others = part.most_common(5)
        usual = others[-1][1] if others else 1
        filler = text.strip() in _FILLERS if portrait.shape != "tagging" else not any(map(str.isalnum, text))
        if count >= max(8, 2.5 * usual, share * len(portrait.texts)) and not filler:
            which = "" if len(portrait.parts) == 1 else (" as the first text", " as the second text")[number]
            shown = text if len(text) <= 40 else f"{text[:39]}…"
            yield Doubt("repeated", f"{shown!r} stands {count} times{which}, no other text nearly as often")


def _contradictions(portrait: Portrait) -> Iterator[Doubt]:
    columns = (portrait.texts, portrait.labels, portrait.lines)
    texts, labels, lines = (np.array(column, dtype=np.int64) for column in columns)
    order = np.argsort(texts, kind="stable")
    order = order[labels[order] != 0]
    before, after = order[:-1], order[1:]
    differing = (texts[before] == texts[after]) & (labels[before] != labels[after])
    count = len(np.unique(texts[after][differing]))
    if count:
        at = lines[after[differing]].argmin()
        first, second = (int(lines[rows[differing][at]]) for rows in (before, after))
        where = f", as in lines {first} and {second}" if first else ""
        text = f"{counted(count, 'text has', 'texts have')} different labels in different places{where}"
        yield Doubt("contradiction", text, minor=count < 0.01 * len(texts))


def name_doubts(names: Mapping[str, int], what: str) -> Iterator[Doubt]:
    """What is doubtful about the names of labels or entity types, which `what` says, with how often each occurs."""
    for name, count in names.items():
        if mixed(name):
            yield Doubt("odd " + what, f"{name!a} mixes letters of several scripts ({count}); is it spelt right?")
    if what == "type":
        for name, count in names.items():
            if odd := odd_type(name):
                yield Doubt("odd type", f"{seen(name)} {odd} ({count}); is it an entity type?")
    total = sum(names.values())
    if what == "label" and len(names) >= _MANY and 2 * len(names) > total:
        yield Doubt("labels", f"{len(names)} labels for {total} texts; is it the labels' column? name it (columns)")
    broken = [name for name in names if _NUMBER.fullmatch(name) and Decimal(name) % 1]
    if what == "label" and broken:
        yield Doubt("labels", f"{listed(broken, 3)}: numbers with a fraction; are they scores? uxla learns classes")
    alike: dict[str, list[str]] = {}
    for name in names:
        letters = unicodedata.normalize("NFKC", name.casefold())
        number = f"= {Decimal(name).normalize():f}" if _NUMBER.fullmatch(name) else ""
        alike.setdefault(number or "".join(char for char in letters if char.isalnum()), []).append(name)
    for several in alike.values():
        if len(several) > 1 and any(char.isalnum() for char in several[0]):
            text = f"{listed(map(seen, several))} differ in capitals and signs only; one {what}? then map them (labels)"
            yield Doubt("alike", text)
