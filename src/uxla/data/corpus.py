"""From the batches of a source to a corpus: texts with one label each, or words with tags."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, filterfalse
from typing import Any, NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from uxla.corpus_table import SCHEMA
from uxla.data.batch import TEXT, Batch
from uxla.data.columns import TEXTS, Shape
from uxla.data.conll.file import ConllFile
from uxla.data.formats.table import Table
from uxla.data.labels.names import missing
from uxla.data.labels.schemes import (
    OUTSIDE,
    Scheme,
    entity_type,
    known_types,
    label_names,
    remedy_of,
    tag_ids,
    to_iob2,
    violations,
)
from uxla.data.spans.file import SpanFile
from uxla.errors import ConfigError, DataError, in_python, setting
from uxla.phrases import listed
from uxla.progress import note
from uxla.records import Corpus

LabelMap = Mapping[str, str | None]
DataSource = Table | ConllFile | SpanFile
"""Examples in a file, or elsewhere, that can be read repeatedly."""
_SHOWN = 20
_NUMBER = re.compile("[0-9]+")


def corpus_of(
    source: DataSource,
    *,
    name: str,
    lang: str,
    label_names: Sequence[str],
    labelled: bool,
    label_map: LabelMap | None = None,
) -> Corpus:
    """The examples, with ids `lang:name:0` and so on; if `labelled`, only those with a label: a note, and the corpus's
    `left_out`, say how many others there are. Errors: `load_corpus`."""
    left_out: list[str] = []
    labels_of: Callable[[Batch], pa.Array] = _no_labels
    if labelled and source.shape == "tagging":
        labels_of = _tag_reader(source, label_names, label_map or {})
    elif labelled:
        labels_of = _class_reader(label_names, label_map or {})
    batches = source.batches(labelled=labelled)
    if labelled and source.shape != "tagging":
        batches = labelled_rows(batches, named=label_map or {}, left_out=left_out)
    corpus = Corpus.from_batches(name, label_names, _record_batches(batches, source.shape, name, lang, labels_of))
    if labelled and isinstance(source, SpanFile):
        left_out += _texts_left_out(source)
    return replace(corpus, left_out=tuple(left_out))


def _texts_left_out(source: SpanFile) -> list[str]:
    """How many texts of a file with spans nobody labelled, in a sentence that is a note, too; nothing for none."""
    left_out, total = source.left_out()
    if not left_out:
        return []
    text = f"{left_out} of {total} texts left out: nobody labelled them, or their labels were rejected"
    note(f"{source.path}: {text}")
    return [text]


def _record_batches(
    batches: Iterator[Batch], shape: Shape, name: str, lang: str, labels_of: Callable[[Batch], pa.Array]
) -> Iterator[pa.RecordBatch]:
    first = 0
    for batch in batches:
        numbers = pa.array(np.arange(first, first + len(batch))).cast(TEXT)
        ids = pc.binary_join_element_wise(pa.scalar(f"{lang}:{name}:", TEXT), numbers, pa.scalar("", TEXT))
        columns = [ids, pa.repeat(pa.scalar(lang, TEXT), len(batch)), segments(batch, shape), labels_of(batch)]
        yield pa.RecordBatch.from_arrays(columns, schema=SCHEMA)
        first += len(batch)


def segments(batch: Batch, shape: Shape) -> pa.LargeListArray:
    """(n,) lists of one text, or two; words are joined by one space."""
    texts = [batch.columns[role] for role in TEXTS[shape]]
    if shape == "tagging":
        texts = [pc.binary_join(texts[0], pa.scalar(" ", TEXT))]
    width = len(texts)
    flat = texts[0]
    if width > 1:
        order = np.arange(width * len(batch)).reshape(width, -1).T.ravel()
        flat = pa.concat_arrays(texts).take(pa.array(order))
    offsets = np.arange(0, width * len(batch) + 1, width, dtype=np.int64)
    return pa.LargeListArray.from_arrays(pa.array(offsets), flat)


def labels_of(source: DataSource, label_map: LabelMap | None = None) -> tuple[str, ...]:
    """The labels that occur, after `label_map`: for tagging O, then B and I of each type, else as `sorted_labels`."""
    if source.shape != "tagging":
        found: set[str] = set()
        for batch in labelled_rows(source.batches(labelled=True), named=label_map or {}):
            found.update(pc.unique(batch.columns["label"]).to_pylist())
        return sorted_labels(_mapped(label, label_map or {}) for label in found)
    if isinstance(source, ConllFile):  # which has them in memory, so that no batch need be made
        tags = set(chain.from_iterable(source.tags))
    else:
        batches = source.batches(labelled=True)
        tags = set(chain.from_iterable(tag for batch in batches for tag in iob2_rows(batch, source.scheme)))
    types = {entity_type(tag) for tag in tags - {OUTSIDE}}
    mapped = {(label_map or {}).get(type_, type_) for type_ in types}
    return label_names(type_ for type_ in mapped if type_ is not None)


def sorted_labels(labels: Iterable[str]) -> tuple[str, ...]:
    """Each label once, sorted; numbers come first, sorted by their size."""
    ordered = sorted(set(labels))
    return (*sorted(filter(_NUMBER.fullmatch, ordered), key=int), *filterfalse(_NUMBER.fullmatch, ordered))


def _no_labels(batch: Batch) -> pa.Array:
    return pa.nulls(len(batch), SCHEMA.field("labels").type)


def _class_reader(names: Sequence[str], label_map: LabelMap) -> Callable[[Batch], pa.Array]:
    """A function from a batch to (n,) lists of one index into `names`."""
    for old in label_map:
        if _mapped(old, label_map) not in names:
            raise ConfigError(f"labels: {old} -> {label_map[old]}, expected one of {listed(names, most=_SHOWN)}")
    known = [*label_map, *(name for name in names if name not in label_map)]
    index = pa.array([names.index(_mapped(label, label_map)) for label in known], pa.int32())

    def read(batch: Batch) -> pa.Array:
        column = batch.columns["label"]
        found = pc.index_in(column, value_set=pa.array(known, TEXT))
        unknown = pc.is_null(found)
        if pc.any(unknown).as_py():
            label = column.filter(unknown)[0].as_py()
            expected = f"expected one of {listed(known, most=_SHOWN)}"
            remedy = "is this the label's column? else map it (labels) or leave the row out"
            batch.fail_where(unknown, f"label {label!r}: unknown, {expected}; {remedy}")
        return pa.LargeListArray.from_arrays(pa.array(np.arange(len(batch) + 1)), index.take(found))

    return read


def _mapped(label: str, label_map: LabelMap) -> str:
    """The new name of a label. ConfigError for None: leaving out rows is for the user to do, not for a map."""
    new = label_map.get(label, label)
    if new is None:
        raise ConfigError(f"labels: {label} -> null, expected a label; leave such rows out of the file instead")
    return new


def _tag_reader(source: DataSource, names: Sequence[str], label_map: LabelMap) -> Callable[[Batch], pa.Array]:
    """A function from a batch to (n,) lists of indices into `names`, one a word."""
    ids = tag_ids(names, label_map)

    def read(batch: Batch) -> pa.Array:
        rows = iob2_rows(batch, source.scheme)
        for number, row in enumerate(rows):
            unknown = next((tag for tag in row if tag not in ids), None)
            if unknown is not None:
                _fail_type(entity_type(unknown), known_types(names), batch, number, row.index(unknown))
        labels = [[ids[tag] for tag in row] for row in rows]
        return pa.array(labels, SCHEMA.field("labels").type)

    return read


def iob2_rows(batch: Batch, scheme: Scheme) -> list[list[str]]:
    """The tags as IOB2. DataError at the first row that breaks the scheme."""
    if batch.iob2 is not None:
        return batch.iob2()
    tags: list[list[str]] = batch.columns["tags"].to_pylist()
    fault: Any = next(violations(tags, scheme), None)
    if fault is not None:
        found = set(chain.from_iterable(tags))
        remedy = remedy_of(found, scheme, bare="write them as IOB2", elsewhere=setting("columns"))
        place = f"word {fault.word + 1}: {fault.message}; {remedy or 'correct the row, or set scheme'}"
        raise DataError(place, file=batch.path, line=int(batch.lines[fault.sentence]))
    return [to_iob2(row, scheme) for row in tags]


def _fail_type(type_: str, known: Sequence[str], batch: Batch, row: int, word: int) -> NoReturn:
    label = batch.columns["tags"][row][word].as_py()
    expected = f"expected one of {', '.join(known)}" if known else "expected O"
    remedy = f"map the type (labels: {{{type_}: null}} makes it O)"
    if in_python():
        remedy = f"map the type (read it with labels={{{type_!r}: None}}, which makes it O)"
    message = f"label {label}: unknown type {type_}, {expected}; {remedy}"
    raise DataError(message, file=batch.path, line=batch.line_of(row, word))


def labelled_rows(
    batches: Iterable[Batch], *, named: Collection[str], left_out: list[str] | None = None
) -> Iterator[Batch]:
    """The rows that have a label. Signs of a missing label that are in `named` are labels.

    At the end a sentence says how many were left out: a note, and added to the list `left_out`, if there is one.
    DataError if most rows have no label.
    """
    signs = Counter[str]()
    total, first, path = 0, 0, None
    for batch in batches:
        without = _without_label(batch.columns["label"], named)
        total, path = total + len(batch), batch.path
        if not pc.any(without).as_py():
            yield batch
            continue
        lines = batch.lines[without.to_numpy(zero_copy_only=False)]
        first = first or int(lines[0])
        signs.update("" if sign is None else sign for sign in batch.columns["label"].filter(without).to_pylist())
        yield batch.filtered(pc.invert(without))
    if not signs:
        return
    message = f"{signs.total()} of {total} rows have no label ({shown_signs(signs)})"
    if signs.total() > total / 2:
        remedy = f"name the label's column ({setting('columns')}), or label the rows"
        raise DataError(f"{message}; {remedy}", file=path, line=first)
    if left_out is not None:
        left_out.append(f"{message}; they are left out. If it is a label, map it to a name (labels)")
        note(f"{path}:{first}: {left_out[-1]}")


def shown_signs(signs: Counter[str]) -> str:
    """The most frequent signs of a missing label, each with how often it occurs."""
    return ", ".join(f"{repr(sign) if sign else 'nothing'} {count}" for sign, count in signs.most_common(3))


def _without_label(column: pa.Array, named: Collection[str]) -> pa.Array:
    """(n,) whether there is no label: nothing, or a sign that it is missing."""
    signs = [label for label in pc.unique(column).to_pylist() if label and label not in named and missing(label)]
    empty = pc.or_kleene(pc.is_null(column), pc.equal(column, ""))
    return pc.or_(pc.fill_null(empty, True), pc.is_in(column, value_set=pa.array(signs, TEXT)))
