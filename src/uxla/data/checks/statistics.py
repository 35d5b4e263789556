"""Statistics of texts and their labels, collected in one pass. Of each example only numbers are kept."""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain

from uxla.data.batch import Batch
from uxla.data.columns import Shape
from uxla.data.conll.cells import DIRECTION, INVISIBLE, JOINER, ZERO_WIDTH
from uxla.data.corpus import segments
from uxla.data.labels.names import missing
from uxla.data.labels.schemes import Scheme, entity_type, to_iob2, violations
from uxla.raw_text import AT_SPACES

SHOWN_VIOLATIONS = 20
_COUNTED_TEXTS = 50_000
"""So many different texts are counted at a time. If there are more, the rarest are forgotten."""

_KINDS = {
    "no-break space": re.compile("[\u00a0\u202f\u2007]"),
    "other space": re.compile("[\u1680\u2000-\u2006\u2008-\u200a\u205f\u3000]"),
    "zero-width character": re.compile(f"[{ZERO_WIDTH}]"),
    "joiner or non-joiner": re.compile(f"[{JOINER}]"),
    "direction mark": re.compile(f"[{DIRECTION}]"),
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


@dataclass(frozen=True)
class Finding:
    """One line worth correcting."""

    line: int
    message: str


def _numbers() -> array[int]:
    return array("q")


@dataclass
class Statistics:
    """The statistics of texts and their labels.

    `segments` has for each text of an example (a pair has two) how often each text occurs, `ends` the last words of
    texts that have several. Of each example there are the number of its words and characters, a number for its texts,
    one for its labels (0: none), and its line (0: unknown).
    """

    shape: Shape = "tagging"
    words: WordCount = field(default_factory=WordCount)
    ends: Counter[str] = field(default_factory=Counter)
    segments: list[Counter[str]] = field(default_factory=list)
    word_counts: array[int] = field(default_factory=_numbers)
    character_counts: array[int] = field(default_factory=_numbers)
    text_keys: array[int] = field(default_factory=_numbers)
    label_keys: array[int] = field(default_factory=_numbers)
    lines: array[int] = field(default_factory=_numbers)
    entities: Counter[str] = field(default_factory=Counter)
    labels: Counter[str] = field(default_factory=Counter)
    missing_labels: Counter[str] = field(default_factory=Counter)
    violations: list[Finding] = field(default_factory=list)
    violation_total: int = 0

    def add(self, texts: Sequence[str], labels: Hashable = None, line_of: Callable[[int], int] | None = None) -> None:
        """Count one example. `labels` can be anything hashable; `line_of` gives the line of the word with an index."""
        words = [AT_SPACES.findall(text) for text in texts]
        every = words[0] if len(words) == 1 else list(chain.from_iterable(words))
        line_of = line_of or (lambda word: 0)
        self.words.add(every, line_of)
        self.ends.update(part[-1] for part in words if len(part) > 1)
        self.segments.extend(Counter() for _ in texts[len(self.segments) :])
        for counts, text in zip(self.segments, texts, strict=True):
            counts[text] += 1
            if len(counts) > _COUNTED_TEXTS:
                for rare, _ in counts.most_common()[_COUNTED_TEXTS // 2 :]:
                    del counts[rare]
        self.word_counts.append(len(every))
        self.character_counts.append(sum(map(len, texts)))
        self.text_keys.append(hash(tuple(texts)))
        self.label_keys.append(0 if labels is None else hash(labels) or 1)
        self.lines.append(line_of(0))

    def add_batch(self, batch: Batch, scheme: Scheme | None) -> None:
        """Count the examples of a batch, with their tags of `scheme` or their labels if they have any."""
        columns = (batch.columns.get(role) for role in ("tags", "label"))
        tags, labels = (column if column is None else column.to_pylist() for column in columns)
        for i, texts in enumerate(segments(batch, self.shape).to_pylist()):
            known = tuple(tags[i]) if tags else labels[i] if labels and not missing(labels[i] or "") else None
            self.add(texts, known, partial(batch.line_of, i))
        for label in labels or ():
            (self.missing_labels if missing(label or "") else self.labels)[label or ""] += 1
        if tags is not None and scheme is not None:
            self._add_tags(batch, tags, scheme)

    def _add_tags(self, batch: Batch, tags: list[list[str]], scheme: Scheme) -> None:
        found = list(violations(tags, scheme))
        self.violation_total += len(found)
        for fault in found[: SHOWN_VIOLATIONS - len(self.violations)]:
            self.violations.append(Finding(batch.line_of(fault.sentence, fault.word), fault.message))
        faulty = {fault.sentence for fault in found}
        sound = (to_iob2(row, scheme) for i, row in enumerate(tags) if i not in faulty)
        self.entities.update(entity_type(tag) for tag in chain.from_iterable(sound) if tag[0] == "B")
