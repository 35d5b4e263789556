"""`uxla.read`: a corpus from files, the Hub, the testbed, or what a program has in memory."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, Unpack

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import model_validator

from uxla.choices import Task, check_task
from uxla.corpus_table import SCHEMA, renumbered
from uxla.data.batch import TEXT
from uxla.data.columns import SHAPES, Shape, shape_of
from uxla.data.discover import discover_shape, has_labels, refuse_no_file
from uxla.data.load import corpus_from_records, discover_labels, drawn, load_corpus
from uxla.data.memory import rows_in_memory
from uxla.data.options import ReadKeywords, ReadOptions
from uxla.data.raw_words import RawWords, together_in_source
from uxla.decoding import are_tags
from uxla.errors import ConfigError, DataError
from uxla.given import path, plain
from uxla.phrases import counted, listed
from uxla.records import IGNORED, Corpus
from uxla.schema import Section, Several, key, refuse_repeated, unknown_name
from uxla.testbed import SHIPPED_WORLD, SIZES, TESTBED, WORLD_TASKS
from uxla.testbed.world import World

RAW = "unlabelled"


class _Arguments(Section):
    """What `read` is asked beside the options of a format."""

    lang: str = key("the language's name")
    name: str = key("the corpus's name, in messages")
    labelled: bool | None = key("whether labels are read")
    label_names: Several[str] | None = key("the labels, in the order of a model's outputs", min_length=1)
    labels: Mapping[str, str | None] | None = key("new names of labels, by the old ones")
    take: int | None = key("so many examples at most", ge=1)
    share: float = key("the share of the examples that is taken", gt=0, le=1)
    seed: int = key("what draws the examples", ge=0)

    @model_validator(mode="after")
    def _each_once(self) -> _Arguments:
        refuse_repeated("label_names", self.label_names or ())
        return self


_NAMES = [*_Arguments.model_fields, "task", *ReadOptions.model_fields]


def read(
    data: Any,
    *,
    lang: str = "",
    name: str = "",
    task: Task | None = None,
    labelled: bool | None = None,
    label_names: Sequence[str] | None = None,
    labels: Mapping[str, str | None] | None = None,
    take: int | None = None,
    share: float = 1.0,
    seed: int = 0,
    **options: Unpack[ReadKeywords],
) -> Corpus:
    """The examples of `data`, in its order, with their labels where there are any.

    `data` is one of these:

    - a path (CoNLL, TSV, CSV, JSON lines, Parquet, raw text, character spans), or a list of `Path`s that are read one
      after the other; `hub:namespace/name[/config]/split`; or `testbed:LANGUAGE/SPLIT`, sentences of the synthetic
      world that the shipped model knows (`source`, `near`, `far`, …; `train`, `unlabelled`, `dev`, `test`);
    - a list, or any other iterable, of texts (`str`), sentences as lists of words, `(words, tags)`, `(text, label)`,
      `(first, second, label)`, or dictionaries with the names that columns of files have;
    - a data frame of pandas or polars, a `datasets.Dataset` (with `ClassLabel`s), an Arrow table.

    `lang` is the language's name in tables, `name` the corpus's in messages (default: the language's). Whether it has
    words, texts or pairs, and labels, is inferred from the data unless `task` and `labelled` say it; a tuple of two
    texts is a text and its label unless the task has pairs. `label_names` are the labels in the order of a model's
    outputs (default: those that occur, sorted; for `ner` O, then B and I of each type). `labels` renames labels; a type
    renamed to None becomes O. At most `take` examples, and a `share` of them above 0 and at most 1, are drawn by
    `seed`, which decides for the testbed also which sentences there are. The `options` are those of docs/data.md:
    `columns={"text": "body"}`, `format`, `encoding`, `where`, `tag_names`, ….

    Raises DataError, with the file and line or the number of the row, for data that cannot be read, and ConfigError for
    options that make no sense.

    >>> corpus = read([(["Ana", "lives", "in", "Lima"], ["B-PER", "O", "O", "B-LOC"])], lang="en")
    >>> corpus.label_names, corpus[0].labels
    (('O', 'B-LOC', 'I-LOC', 'B-PER', 'I-PER'), (3, 0, 0, 1))
    >>> read(["great film", "poor plot"], lang="en")[1].segments
    ('poor plot',)
    """
    check_task(task)
    for unknown in options.keys() - ReadOptions.model_fields.keys():
        raise ConfigError(f"{unknown}: no such argument; {unknown_name(unknown, _NAMES)}")
    checked = _Arguments(
        lang=lang,
        name=name,
        labelled=labelled,
        label_names=plain(label_names),
        labels=labels,
        take=plain(take),
        share=plain(share),
        seed=plain(seed),
    )
    take, label_names = checked.take, checked.label_names
    if isinstance(data, Corpus):
        raise DataError(f"{data.name}: is a uxla.Corpus already; use it as it is, or its `take`")
    shape = SHAPES[task] if task else None
    if isinstance(data, str) and data.startswith(TESTBED):
        language, _, split = data.removeprefix(TESTBED).partition("/")
        lang, shape = lang or language, SHAPES[task or "ner"]
        labelled = False if split == RAW else labelled
        count = take if checked.share == 1 else None  # a share is of the split
        data = _testbed_examples(data, language, split, task or "ner", count, checked.seed)
    asked: dict[str, Any] = {"name": name or lang or "data", "lang": lang, "label_map": labels, **options}
    part: dict[str, Any] = {"take": take, "share": checked.share, "seed": checked.seed}
    paths = _paths(data)
    if paths is None:
        corpus = _of_memory(data, shape, labelled, label_names, **asked)
        return drawn(corpus, corpus.name, **part)
    return _of_files(paths, shape, labelled, label_names, **asked, **part)


def task_of(corpus: Corpus) -> Task:
    """The task that labelled examples are for: `nli` for pairs, `ner` for words. DataError without labels."""
    require_labels(corpus, corpus.name)
    if len(corpus[0].segments) == 2:
        return "nli"
    return "ner" if are_tags(corpus.label_names) else "classification"


def require_labels(corpus: Corpus, name: str, expected: str = "labelled examples") -> None:
    """DataError, which calls the corpus `name`, where an example has no label, or there is no example."""
    if not len(corpus) or corpus.table.column("labels").null_count:
        remedy = "give texts with their labels, such as (words, tags), or a labelled file"
        raise DataError(f"{name}: has no labels, expected {expected}; {remedy}")


def raw(data: Any, source: Corpus, task: Task, name: str) -> Corpus:
    """The texts of `data`, a corpus or anything that `read` takes, for models that learn from `source`.

    They have its label names and no labels; for `ner` a text is cut into words, which keep together what the source's
    words do. DataError for pairs where the source has single texts, and the other way round.
    """
    together = together_in_source(source) if task == "ner" else None
    if not isinstance(data, Corpus):
        data = read(data, lang=name, task=task, labelled=False, together=together)
    corpus: Corpus = data
    _check_texts(corpus, source)
    if corpus.label_names == source.label_names:  # it was read for this source
        return corpus.renamed(name).unlabelled()
    table = corpus.table if together is None else _in_words(corpus, ReadOptions(together=together))
    return replace(corpus, name=name, label_names=source.label_names, table=table).unlabelled()


def labelled_like(data: Any, source: Corpus, task: Task, name: str) -> Corpus:
    """The labelled examples of `data`, a corpus or anything that `read` takes, with the labels of `source`.

    DataError for a label that the source does not have, and for data without labels.
    """
    asked: dict[str, Any] = {"lang": name, "name": name, "task": task, "label_names": source.label_names}
    corpus = data if isinstance(data, Corpus) else read(data, **asked)
    _check_texts(corpus, source)
    require_labels(corpus, name)
    if corpus.label_names == source.label_names:
        return corpus.renamed(name)
    ids, labels = {label: i for i, label in enumerate(source.label_names)}, corpus.gold_labels
    unknown = [corpus.label_names[i] for i in np.unique(labels[labels != IGNORED]) if corpus.label_names[i] not in ids]
    if unknown:
        known, remedy = listed(source.label_names), "read it with `labels={...}`, which renames labels"
        raise DataError(f"{name}: label {unknown[0]} is not one of the source's ({known}); {remedy}")
    numbers = [ids.get(label, IGNORED) for label in corpus.label_names]
    sizes = pc.list_value_length(corpus.table.column("labels")).to_numpy()
    named = replace(corpus, name=name, label_names=source.label_names)
    return named.with_labels(renumbered(labels, numbers, ignored=IGNORED), np.cumsum([0, *sizes]))


def _in_words(corpus: Corpus, options: ReadOptions) -> pa.Table:
    """The same examples with one space between the words of a text."""
    field, table, raw_words = SCHEMA.field("segments"), corpus.table, RawWords(Path(corpus.name), options, raw=True)
    chunks = table.column(field.name).chunks
    texts = [pc.binary_join(raw_words.of(chunk.flatten()), pa.scalar(" ", TEXT)) for chunk in chunks]
    segments = [pa.LargeListArray.from_arrays(pa.array(np.arange(len(each) + 1)), each) for each in texts]
    return table.set_column(table.schema.get_field_index(field.name), field, pa.chunked_array(segments, field.type))


def _check_texts(corpus: Corpus, source: Corpus) -> None:
    there, expected = (len(each[0].segments) if len(each) else 0 for each in (corpus, source))
    if there != expected:
        texts = "pairs of texts" if expected == 2 else "single texts"
        got = "has no example" if there == 0 else f"has examples of {counted(there, 'text')}"
        raise DataError(f"{corpus.name}: {got}, the source has {texts}; give the same kind")


def _of_files(
    paths: Sequence[Path], shape: Shape | None, labelled: bool | None, label_names: Sequence[str] | None, **asked: Any
) -> Corpus:
    options = {key: value for key, value in asked.items() if key in ReadKeywords.__annotations__}
    shape = shape or discover_shape(paths[0], ReadOptions(**options))
    if labelled is None:
        labelled = has_labels(paths[0], shape, ReadOptions(**options))
    if label_names is None:
        found = partial(discover_labels, paths, shape=shape, label_map=asked["label_map"], **options)
        label_names = found() if labelled else ()
    asked["label_map"] = asked["label_map"] if labelled else None
    return load_corpus(paths, shape=shape, labelled=labelled, label_names=label_names, **asked)


def _of_memory(
    data: Any, shape: Shape | None, labelled: bool | None, label_names: Sequence[str] | None, **asked: Any
) -> Corpus:
    rows = rows_in_memory(data, asked["name"], shape)
    if isinstance(rows, pa.Table):
        shape = shape or shape_of(rows.schema.names, asked.get("columns"), Path(asked["name"]))
    else:
        first = next(rows, None)
        if first is None:
            raise DataError("no row; expected one example", file=asked["name"])
        shape = shape or shape_of([*first], asked.get("columns"), Path(asked["name"]))
        rows = chain([first], rows)
    return corpus_from_records(rows, shape=shape, labelled=labelled, label_names=label_names, **asked)


def _paths(data: Any) -> list[Path] | None:
    """The files that are meant; None for data in memory."""
    if isinstance(data, str | Path):
        refuse_no_file(str(data))
    if isinstance(data, Path):
        return [path(data, "data")]
    if isinstance(data, str):
        if any(blank in data for blank in " \n") and not os.path.exists(data):
            raise DataError(f"no such file: {data[:60]!r}; if this is a text, write it as a list: [text]")
        return [path(data, "data")]
    if isinstance(data, list | tuple) and data and all(isinstance(each, Path) for each in data):
        return list(data)
    if isinstance(data, list) and data and isinstance(data[0], str) and os.path.isfile(data[0]):
        raise DataError(f"{data[0]}: a str in a list is a text, and this is the name of a file; give Path objects")
    return None


def _testbed_examples(path: str, language: str, split: str, task: Task, count: int | None, seed: int) -> list[Any]:
    """So many examples of a split of the shipped world that `seed` draws, or as many as a split usually has."""
    if split not in SIZES:
        raise ConfigError(f"{path}: expected {TESTBED}LANGUAGE/SPLIT with a split of {', '.join(SIZES)}")
    world, split, count = World(SHIPPED_WORLD), "train" if split == RAW else split, count or SIZES[split]
    if task == "ner":
        return list(world.sentences(language, split, count, seed))
    return [(*texts, label) for texts, label in world.examples(language, WORLD_TASKS[task], split, count, seed)]
