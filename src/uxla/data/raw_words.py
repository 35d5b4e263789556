"""Texts of `ner` as lists of words: cut at blanks, or as raw text is."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Literal, get_args

import pyarrow as pa
import pyarrow.compute as pc

from uxla.data.batch import TEXTS, split_at_blanks
from uxla.data.options import ReadOptions
from uxla.errors import setting
from uxla.progress import note_once
from uxla.raw_text import AT_SPACES, LOOKED_AT, TOGETHER, Segmenter, Splitter, Together, is_cut, together_in
from uxla.records import Corpus

_SEGMENTERS: dict[str, Segmenter | Literal["spaces"]] = {name: name for name in ("spaces", *get_args(Segmenter))}
_MOST = 10_000  # sentences of a source


@dataclass
class RawWords:
    """Cuts the texts of one file into words; `raw` is whether they may be raw text, and not columns of words."""

    path: Path
    options: ReadOptions
    raw: bool
    _at_blanks: bool | None = field(default=None, init=False)

    def of(self, texts: pa.Array) -> pa.Array:
        """(n,) lists of words; the first call decides how. A text without visible characters is cut at blanks."""
        if self._at_blanks is None:
            self._at_blanks = self._are_cut(texts)
        if self._at_blanks:
            return split_at_blanks(texts)
        cut = splitter(self.options)
        rows = ([text[start:end] for start, end in cut(text)] or AT_SPACES.findall(text) for text in texts.to_pylist())
        return pa.array(list(rows), TEXTS)

    def _are_cut(self, texts: pa.Array) -> bool:
        """Whether the texts are words with blanks between them."""
        if self.options.split != "auto":
            return self.options.split == "spaces"
        are_cut = not self.raw or is_cut(texts[:LOOKED_AT].to_pylist())
        if not are_cut:
            remedy = f"set {setting('split', 'spaces')} to split at spaces only"
            note_once(f"{self.path}: raw text; words are split from punctuation ({remedy})")
        return are_cut


def splitter(options: ReadOptions) -> Splitter:
    """How raw text is cut into words: at blanks if that is asked for, else also around punctuation."""
    return Splitter(_SEGMENTERS.get(options.split, "auto"), TOGETHER if options.together is None else options.together)


def split_as(options: ReadOptions, split: Splitter) -> ReadOptions:
    """The options with what they leave open about words taken from `split`, that of the text that models have read."""
    together = split.together if options.together is None else options.together
    segmenter = split.segmenter if options.split == "auto" else options.split
    return options.model_copy(update={"together": together, "split": segmenter})


def together_in_source(source: Corpus) -> tuple[Together, ...]:
    """What stays in one word in the sentences of a source."""
    texts = pc.list_flatten(source.table.column("segments").slice(0, _MOST)).to_pylist()
    return together_in(Counter(chain.from_iterable(text.split(" ") for text in texts)))
