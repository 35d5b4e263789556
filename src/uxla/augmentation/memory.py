"""`uxla.augment`: Gen-LM (§2.2) as a tool of its own, from texts to samples."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from uxla import given
from uxla.algorithm.vicinity import MaskFiller
from uxla.augmentation.settings import (
    LateFiller,
    Segments,
    changed,
    gen_lm,
    origin,
    parents,
    remark_on_unspaced,
)
from uxla.choices import AskedPrecision, Device, Match, Unit, Words
from uxla.config.compute import LMSource
from uxla.config.method import MaskedLMVicinity
from uxla.decoding import are_tags
from uxla.errors import DataError
from uxla.models.batches import blocks
from uxla.models.corpus_input import entries_of
from uxla.records import Corpus

Text = TypeVar("Text", str, list[str], tuple[str, str])
"""A sentence, its words, or a pair of sentences."""

_FIRST, _MOST = 64, 4096
"""Texts whose samples are made together: few at first, so that somebody who looks on need not wait."""


@dataclass(frozen=True, slots=True)
class Sample(Generic[Text]):
    """One virtual text: what the parent was (a sentence, words, a pair), some of its words replaced.

    >>> [sample] = uxla.augment(["ko mira sen tal"], model="testbed", copies=1, keep_unchanged=True)
    >>> sample.parent, sample.number
    (0, 1)
    """

    text: Text
    parent: int
    """Which of the texts it was made from, counted from 0."""
    number: int
    """Which of that parent's draws it is, from 1; draws that were dropped leave a gap."""
    changed: tuple[tuple[int, ...], ...]
    """The positions, from 0, of the words that are not the parent's: one tuple for each sentence. The words of a
    sentence are what `str.split()` gives, and are as many as the parent's."""


def augment(
    texts: Iterable[Text] | Corpus,
    *,
    model: str,
    share: float = 0.3,
    copies: int | tuple[int, int] | None = None,
    unit: Unit = "auto",
    top: int = 1,
    seed: int = 0,
    match: Match = "none",
    words: Words = "all",
    min_word_chars: int = 1,
    keep_unchanged: bool = False,
    precision: AskedPrecision = "fp32",
    device: Device = "auto",
    tokens_per_batch: int | Literal["auto"] = "auto",
    max_length: int | None = None,
    revision: str | None = None,
    trust_remote_code: bool = False,
    allow_pickle_weights: bool = False,
) -> Iterator[Sample[Text]]:
    """The samples around each text, in the texts' order: some words replaced by what a masked language model expects.

    `texts` are sentences (str), lists of words, or pairs of sentences (tuples of two), all of one kind, or a corpus of
    them (lists of words where its labels are those of words); any number takes the same memory. `model` is a masked LM:
    a folder, a name on the Hub, or `testbed`, the small one that is shipped. Of each sentence `share` of the words are
    drawn, at least one, and `copies` times; of a pair each sentence so often as `copies` says for it, and all are
    crossed (default: 3, and 2 × 2). `unit`: what is replaced as one, a word, a piece of the model's vocabulary, or
    (`auto`) pieces in scripts without spaces. `top`: a replacement is drawn from so many best candidates, 1 takes the
    best. `match`: with `kind` letters replace letters, digits digits, and signs stay; with `case` also capitals
    capitals; with `length` also words of up to three characters such words. `words`: which are replaced; `names` are
    those with a capital letter or a digit, `others` the rest. Words shorter than `min_word_chars` stay. Samples that
    equal their parent or another sample of it are dropped, unless `keep_unchanged`. `precision`: `bf16` and `fp16` are
    faster with large models and change some words.

    `device`, `tokens_per_batch` (pieces of one forward pass; `auto`: by a GPU's free memory) and `max_length` (pieces
    of a sentence that the model sees at once) say where and how fast. `revision` is a Hub model's; code and pickles
    that come with a model are left alone unless `trust_remote_code` and `allow_pickle_weights` say otherwise.

    What comes of a text depends on it, its position among `texts`, and the seed. Nothing but the drawn words changes:
    a word becomes one word, so that labels of words stay right, and every space stays. ConfigError for values that make
    no sense, ModelError for a model that cannot be used, DataError for a text of another kind.

    >>> [sample] = augment(["ko mira sen tal"], model="testbed", copies=1, keep_unchanged=True)
    >>> len(sample.text.split()), sample.parent, sample.number
    (4, 0, 1)
    """
    replacing: dict[str, Any] = {"share": share, "copies": copies, "unit": unit, "top": top, "words": words}
    settings = MaskedLMVicinity(**replacing, match=match, min_word_chars=min_word_chars, keep_unchanged=keep_unchanged)
    source = LMSource(
        model=model,
        revision=revision,
        max_length=max_length,
        device=device,
        precision=precision,
        tokens_per_batch=tokens_per_batch,
        trust_remote_code=trust_remote_code,
        allow_pickle_weights=allow_pickle_weights,
    )
    filler = LateFiller(lambda: source.load(settings))
    if isinstance(texts, Corpus):
        texts = entries_of(texts, words=are_tags(texts.label_names))
    entries = given.each(texts, "texts", "texts")
    from uxla.process_settings import process_settings  # late: it loads torch

    with process_settings():
        filler.loaded()
    return _samples(entries, filler, settings, seed)


def _samples(
    texts: Iterable[Text], filler: MaskFiller, settings: MaskedLMVicinity, seed: int
) -> Iterator[Sample[Text]]:
    first, told = 0, settings.unit != "word"
    kind: type | None = None
    for chunk in blocks(texts, _MOST, first=_FIRST):
        kind = kind or _kind(chunk[0])
        segments = [_segments(text, kind, i) for i, text in enumerate(chunk, first)]
        told = told or remark_on_unspaced(segments)
        vicinity = gen_lm(settings, filler, len(segments[0]), seed)
        for example in vicinity(parents("texts", first, segments)).corpus:
            parent, number = origin(example)
            yield _sample(chunk[parent - first], example.segments, parent, number)
        first += len(chunk)


def _sample(parent: Text, segments: Segments, number_of_parent: int, number: int) -> Sample[Text]:
    text: Any
    if isinstance(parent, list):
        text = segments[0].split(" ")
        return Sample(text, number_of_parent, number, (changed(parent, text),))
    old = (parent,) if isinstance(parent, str) else parent
    text = segments[0] if isinstance(parent, str) else segments
    words = tuple(changed(a.split(), b.split()) for a, b in zip(old, segments, strict=True))
    return Sample(text, number_of_parent, number, words)


def _kind(text: object) -> type:
    return next((kind for kind in (str, list, tuple) if isinstance(text, kind)), type(text))


def _segments(text: Text, kind: type, number: int) -> Segments:
    """The text as sentences. DataError for what is no text, or not of the first one's kind."""
    where, own = f"text {number}", _kind(text)
    if own is not kind or kind not in (str, list, tuple):
        got = f"{own.__name__}" if own is kind else f"{own.__name__}, the first was {kind.__name__}"
        raise DataError(f"{where}: got {got}; expected all str, all lists of words, or all pairs (tuple)")
    if kind is not list:
        return given.parts(text, 2 if kind is tuple else 1, where)
    for place, word in enumerate(text):
        given.check_text(word, f"{where}, word {place}")
        if " " in word:
            remedy = "cut it in two, or give the sentence as one str"
            raise DataError(f"{where}, word {place}: got {word!r}, with a space in it; {remedy}")
    return (" ".join(text),)
