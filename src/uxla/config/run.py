"""The configuration of a run: a preset or a YAML file with overrides becomes one checked, immutable `RunConfig`.

A preset leaves out what only the user knows (`source.train`, `target`, …); those keys have no default here, so a run
that lacks them is answered with all of their names and an example command.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from pydantic import ValidationError, model_validator

from uxla import __version__, progress
from uxla.config.consistency import CHECKS, DATA_PATHS, data_paths
from uxla.config.documents import COMMAND_LINE, Document, absolute, override, read_document
from uxla.config.errors import keys, refused
from uxla.config.files import ELSEWHERE
from uxla.config.keys import RunKeys
from uxla.config.method import PAPER_SCHEDULE, MaskedLMVicinity
from uxla.config.yaml_text import Plain, dump
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
            chosen = [method for method in chosen if method == "uxla"]
        return values | {"methods": chosen}

    @model_validator(mode="after")
    def _consistent(self) -> RunConfig:
        for check in CHECKS:
            check(self)
        return self

    @property
    def masked_lm(self) -> MaskedLMVicinity:
        """What the masked LM is to do: the defaults where a plug-in makes the vicinity, for fluency needs it still."""
        return self.vicinity if isinstance(self.vicinity, MaskedLMVicinity) else MaskedLMVicinity()

    def to_yaml(self) -> str:
        """The whole configuration as YAML, defaults included; `load_config` reads it back to an equal value."""
        values = cast(dict[str, Plain], _plain(self.model_dump()))
        return f"# uxla {__version__}: resolved, runs again with `uxla run` and this file\n{dump(values)}"


KEYS = keys(RunConfig)
"""Every key by its dotted name, `*` for the entries of a list; what docs/configuration.md documents."""


def load_config(preset_or_path: str, overrides: Sequence[str] = ()) -> RunConfig:
    """The checked configuration; every data path in it is absolute and exists. Raises `ConfigError`.

    A name without a suffix is a preset, else a YAML file. Relative paths start from the file's folder, in an override
    (`a.b=value`) from the working directory.
    """
    document = read_document(preset_or_path)
    defaults = {"schedule": _plain([epoch.model_dump() for epoch in PAPER_SCHEDULE])}
    for text in overrides:
        document = override(document, text, defaults)
    _forget_replaced_data(document)
    _resolve_paths(document)
    try:
        config = RunConfig.model_validate(document.values)
    except ValidationError as error:
        raise refused(error, document, KEYS) from None
    _require_files(config, document)
    _tell_left_out(document.values.get("methods"), config)
    return config


def _known(methods: Sequence[object]) -> bool:
    """Whether all are methods: what is none is an error also where it would be left out."""
    return all(method in registry.names() for method in methods)


def _tell_left_out(asked: object, config: RunConfig) -> None:
    """Note which methods were asked for and are not run."""
    left_out = [name for name in asked if name not in config.methods] if isinstance(asked, list) else []
    if left_out:
        why = "only scores to compare with, and target_data.test is not given"
        progress.note(f"left out: {', '.join(map(str, left_out))}; {why}")


def _forget_replaced_data(document: Document) -> None:
    """Drop a preset's Hub data from a section that was given a file by hand: one section, one data set."""
    for section in ("source", "target_data"):
        values = document.values.get(section)
        paths = [name for at, name in DATA_PATHS if at == section]
        by_hand = [name for name in paths if document.origin((section, name)).place.startswith(COMMAND_LINE)]
        if not isinstance(values, dict) or not by_hand:
            continue
        for name in paths:
            if name not in by_hand and any(str(path).startswith("hub:") for path in _each(values.get(name))):
                del values[name]


def _resolve_paths(document: Document) -> None:
    """Make paths absolute in place; names that are no folder here (`org/model`) stay as they are."""
    for section, name in DATA_PATHS:
        values = document.values.get(section)
        written = values.get(name) if isinstance(values, dict) else None
        if isinstance(values, dict) and written is not None:
            origin = document.origin((section, name))
            found = [
                absolute(path, origin) if isinstance(path, str) and not path.startswith(ELSEWHERE) else path
                for path in _each(written)
            ]
            values[name] = found if isinstance(written, list) else found[0]
    for path in (("model",), ("vicinity", "model")):
        values = document.values if len(path) == 1 else document.values.get("vicinity")
        written = values.get("model") if isinstance(values, dict) else None
        if isinstance(values, dict) and isinstance(written, str) and written not in ("", "testbed"):
            folder = absolute(written, document.origin(path))
            if written.startswith((".", "/", "~")) or os.path.isdir(folder):
                values["model"] = folder


def _each(value: Plain) -> list[Plain]:
    return value if isinstance(value, list) else [value]


def _require_files(config: RunConfig, document: Document) -> None:
    for path, written in data_paths(config):
        if written.startswith(ELSEWHERE):
            continue
        targets = config.target if path[0] == "target_data" else ("",)
        for file in [Path(written.replace("{target}", target)) if target else Path(written) for target in targets]:
            if not os.path.isfile(file) and not _is_brat(file):  # Path.is_file raises for a name that is too long
                wrong = "is a folder" if os.path.isdir(file) else "no such file"
                place = document.origin(path).place
                raise ConfigError(f"{place}: {wrong}: {file}, expected a data file; check the path")


def _is_brat(folder: Path) -> bool:
    if not os.path.isdir(folder):
        return False
    from uxla.data.spans.brat import is_brat_folder  # late: NumPy and Arrow, needed for a folder only

    return is_brat_folder(folder)


def _plain(value: object) -> Plain:
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else cast(Plain, value)
