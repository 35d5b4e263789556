"""The layout of a CoNLL file, settled by its first lines: its columns, what they hold, and which lines are no words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from uxla.data.conll.cells import AUTO, cells_of, filled, is_invisible, is_sure, separates, style_of
from uxla.data.conll.known_layouts import CONLL_U, NO_WORD, Groups, Line, is_header, places_of, tagged_columns
from uxla.data.labels.schemes import OUTSIDE, are_labels
from uxla.data.options import ReadOptions
from uxla.errors import DataError, EmptyError, setting
from uxla.phrases import counted

NO_SENTENCE = "no sentence; expected one word a line, and a blank line between sentences"

_LOOKED_AT = 1000
_CUTS = (*",;|/\xa0\u3000", "\\t")
_CLOSED = re.compile(r"</\w+>")
_QUOTED = re.compile(r'"[^"]+"')
_PREFIX = re.compile(r"([a-z]{2,3}(-[a-z]{3,})*|simple):")
_TELLING = 3  # words that begin alike


@dataclass(frozen=True)
class ConllLayout:
    """The layout that the first lines of a file settle for all of it.

    `line` is the number of the first word's line, `opening` its text, `columns` the number of its cells, `filled` the
    same without the last ones where these are empty in all lines; `widths` are all numbers of cells seen. Rows of an
    `uneven` file need no more than the two columns `token` and `label`, from 0. `style` says how labels stand in their
    cells, `label_cells` are those seen, and `tagged` are the columns that hold nothing but labels. In an `indexed` file
    column 0 counts the words. `header` are the cells of a line of names, which joined files have several times.
    `comment` is as in `ReadOptions`; `prefix` stands before every word, of those looked at at
    least, and is no part of it.
    """

    line: int
    opening: str
    columns: int
    filled: int
    widths: frozenset[int]
    token: int
    label: int | None
    uneven: bool
    comment: str | None
    header: tuple[str, ...]
    indexed: bool
    style: str
    label_cells: frozenset[str]
    tagged: tuple[int, ...]
    prefix: str = ""

    def fits(self, cells: Sequence[str]) -> bool:
        """Whether a row has the columns of the file."""
        if self.uneven:
            return max(self.token, self.label or 0) < len(cells)
        if len(cells) == self.columns == self.filled:
            return True
        width = filled(cells)
        return width == self.filled or (len(cells) == self.columns and width < self.filled)


def layout_of(lines: Iterable[str], path: Path, options: ReadOptions) -> ConllLayout:
    """The layout of the file with these lines. The first thousand lines with words are looked at.

    DataError where there is no word, for columns that are not there, and for what plainly is something else.
    """
    head = _head(lines)
    groups = _groups(head, options)
    header = groups[0][0] if groups and is_header(groups[0][0].cells) and sum(map(len, groups)) > 1 else None
    if header is not None:
        groups = [[row for row in rows if row.cells != header.cells] for rows in groups]
        groups = [rows for rows in groups if rows]
    if not groups:
        raise EmptyError(NO_SENTENCE, file=path)
    return _layout(groups, header, path, options)


def _layout(groups: Groups, header: Line | None, path: Path, options: ReadOptions) -> ConllLayout:
    first = groups[0][0]
    asked = (options.token_column, options.label_column)
    if asked[0] == asked[1]:
        message = f"token_column and label_column are both {asked[0]}; name two columns"
        raise DataError(message, file=path, line=first.number)
    places = places_of(groups, header.cells if header else (), asked)
    rows = [row for row in chain.from_iterable(groups) if not (places.indexed and NO_WORD.fullmatch(row.cells[0]))]
    _refuse_other_lines([row.text for row in rows], path, first.number)
    even = all(len(row.cells) == len(first.cells) for row in rows)
    width = max(filled(row.cells) for row in rows) if even else filled(first.cells)
    if places.token not in range(-width, width):
        got = f"token_column {places.token}, but the line has {counted(width, 'column')}"
        raise DataError(f"{got}; set {setting('token_column')} (0 is the first)", file=path, line=first.number)
    token = range(width)[places.token]
    label = range(width)[places.label] if places.label in range(-width, width) else None
    label = None if label == token else label
    if token == 0:
        beside = [row.cells[1] for row in rows if len(row.cells) > 1]
        _refuse_other_words([[row.cells[0] for row in group] for group in groups], beside, path, token)
    cells = frozenset(row.cells[label] for row in rows if label is not None and label < len(row.cells))
    return ConllLayout(
        line=first.number,
        opening=first.text,
        columns=len(first.cells),
        filled=width,
        widths=frozenset(len(row.cells) for row in rows),
        token=token,
        label=label,
        uneven=places.token >= 0 and places.label >= 0,
        comment=options.comment_prefix,
        header=tuple(header.cells) if header else (),
        indexed=places.indexed,
        style=style_of(cells, places.indexed and width >= CONLL_U),
        label_cells=cells,
        tagged=tuple(tagged_columns(groups, token)),
        prefix=_prefix([row.cells[token] for row in rows if token < len(row.cells)]),
    )


def _prefix(words: Sequence[str]) -> str:
    """The language prefix with which all words begin, as `fr:` in raw WikiANN; else an empty text."""
    found = _PREFIX.match(words[0])
    prefix = found[0] if found and len(words) >= _TELLING else ""
    return prefix if all(word.startswith(prefix) for word in words) else ""


def _head(lines: Iterable[str]) -> list[str]:
    head: list[str] = []
    count = 0
    for line in lines:
        head.append(line)
        count += not line.startswith("#") and not line.isspace()
        if count == _LOOKED_AT:
            break
    return head


def _groups(head: Sequence[str], options: ReadOptions) -> Groups:
    """The lines of words, by sentence.

    If comments are recognised by their look, a # at the start of a sentence is a comment unless all lines have it.
    """
    for strict in (False, True):
        groups: Groups = [[]]
        for number, text in enumerate(head, start=1):
            cells = cells_of(text)
            if separates(text, cells, options.token_column, options.comment_prefix):
                groups.append([])
            elif not _is_aside(text, strict or bool(groups[-1]), options.comment_prefix) and not is_invisible(cells):
                groups[-1].append(Line(number, text.strip(), cells))
        if any(groups):
            break
    return [rows for rows in groups if rows]


def _is_aside(text: str, strict: bool, comment: str | None) -> bool:
    if comment != AUTO:
        return comment is not None and text.startswith(comment)
    return text.startswith("#") and (is_sure(text) or not strict)


def _refuse_other_lines(lines: Sequence[str], path: Path, first: int) -> None:
    """DataError if the lines, which should all be words, are rows cut at commas or lines of markup."""
    for cut in _CUTS:
        rows = [line.split(cut) for line in lines]
        last = [cells[-1].strip('"') for cells in rows]  # in the first row perhaps a name
        if {len(cells) for cells in rows} != {1} and (are_labels(last) or are_labels(last[1:])):
            table = f", or for a table set {setting('format', 'csv')}" if cut in ",;|" else ""
            raise DataError(f"columns between {cut!r}; cut them by TABs{table}", file=path, line=first)
    closed = next((line for line in lines if _CLOSED.fullmatch(line)), None)
    if closed is not None and any(line.startswith(f"<{closed[2:-1]}") for line in lines):
        raise DataError(f"{closed!r} looks like markup; leave such lines out, or empty them", file=path, line=first)


def _refuse_other_words(sentences: Sequence[Sequence[str]], beside: Sequence[str], path: Path, column: int) -> None:
    """DataError if the words of `column` are not words. `beside` are the cells of the next column."""
    words = [word for row in sentences for word in row]
    if len(words) < 2:
        return
    what = ""
    if OUTSIDE in words and are_labels(words) and len(set(words)) > 1:
        what = "labels"
    elif all(map(_QUOTED.fullmatch, words)):
        raise DataError("every word stands in quotes; write the file without them", file=path)
    elif all(re.fullmatch("[0-9.-]+", word) for word in words) and len(set(beside)) > 1 and not are_labels(beside):
        what = "numbers"
    elif len(set(beside)) > 1 and _is_constant(sentences):
        what = "one value a sentence"
    if what:
        place = setting("token_column")
        raise DataError(f"column {column} holds {what}, no words; set {place} (0 is the first)", file=path)


def _is_constant(sentences: Sequence[Sequence[str]]) -> bool:
    values = {row[0] for row in sentences if len(row) > 1}
    return (
        len(values) > 1
        and len(values) == sum(len(row) > 1 for row in sentences)
        and all(len(set(row)) == 1 for row in sentences)
    )
