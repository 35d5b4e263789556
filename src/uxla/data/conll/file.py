"""CoNLL files, one word a line: read strictly, written back byte for byte.

Columns are cut at TABs if the line has one, else at ASCII spaces; lines at \\n. Nothing else is a separator, and no
character of a word is changed. Tags are not looked at before someone asks for them, so that a target file's gold
labels, right or absurd, cannot matter to who only reads its words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Literal, NoReturn, Unpack

from uxla.data.conll.cells import cells_of, filled, with_cell
from uxla.data.conll.label_cells import BRACKETS, PLAIN, cells_with
from uxla.data.conll.layout import ConllLayout
from uxla.data.conll.sentences import Rows, parse_rows
from uxla.data.examples import tagging_corpus
from uxla.data.files import BOM, decode, encode, read_bytes, split_lines
from uxla.data.labels.names import known_types, label_names, missing, tag_ids
from uxla.data.labels.schemes import (
    OUTSIDE,
    Scheme,
    are_labels,
    detect,
    entity_type,
    from_iob2,
    is_label,
    remedy_of,
    to_iob2,
    violations,
)
from uxla.data.options import ReadKeywords, ReadOptions
from uxla.errors import DataError, setting
from uxla.files import write_file
from uxla.phrases import counted
from uxla.records import Corpus

__all__ = ["ConllFile", "conll_text", "label_names", "parse_conll", "read_conll"]


@dataclass(frozen=True, eq=False)
class ConllFile:
    """A CoNLL file as it was read: its bytes, and the rows in them."""

    path: Path
    raw: bytes = field(repr=False)
    options: ReadOptions
    rows: Rows = field(repr=False)

    @property
    def sentences(self) -> list[list[str]]:
        """The words of each sentence, exactly as they stand."""
        return self.rows.sentences

    def line_of(self, sentence: int, word: int) -> int:
        """The line, from 1, of a word; both indices from 0."""
        return self.rows.line_of(sentence, word)

    @cached_property
    def scheme(self) -> Scheme:
        """The scheme asked for, or the one that fits the labels best; IOB2 without labels, or where several fit."""
        is_told = self.options.scheme != "auto" or self.rows.layout.style == BRACKETS
        return self._asked if is_told else detect(self.rows.labels or [])

    @property
    def _asked(self) -> Scheme:
        """The scheme that was asked for, else IOB2; spans in brackets are IOB2 here."""
        if self.options.scheme == "auto" or self.rows.layout.style == BRACKETS:
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
    def types(self) -> tuple[str, ...]:
        """The entity types that occur, sorted."""
        return tuple(sorted({entity_type(tag) for tag in set(chain.from_iterable(self.tags)) - {OUTSIDE}}))

    def corpus(
        self,
        name: str,
        lang: str,
        label_names: Sequence[str],
        label_map: Mapping[str, str | None] | None = None,
    ) -> Corpus:
        """The sentences with their tags as indices into `label_names`.

        `label_map` renames types; None makes every word of a type O. DataError for a type that is neither in
        `label_names` nor in the map, ConfigError for a map onto a type that is not in `label_names`.
        """
        ids = self._label_ids(label_names, label_map or {})
        labels = (tuple([ids[tag] for tag in row]) for row in self.tags)
        return tagging_corpus(self.sentences, labels, name=name, lang=lang, label_names=label_names)

    def unlabelled_corpus(self, name: str, lang: str, label_names: Sequence[str]) -> Corpus:
        """The sentences alone, whatever the label column holds."""
        return tagging_corpus(self.sentences, None, name=name, lang=lang, label_names=label_names)

    @cached_property
    def remedy(self) -> str:
        """What to do about labels that break the scheme, by what the column holds; nothing where single ones do."""
        found, elsewhere = set(chain.from_iterable(self.rows.labels or [])), setting("label_column")
        unknown = any(not is_label(label, self.scheme) for label in found)
        tagged = [column for column in self.rows.layout.tagged if column != self.rows.layout.label]
        if unknown and tagged:
            return f"column {tagged[0]} holds nothing but labels: set {setting('label_column', str(tagged[0]))}"
        if self.rows.layout.style == BRACKETS:
            return "spans in brackets may neither overlap nor stay open at the end of a sentence"
        bare = "`uxla data check FILE --fix-scheme OUT` writes them as IOB2"
        return remedy_of(found, self.scheme, bare=bare, elsewhere=elsewhere)

    @cached_property
    def holds(self) -> Literal["nothing", "labels", "other"]:
        """What stands in the label column: nothing, as where there is none or it has signs of missing values only; else
        labels of one scheme, or something else."""
        found = set(chain.from_iterable(self.rows.labels or []))
        if all(map(missing, found)):
            return "nothing"
        return "labels" if are_labels(found) else "other"

    def with_tags(self, tags: Sequence[Sequence[str]], *, column: int | Literal["new"] | None = None) -> ConllFile:
        """The same file with other labels: `tags` in IOB2, one a word, written in the scheme the file came in.

        They go into the file's label column, into `column`, counted from 0, or into a new one behind all others, as in
        a file of words only. Everything else stays as it was. ValueError if the tags do not fit the words; DataError
        for a tag that the file's encoding or its columns cannot hold.
        """
        if [len(row) for row in tags] != [len(words) for words in self.sentences]:
            raise ValueError(f"{self.path}: the tags do not fit the sentences, one tag a word")
        layout = self._layout_with(column)
        scheme = self.scheme if layout.label == self.rows.layout.label else self._asked
        labels = [list(row) if layout.style == BRACKETS else from_iob2(row, scheme) for row in tags]
        text = decode(self.raw, self.options.encoding, file=self.path)
        bom = text[:1] if text.startswith(BOM) else ""
        lines = list(split_lines(text.removeprefix(BOM)))
        for sentence, row in enumerate(labels):
            self._write_labels(row, sentence, lines, layout)
        raw = encode(bom + "".join(lines), self.options.encoding, file=self.path)
        options = replace(self.options, scheme=scheme)
        return ConllFile(self.path, raw, options, replace(self.rows, layout=layout, labels=labels))

    def write(self, path: Path) -> None:
        """Write the file, whole or not at all; as read, unless it comes from `with_tags`."""
        write_file(path, self.raw)

    def _layout_with(self, column: int | Literal["new"] | None) -> ConllLayout:
        """The form of the file with its labels in that column."""
        layout = self.rows.layout
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

    def _write_labels(self, labels: Sequence[str], sentence: int, lines: list[str], layout: ConllLayout) -> None:
        """Write the labels of a sentence into its lines; those that stay are not touched."""
        places = [self.line_of(sentence, word) - 1 for word in range(len(labels))]
        rows = [cells_of(lines[place]) for place in places]
        is_new = layout.columns > self.rows.layout.columns or layout.filled > self.rows.layout.filled
        columns = [filled(cells) if is_new and layout.uneven else layout.label or 0 for cells in rows]
        before = [cells[column] if column < len(cells) else "" for cells, column in zip(rows, columns, strict=True)]
        for place, column, old, new in zip(
            places, columns, before, cells_with(labels, before, layout.style), strict=True
        ):
            if old.strip() == new:
                continue
            if " " in new and "\t" not in lines[place]:
                message = f"label {new!r} has a space, and columns are cut at spaces; cut them by TABs"
                raise DataError(message, file=self.path, line=place + 1)
            lines[place] = with_cell(lines[place], new, column)

    def _labels_or_error(self) -> list[list[str]]:
        if self.rows.labels is None:
            layout = self.rows.layout
            got = f"{counted(layout.filled, 'column')}, label_column {self.options.label_column}"
            if layout.label is not None:
                got = f"column {layout.label} has no NER= in any line"
            self._fail(
                f"no column of labels ({got}); set {setting('label_column')}, or read the file as unlabelled", 0, 0
            )
        return self.rows.labels

    def _label_ids(self, label_names: Sequence[str], label_map: Mapping[str, str | None]) -> dict[str, int]:
        """The index of each tag, after the map. DataError for a type of the file that has none."""
        ids = tag_ids(label_names, label_map)
        for type_ in self.types:
            if f"B-{type_}" not in ids:
                self._fail_unknown(type_, known_types(label_names))
        return ids

    def _fail_unknown(self, type_: str, known: Sequence[str]) -> NoReturn:
        place = ((i, row.index(f"B-{type_}")) for i, row in enumerate(self.tags) if f"B-{type_}" in row)
        sentence, word = next(place)
        label = self._labels_or_error()[sentence][word]
        expected = f"expected one of {', '.join(known)}" if known else "expected O"
        remedy = f"map the type (labels: {{{type_}: null}} makes it O)"
        self._fail(f"label {label}: unknown type {type_}, {expected}; {remedy}", sentence, word)

    def _fail(self, message: str, sentence: int, word: int) -> NoReturn:
        raise DataError(message, file=self.path, line=self.line_of(sentence, word))


def read_conll(path: Path | str, **how: Unpack[ReadKeywords]) -> ConllFile:
    """The file at `path`; the keywords are the fields of `ReadOptions`. DataError, with the line, for whatever is not
    well-formed; labels are not looked at."""
    return parse_conll(read_bytes(Path(path)), path=Path(path), options=ReadOptions(**how))


def parse_conll(raw: bytes, *, path: Path, options: ReadOptions) -> ConllFile:
    """The CoNLL file with the content `raw`; `path` is for messages only. Errors as in `read_conll`."""
    text = decode(raw, options.encoding, file=path).removeprefix(BOM)
    return ConllFile(path, raw, options, parse_rows(text, path=path, options=options))


def conll_text(sentences: Iterable[Sequence[str]], tags: Iterable[Sequence[str]]) -> str:
    """Words and tags as a new CoNLL file: TAB between them, a blank line after each sentence."""
    blocks = []
    for words, row in zip(sentences, tags, strict=True):
        blocks.append("".join(f"{word}\t{tag}\n" for word, tag in zip(words, row, strict=True)))
    return "\n".join(blocks)
