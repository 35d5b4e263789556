"""The sentences of a CoNLL file: its lines are cut into cells and gathered into sentences."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from uxla.data.conll.cells import (
    AUTO,
    BRACKETS,
    PLAIN,
    cells_of,
    is_invisible,
    is_label_like,
    is_sure,
    is_usual,
    key_of,
    labels_in,
    may_be_comment,
    separates,
)
from uxla.data.conll.known_layouts import NO_WORD
from uxla.data.conll.layout import NO_SENTENCE, ConllLayout, layout_of
from uxla.data.files import refuse_inner_cr
from uxla.data.options import ReadOptions
from uxla.errors import DataError, EmptyError, setting
from uxla.phrases import counted
from uxla.progress import note_once

_COMMENT = re.compile("#+|%+|//+|;+|--+")
_MARKUP = re.compile(r"<[^<>]+>")


class Sentence(NamedTuple):
    """One sentence: its words, the cells of their labels (empty in a file without labels), and the words' lines.

    `numbers` are the numbers of the lines, from 1; `lines` are the lines without their ends.
    """

    words: list[str]
    cells: list[str]
    numbers: list[int]
    lines: list[str]


@dataclass(frozen=True, eq=False)
class ParsedConll:
    """All sentences of a file and their labels, those in brackets as IOB2. `labels` is None in a file without labels.

    The words of a sentence stand on consecutive lines, the first of which is in `first_lines`. Sentences whose lines
    are not consecutive are in `apart`. `left_out` counts the lines that are neither words nor blank, by what they are.
    """

    layout: ConllLayout
    sentences: list[list[str]] = field(default_factory=list)
    labels: list[list[str]] | None = None
    first_lines: list[int] = field(default_factory=list)
    apart: dict[int, list[int]] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)

    def line_of(self, sentence: int, word: int) -> int:
        """The line, from 1, of a word; both indices from 0."""
        return self.apart[sentence][word] if sentence in self.apart else self.first_lines[sentence] + word


def parsed(lines: Iterable[str], layout: ConllLayout, path: Path) -> ParsedConll:
    """The sentences in the lines of a file.

    DataError, with the line, for uneven columns, an empty word or one with a space, or a CR within a line.
    """
    found = ParsedConll(layout)
    labels: list[list[str]] = []
    has_labels = layout.label is not None and layout.style in (PLAIN, BRACKETS)
    for i, (words, cells, numbers, _) in enumerate(sentences_in(lines, layout, path, found.left_out)):
        found.sentences.append(words)
        found.first_lines.append(numbers[0])
        if numbers[-1] - numbers[0] >= len(numbers):
            found.apart[i] = numbers
        labels.append(labels_in(cells, layout.style))
        has_labels = has_labels or key_of(cells) is not None
    return replace(found, labels=labels if has_labels else None)


def open_layout(lines: Callable[[], Iterable[str]], path: Path, options: ReadOptions) -> ConllLayout:
    """The layout of a file. `lines` is called once or twice: to find a prefix, all lines are read.

    A text such as `fr:` in raw WikiANN is a prefix if every word has it. DataError as from `layout_of` and `parsed`.
    """
    layout = layout_of(lines(), path, options)
    found = layout.prefix and all(
        word.startswith(layout.prefix)
        for sentence in sentences_in(lines(), replace(layout, prefix=""), path)
        for word in sentence.words
    )
    if found:
        note_once(f"{path}: {layout.prefix!r}, with which every word begins, is left out")
    return layout if found else replace(layout, prefix="")


def sentences_in(
    lines: Iterable[str], layout: ConllLayout, path: Path, left_out: Counter[str] | None = None
) -> Iterator[Sentence]:
    """The sentences of a file of this layout, one at a time; `left_out` counts other lines. Errors as in `parsed`."""
    left_out = Counter() if left_out is None else left_out
    sentence, is_empty = Sentence([], [], [], []), True
    for number, line in enumerate(lines, start=1):
        body = line.rstrip("\r\n")
        if "\r" in body:
            refuse_inner_cr(body, file=path, first_line=number)
        cells = cells_of(body)
        if separates(body, cells, layout.token, layout.comment):
            left_out.update(["comment"] * body.startswith("#"))
            if sentence.words:
                yield sentence
                sentence, is_empty = Sentence([], [], [], []), False
        elif aside := _aside(body, cells, layout, bool(sentence.words), path, number):
            left_out[aside] += 1
        else:
            _add_word(sentence, body, cells, layout, path, number)
    if sentence.words:
        yield sentence
    elif is_empty:
        raise EmptyError(NO_SENTENCE, file=path)


def _add_word(
    sentence: Sentence, line: str, cells: Sequence[str], layout: ConllLayout, path: Path, number: int
) -> None:
    word = cells[layout.token] if layout.fits(cells) else ""
    if not word or " " in word or is_invisible(cells):
        raise _fault(line, cells, layout, path, number)
    word = word.removeprefix(layout.prefix) or word
    # interned: a corpus repeats its words, so each costs a pointer instead of a string
    sentence.words.append(sys.intern(word))
    if layout.label is not None:
        sentence.cells.append(sys.intern(cells[layout.label].strip()))
    sentence.numbers.append(number)
    sentence.lines.append(line)


def _aside(line: str, cells: Sequence[str], layout: ConllLayout, inside: bool, path: Path, number: int) -> str | None:
    """What the line is if it is not a word; None for a word. DataError if it may be either a comment or a word."""
    if tuple(cells) == layout.header:
        return "header"
    if layout.indexed and NO_WORD.fullmatch(cells[0]):
        return "range or empty node"
    if layout.comment != AUTO:
        return "comment" if layout.comment is not None and line.startswith(layout.comment) else None
    if not may_be_comment(line):
        return None
    if inside:
        if not (is_sure(line) and layout.fits(cells)):
            return None
    elif is_sure(line) or not _is_row(line, cells, layout):
        return "comment"
    elif _has_label(cells, layout):
        return None
    elif is_usual(line):
        return "comment"
    where = "inside a sentence" if inside else "with as many columns as words have"
    remedy = f"set {_prefix('#')} if it is one, {setting('comment', 'none')} if it is a word"
    raise DataError(f"looks like a comment, {where}; {remedy}", file=path, line=number)


def _is_row(line: str, cells: Sequence[str], layout: ConllLayout) -> bool:
    """Whether a line that begins with # has as many columns as words have, cut in the same way."""
    if " " in cells[0] or (layout.filled > 1 and ("\t" in line) != ("\t" in layout.opening)):
        return False
    return len(cells) in layout.widths or (layout.uneven and layout.fits(cells))


def _has_label(cells: Sequence[str], layout: ConllLayout) -> bool:
    """Whether one of the cells may be the label of the word."""
    width = len(cells)
    label = cells[width - 1 if layout.label is None or layout.label >= width else layout.label]
    return width == 1 or is_label_like(label) or label in layout.label_cells


def _fault(line: str, cells: Sequence[str], layout: ConllLayout, path: Path, number: int) -> DataError:
    if is_invisible(cells):
        message, remedy = f"the line looks blank, but is {line!r}", "empty it if it ends a sentence, else delete it"
    elif layout.fits(cells):
        message = f"column {layout.token} is {cells[layout.token]!r}, expected a word without spaces"
        spaced = f"write the space as U+00A0, or as two lines, or set {setting('token_column')}"
        remedy = spaced if cells[layout.token] else "write the word, or empty the line if it ends a sentence"
    else:
        expected = f"at least {max(layout.token, layout.label or 0) + 1}" if layout.uneven else str(layout.columns)
        message = f"{counted(len(cells), 'column')}, expected {expected} as on line {layout.line}"
        remedy = f"cut columns by one TAB, or by spaces; for sentences as raw text set {setting('format', 'text')}"
        likely = (line.strip(), layout.opening) if number == layout.line + 1 else (line.strip(),)
        odd = next((text for text in likely if _COMMENT.match(text) or _MARKUP.fullmatch(text)), "")
        if comment := _COMMENT.match(odd):
            remedy = f"{odd[:20]!r} looks like a comment: set {_prefix(comment[0])}"
        elif odd:
            remedy = f"{odd[:20]!r} looks like markup: leave such lines out, or empty them"
        elif not layout.uneven and max(layout.token, 0) < len(cells):
            remedy += f"; where rows may differ count {setting('label_column')} from the front (0 is the first)"
    return DataError(f"{message}; {remedy}", file=path, line=number)


def _prefix(comment: str) -> str:
    return setting("comment", comment)
