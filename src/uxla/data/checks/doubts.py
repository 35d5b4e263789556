"""Doubts about texts and labels that one can have without knowing anything else about them.

A doubt is not an error: the data may be right. Each rule is about something that good data rarely has.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from uxla.data.checks.noise import double_encoding, noise_in
from uxla.data.checks.statistics import Statistics
from uxla.data.formats.table import Table
from uxla.data.labels.names import doubtful_type, mixed
from uxla.errors import setting
from uxla.phrases import counted, listed, seen

_PREFIX = re.compile(r"([a-z]{2,3}(?:-[a-z]{2,8})?):(?=.)")
_NUMBER = re.compile(r"[-+]?[0-9]{1,20}(\.[0-9]{1,20})?")
_LANGUAGES = frozenset(("language", "lang", "locale", "langid", "languagecode", "langcode", "isolanguage"))
_MANY = 10  # labels
_FILLERS = {"NS", "nan", "NaN", "NAN", "null", "NULL", "None", "N/A", "n/a", "#N/A", "<NA>", "#REF!", "#VALUE!"}
"""What files have in place of a missing text."""


@dataclass(frozen=True)
class Doubt:
    """What the doubt is about, in a word or two, and a sentence.

    A `minor` one also occurs in good data, and is shown only to who checks a single file.
    """

    about: str
    text: str
    minor: bool = False


def doubts(stats: Statistics) -> Iterator[Doubt]:
    """The doubts about texts by themselves."""
    yield from _prefix(stats)
    if (twice := double_encoding(stats.words.counts)) is not None:
        what = f"{counted(twice.words, 'word')} like {twice.example!r}, meant as {twice.meant!r}"
        yield Doubt("encoding", f"{what}: UTF-8 was read as {twice.codec}; repair the text, for instance with ftfy")
    yield from _fillers(stats)
    yield from _repeated(stats)
    yield from _contradictions(stats)
    for texts in stats.segments:
        words = stats.words.counts if len(stats.segments) == 1 else Counter[str]()
        yield from (Doubt("form", text) for text in noise_in(words, texts))
    if stats.words.probable_zawgyi:
        yield Doubt(
            "Zawgyi",
            "its Burmese looks like Zawgyi, the old font encoding that no model has read; convert it to Unicode",
        )


def _prefix(stats: Statistics) -> Iterator[Doubt]:
    """Every word begins with the name of a language, as in raw WikiANN."""
    found: Counter[str] = Counter()
    for word, count in stats.words.counts.items():
        if match := _PREFIX.match(word):
            found[match[1]] += count
    for prefix, count in found.most_common(1):
        if count >= 10 and count >= 0.95 * stats.words.counts.total():
            yield Doubt("prefix", f"every word begins with '{prefix}:', as in raw WikiANN; remove it first")


def _fillers(stats: Statistics) -> Iterator[Doubt]:
    found: Counter[str] = Counter()
    for part in stats.segments if stats.shape != "tagging" else ():
        found.update({text: count for text, count in part.items() if text.strip() in _FILLERS})
    if found:
        shown = listed(f"{text!r} ({count})" for text, count in found.most_common())
        yield Doubt("no text", f"{shown}: a sign that the text is missing; leave such rows out")


def _repeated(stats: Statistics) -> Iterator[Doubt]:
    """One text occurs far more often than any other: a filler for missing texts, or a notice of a web site."""
    share = 0.02 if stats.shape == "tagging" else 0.001
    for number, part in enumerate(stats.segments):
        (text, count), *others = part.most_common(5)
        usual = others[-1][1] if others else 1
        filler = text.strip() in _FILLERS if stats.shape != "tagging" else not any(map(str.isalnum, text))
        if count >= max(8, 2.5 * usual, share * len(stats.text_keys)) and not filler:
            which = "" if len(stats.segments) == 1 else (" as the first text", " as the second text")[number]
            shown = text if len(text) <= 40 else f"{text[:39]}…"
            yield Doubt("repeated", f"{shown!r} stands {count} times{which}, no other text nearly as often")


def _contradictions(stats: Statistics) -> Iterator[Doubt]:
    columns = (stats.text_keys, stats.label_keys, stats.lines)
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
    """The doubts about the names of labels or types (`what`), given with how often each occurs."""
    for name, count in names.items():
        if mixed(name):
            yield Doubt(
                "suspicious " + what, f"{name!a} mixes letters of several scripts ({count}); is it spelt right?"
            )
    if what == "type":
        for name, count in names.items():
            if odd := doubtful_type(name):
                yield Doubt("suspicious type", f"{seen(name)} {odd} ({count}); is it an entity type?")
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
            alike_names = f"{listed(map(seen, several))} differ in capitals and signs only"
            text = f"{alike_names}; if they are one {what}, map them (labels)"
            yield Doubt("alike", text)


def languages(table: Table, wanted: str = "") -> Iterator[Doubt]:
    """A doubt if the table has a column of languages with several values in the rows that are read.

    The table is read once more where it has such a column. The remedy names the language `wanted`, if it is there.
    """
    names = table.names if table.has_named_columns and table.format != "hub" else []
    column = next((name for name in names if "".join(filter(str.isalpha, name.casefold())) in _LANGUAGES), None)
    if column is None:
        return
    place: Any = column if table.format in ("jsonl", "parquet") else names.index(column)
    found = Counter(
        str(record[place])
        for batch in table.batches(labelled=False, whole=True)
        for record in batch.records or ()
        if (place in record if isinstance(record, dict) else place < len(record))
    )
    if len(found) > 1:
        shown = listed(f"{value} {count}" for value, count in found.most_common())
        value = wanted if wanted in found else found.most_common(1)[0][0]
        text = f"column {column!r} has {len(found)} values ({shown}), all of them are read"
        yield Doubt("languages", f"{text}; for one of them set {setting('where', {column: value})}")
