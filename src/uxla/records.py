"""The values that all parts pass around: examples, corpora, predictions and model handles, all immutable."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, overload

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from uxla.arrow_on_disk import rows_at, table_of
from uxla.corpus_table import BATCH_ROWS, SCHEMA, batches_of, checked_indices, gold_labels, names_in, names_metadata
from uxla.errors import printable
from uxla.phrases import counted, listed

Floats = npt.NDArray[np.float32]
Reals = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

IGNORED = -100
"""The label of a word that carries no loss and no score (the value torch's cross-entropy ignores)."""


@dataclass(frozen=True, slots=True)
class Example:
    """One sentence, or one pair of sentences.

    For tagging, the one segment is the words joined by single ASCII spaces and `labels` has one entry a word; for
    sentence tasks there are one or two segments of free text and one label. A vicinity sample's id is its parent's
    plus `~n`.

    >>> Example("es:0", "es", ("Ana lee",), (3, 0)).words
    ['Ana', 'lee']
    """

    id: str
    lang: str
    segments: tuple[str, ...]
    labels: tuple[int, ...] | None = None

    @property
    def words(self) -> list[str]:
        """The words of the first segment (tagging): split at the ASCII space only, so NBSP or U+3000 stay inside."""
        return self.segments[0].split(" ")


@dataclass(frozen=True)
class Corpus:
    """Examples in a fixed order, with the names of their labels; `uxla.read` makes one.

    They are in an Arrow table (`table`), never a list of objects: memory-mapped if large or read from disk. It iterates
    as `Example`s, whose labels are indices into `label_names`. `left_out`: what reading left out, in sentences.

    >>> corpus = uxla.read([(["Ana", "lee"], ["B-PER", "O"]), (["Lima"], ["B-LOC"])], lang="es")
    >>> corpus
    Corpus('es': 2 examples; labels O, B-LOC, I-LOC, B-PER, I-PER)
    >>> [corpus.label_names[label] for label in corpus[0].labels]
    ['B-PER', 'O']
    """

    name: str
    label_names: tuple[str, ...]
    table: pa.Table
    left_out: tuple[str, ...] = ()

    @classmethod
    def from_examples(cls, name: str, label_names: Sequence[str], examples: Iterable[Example]) -> Corpus:
        """A corpus of `examples`, built batch by batch; a large one is not held in memory.

        DataError for a label that is no place in `label_names`.

        >>> examples = [uxla.Example("es:0", "es", ("Ana lee",), (1, 0))]
        >>> Corpus.from_examples("es", ["O", "B-PER", "I-PER"], examples)
        Corpus('es': 1 example; labels O, B-PER, I-PER)
        """
        rows = ((one.id, one.lang, one.segments, one.labels) for one in examples)
        return cls.from_batches(name, label_names, batches_of(rows, classes=len(label_names), ignored=IGNORED))

    @classmethod
    def from_batches(cls, name: str, label_names: Sequence[str], batches: Iterable[pa.RecordBatch]) -> Corpus:
        """A corpus of batches with the columns of `SCHEMA`; a large one is not held in memory."""
        return cls(name, tuple(label_names), table_of(batches, SCHEMA))

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def __repr__(self) -> str:
        labels = f"labels {listed(self.label_names)}" if self.label_names else "no labels"
        return printable(f"Corpus({self.name!r}: {counted(len(self), 'example')}; {labels})")

    def __iter__(self) -> Iterator[Example]:
        for batch in self.table.to_batches(max_chunksize=BATCH_ROWS):
            columns = [batch.column(name).to_pylist() for name in SCHEMA.names]
            for id_, lang, segments, labels in zip(*columns, strict=True):
                yield Example(id_, lang, tuple(segments), None if labels is None else tuple(labels))

    @property
    def texts(self) -> pa.LargeStringArray:
        """The segments of all examples, one after the other."""
        return self.table.column("segments").combine_chunks().flatten()

    @property
    def gold_labels(self) -> Ints:
        """(R,) the labels of all examples, one after the other. ValueError where an example has none."""
        return gold_labels(self.table)

    @overload
    def __getitem__(self, index: int) -> Example: ...

    @overload
    def __getitem__(self, index: slice) -> Corpus: ...

    def __getitem__(self, index: int | slice) -> Example | Corpus:
        rows = range(len(self))[index]
        if isinstance(rows, int):
            return next(iter(self.part(rows, rows + 1)))
        return self.part(rows.start, rows.stop) if rows.step == 1 else self.take(rows)

    def __reduce__(self) -> tuple[Any, ...]:
        """As a stream of Arrow, which has of a part no more than the part."""
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, self.table.schema) as writer:
            writer.write_table(self.table)
        return _unpickled, (self.name, self.label_names, sink.getvalue(), self.left_out)

    def take(self, indices: Sequence[int] | npt.NDArray[np.integer | np.bool_]) -> Corpus:
        """The examples at `indices` (int, any order, repeats allowed), in that order, or where a mask (N,) is true;
        many are not held in memory. IndexError for an index below 0 or from N on, DataError for what is neither."""
        return replace(self, table=table_of(rows_at(self.table, checked_indices(indices, len(self))), SCHEMA))

    def part(self, start: int, stop: int | None = None) -> Corpus:
        """The examples from `start` to before `stop` (default: the end), without a copy.

        >>> [example.segments for example in uxla.read(["one", "two", "three"]).part(1)]
        [('two',), ('three',)]
        """
        length = None if stop is None else max(stop - start, 0)
        return replace(self, table=self.table.slice(start, length))

    def parts(self, size: int) -> Iterator[Corpus]:
        """Consecutive parts of `size` examples, the last one shorter; of an empty corpus one empty part."""
        return (self.part(start, start + size) for start in range(0, max(len(self), 1), size))

    def renamed(self, name: str) -> Corpus:
        """The same examples under another name; the digest does not change.

        >>> uxla.read(["Ana lee"], lang="es").renamed("es dev")
        Corpus('es dev': 1 example; no labels)
        """
        return replace(self, name=name)

    def unlabelled(self) -> Corpus:
        """The same sentences with every label removed: what the target language may show to Algorithm 1."""
        nulls = pa.nulls(BATCH_ROWS, SCHEMA.field("labels").type)  # the same ones again: ten million are 80 MB
        none = pa.chunked_array([nulls] * (len(self) // BATCH_ROWS) + [nulls[: len(self) % BATCH_ROWS]])
        return replace(self, table=self.table.set_column(3, SCHEMA.field("labels"), none))

    def with_labels(self, labels: npt.NDArray[np.integer], offsets: npt.NDArray[np.integer]) -> Corpus:
        """The same sentences with `labels` (R,) int, example i owning rows `offsets[i]:offsets[i+1]` (N+1,).
        ValueError where the numbers of offsets, labels and examples do not fit."""
        if len(offsets) != len(self) + 1 or offsets[-1] != len(labels):
            raise ValueError(f"{len(offsets)} offsets over {len(labels)} labels do not fit {len(self)} examples")
        rows = pa.array(np.asarray(labels, dtype=np.int32))
        column = pa.LargeListArray.from_arrays(pa.array(offsets, pa.int64()), rows)
        return replace(self, table=self.table.set_column(3, SCHEMA.field("labels"), column))

    @cached_property
    def digest(self) -> str:
        """SHA-256 over label names and content: equal for equal examples in equal order, however they were made."""
        sha = hashlib.sha256(repr(self.label_names).encode())
        for start in range(0, len(self), BATCH_ROWS):
            batch = self.table.slice(start, BATCH_ROWS).combine_chunks().to_batches()[0]
            fresh = batch.take(pa.array(np.arange(batch.num_rows)))  # re-based buffers, whatever the slicing
            sha.update(fresh.serialize())
        return sha.hexdigest()

    def write(self, path: Path) -> None:
        """Write as an Arrow IPC file; name and label names travel in the schema's metadata."""
        table = self.table.replace_schema_metadata({"name": self.name} | names_metadata(self.label_names))
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table, max_chunksize=BATCH_ROWS)

    @classmethod
    def read(cls, path: Path) -> Corpus:
        """Memory-map a corpus written by `write`."""
        table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
        return cls(table.schema.metadata[b"name"].decode(), names_in(table.schema), table.replace_schema_metadata(None))


def concatenate(name: str, corpora: Sequence[Corpus]) -> Corpus:
    """All examples of `corpora`, one after the other, without a copy. ValueError where label names differ.

    >>> two = uxla.read(["one", "two"])
    >>> len(concatenate("all", [two, two.part(1)]))
    3
    """
    if len({corpus.label_names for corpus in corpora}) != 1:
        raise ValueError("corpora with different label names cannot be joined")
    left_out = tuple(sentence for corpus in corpora for sentence in corpus.left_out)
    return Corpus(name, corpora[0].label_names, pa.concat_tables([corpus.table for corpus in corpora]), left_out)


def _unpickled(name: str, label_names: tuple[str, ...], stream: pa.Buffer, left_out: tuple[str, ...]) -> Corpus:
    return Corpus(name, label_names, pa.ipc.open_stream(stream).read_all(), left_out)


@dataclass(frozen=True, eq=False)
class Predictions:
    """Class probabilities of one model on one corpus.

    `probs` is float32 (R, C), one row a word for tagging and one an example otherwise; `offsets` is int64 (N+1,):
    example i owns rows `offsets[i]:offsets[i+1]`. With ragged rows the paper's two confidence formulas (§2.3) are one.

    >>> import numpy as np
    >>> found = Predictions(np.array([[0.9, 0.1], [0.4, 0.6], [0.8, 0.2]], dtype=np.float32), np.array([0, 2, 3]))
    >>> found, found.pseudo_labels.tolist()
    (Predictions(2 examples, 3 rows, 2 classes), [0, 1, 0])
    """

    probs: Floats
    offsets: Ints

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __repr__(self) -> str:
        rows, classes = self.probs.shape
        sizes = counted(len(self), "example"), counted(rows, "row"), counted(classes, "class", "classes")
        return f"Predictions({', '.join(sizes)})"

    @cached_property
    def pseudo_labels(self) -> Ints:
        """(R,) the most probable class of each row; ties go to the lower class."""
        return np.asarray(self.probs.argmax(axis=1), dtype=np.int64)

    @cached_property
    def best(self) -> Floats:
        """(R,) the probability of the most probable class of each row."""
        return np.asarray(self.probs.max(axis=1), dtype=np.float32)


@dataclass(frozen=True)
class ModelHandle:
    """A model on disk: a folder written by `save_pretrained` and the SHA-256 of its weights; never a live module.

    `head`, from 0: which of several classification layers on one encoder is meant; None for a model with one.

    >>> uxla.FineTuning("testbed").start.path.is_dir()
    True
    """

    path: Path
    digest: str
    head: int | None = None
