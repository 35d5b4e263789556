"""Read and check every file that a configuration names, before any long work and any output."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from uxla.config.files import TARGET_PATHS, DataFiles, World
from uxla.config.run import RunConfig
from uxla.data.checks.doubts import Doubt, languages
from uxla.data.columns import SHAPES
from uxla.data.formats.table import Table
from uxla.data.load import discover_labels, load_corpus, open_data
from uxla.data.options import ReadOptions
from uxla.data.raw_words import together_in_source
from uxla.errors import ConfigError, DataError
from uxla.events import Doubted
from uxla.records import Corpus
from uxla.schema import Files
from uxla.seeds import derive
from uxla.store.store import Store
from uxla.targets import Target
from uxla.testbed import TESTBED, WORLD_TASKS


@dataclass(frozen=True)
class Inputs:
    """All corpora of a run."""

    train: Corpus
    dev: Corpus | None
    test: Corpus | None
    targets: tuple[Target, ...]

    @property
    def left_out(self) -> tuple[str, ...]:
        """What reading left out of the data, in sentences that begin with the name of the source, or of the target."""
        found = [(one.name, one) for one in (self.train, self.dev, self.test) if one is not None]
        for target in self.targets:
            given = [(part, getattr(target, part)) for part in TARGET_PATHS]
            found += [(f"{target.name}: {part}", one) for part, one in given if one is not None]
        return tuple(f"{name}: {sentence}" for name, one in found for sentence in one.left_out)

    def digests(self) -> dict[str, str]:
        """The digest of every corpus by its place in the configuration."""
        named = {"source.train": self.train, "source.dev": self.dev, "source.test": self.test}
        for target in self.targets:
            for part in TARGET_PATHS:
                named[f"{target.name}.{part}"] = getattr(target, part)
        return {place: corpus.digest for place, corpus in named.items() if corpus is not None}


def load_inputs(config: RunConfig, store: Store) -> Inputs:
    """The corpora of the files that the configuration names. Doubts about the files are emitted by `store.emit`.

    Raises DataError or ConfigError with the place.
    """
    source, data = config.source, config.target_data
    trained = _paths(source.train, config, store)
    names = discover_labels(trained, label_map=source.labels, **_format(config.task, source))
    if len(names) < 2:
        only = f"the only label is {names[0]}, expected two or more to tell apart"
        raise DataError(f"{only}; is it the labelled file, and the right column?", file=trained[0])

    def read(reading: DataFiles, path: Files | None, lang: str, part: str, *, labelled: bool = True) -> Corpus | None:
        if path is None:
            return None
        limits: dict[str, Any] = {} if part in ("dev", "test") else {"take": reading.take, "share": reading.share}
        if part in ("labelled", "translated") and data.labelled_take is not None:
            limits["take"] = data.labelled_take
        paths, name, how = _paths(path, config, store), _name(lang, part), _format(config.task, reading)
        for doubt in _several_languages(paths, lang, how):
            store.emit(Doubted(name, doubt.about, doubt.text))
        return load_corpus(
            paths,
            name=name,
            lang=lang,
            label_names=names,
            labelled=labelled,
            label_map=reading.labels if labelled else None,
            seed=derive(config.seed, "subset", lang, reading is source),
            **how,
            **limits,
        )

    train, dev, test = (read(source, getattr(source, part), source.name, part) for part in ("train", "dev", "test"))
    assert train is not None
    if data.together is None and config.task == "ner":
        data = data.model_copy(update={"together": together_in_source(train)})
    targets = []
    for name in config.target:
        if name == source.name:
            raise ConfigError(f"target: {name!r} is also the source's name; give source.name another one")
        files = data.of(name)
        raw = read(files, files.train, name, "train", labelled=False)
        others = {part: read(files, getattr(files, part), name, part) for part in TARGET_PATHS[1:]}
        assert raw is not None
        targets.append(Target(raw, **others, name=name))
    return Inputs(train, dev, test, tuple(targets))


def _name(lang: str, part: str) -> str:
    return lang if part == "train" else f"{lang} {part}"


def _several_languages(paths: Iterable[Path], lang: str, how: Mapping[str, Any]) -> Iterator[Doubt]:
    layout = ReadOptions(**{key: value for key, value in how.items() if key != "shape"})
    for path in paths:
        table = open_data(path, how["shape"], layout)
        if isinstance(table, Table):
            yield from languages(table, lang)


def _format(task: str, reading: DataFiles) -> dict[str, Any]:
    return {"shape": SHAPES[task], **reading.keywords}


def _paths(written: Files, config: RunConfig, store: Store) -> list[Path]:
    """The files behind one or several paths of the configuration."""
    return [_path(each, config, store) for each in ((written,) if isinstance(written, str) else written)]


def _path(written: str, config: RunConfig, store: Store) -> Path:
    """The file behind a path of the configuration; `testbed:LANGUAGE/SPLIT` is that language's file for the task."""
    if config.testbed is None or not written.startswith(TESTBED):
        return Path(written)
    language, _, split = written.removeprefix(TESTBED).partition("/")
    task = WORLD_TASKS[config.task]
    prefix, suffix = ("", ".conll") if task == "ner" else (f"{task}-", ".tsv")
    folder = _language_folder(config.testbed, language, task, store) / language
    path = folder / (f"{prefix}train.txt" if split == "unlabelled" else f"{prefix}{split}{suffix}")
    if not path.is_file():
        files = ", ".join(sorted(file.name for file in folder.iterdir()))
        raise ConfigError(f"{written}: no such file for task {config.task}; its files are {files}")
    return path


def _language_folder(sizes: World, language: str, task: str, store: Store) -> Path:
    """A folder with the synthetic language's folder, made where the store doesn't have it."""
    from uxla.testbed.world import write

    asked = sizes.model_dump(exclude_none=True)

    def make(into: Path, scratch: Path) -> Mapping[str, Any]:
        write(into, **asked, tasks=(task,), languages=(language,))
        return {"files": sum(file.is_file() for file in into.rglob("*"))}

    return store.folder("world", {**asked, "task": task, "language": language}, make)[0]
