"""What `uxla data check` counts while a file goes by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import chain

import numpy as np

from uxla.data.checks.doubts import Doubt, Portrait, doubts, name_doubts
from uxla.data.checks.suspicious_characters import WordCount
from uxla.data.labels.names import missing
from uxla.data.labels.schemes import Scheme, entity_type, to_iob2, violations
from uxla.data.unlabelled import shown_signs
from uxla.phrases import counted
from uxla.records import Ints

SHOWN_VIOLATIONS = 20


@dataclass(frozen=True)
class Finding:
    """One line worth correcting."""

    line: int
    message: str


@dataclass(frozen=True)
class Part:
    """Some examples: their texts, tags or labels if any, and the line of a word."""

    texts: list[list[str]]
    tags: list[list[str]] | None
    labels: list[str | None] | None
    line_of: Callable[[int, int], int]


@dataclass
class Figures:
    """What is counted while the parts go by; some numbers an example, never the example."""

    portrait: Portrait
    words_each: list[int] = field(default_factory=list)
    characters_each: list[int] = field(default_factory=list)
    entities: Counter[str] = field(default_factory=Counter)
    labels: Counter[str] = field(default_factory=Counter)
    signs: Counter[str] = field(default_factory=Counter)
    violations: list[Finding] = field(default_factory=list)
    violation_total: int = 0

    @property
    def words(self) -> WordCount:
        """The words, and what is odd about them."""
        return self.portrait.words

    @property
    def characters(self) -> int:
        """All characters of all texts."""
        return sum(self.characters_each)

    @property
    def keys(self) -> Ints:
        """(N,) equal for equal texts."""
        return np.array(self.portrait.texts, dtype=np.int64)

    def doubts(self) -> Iterator[Doubt]:
        """What is doubtful about the texts and the names of their labels."""
        yield from doubts(self.portrait)
        yield from name_doubts(self.entities, "type")
        yield from name_doubts(self.labels, "label")
        if self.signs:
            rows = counted(self.signs.total(), "row has", "rows have")
            text = f"{rows} none ({shown_signs(self.signs)}) and would be left out of labelled data"
            yield Doubt("no label", text)

    def add(self, part: Part, scheme: Scheme | None) -> None:
        """Count some examples."""
        for i, texts in enumerate(part.texts):
            labels = None if part.labels is None or missing(part.labels[i] or "") else part.labels[i]
            known = labels if part.tags is None else tuple(part.tags[i])
            self.words_each.append(self.portrait.add(texts, known, partial(part.line_of, i)))
            self.characters_each.append(sum(map(len, texts)))
        for label in part.labels or ():
            sign = label is None or missing(label)
            (self.signs if sign else self.labels)[label or ""] += 1
        if part.tags is not None and scheme is not None:
            self._add_tags(part, part.tags, scheme)

    def _add_tags(self, part: Part, tags: list[list[str]], scheme: Scheme) -> None:
        found = list(violations(tags, scheme))
        self.violation_total += len(found)
        for fault in found[: SHOWN_VIOLATIONS - len(self.violations)]:
            self.violations.append(Finding(part.line_of(fault.sentence, fault.word), fault.message))
        faulty = {fault.sentence for fault in found}
        sound = (to_iob2(row, scheme) for i, row in enumerate(tags) if i not in faulty)
        self.entities.update(entity_type(tag) for tag in chain.from_iterable(sound) if tag[0] == "B")
