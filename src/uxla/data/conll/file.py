"""CoNLL files, one word a line: read strictly, written back byte for byte.

Columns are cut at TABs if the line has one, else at ASCII spaces; lines at \\n. Nothing else is a separator, and no
character of a word is changed. Tags are not looked at before someone asks for them, so that a target file's gold
labels, right or absurd, cannot matter to who only reads its words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from itertools import chain
from pathlib import Path
from typing import Literal, NoReturn, Unpack

import numpy as np
import pyarrow as pa

from uxla.data.batch import TEXTS, Batch, Row
from uxla.data.columns import Shape
from uxla.data.conll.cells import BRACKETS, PLAIN
from uxla.data.conll.layout import ConllLayout
from uxla.data.conll.relabeller import Relabeller
from uxla.data.conll.sentences import ParsedConll, Sentence, open_layout, parsed, sentences_in
from uxla.data.files import BOM, decode, encode, read_bytes, split_lines, text_lines
from uxla.data.labels.names import missing
from uxla.data.labels.schemes import Scheme, are_labels, detect, is_label, remedy_of, to_iob2, violations
from uxla.data.options import DEFAULTS, ReadKeywords, ReadOptions
from uxla.errors import DataError, setting
from uxla.files import write_file
from uxla.phrases import counted

_ROWS = 4096


@dataclass(frozen=True, eq=False)
class ConllFile:
    """A CoNLL file and how to read it. Nothing is read before it is asked for.

    `content` are its bytes, where they were read already; `relabelled` is what `with_tags` made of it.
    """

    path: Path
    options: ReadOptions = DEFAULTS
    content: bytes | None = field(default=None, repr=False)
    relabelled: ParsedConll | None = field(default=None, repr=False)
    shape: Shape = field(default="tagging", init=False)
    format = "conll"

    def batches(self, *, labelled: bool | None) -> Iterator[Batch]:
        """All sentences in order; with `labelled` their labels as they stand, with None where there are any.

        DataError, with the line, for whatever is not well-formed, and for a file without labels if `labelled`.
        """
        every = self.parsed.labels if labelled is None else self._labels_or_error() if labelled else None
        for start in range(0, len(self.sentences), _ROWS):
            part = slice(start, start + _ROWS)
            columns = {"tokens": pa.array(self.sentences[part], TEXTS)}
            if every is not None:
                columns["tags"] = pa.array(every[part], TEXTS)
            lines = np.array(self.parsed.first_lines[part], dtype=np.int64)
            word_line, iob2 = partial(self._line_in_part, start), partial(self._tags_in_part, part)
            yield Batch(columns, lines, self.path, word_line=word_line, iob2=iob2)

    def is_labelled(self) -> bool:
        """Whether the label column holds anything, be it labels or not."""
        return self.holds != "nothing"

    def count(self) -> int:
        """How many sentences there are, all of the file read and checked, in bounded memory."""
        return sum(1 for _ in self.streamed())

    def rows(self) -> Iterator[Row]:
        """The sentences in order, in bounded memory; a record is the sentence's lines without their ends."""
        for sentence in self.streamed():
            yield Row((" ".join(sentence.words),), sentence.lines, sentence.numbers[0])

    @cached_property
    def layout(self) -> ConllLayout:
        """Which columns the file has. DataError where it plainly is no CoNLL."""
        return self.relabelled.layout if self.relabelled else open_layout(self._lines, self.path, self.options)

    @cached_property
    def parsed(self) -> ParsedConll:
        """The sentences with their labels, the labels of brackets as IOB2."""
        return self.relabelled or parsed(self._lines(), self.layout, self.path)

    @property
    def sentences(self) -> list[list[str]]:
        """The words of each sentence, exactly as they stand."""
        return self.parsed.sentences

    @property
    def raw(self) -> bytes:
        """The bytes of the file."""
        return read_bytes(self.path) if self.content is None else self.content

    def line_of(self, sentence: int, word: int) -> int:
        """The line, from 1, of a word; both indices from 0."""
        return self.parsed.line_of(sentence, word)

    @cached_property
    def scheme(self) -> Scheme:
        """The scheme asked for, else the one that fits the labels best. IOB2 if there are no labels or several fit."""
        is_settled = self.options.scheme != "auto" or self.layout.style == BRACKETS
        return self._asked if is_settled else detect(self.parsed.labels or [])

    @property
    def _asked(self) -> Scheme:
        """The scheme that was asked for, else IOB2. Spans in brackets are read as IOB2."""
        if self.options.scheme == "auto" or self.layout.style == BRACKETS:
            return "IOB2"
        return self.options.scheme

    @cached_property
    def tags(self) -> list[list[str]]:
        """The labels as IOB2. DataError at the first label that breaks the file's scheme."""
        labels = self._labels_or_error()
        for fault in violations(labels, self.scheme):
            places = f"{setting('scheme')} or {setting('label_column')}"
            usual = f"correct the line, or set {places}; `uxla data check` lists every such line"
            self._fail(f"{fault.message}; {self.remedy or usual}", fault.sentence, fault.word)
        return [to_iob2(row, self.scheme) for row in labels]

    @cached_property
    def remedy(self) -> str:
        """What to do about labels that break the scheme, judged by the whole column; empty if only a few are wrong."""
        elsewhere = setting("label_column")
        unknown = any(not is_label(label, self.scheme) for label in self._found)
        tagged = [column for column in self.layout.tagged if column != self.layout.label]
        if unknown and tagged:
            return f"column {tagged[0]} holds nothing but labels: set {setting('label_column', tagged[0])}"
        if self.layout.style == BRACKETS:
            return "spans in brackets may neither overlap nor stay open at the end of a sentence"
        bare = "`uxla data check FILE --fix-scheme OUT` writes them as IOB2"
        return remedy_of(self._found, self.scheme, bare=bare, elsewhere=elsewhere)

    @cached_property
    def holds(self) -> Literal["nothing", "labels", "other"]:
        """What stands in the label column: labels of one scheme, something else, or nothing.

        It is nothing if there is no such column, or if it has only signs of missing values.
        """
        if all(map(missing, self._found)):
            return "nothing"
        return "labels" if are_labels(self._found) else "other"

    @cached_property
    def _found(self) -> set[str]:
        """The labels that occur."""
        return set(chain.from_iterable(self.parsed.labels or []))

    def with_tags(self, tags: Sequence[Sequence[str]], *, column: int | Literal["new"] | None = None) -> ConllFile:
        """The same file with other labels: `tags` in IOB2, one a word, written in the scheme the file came in.

        They go into the file's label column, into `column`, counted from 0, or into a new one behind all others, as in
        a file of words only. Everything else stays as it was. ValueError if the tags do not fit the words; DataError
        for a tag that the file's encoding or its columns cannot hold.
        """
        if [len(row) for row in tags] != [len(words) for words in self.sentences]:
            raise ValueError(f"{self.path}: the tags do not fit the sentences, one tag a word")
        layout = self._layout_with(column)
        scheme = self.scheme if layout.label == self.layout.label else self._asked
        text = decode(self.raw, self.options.encoding, file=self.path)
        bom = text[:1] if text.startswith(BOM) else ""
        lines = list(split_lines(text.removeprefix(BOM)))
        relabel = self.relabeller(scheme, column)
        for sentence, row in enumerate(tags):
            relabel(row, [self.line_of(sentence, word) for word in range(len(row))], lines)
        raw = encode(bom + "".join(lines), self.options.encoding, file=self.path)
        labels = [relabel.labels(row) for row in tags]
        options = self.options.model_copy(update={"scheme": scheme})
        return ConllFile(self.path, options, raw, replace(self.parsed, layout=layout, labels=labels))

    def relabeller(self, scheme: Scheme, column: int | Literal["new"] | None = None) -> Relabeller:
        """What writes labels in `scheme` into lines of the file; `column` and errors as for `with_tags`."""
        return Relabeller(self.path, self.layout, self._layout_with(column), scheme)

    def write(self, path: Path) -> None:
        """Write the file, whole or not at all. Its bytes are those that were read, unless it comes from `with_tags`."""
        write_file(path, self.raw)

    def _lines(self) -> Iterator[str]:
        if self.content is None:
            return text_lines(self.path, self.options.encoding)
        return split_lines(decode(self.content, self.options.encoding, file=self.path).removeprefix(BOM))

    def streamed(self) -> Iterator[Sentence]:
        """The sentences in order, in bounded memory."""
        return sentences_in(self._lines(), self.layout, self.path)

    def _line_in_part(self, start: int, sentence: int, word: int) -> int:
        return self.line_of(start + sentence, word)

    def _tags_in_part(self, part: slice) -> list[list[str]]:
        return self.tags[part]

    def _layout_with(self, column: int | Literal["new"] | None) -> ConllLayout:
        """The layout of the file if its labels stood in that column."""
        layout = self.layout
        if column is None and layout.label is None and layout.filled > 1:
            self._labels_or_error()
        if layout.label is not None and column in (None, layout.label):
            return layout
        if isinstance(column, int):
            if column >= layout.columns or column == layout.token:
                self._fail(f"labels cannot go into column {column}; set {setting('label_column')}", 0, 0)
            return replace(layout, label=column, style=PLAIN)
        width = layout.filled + 1
        columns = max(layout.columns, width)
        return replace(layout, label=layout.filled, columns=columns, filled=width, style=PLAIN)

    def _labels_or_error(self) -> list[list[str]]:
        if self.parsed.labels is None:
            layout = self.layout
            got = f"{counted(layout.filled, 'column')}, label_column {self.options.label_column}"
            if layout.label is not None:
                got = f"column {layout.label} has no NER= in any line"
            self._fail(
                f"no column of labels ({got}); set {setting('label_column')}, or read the file as unlabelled", 0, 0
            )
        return self.parsed.labels

    def _fail(self, message: str, sentence: int, word: int) -> NoReturn:
        raise DataError(message, file=self.path, line=self.line_of(sentence, word))


def read_conll(path: Path | str, **keywords: Unpack[ReadKeywords]) -> ConllFile:
    """The file at `path`, read and checked. The keywords are the fields of `ReadOptions`.

    DataError, with the line, for whatever is not well-formed. Labels are not looked at.
    """
    return parse_conll(read_bytes(Path(path)), path=Path(path), options=ReadOptions(**keywords))


def parse_conll(raw: bytes, *, path: Path, options: ReadOptions) -> ConllFile:
    """The CoNLL file with the content `raw`; `path` is for messages only. Errors as in `read_conll`."""
    file = ConllFile(path, options, raw)
    _ = file.parsed
    return file


def conll_lines() -> Callable[[Sequence[str], Sequence[str]], str]:
    """A function from a sentence's words and labels to its lines in a new CoNLL file, a blank line before all but the
    first."""
    before = ""

    def lines(words: Sequence[str], tags: Sequence[str]) -> str:
        nonlocal before
        text = before + "".join(f"{word}\t{tag}\n" for word, tag in zip(words, tags, strict=True))
        before = "\n"
        return text

    return lines
