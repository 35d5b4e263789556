"""The sections about data: how files are read, which they are, and the sizes of the synthetic world."""

from __future__ import annotations

from typing import Any

from uxla.data.options import ReadOptions
from uxla.schema import Files, Name, Section, key
from uxla.testbed import SIZES, TESTBED

ELSEWHERE = (TESTBED, "hub:")
"""Data paths that begin so are no files of the disk: the synthetic world, data sets of the Hub."""

IN_MEMORY = "(in memory) "
"""What the name of data, or of a model, that a program had in memory begins with, in place of a path."""


class DataFiles(ReadOptions):
    """How the data files of a language are read, and how much of the training file is used."""

    labels: dict[str, str | None] | None = key(
        "new names of labels or entity types, as `{PERSON: PER}`; null for an entity type: no entity",
        None,
    )
    take: int | None = key("at most so many training sentences, drawn by the seed; null: all", None, ge=1)
    share: float = key("this share of the training sentences, drawn by the seed", 1.0, paper="§3.1", gt=0, le=1)


class Source(DataFiles):
    """The labelled language."""

    name: Name = key("the source language's name in tables", "source")
    train: Files = key(
        "labelled training file; several: `[a.conll, b.conll]`, here and in all keys of files", paper="D_s"
    )
    dev: Files | None = key("labelled development file, for `selection: source_dev`", None, paper="App. D")
    test: Files | None = key("labelled test file, for the scores on the source before and after", None)


class TargetData(DataFiles):
    """The target languages' files; `{target}` in a path stands for the target's name."""

    train: Files = key("unlabelled training file, raw text or CoNLL; labels in it are never read", paper="X_t")
    dev: Files | None = key(
        "labelled development file, read for `target_dev`, by `supervised`, and to score each epoch on it",
        None,
        paper="App. D",
    )
    test: Files | None = key("labelled test file, scored once at the end; null: no scores", None)
    labelled: Files | None = key(
        "labelled training file, read by `supervised`, by `few_shot` and by epochs with `labelled` data",
        None,
        paper="Tables 1–2",
    )
    translated: Files | None = key(
        "labelled sentences translated into the target language, read only by `translate_train`", None, paper="Table 3"
    )
    labelled_take: int | None = key(
        "at most this many labelled, and this many translated, sentences; null: as many as `take`", None, ge=1
    )

    def of(self, target: str) -> TargetData:
        """The same with `{target}` in every path, and every value of `where`, replaced by `target`."""
        filled = {name: _filled(getattr(self, name), target) for name in TARGET_PATHS}
        if self.where is not None:
            filled["where"] = {column: _filled(values, target) for column, values in self.where.items()}
        return self.model_copy(update=filled)


def _filled(value: Any, target: str) -> Any:
    if isinstance(value, tuple):
        return tuple(_filled(each, target) for each in value)
    return value.replace("{target}", target) if isinstance(value, str) else value


SOURCE_PATHS = ("train", "dev", "test")
TARGET_PATHS = ("train", "dev", "test", "labelled", "translated")


class World(Section):
    """The size of the synthetic world, for data paths that begin with `testbed:`."""

    world: int = key("which world; 0 is the one the shipped model knows", 0, ge=0)
    seed: int = key("which of its sentences are drawn", 0, ge=0)
    train: int = key("labelled sentences of the source", SIZES["train"], ge=1)
    unlabelled: int = key("raw training sentences of each target", SIZES["unlabelled"], ge=1)
    labelled: int | None = key(
        "labelled training sentences of each target; null: the raw ones, with labels", None, ge=1
    )
    dev: int = key("development sentences of each language", SIZES["dev"], ge=1)
    test: int = key("test sentences of each language", SIZES["test"], ge=1)
