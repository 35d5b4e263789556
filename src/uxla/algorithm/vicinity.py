"""Gen-LM (§2.2): virtual examples around every example of a corpus, by successive max and successive cross.

This module draws the units that are replaced in each sentence and crosses the parts of a pair. The masked LM, behind
the role `MaskFiller`, chooses the replacements.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice, product
from math import comb, floor
from typing import Protocol

import numpy as np

from uxla.choices import Words
from uxla.errors import ConfigError, DataError
from uxla.progress import bar
from uxla.records import Corpus, Example

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class MaskRequest:
    """One sample to make: `text` with the units at `spans` (characters, in draw order) replaced one after the other."""

    text: str
    spans: tuple[Span, ...]
    seed: int


class MaskFiller(Protocol):
    """The vicinity model ϑ(x̃|x, θ_mlm): knows the units of a text and what may stand in their place."""

    def units(self, texts: Sequence[str]) -> list[list[Span]]:
        """The units of each text that can be masked: character spans, left to right, without overlap."""

    def fill(self, requests: Sequence[MaskRequest]) -> list[str]:
        """The text of each request with its units replaced, everything outside them untouched.

        The answer to a request depends on nothing but the request: not on its neighbours, their number or order.
        """


@dataclass(frozen=True)
class VicinityResult:
    """The samples that were kept, and what became of all that were drawn."""

    corpus: Corpus
    drawn: int
    unchanged: int
    """Samples equal to their parent: dropped unless `keep_unchanged`."""
    duplicates: int
    """Samples equal to an earlier sample of the same parent: dropped unless `keep_unchanged`."""
    without_units: int
    """Parents in which nothing could be masked: they have no sample."""


@dataclass(frozen=True)
class Vicinity:
    """Gen-LM(X, θ_mlm, P, δ) of Algorithm 1, lines 8 and 15.

    `share` is P in (0, 1] and `copies` δ for each segment: one entry is successive max, two are successive cross. Units
    shorter than `min_word_chars` characters, or none of the `words` asked for, are never drawn, though they count in
    the sentence's length.
    """

    filler: MaskFiller
    share: float
    copies: tuple[int, ...]
    seed: int
    min_word_chars: int = 1
    words: Words = "all"
    keep_unchanged: bool = False
    together: int = 4096
    """Examples held as Python objects at a time: a bound on memory which no sample depends on."""

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            raise ConfigError(f"vicinity share P = {self.share}, expected a share above 0 and at most 1; 30 % is 0.3")
        if not self.copies or min(self.copies) < 1:
            raise ConfigError(f"vicinity copies δ = {self.copies}, expected one number of at least 1 for each segment")

    def __call__(self, corpus: Corpus, draw: int = 0) -> VicinityResult:
        """The samples around all examples of `corpus`: a corpus without labels, named `corpus.name~`.

        The samples of a parent are `parent~1`, `parent~2`, … in draw order, numbered before any is dropped. The same
        `draw` gives the same samples, another `draw` fresh ones.
        """
        tally: Counter[str] = Counter()
        samples = self._samples(corpus, draw, tally)
        made = Corpus.from_examples(f"{corpus.name}~", corpus.label_names, samples)
        return VicinityResult(made, tally["drawn"], tally["unchanged"], tally["duplicates"], tally["without_units"])

    def _samples(self, corpus: Corpus, draw: int, tally: Counter[str]) -> Iterator[Example]:
        with bar(f"generating the vicinity of {corpus.name}", len(corpus)) as running:
            for part in corpus.parts(self.together):
                parents = list(part)
                for parent, drawn in zip(parents, self._around(parents, draw), strict=True):
                    tally["without_units"] += not drawn
                    yield from self._informative(parent, drawn, tally)
                running.advance(len(parents))

    def _around(self, parents: Sequence[Example], draw: int) -> list[list[tuple[str, ...]]]:
        """Per parent the segments of each of its samples, in draw order: the product over its segments' variants."""
        if not parents:
            return []  # no masked LM is loaded for an empty corpus
        units = iter(self.filler.units([text for parent in parents for text in parent.segments]))
        asked = [
            [
                self._requests(parent, segment, next(units), draw, copies)
                for segment, copies in enumerate(self._copies_of(parent))
            ]
            for parent in parents
        ]
        filled = iter(self.filler.fill([request for parent in asked for part in parent for request in part]))
        samples = []
        for parent, parts in zip(parents, asked, strict=True):
            variants = [
                list(islice(filled, len(part))) or [text] for text, part in zip(parent.segments, parts, strict=True)
            ]
            samples.append(list(product(*variants)) if any(parts) else [])
        return samples

    def _copies_of(self, parent: Example) -> tuple[int, ...]:
        if len(parent.segments) != len(self.copies):
            raise DataError(
                f"example {parent.id} has {len(parent.segments)} segments, expected {len(self.copies)}; "
                f"give copies (δ) one number for each segment, got {self.copies}"
            )
        return self.copies

    def _requests(
        self, parent: Example, segment: int, units: Sequence[Span], draw: int, copies: int
    ) -> list[MaskRequest]:
        maskable = [span for span in units if self._may_be_drawn(parent.segments[segment][slice(*span)])]
        if not maskable:
            return []
        # Rounded first: 0.29 · 100 is 28.999999999999996 in binary.
        size = min(max(1, floor(round(self.share * len(units), 9))), len(maskable))
        bits = keyed_bits(self.seed, draw, segment, parent.id)
        return [
            MaskRequest(parent.segments[segment], tuple(maskable[i] for i in positions), seed)
            for positions, seed in draw_positions(bits, among=len(maskable), size=size, copies=copies)
        ]

    def _may_be_drawn(self, unit: str) -> bool:
        if len(unit) < self.min_word_chars:
            return False
        return self.words == "all" or (self.words == "names") == any(c.isupper() or c.isdecimal() for c in unit)

    def _informative(self, parent: Example, drawn: Sequence[tuple[str, ...]], tally: Counter[str]) -> Iterator[Example]:
        """The samples that carry information, all others counted."""
        seen: set[tuple[str, ...]] = set()
        for number, segments in enumerate(drawn, start=1):
            unchanged = segments == parent.segments
            duplicate = not unchanged and segments in seen
            tally.update(drawn=1, unchanged=unchanged, duplicates=duplicate)
            seen.add(segments)
            if self.keep_unchanged or not (unchanged or duplicate):
                yield Example(f"{parent.id}~{number}", parent.lang, segments)


def keyed_bits(seed: int, draw: int, segment: int, example_id: str) -> np.random.Philox:
    """Random bits that depend on these four alone: the same at any batch size, in any order, on any worker."""
    digest = blake2b(f"{seed}:{draw}:{segment}:{example_id}".encode(), digest_size=16).digest()
    return np.random.Philox(key=int.from_bytes(digest, "little"))


def draw_positions(bits: np.random.Philox, *, among: int, size: int, copies: int) -> list[tuple[tuple[int, ...], int]]:
    """`copies` draws of `size` of `among` positions, each without replacement and in draw order, and a seed for each.

    A set of positions comes again only when all comb(among, size) have come equally often. A larger `copies` only
    adds draws at the end.
    """
    drawn: list[tuple[tuple[int, ...], int]] = []
    seen: set[frozenset[int]] = set()
    while len(drawn) < copies:
        if len(seen) == comb(among, size):
            seen.clear()
        # Raw bits, ranked: unlike the methods of a Generator, the same in every version of numpy.
        positions = tuple(np.argsort(bits.random_raw(among), kind="stable")[:size].tolist())
        if frozenset(positions) not in seen:
            seen.add(frozenset(positions))
            drawn.append((positions, int(bits.random_raw())))
    return drawn
