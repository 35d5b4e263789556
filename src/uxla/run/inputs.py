"""From a configuration to corpora. Everything is read and checked here, before any long work and before any output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from uxla.data.conll import label_names
from uxla.data.load import discover_types, load_corpus
from uxla.errors import ConfigError
from uxla.records import Corpus
from uxla.run.config import RunConfig
from uxla.run.sections import TESTBED, Reading, World
from uxla.run.store import Store
from uxla.seeds import derive


@dataclass(frozen=True)
class Target:
    """One target language: `train` never has labels; the others do, and are there only where a file was given."""

    name: str
    train: Corpus
    dev: Corpus | None
    test: Corpus | None
    labelled: Corpus | None


@dataclass(frozen=True)
class Inputs:
    """All corpora of a run."""

    train: Corpus
    dev: Corpus | None
    test: Corpus | None
    targets: tuple[Target, ...]

    def digests(self) -> dict[str, str]:
        """The digest of every corpus by its place in the configuration."""
        named = {"source.train": self.train, "source.dev": self.dev, "source.test": self.test}
        for target in self.targets:
            for part in ("train", "dev", "test", "labelled"):
                named[f"{target.name}.{part}"] = getattr(target, part)
        return {place: corpus.digest for place, corpus in named.items() if corpus is not None}


def load_inputs(config: RunConfig, store: Store) -> Inputs:
    """Read every file the configuration names; raises DataError or ConfigError with the place."""
    world = _world_folder(config.testbed, store) if config.testbed is not None else None
    source, data = config.source, config.target_data
    columns = _format(source)
    del columns["format"]  # only CoNLL has labels
    names = label_names(discover_types(_path(source.train, world), label_map=source.labels, **columns))

    def read(reading: Reading, path: str | None, lang: str, part: str, *, labelled: bool = True) -> Corpus | None:
        if path is None:
            return None
        whole = part != "train" and part != "labelled"
        limits: dict[str, Any] = {} if whole else {"take": reading.take, "share": reading.share}
        return load_corpus(
            _path(path, world),
            name=lang if part == "train" else f"{lang} {part}",
            lang=lang,
            label_names=names,
            labelled=labelled,
            label_map=reading.labels if labelled else None,
            seed=derive(config.seed, "subset", lang, reading is source),
            **_format(reading),
            **limits,
        )

    source_corpora = [read(source, getattr(source, part), source.name, part) for part in ("train", "dev", "test")]
    targets = []
    for name in config.target:
        if name == source.name:
            raise ConfigError(f"target: {name!r} is also the source's name; give source.name another one")
        files = data.of(name)
        train = read(data, files.train, name, "train", labelled=False)
        others = [read(data, getattr(files, part), name, part) for part in ("dev", "test", "labelled")]
        assert train is not None
        targets.append(Target(name, train, *others))
    train, dev, test = source_corpora
    assert train is not None
    return Inputs(train, dev, test, tuple(targets))


def _format(reading: Reading) -> dict[str, Any]:
    keys = ("format", "encoding", "token_column", "label_column")
    return {key: getattr(reading, key) for key in keys}


def _path(written: str, world: Path | None) -> Path:
    if world is not None and written.startswith(TESTBED):
        return world / written.removeprefix(TESTBED)
    return Path(written)


def _world_folder(sizes: World, store: Store) -> Path:
    from uxla.testbed.world import write

    def make(into: Path) -> Mapping[str, Any]:
        write(into, **sizes.model_dump())
        return {"files": sum(file.is_file() for file in into.rglob("*"))}

    return store.folder("world", sizes.model_dump(), make)[0]
