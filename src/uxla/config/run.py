"""The configuration of a run: a preset or a YAML file with overrides becomes one checked, immutable `RunConfig`.

A preset leaves out what only the user knows (`source.train`, `target`, …); those keys have no default here, so a run
that lacks them is answered with all of their names and an example command.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import cast

from pydantic import ValidationError, model_validator

from uxla import __version__, progress
from uxla.config.consistency import DATA_PATHS, check
from uxla.config.documents import COMMAND_LINE, Document, absolute, override, read_document
from uxla.config.errors import keys, refused
from uxla.config.files import ELSEWHERE, IN_MEMORY
from uxla.config.keys import RunKeys
from uxla.config.method import PAPER_SCHEDULE, MaskedLMVicinity
from uxla.config.yaml_text import KeyPath, Plain, dump
from uxla.errors import ConfigError
from uxla.methods import registry


class RunConfig(RunKeys):
    """One run: a source language, one or several targets, a model, and the methods compared."""

    @model_validator(mode="before")
    @classmethod
    def _default_methods(cls, values: object) -> object:
        """Without a test set there is nothing to compare: only UXLA's models are made, where they are asked for."""
        if not isinstance(values, dict):
            return values
        data, chosen = values.get("target_data"), values.get("methods")
        test = data.get("test") if isinstance(data, dict) else getattr(data, "test", None)
        if chosen is None:
            chosen = cls.model_fields["methods"].default if test else ("uxla",)
        elif not test and isinstance(chosen, list | tuple) and "uxla" in chosen and _known(chosen):
            methods = [registry.find(name) for name in chosen]
            chosen = [one.name for one in methods if registry.makes_models(one, methods)]
        return values | {"methods": chosen}

    @model_validator(mode="after")
    def _consistent(self) -> RunConfig:
        check(self)
        return self

    @property
    def masked_lm(self) -> MaskedLMVicinity:
        """What the masked LM is to do: the defaults where a plug-in makes the vicinity, for fluency needs it still."""
        return self.vicinity if isinstance(self.vicinity, MaskedLMVicinity) else MaskedLMVicinity()

    def to_yaml(self) -> str:
        """The whole configuration as YAML, defaults included; `load_config` reads it back to an equal value, unless
        data or the model were given in memory."""
        values = cast(dict[str, Plain], _plain(self.model_dump()))
        again = "runs again with `uxla run` and this file"
        if any(given_in_memory(values)):
            again = "its data or its model was given in memory, so that `uxla run` cannot repeat it"
        return f"# uxla {__version__}: resolved; {again}\n{dump(values)}"


KEYS = keys(RunConfig)
"""Every key by its dotted name, `*` for the entries of a list; what docs/configuration.md documents."""


def load_config(preset_or_path: str, overrides: Sequence[str] = ()) -> RunConfig:
    """The checked configuration; every data path in it is absolute and exists.

    A name without a suffix is a preset, else a YAML file. Relative paths start from the file's folder, in an override
    (`a.b=value`) from the working directory. ConfigError with a line for each mistake.
    """
    document, mistakes = read_document(preset_or_path), list[str]()
    defaults = {"schedule": _plain([epoch.model_dump() for epoch in PAPER_SCHEDULE])}
    for text in overrides:
        try:
            document = override(document, text, defaults)
        except ConfigError as error:
            mistakes += error.mistakes
    _forget_replaced_data(document)
    _resolve_paths(document)
    try:
        config = RunConfig.model_validate(document.values)
    except ValidationError as error:
        mistakes += refused(error, document, KEYS)
    mistakes += dict.fromkeys(_missing_files(document))
    if mistakes:
        raise ConfigError(*mistakes)
    _tell_left_out(document.values.get("methods"), config)
    return config


def given_in_memory(config: Mapping[str, Plain]) -> Iterator[tuple[KeyPath, str]]:
    """What of the values of a configuration was given in memory, by its key."""
    named: list[tuple[KeyPath, list[Plain]]] = [(("model",), [config.get("model")])]
    named += [(path, written) for _, path, written in _data(config)]
    for path, written in named:
        yield from ((path, one) for one in written if isinstance(one, str) and one.startswith(IN_MEMORY))


def _known(methods: Sequence[object]) -> bool:
    """Whether all are methods: what is none is an error also where it would be left out."""
    return all(method in registry.names() for method in methods)


def _tell_left_out(asked: object, config: RunConfig) -> None:
    """Note which methods were asked for and are not run."""
    left_out = [name for name in asked if name not in config.methods] if isinstance(asked, list) else []
    if left_out:
        why = "only scores to compare with, and target_data.test is not given"
        progress.note(f"left out: {', '.join(map(str, left_out))}; {why}")


def _data(config: Mapping[str, Plain]) -> list[tuple[dict[str, Plain], tuple[str, str], list[Plain]]]:
    """The data files as they are written: the section's values, the key, and its paths."""
    found = []
    for section, name in DATA_PATHS:
        values = config.get(section)
        if isinstance(values, dict) and values.get(name) is not None:
            found.append((values, (section, name), _each(values[name])))
    return found


def _forget_replaced_data(document: Document) -> None:
    """Drop Hub data from a section that was given a file nearer to the user: one section, one data set."""
    data = _data(document.values)
    nearness = {path: _nearness(document.origin(path).place) for _, path, _ in data}
    for values, path, written in data:
        nearest = max(near for (section, _), near in nearness.items() if section == path[0])
        if nearness[path] < nearest and any(str(one).startswith("hub:") for one in written):
            del values[path[1]]


def _nearness(place: str) -> int:
    """Of a preset 0, of a file 1, of the command line 2."""
    return (not place.startswith("preset ")) + place.startswith(COMMAND_LINE)


def _resolve_paths(document: Document) -> None:
    """Make paths absolute in place; names that are no folder here (`org/model`) stay as they are."""
    for values, path, written in _data(document.values):
        here = document.origin(path)
        found = [
            absolute(one, here) if isinstance(one, str) and not one.startswith((*ELSEWHERE, IN_MEMORY)) else one
            for one in written
        ]
        values[path[1]] = found if isinstance(values[path[1]], list) else found[0]
    for section, key in ((document.values, ("model",)), (document.values.get("vicinity"), ("vicinity", "model"))):
        name = section.get("model") if isinstance(section, dict) else None
        if isinstance(section, dict) and isinstance(name, str) and name not in ("", "testbed"):
            folder = absolute(name, document.origin(key))
            if name.startswith((".", "/", "~")) or os.path.isdir(folder):
                section["model"] = folder


def _each(value: Plain) -> list[Plain]:
    return value if isinstance(value, list) else [value]


def _missing_files(document: Document) -> Iterator[str]:
    """A line for each data file that is not there, and for what was given in memory; those of targets whose names are
    not given are not looked for."""
    targets = [name for name in _each(document.values.get("target")) if isinstance(name, str)]
    for path, name in given_in_memory(document.values):
        yield f"{document.origin(path).place}: {name}: was given in memory; call uxla.adapt again, or name a file here"
    for _, path, written in _data(document.values):
        for name in (one for one in written if isinstance(one, str) and not one.startswith((*ELSEWHERE, IN_MEMORY))):
            several = path[0] == "target_data" and "{target}" in name
            for file in [name.replace("{target}", target) for target in targets] if several else [name]:
                if not os.path.isfile(file) and not _is_brat(file):  # Path.is_file raises for a name that is too long
                    wrong = "is a folder" if os.path.isdir(file) else "no such file"
                    yield f"{document.origin(path).place}: {wrong}: {file}, expected a data file; check the path"


def _is_brat(folder: str) -> bool:
    if not os.path.isdir(folder):
        return False
    from uxla.data.spans.brat import is_brat_folder  # late: NumPy and Arrow, needed for a folder only

    return is_brat_folder(Path(folder))


def _plain(value: object) -> Plain:
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else cast(Plain, value)
