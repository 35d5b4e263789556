"""Is it CoNLL, a table or raw text? The first lines decide where the name of a file does not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

from uxla.data.columns import Shape
from uxla.data.conll.cells import AUTO, cells_of, is_sure, is_usual, separates
from uxla.data.conll.known_layouts import is_header
from uxla.data.files import BOM, decode, split_lines, text_lines
from uxla.data.labels.schemes import are_labels
from uxla.data.options import ReadOptions
from uxla.errors import DataError, setting

LOOKED_AT = 1000
_TELLING = 10  # that many lines of raw text do not have the same number of words by chance
_MARKUP = re.compile(r"\s*<(!doctype|html|\?xml)\b", re.IGNORECASE)
_JOINED = re.compile(r"[^ ]+[/|_,;#]+(O|[BIES]-[^ ]+)")


def refuse_columns(path: Path, shape: Shape, options: ReadOptions) -> None:
    """DataError if a file that should be raw text begins like CoNLL or a table."""
    head = list(islice(text_lines(path, options.encoding), LOOKED_AT))
    _refuse_markup(head, path)
    width, likely = (_tab_columns(head), "tsv") if shape == "single" else (_columns(_word_lines(head)), "conll")
    if width > 1:
        known, text = setting("format", likely), setting("format", "text")
        message = f"its name says raw text, but every line has {width} columns; set {known}, or {text}"
        raise DataError(message, file=path)
    if shape == "tagging":
        _refuse_joined(head, path)
    if shape == "tagging" and _begins_with_comment(head):
        known, text = setting("format", "conll"), setting("format", "text")
        message = f"its name says raw text, but it begins with a comment as CoNLL has them; set {known}, or {text}"
        raise DataError(message, file=path)


def is_conll(raw: bytes, path: Path, encoding: str) -> bool:
    """Whether a stream is certainly CoNLL. DataError for columns between TABs without labels in the last one."""
    head = list(islice(split_lines(decode(raw, encoding, file=path).removeprefix(BOM)), LOOKED_AT))
    lines = _word_lines(head)
    columns = _columns(lines)
    if _begins_with_comment(head):
        return True
    if columns < 2:
        return False
    if _end_in_labels(lines):
        return True
    if all("\t" in line for line in lines):
        known, text = setting("format", "conll"), setting("format", "text")
        message = f"every line has {columns} columns between TABs; set {known}, or {text}"
        raise DataError(message, file=path)
    return False


def may_have_columns(head: Sequence[str], shape: Shape) -> bool:
    """Whether what begins with these lines may still be CoNLL, or a table of texts; else it is raw text."""
    if shape != "tagging":
        return shape == "single" and _tab_columns(head) > 1
    lines = _word_lines(head)
    even = len({len(cells_of(line)) for line in lines}) == 1 and len(cells_of(lines[0])) > 1
    return _begins_with_comment(head) or (even and (_end_in_labels(lines) or all("\t" in line for line in lines)))


def ends_in_labels(path: Path, options: ReadOptions) -> bool:
    """Whether a table begins like CoNLL, with labels of one scheme in the last column."""
    lines = _word_lines(list(islice(text_lines(path, options.encoding), LOOKED_AT)))
    lines = lines[bool(lines) and is_header(cells_of(lines[0])) :]
    return _columns(lines) > 1 and _end_in_labels(lines)


def _end_in_labels(lines: Iterable[str]) -> bool:
    return are_labels(cells_of(line)[-1] for line in lines)


def _begins_with_comment(head: Sequence[str]) -> bool:
    first = next((line for line in head if line.strip()), "")
    return is_sure(first) or is_usual(first) or (bool(first.strip()) and separates(first, cells_of(first), 0, AUTO))


def _word_lines(head: Sequence[str]) -> list[str]:
    """The lines with a word. Lines that may be comments are left out if there are others."""
    lines = [line for line in head if not separates(line, cells_of(line), 0, AUTO)]
    return [line for line in lines if not line.startswith("#")] or lines


def _columns(lines: Sequence[str]) -> int:
    """The number of columns if the lines look like those of a table, else 0."""
    counts = {len(cells_of(line)) for line in lines}
    differ = len({cells_of(line)[-1] for line in lines}) > 1
    telling = len(lines) >= _TELLING or all("\t" in line for line in lines) or (differ and _end_in_labels(lines))
    return counts.pop() if len(counts) == 1 and telling else 0


def _tab_columns(lines: Iterable[str]) -> int:
    """The number of columns between TABs if all first lines have equally many, else 0."""
    counts = {line.count("\t") + 1 for line in islice((line for line in lines if line.strip()), LOOKED_AT)}
    return counts.pop() if len(counts) == 1 else 0


def _refuse_joined(lines: Sequence[str], path: Path) -> None:
    """DataError if every word of raw text has a label attached, as in `Lima/B-LOC`."""
    words = [word for line in lines for word in line.split()]
    if len(words) >= 2 and all(map(_JOINED.fullmatch, words)):
        raise DataError(
            f"every word has a label attached ({words[0]!r}); write one word a line, a TAB, and the label", file=path
        )


def _refuse_markup(lines: Sequence[str], path: Path) -> None:
    """DataError if raw text begins like HTML or XML."""
    number, first = next(((i, line) for i, line in enumerate(lines, start=1) if line.strip()), (0, ""))
    if _MARKUP.match(first):
        remedy = f"write its text alone, or set {setting('format', 'text')}"
        raise DataError(f"begins like HTML or XML; {remedy}", file=path, line=number)
