"""Gen-LM as a tool of its own: its model, and the steps that texts in memory and files have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache

from uxla import progress
from uxla.algorithm.vicinity import MaskFiller, MaskRequest, Span, Vicinity
from uxla.config.method import MaskedLMVicinity
from uxla.records import Corpus, Example

Segments = tuple[str, ...]


def gen_lm(settings: MaskedLMVicinity, filler: MaskFiller, segments: int, seed: int) -> Vicinity:
    """Gen-LM for texts of `segments` sentences each. ConfigError where `copies` do not fit them."""
    copies = settings.copies_of(segments)
    return Vicinity(
        filler, settings.share, copies, seed, settings.min_word_chars, settings.words, settings.keep_unchanged
    )


class LateFiller:
    """A masked LM that is loaded when it is first needed: not for arguments at fault, not for work that is done."""

    def __init__(self, load: Callable[[], MaskFiller]) -> None:
        self.loaded = cache(load)

    def units(self, texts: Sequence[str]) -> list[list[Span]]:
        """As `MaskFiller.units`."""
        return self.loaded().units(texts)

    def fill(self, requests: Sequence[MaskRequest]) -> list[str]:
        """As `MaskFiller.fill`."""
        return self.loaded().fill(requests)


def parents(name: str, first: int, texts: Sequence[Segments]) -> Corpus:
    """Texts as a corpus, each one's number as its id."""
    return Corpus.from_examples(name, (), (Example(str(i), "", text) for i, text in enumerate(texts, first)))


def origin(sample: Example) -> tuple[int, int]:
    """The number of a sample's parent and of its draw."""
    parent, _, number = sample.id.rpartition("~")
    return int(parent), int(number)


def changed(parent: Sequence[str], sample: Sequence[str]) -> tuple[int, ...]:
    """The positions at which two sequences of equally many words differ."""
    return tuple(i for i, (old, new) in enumerate(zip(parent, sample, strict=True)) if old != new)


def remark_on_unspaced(texts: Iterable[Segments]) -> bool:
    """Whether a text has words of a script without spaces, which one piece replaces whole: said aloud if so."""
    from uxla.models.gen_lm.units import unspaced

    if not any(unspaced(word) for text in texts for segment in text for word in segment.split()):
        return False
    progress.note("some text has no spaces between words: unit `word` replaces what lies between two; try unit `auto`")
    return True
