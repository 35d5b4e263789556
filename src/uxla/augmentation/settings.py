"""What Gen-LM as a tool of its own is asked for, and the steps that texts in memory and files have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, get_args

from uxla import progress
from uxla.algorithm.vicinity import MaskFiller, MaskRequest, Span, Vicinity
from uxla.choices import Device, Precision, Unit
from uxla.errors import ConfigError
from uxla.records import Corpus, Example
from uxla.testbed import model_name

if TYPE_CHECKING:
    from uxla.models.model_safety import ModelSafety

Segments = tuple[str, ...]


@dataclass(frozen=True)
class Drawing:
    """What decides which samples are made. See `uxla.augment`."""

    share: float = 0.3
    copies: int | tuple[int, ...] | None = None
    unit: Unit = "auto"
    top: int = 1
    seed: int = 0
    min_word_chars: int = 1
    keep_unchanged: bool = False
    precision: Precision = "fp32"

    def __post_init__(self) -> None:
        for name, value, choices in (("unit", self.unit, Unit), ("precision", self.precision, Precision)):
            if value not in get_args(choices):
                raise ConfigError(f"{name} = {value!r}, expected one of {', '.join(get_args(choices))}")
        if self.top < 1:
            raise ConfigError(f"top = {self.top}, expected at least 1; 1 takes the best candidate")

    def vicinity(self, filler: MaskFiller, segments: int) -> Vicinity:
        """Gen-LM for texts of `segments` sentences each. ConfigError for values that make no sense."""
        return Vicinity(
            filler, self.share, self.copies_of(segments), self.seed, self.min_word_chars, self.keep_unchanged
        )

    def copies_of(self, segments: int) -> tuple[int, ...]:
        """δ for each sentence of a text: by default 3, of a pair 2 and 2. ConfigError where they do not fit."""
        if self.copies is None:
            return (3,) if segments == 1 else (2, 2)
        given = self.copies if isinstance(self.copies, tuple) else (self.copies,)
        if len(given) != segments:
            expected = (
                "one number, as 3" if segments == 1 else "two for pairs, as 2,2: all of one with all of the other"
            )
            raise ConfigError(f"copies = {','.join(map(str, given))}, expected {expected}")
        return given


@dataclass(frozen=True)
class Place:
    """Which masked LM, and where and how fast it works. See `uxla.augment`."""

    model: str
    device: Device = "auto"
    tokens_per_batch: int = 8192
    max_length: int | None = None
    revision: str | None = None
    trust_remote_code: bool = False
    allow_pickle_weights: bool = False

    def load(self, drawing: Drawing) -> MaskFiller:
        """The model, set to replace as `drawing` says; the last one stays in memory. ModelError where it cannot be
        used."""
        return _load(self, drawing.top, drawing.unit, drawing.precision)

    def digest(self) -> str:
        """The digest of all that decides what the model computes. ModelError where there is none."""
        from uxla.models.hub import resolve

        return resolve(self.name, revision=self.revision, safety=self.safety).digest

    @property
    def safety(self) -> ModelSafety:
        """What the model may bring along."""
        from uxla.models.model_safety import ModelSafety

        return ModelSafety(self.trust_remote_code, self.allow_pickle_weights)

    @property
    def name(self) -> str:
        """The folder of the testbed's model for `testbed`, any other name as it is."""
        return model_name(self.model)


@lru_cache(maxsize=1)
def _load(place: Place, top: int, unit: Unit, precision: Precision) -> MaskFiller:
    from uxla.models.gen_lm.masked_lm import MaskedLM
    from uxla.models.memory import Budget
    from uxla.models.runtime import Runtime

    runtime = Runtime(place.device, place.max_length, Budget(place.tokens_per_batch), place.safety, precision)
    return MaskedLM.load(place.name, runtime, revision=place.revision, top=top, unit=unit)


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
