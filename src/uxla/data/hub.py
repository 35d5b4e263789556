"""Data sets of the Hugging Face Hub, `hub:namespace/name[/config]/split[@revision]`. Their code is never run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from uxla.data.columns import Shape
from uxla.errors import DataError, setting
from uxla.progress import note

HUB = "hub:"
"""The start of a path that is a data set of the Hub, not a file."""

CONVERTED = "refs/convert/parquet"
"""The branch with the Hub's Parquet copies (`config/split/0000.parquet`) of data sets that come with a script."""

_URI = re.compile(
    r"hub:(?P<id>[\w.-]+/[\w.-]+)(?:/(?P<config>[\w.-]+))?/(?P<split>\w+)"
    r"(?:@(?P<revision>\w[\w.-]*(?:/\w[\w.-]*)*))?"
)
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class KnownDataset:
    """What is known of a data set: its columns, its classes if its files have numbers for them, and its licence.

    The licence is given as its card or its authors state it.
    """

    shape: Shape
    columns: Mapping[str, str]
    label_names: tuple[str, ...]
    licence: str


def _tags(*types: str) -> tuple[str, ...]:
    return ("O", *(f"{letter}-{type_}" for type_ in types for letter in "BI"))


_NER = {"tokens": "tokens", "tags": "ner_tags"}
_NLI = {"first": "premise", "second": "hypothesis", "label": "label"}
_PAIR = {"first": "sentence1", "second": "sentence2", "label": "label"}
_TOPIC = {"text": "text", "label": "category"}
_CONLL = _tags("PER", "ORG", "LOC", "MISC")
_TOPICS = ("entertainment", "geography", "health", "politics", "science/technology", "sports", "travel")

SOURCES: dict[str, KnownDataset] = {
    "facebook/xnli": KnownDataset("pair", _NLI, ("entailment", "neutral", "contradiction"), "CC BY-NC 4.0"),
    "google-research-datasets/paws-x": KnownDataset("pair", _PAIR, ("0", "1"), "free for any purpose"),
    "unimelb-nlp/wikiann": KnownDataset("tagging", _NER, _tags("PER", "ORG", "LOC"), "none stated"),
    "eriktks/conll2003": KnownDataset("tagging", _NER, _CONLL, "research use only"),
    "eriktks/conll2002": KnownDataset("tagging", _NER, _CONLL, "research use only"),
    "masakhane/masakhaner2": KnownDataset("tagging", _NER, _tags("PER", "ORG", "LOC", "DATE"), "CC BY-NC 4.0"),
    "Davlan/sib200": KnownDataset("single", _TOPIC, _TOPICS, "CC BY-SA 4.0"),
}
_BARE = {id_.partition("/")[2]: id_ for id_ in SOURCES}


def split_rows(uri: str) -> Any:
    """The split as a `pyarrow.Table`, memory-mapped from the cache of `datasets`. DataError where it cannot be had."""
    id_, *_ = where = parse_uri(uri)
    try:
        table = load(*where).data.table
    except Exception as error:  # whatever a network and a foreign library can raise: for the user it is one fault
        reason = " ".join(str(error).split())[:160].removesuffix(".")
        remedy = f"check name and network, or where there is one: hf download {id_} --repo-type dataset"
        branch = f"--revision {CONVERTED}, and name its Parquet file here"
        raise DataError(f"cannot be loaded ({reason}); {remedy} {branch}", file=uri) from error
    if table.num_rows == 0:
        raise DataError("no row; choose another split", file=uri)
    if id_ in SOURCES:
        note(f"{uri}: licence {SOURCES[id_].licence}")
    return table


def known_dataset(uri: str, shape: Shape, columns: Mapping[str, str | int] | None) -> KnownDataset | None:
    """What is known of the data set if its examples have this shape; else None.

    DataError if they have another shape and no `columns` are named.
    """
    source = SOURCES.get(parse_uri(uri)[0])
    if source is None or source.shape == shape:
        return source
    if columns is None:
        remedy = f"choose the task that fits, or set {setting('columns')}"
        raise DataError(f"holds {source.shape} examples, read as {shape}; {remedy}", file=uri)
    return None


def commit(uri: str) -> str | None:
    """The commit of the data set's repository that the rows of `uri` were read from; None if it is not known.

    `datasets` names the folder of its cache by it.
    """
    files = load(*parse_uri(uri)).cache_files
    folder = Path(files[0]["filename"]).parent.name if files else ""
    return folder if _COMMIT.fullmatch(folder) else None


def parse_uri(uri: str) -> tuple[str, str | None, str, str | None]:
    """The data set, configuration (or None), split, and revision (or None).

    DataError for another form, and for the old names without a namespace, which the Hub no longer knows.
    """
    first, *rest = uri.removeprefix(HUB).split("/")
    if first in _BARE:
        full = "/".join([_BARE[first], *rest])
        raise DataError(f"{first!r} has no namespace; write {HUB}{full}", file=uri)
    match = _URI.fullmatch(uri)
    if match is None:
        form = f"{HUB}namespace/name[/config]/split"
        raise DataError(f"expected {form}, as {HUB}facebook/xnli/en/test, and @revision to pin one", file=uri)
    return match["id"], match["config"], match["split"], match["revision"]


@cache
def load(id_: str, config: str | None, split: str, revision: str | None = None) -> Any:
    """The split as a `datasets.Dataset`: of the data set's own files or, where it comes with a script, of the Hub's
    conversion to Parquet. `id_` may be a local folder too. Raises whatever `datasets` does.

    The Hub is asked once a process, so that all of a run sees one commit.
    """
    import datasets  # late: seconds, and needed by nobody who has files

    try:
        return datasets.load_dataset(id_, config, split=split, revision=revision)
    except (RuntimeError, ValueError) as error:
        # RuntimeError: "Dataset scripts are no longer supported". ValueError: no such configuration, which is how a
        # pinned commit of the conversion looks, where configurations are folders
        if isinstance(error, ValueError) and revision is None:
            raise
        files = {split: f"{config or '*'}/{split}/*.parquet"}
        return datasets.load_dataset(id_, data_files=files, split=split, revision=revision or CONVERTED)
