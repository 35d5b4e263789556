"""Lines that are plainly not words of CoNLL or raw text: rows cut at commas, markup, numbers, invisible characters."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from uxla.data.checks.suspicious_characters import INVISIBLE
from uxla.data.labels.schemes import OUTSIDE, are_labels
from uxla.errors import DataError, setting

_CUTS = (*",;|/\xa0\u3000", "\\t")
_MARKUP = re.compile(r"\s*<(!doctype|html|\?xml)\b", re.IGNORECASE)
_CLOSED = re.compile(r"</\w+>")
_QUOTED = re.compile(r'"[^"]+"')
_JOINED = re.compile(r"[^ ]+[/|_,;#]+(O|[BIES]-[^ ]+)")
_TELLING = 2  # rows that are alike by no chance


def is_invisible(cells: Sequence[str]) -> bool:
    """Whether a line looks blank, but is not."""
    return not cells[0][:1].isprintable() and all(INVISIBLE.fullmatch(cell) for cell in cells if cell)


def refuse_other_lines(lines: Sequence[str], path: Path, first: int) -> None:
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


def refuse_other_words(sentences: Sequence[Sequence[str]], beside: Sequence[str], path: Path, column: int) -> None:
    """DataError if the words of `column` are not words. `beside` are the cells of the next column."""
    words = [word for row in sentences for word in row]
    if len(words) < _TELLING:
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


def refuse_joined(lines: Sequence[str], path: Path) -> None:
    """DataError if every word of raw text has a label attached, as in `Lima/B-LOC`."""
    words = [word for line in lines for word in line.split()]
    if len(words) >= _TELLING and all(map(_JOINED.fullmatch, words)):
        raise DataError(
            f"every word has a label attached ({words[0]!r}); write one word a line, a TAB, and the label", file=path
        )


def refuse_markup(lines: Sequence[str], path: Path) -> None:
    """DataError if raw text begins like HTML or XML."""
    number, first = next(((i, line) for i, line in enumerate(lines, start=1) if line.strip()), (0, ""))
    if _MARKUP.match(first):
        remedy = f"write its text alone, or set {setting('format', 'text')}"
        raise DataError(f"begins like HTML or XML; {remedy}", file=path, line=number)


def _is_constant(sentences: Sequence[Sequence[str]]) -> bool:
    values = {row[0] for row in sentences if len(row) > 1}
    return (
        len(values) > 1
        and len(values) == sum(len(row) > 1 for row in sentences)
        and all(len(set(row)) == 1 for row in sentences)
    )
