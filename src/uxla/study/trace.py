"""What became of each pseudo-labelled example, and why: collected while Algorithm 1 runs, then written."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from uxla.algorithm.distil import confidence
from uxla.algorithm.events import CoLabelled
from uxla.arrow_on_disk import table_of
from uxla.corpus_table import names_metadata
from uxla.events import Event
from uxla.files import write_table
from uxla.records import Bools, Corpus, Ints, Predictions
from uxla.targets import Target

Labels = pa.list_(pa.int16())
DECISIONS = pa.schema(
    [("epoch", pa.int16()), ("k", pa.int8()), ("j", pa.int8()), ("data", pa.string()), ("id", pa.string())]
    + [(name, pa.bool_()) for name in ("selected_by_k", "selected_by_j", "agreed", "used")]
    + [("confidence_k", pa.float32()), ("confidence_j", pa.float32()), ("labels_k", Labels), ("labels_j", Labels)]
    + [("labels", Labels)]
)
"""One row a decision: models from 1; labels as places in the label names, one a word for tagging.

`labels` are what the agreement made of those of k and j: what taught where the row is `used`, `IGNORED` where a word
taught nothing, null where the agreement left the example out."""

TEXTS = pa.schema(
    [
        ("data", pa.string()),
        ("epoch", pa.int16()),
        ("id", pa.string()),
        ("segments", pa.list_(pa.string())),
        ("parent", pa.string()),
        ("changed", pa.list_(pa.list_(pa.int32()))),
        ("gold", Labels),
    ]
)
"""One row a text: `epoch` is the first in which it stood under its id, 0 for a parent that was never labelled;
`changed` has the places of the words, of each segment, in which a sample differs from its parent."""

_ROWS_TOGETHER = 8192


class Traces(dict[str, "Trace"]):
    """The traces of one method by target, collected from the events of a run."""

    def __init__(self, limit: int, method: str) -> None:
        super().__init__()
        self._limit, self._method = limit, method

    def __call__(self, event: Event) -> None:
        """Add a labelling of the method; with a limit of 0 nothing."""
        if isinstance(event, CoLabelled) and event.method == self._method and event.target and self._limit:
            self.setdefault(event.target, Trace(self._limit))(event)


class Trace:
    """What became of at most `limit` examples of each data set.

    Which examples these are depends on their ids alone. A sample is among them where its parent is.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._decisions: list[pa.Table] = []
        self._texts: dict[str, list[pa.Table]] = {}

    def __call__(self, decisions: CoLabelled) -> None:
        """Add one labelling of one corpus."""
        rows = traced(decisions.corpus, self.limit)
        texts = decisions.corpus.take(rows).table.select(["id", "segments"])
        epoch, k, j, _ = decisions.step
        one_value = {"epoch": epoch, "k": k + 1, "j": j + 1, "data": decisions.corpus.name}
        columns = {
            name: pa.repeat(pa.scalar(value, DECISIONS.field(name).type), len(rows))
            for name, value in one_value.items()
        }
        columns |= {"id": texts["id"].cast(pa.string())}
        columns |= {f"selected_by_{peer}": chosen[rows] for peer, chosen in zip("kj", decisions.selected, strict=True)}
        columns |= {"agreed": decisions.found.agreed[rows], "used": decisions.chosen[rows]}
        offsets, inner = _places(decisions.predictions[0].offsets, rows)
        for peer, predictions in zip("kj", decisions.predictions, strict=True):
            part = Predictions(predictions.probs[inner], offsets)
            columns |= {f"confidence_{peer}": confidence(part).astype(np.float32)}
            columns |= {f"labels_{peer}": _lists(part.pseudo_labels, offsets)}
        columns |= {"labels": _lists(decisions.found.labels[inner], offsets, ~decisions.found.chosen[rows])}
        self._decisions.append(_on_disk(pa.table(columns, DECISIONS)))
        self._add_texts(decisions.corpus.name, epoch, texts)

    def _add_texts(self, data: str, epoch: int, texts: pa.Table) -> None:
        """Add texts that differ from the last: only `vicinity.fresh` makes new ones under old ids."""
        known = self._texts.setdefault(data, [])
        if not (known and all(known[-1][name].equals(texts[name]) for name in ("id", "segments"))):
            named = {"data": pa.repeat(data, len(texts)), "epoch": pa.repeat(pa.scalar(epoch, pa.int16()), len(texts))}
            known.append(_on_disk(pa.table({**named, "id": texts["id"], "segments": texts["segments"]})))

    @property
    def labellings(self) -> pa.Table:
        """One row a decision, in the order they were taken."""
        return pa.concat_tables([DECISIONS.empty_table(), *self._decisions])

    def texts(self, data: str) -> pa.Table:
        """The texts of a data set that were labelled: data, epoch, id, segments."""
        return pa.concat_tables(self._texts[data])

    @property
    def data(self) -> tuple[str, ...]:
        """The names of the data sets that were labelled, in the order they came."""
        return tuple(self._texts)


def write_trace(folder: Path, trace: Trace, target: Target, source: Corpus) -> None:
    """Write `TARGET.parquet` and `TARGET-texts.parquet` under `folder`, each whole or absent; the bytes depend on the
    trace alone.

    The target's labelled file, where there is one, is matched by text: its labels are for scoring pseudo labels.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tables = [_text_table(trace, target, corpus) for corpus in (target.train, source)]
    write_table(folder / f"{target.name}-texts.parquet", pa.concat_tables(tables))
    labellings = trace.labellings.replace_schema_metadata(names_metadata(source.label_names))
    write_table(folder / f"{target.name}.parquet", labellings)


def traced(corpus: Corpus, limit: int) -> Ints:
    """(n,) indices, ascending, of at most `limit` examples: the families whose ids' digests are smallest."""
    if len(corpus) <= limit:
        return np.arange(len(corpus))
    is_sample, digests = corpus.name.endswith("~"), np.empty(len(corpus), dtype=np.uint64)
    start = 0
    for batch in corpus.table.select(["id"]).to_batches(max_chunksize=_ROWS_TOGETHER):
        ids = batch.column(0).to_pylist()
        roots = [_root(id_) for id_ in ids] if is_sample else ids
        digests[start : start + len(ids)] = [_digest(root) for root in roots]
        start += len(ids)
    first_left_out = np.partition(digests, limit)[limit]
    return np.flatnonzero(digests < first_left_out)


def changed_words(sample: str, parent: str) -> list[int]:
    """The places of the words, split at ASCII spaces, of `sample` that `parent` does not have there."""
    new, old = sample.split(" "), parent.split(" ")
    if len(new) == len(old):
        return [i for i, (a, b) in enumerate(zip(new, old, strict=True)) if a != b]
    blocks = difflib.SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()
    same = {i for block in blocks for i in range(block.b, block.b + block.size)}
    return [i for i in range(len(new)) if i not in same]


def _text_table(trace: Trace, target: Target, corpus: Corpus) -> pa.Table:
    """The texts of `corpus` that were labelled or are parents, and the samples around them."""
    samples = trace.texts(f"{corpus.name}~") if f"{corpus.name}~" in trace.data else None
    labelled = trace.texts(corpus.name) if corpus.name in trace.data else None
    parents = _texts_of(corpus, {_root(id_) for id_ in _ids(samples)})
    rows = list(_plain_rows(labelled, {}))
    known = {row["id"] for row in rows}
    rows += [
        {"data": corpus.name, "epoch": 0, "id": id_, "segments": segments}
        for id_, segments in parents.items()
        if id_ not in known
    ]
    if target.labelled is not None and corpus is target.train:
        gold = _gold(target.labelled, {tuple(row["segments"]) for row in rows})
        rows = [row | {"gold": gold.get(tuple(row["segments"]))} for row in rows]
    rows += _plain_rows(samples, parents)
    return pa.Table.from_pylist(rows, TEXTS)


def _plain_rows(texts: pa.Table | None, parents: Mapping[str, Sequence[str]]) -> Iterator[dict[str, Any]]:
    for batch in texts.to_batches(max_chunksize=_ROWS_TOGETHER) if texts is not None else ():
        for row in batch.to_pylist():
            parent = parents.get(_root(row["id"])) if parents else None
            if parent is not None:
                changed = [changed_words(a, b) for a, b in zip(row["segments"], parent, strict=True)]
                row |= {"parent": _root(row["id"]), "changed": changed}
            yield row


def _texts_of(corpus: Corpus, ids: set[str]) -> dict[str, list[str]]:
    wanted = pa.array(sorted(ids), pa.large_string())
    found: dict[str, list[str]] = {}
    for batch in corpus.table.select(["id", "segments"]).to_batches(max_chunksize=_ROWS_TOGETHER):
        rows = batch.filter(pc.is_in(batch.column("id"), wanted))
        found |= dict(zip(rows.column("id").to_pylist(), rows.column("segments").to_pylist(), strict=True))
    return found


def _gold(labelled: Corpus, wanted: set[tuple[str, ...]]) -> dict[tuple[str, ...], tuple[int, ...] | None]:
    return {example.segments: example.labels for example in labelled if example.segments in wanted}


def _ids(texts: pa.Table | None) -> list[str]:
    return [] if texts is None else texts["id"].to_pylist()


def _places(every: Ints, rows: Ints) -> tuple[Ints, Ints]:
    """The offsets of the examples at `rows` among themselves, and where their labels stand among all."""
    starts = every[rows]
    counts = every[rows + 1] - starts
    offsets = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts)])
    return offsets, np.arange(offsets[-1]) - np.repeat(offsets[:-1] - starts, counts)


def _lists(labels: Ints, offsets: Ints, missing: Bools | None = None) -> pa.Array:
    """Labels as an Arrow column of lists, null where `missing` says so."""
    mask = None if missing is None else pa.array(missing)
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(labels.astype(np.int16)), mask=mask)


def _root(sample_id: str) -> str:
    """The id of a sample's parent; of a sample of a user's own vicinity, whose id names none, its own."""
    return sample_id.rpartition("~")[0] or sample_id


def _digest(text: str) -> int:
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def _on_disk(table: pa.Table) -> pa.Table:
    return table_of(table.to_batches(), table.schema)
