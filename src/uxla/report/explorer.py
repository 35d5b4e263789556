"""The data of the explorer of training sentences: columns of texts and decisions, compressed into the page.

Read by templates/explorer.js, which says what it does with each column.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from uxla.corpus_table import names_in
from uxla.errors import ArtifactError
from uxla.records import Ints

_FIRST = 48
"""A label sequence is a string: the character `_FIRST` + 1 + label for each label, `_FIRST` for one that is ignored."""

_PLACE = ["epoch", "k", "j", "data"]
_LABELS = ("labels_k", "labels_j", "labels")
_FLAGS = {"selected_by_k": 1, "selected_by_j": 2, "used": 4}
_TAKEN = 8
"""The flag of what the agreement took."""


def packed(values: Any) -> str:
    """The values as compressed JSON in base64, which cannot end a script element."""
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    return base64.b64encode(zlib.compress(text.encode("utf-8", "replace"), 6)).decode("ascii")


def explored(decisions: pa.Table, texts: pa.Table, file: Path) -> dict[str, Any]:
    """The columns of one target. ArtifactError that names `file` if a decision has no text."""
    coded = [*(decisions[name] for name in _LABELS), texts["gold"]]
    sequences, (*labels, gold) = _coded([column.combine_chunks() for column in coded])
    rows = _text_columns(texts, gold)
    return {
        "labels": list(names_in(decisions.schema)),
        "sequences": sequences,
        "texts": rows,
        "blocks": list(_blocks(decisions, rows, labels, file)),
    }


def _text_columns(texts: pa.Table, gold: Ints) -> dict[str, Any]:
    ids, data, segments = (texts[name].to_pylist() for name in ("id", "data", "segments"))
    place = {(name, id_): i for i, (name, id_) in enumerate(zip(data, ids, strict=True))}
    names = list(dict.fromkeys(data))
    code = {name: i for i, name in enumerate(names)}
    parents = zip(data, texts["parent"].to_pylist(), strict=True)
    return {
        "names": names,
        "data": [code[name] for name in data],
        "epoch": texts["epoch"].to_pylist(),
        "id": ids,
        "text": [parts[0] if len(parts) == 1 else parts for parts in segments],
        "parent": [-1 if id_ is None else place.get((name.removesuffix("~"), id_), -1) for name, id_ in parents],
        "changed": [spots or 0 for spots in texts["changed"].to_pylist()],
        "gold": gold.tolist(),
    }


def _blocks(decisions: pa.Table, texts: dict[str, Any], labels: Sequence[Ints], file: Path) -> Iterator[Any]:
    """Each labelling of one data set by two peers: where its texts stand, flags, confidences in per mille, labels."""
    places: dict[tuple[str, int], dict[str, int]] = {}
    for start, stop in _runs(decisions):
        part = decisions.slice(start, stop - start)
        epoch, k, j, data = (part[name][0].as_py() for name in _PLACE)
        if (data, epoch) not in places:
            places[data, epoch] = _standing(texts, data, epoch)
        try:
            rows = [places[data, epoch][id_] for id_ in part["id"].to_pylist()]
        except KeyError as error:
            message = f"no text for example {error} of {data}, which {file.stem}-texts.parquet should have"
            raise ArtifactError(f"{file}: {message}; run again to rebuild both") from None
        marks = [(part[name], bit) for name, bit in _FLAGS.items()] + [(part["labels"].is_valid(), _TAKEN)]
        flags = np.sum([np.asarray(marked).astype(np.int64) * bit for marked, bit in marks], axis=0)
        sure = [np.rint(1000 * np.asarray(part[f"confidence_{peer}"])).astype(np.int64).tolist() for peer in "kj"]
        found = [codes[start:stop].tolist() for codes in labels]
        steps = np.diff(rows, prepend=0).tolist()  # nearly all are 1, which compresses well
        place = {"epoch": epoch, "k": k, "j": j, "data": data}
        yield place | {"rows": steps, "flags": flags.tolist(), "sure": sure, "labels": found}


def _standing(texts: dict[str, Any], data: str, epoch: int) -> dict[str, int]:
    """The row of each text by its id, as of `epoch`: of several texts with one id, the last one made until then."""
    wanted = texts["names"].index(data) if data in texts["names"] else -1
    columns = zip(texts["id"], texts["data"], texts["epoch"], strict=True)
    return {id_: i for i, (id_, code, since) in enumerate(columns) if code == wanted and 0 < since <= epoch}


def _runs(decisions: pa.Table) -> Iterator[tuple[int, int]]:
    """(first, after the last) of the rows that belong to one labelling."""
    if not len(decisions):
        return
    codes = [np.asarray(decisions[name].combine_chunks().dictionary_encode().indices) for name in _PLACE]
    cuts = np.flatnonzero(np.diff(np.stack(codes), axis=1).any(axis=0)) + 1
    yield from pairwise([0, *cuts.tolist(), len(decisions)])


def _coded(columns: list[pa.Array]) -> tuple[list[str], list[Ints]]:
    """All label sequences, each once, and of each column the places of its own; -1 for null."""
    strings = pa.chunked_array([_strings(column) for column in columns]).combine_chunks().dictionary_encode()
    places = np.asarray(strings.indices.fill_null(-1), dtype=np.int64)
    sequences = [found.decode("utf-16-le") for found in strings.dictionary.to_pylist()]
    return sequences, np.split(places, np.cumsum([len(column) for column in columns])[:-1])


def _strings(lists: pa.Array) -> pa.Array:
    counts = np.asarray(pc.fill_null(pc.list_value_length(lists), 0), dtype=np.int64)
    values = np.maximum(np.asarray(lists.flatten(), dtype=np.int64), -1) + _FIRST + 1
    ends = 2 * np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(values.astype("<u2"))]
    made = pa.Array.from_buffers(pa.large_binary(), len(lists), buffers)
    return pc.if_else(lists.is_valid(), made, None)
