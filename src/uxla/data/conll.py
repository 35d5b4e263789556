"""CoNLL files, one word a line: read strictly, written back byte for byte.

Columns are cut at TABs if the line has one, else at ASCII spaces; lines at \\n. Nothing else is a separator, and no
character of a word is changed. Tags are not looked at before someone asks for them, so that a target file's gold
labels, right or absurd, cannot matter to who only reads its words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Literal, NoReturn

from uxla.data.examples import tagging_corpus
from uxla.data.files import BOM, decode, encode, read_bytes, split_lines, write_bytes
from uxla.data.labels import known_types, label_names, tag_ids
from uxla.data.layout import Layout
from uxla.data.rows import Rows, cells_of, parse_rows, with_label
from uxla.data.schemes import OUTSIDE, Scheme, detect, entity_type, from_iob2, to_iob2, violations
from uxla.errors import DataError
from uxla.records import Corpus

__all__ = ["ConllFile", "conll_text", "label_names", "parse_conll", "read_conll"]


@dataclass(frozen=True, eq=False)
class ConllFile:
    """A CoNLL file as it was read: its bytes, and the rows in them."""

    path: Path
    raw: bytes = field(repr=False)
    layout: Layout
    rows: Rows = field(repr=False)

    @property
    def sentences(self) -> list[list[str]]:
        """The words of each sentence, exactly as they stand."""
        return self.rows.sentences

    def line_of(self, sentence: int, word: int) -> int:
        """The line, from 1, of a word; both indices from 0."""
        return self.rows.first_lines[sentence] + word  # a sentence's words stand on consecutive lines

    @cached_property
    def scheme(self) -> Scheme:
        """The scheme asked for, or the one that fits the labels best; IOB2 without labels, or where several fit."""
        return detect(self.rows.labels or []) if self.layout.scheme == "auto" else self.layout.scheme

    @cached_property
    def tags(self) -> list[list[str]]:
        """The labels as IOB2. DataError at the first label that breaks the file's scheme."""
        labels = self._labels_or_error()
        for fault in violations(labels, self.scheme):
            remedy = "correct the line, or set scheme or label_column; `uxla data check` lists every such line"
            self._fail(f"{fault.message}; {remedy}", fault.sentence, fault.word)
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

    def with_tags(self, tags: Sequence[Sequence[str]]) -> ConllFile:
        """The same file with other labels: `tags` in IOB2, one a word, written in the scheme the file came in.

        Everything else stays as it was. A file of words only gets a second column, after a TAB. ValueError if the
        tags do not fit the words; DataError if the file's encoding lacks a character of a tag.
        """
        if [len(row) for row in tags] != [len(words) for words in self.sentences]:
            raise ValueError(f"{self.path}: the tags do not fit the sentences, one tag a word")
        if self.rows.labels is None and self.rows.columns > 1:
            self._labels_or_error()
        text = decode(self.raw, self.layout.encoding, file=self.path)
        bom = text[:1] if text.startswith(BOM) else ""
        flat = chain.from_iterable(from_iob2(row, self.scheme) for row in tags)
        body = "".join(self._relabelled(text.removeprefix(BOM), flat))
        layout = replace(self.layout, scheme=self.scheme)
        if self.rows.labels is None:
            layout = replace(layout, token_column=0, label_column=1)
        raw = encode(bom + body, layout.encoding, file=self.path)
        return parse_conll(raw, path=self.path, layout=layout)

    def write(self, path: Path) -> None:
        """Write the file, whole or not at all; as read, unless it comes from `with_tags`."""
        write_bytes(path, self.raw)

    def _relabelled(self, text: str, tags: Iterator[str]) -> Iterator[str]:
        for line in split_lines(text):
            if cells_of(line, self.layout.token_column):
                yield with_label(line, next(tags), None if self.rows.labels is None else self.layout.label_column)
            else:
                yield line

    def _labels_or_error(self) -> list[list[str]]:
        if self.rows.labels is None:
            got = f"{self.rows.columns} column{'s' * (self.rows.columns > 1)}, label_column {self.layout.label_column}"
            self._fail(f"no column of labels ({got}); set label_column, or read the file as unlabelled", 0, 0)
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


def read_conll(
    path: Path | str,
    *,
    encoding: str = "utf-8",
    token_column: int = 0,
    label_column: int = -1,
    scheme: Scheme | Literal["auto"] = "auto",
) -> ConllFile:
    """The file at `path`. DataError, with the line, for whatever is not well-formed; labels are not looked at."""
    layout = Layout(encoding=encoding, token_column=token_column, label_column=label_column, scheme=scheme)
    return parse_conll(read_bytes(Path(path)), path=Path(path), layout=layout)


def parse_conll(raw: bytes, *, path: Path, layout: Layout) -> ConllFile:
    """The CoNLL file with the content `raw`; `path` is for messages only. Errors as in `read_conll`."""
    text = decode(raw, layout.encoding, file=path).removeprefix(BOM)
    return ConllFile(path, raw, layout, parse_rows(text, path=path, layout=layout))


def conll_text(sentences: Iterable[Sequence[str]], tags: Iterable[Sequence[str]]) -> str:
    """Words and tags as a new CoNLL file: TAB between them, a blank line after each sentence."""
    blocks = []
    for words, row in zip(sentences, tags, strict=True):
        blocks.append("".join(f"{word}\t{tag}\n" for word, tag in zip(words, row, strict=True)))
    return "\n".join(blocks)
