"""A configuration before it is checked: a preset or a YAML file with overrides, and where each value came from."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

from ruamel.yaml.error import YAMLError

from uxla.config.kinds import TAGGED
from uxla.config.yaml_text import MAX_DEPTH, KeyPath, Plain, one_line, parse
from uxla.errors import ConfigError
from uxla.schema import unknown_name

MAX_BYTES = 1 << 16
"""Many times the longest configuration, and YAML that is read within a second whatever it holds."""

COMMAND_LINE = "command line"


@dataclass(frozen=True)
class Origin:
    """Where a value was written: for messages (`my.yaml:12`), and the folder its relative paths start from."""

    place: str
    folder: Path


@dataclass(frozen=True)
class Document:
    """Plain values, the origin of each, and the name of the preset or file they began with."""

    name: str
    values: dict[str, Plain]
    origins: dict[KeyPath, Origin]

    def origin(self, path: KeyPath) -> Origin:
        """Where the value at `path`, or the nearest value around it, was written."""
        while path and path not in self.origins:
            path = path[:-1]
        return self.origins[path]


def preset_names() -> list[str]:
    """The names of the shipped presets, in alphabetical order."""
    files = resources.files("uxla.config.presets").iterdir()
    return sorted(file.name.removesuffix(".yaml") for file in files if file.name.endswith(".yaml"))


def read_document(preset_or_path: str) -> Document:
    """The preset of that name or, where the name has a suffix, the YAML file. Raises `ConfigError`.

    A file with `preset: NAME` changes that preset: of a section the keys it names, anything else whole.
    """
    document = _parsed(preset_or_path)
    if document.name != preset_or_path or "preset" not in document.values:
        return document
    base, names = document.values.pop("preset"), preset_names()
    if base not in names:
        place = document.origin(("preset",)).place
        raise ConfigError(f"{place}: no preset {base!r}; {unknown_name(str(base), names)}")
    return _over(_parsed(str(base)), document)


def _parsed(preset_or_path: str) -> Document:
    path = Path(os.path.expanduser(preset_or_path))  # Path.expanduser raises for a user that is none
    if path.suffix:
        name, text, folder = preset_or_path, _read(path), path.parent.absolute()
    else:
        name, text, folder = f"preset {preset_or_path}", read_preset(preset_or_path), Path.cwd()
    try:
        values, lines = parse(text, name=name)
    except YAMLError as error:
        problem, line = one_line(error, text)
        place = name if line is None else f"{name}:{line}"
        raise ConfigError(f"{place}: not the YAML read here: {problem}; quote the value or fix the line") from None
    if not isinstance(values, dict | None):
        raise ConfigError(f"{name}:1: got {_kind(values)}, expected `key: value` lines; see docs/configuration.md")
    origins = {path: Origin(f"{name}:{line}", folder) for path, line in lines.items()}
    return Document(name, values or {}, {**origins, (): Origin(name, folder)})


def _over(base: Document, own: Document) -> Document:
    """`base` with the values of `own`, each with its origin."""
    origins = base.origins
    for path, value in _parts(own.values, base.values):
        _set(base, list(path), value, ".".join(path))
        origins = _outside(origins, path)
    return Document(own.name, base.values, {**origins, **own.origins})


def _parts(own: Mapping[str, Plain], base: Mapping[str, Plain]) -> Iterator[tuple[tuple[str, ...], Plain]]:
    """What is set where: each key of a section that both have, and before the others its kind, which drops keys."""
    for key, value in own.items():
        if isinstance(value, dict) and isinstance(base.get(key), dict):
            yield from (((key, name), value[name]) for name in sorted(value, key="kind".__ne__))
        else:
            yield (key,), value


def _outside(origins: Mapping[KeyPath, Origin], path: KeyPath) -> dict[KeyPath, Origin]:
    """The origins of all but what is at `path` or inside it."""
    return {where: origin for where, origin in origins.items() if where[: len(path)] != path}


def override(document: Document, text: str, defaults: Mapping[str, Plain]) -> Document:
    """`document` with `a.b=value` set; a number in the dotted path picks a list's entry, from 0.

    The value is YAML where it reads as YAML, else text. A list that `document` leaves out is taken from `defaults`.
    """
    dotted, equals, written = text.partition("=")
    steps = dotted.strip().split(".")
    if not equals or "" in steps:
        raise ConfigError(f"{COMMAND_LINE}: got {text!r}, expected key=value, as seed=1 or warmup.max_steps=100")
    if len(text) > MAX_BYTES or len(steps) > MAX_DEPTH:
        limits = f"{MAX_BYTES} characters, {MAX_DEPTH} keys"
        raise ConfigError(f"{COMMAND_LINE}: {text}: longer than a setting can be ({limits}); is this a data file?")
    values = deepcopy(document.values)
    if len(steps) > 1 and values.get(steps[0]) is None and steps[0] in defaults:
        values[steps[0]] = deepcopy(defaults[steps[0]])
    path = _set(replace(document, values=values), steps, _value(written, text), text)
    here = Origin(f"{COMMAND_LINE}: {text}", Path.cwd())
    made = {path[:depth]: here for depth in range(1, len(path) + 1)}
    return Document(document.name, values, {**made, **_outside(document.origins, path)})


def absolute(path: str, origin: Origin) -> str:
    """`path` as an absolute path, `~` expanded, a relative one starting where its origin says.

    What `..` leads to is what the system says, behind links too; links after the last `..` stay as a person set them.
    """
    parts = (origin.folder / os.path.expanduser(path)).parts
    if ".." not in parts:
        return os.path.abspath(Path(*parts))
    behind = len(parts) - parts[::-1].index("..")
    return str(Path(*parts[:behind]).resolve().joinpath(*parts[behind:]))


def _set(document: Document, steps: list[str], value: Plain, text: str) -> KeyPath:
    """Put `value` into the document where `steps` lead; that place, its list entries as numbers.

    Where another kind is set, the keys of the old one go, but for those that the command line gave.
    """
    here: Any = document.values
    path: KeyPath = ()
    for step in steps:
        if path:
            here = _inside(here, path[-1])
        path = (*path, _place(here, step, ".".join(map(str, path)), text))
    if path[-1] == "kind" and TAGGED.intersection(path[-2:-1]) and here.get("kind", value) != value:
        for key in set(here) - {"kind"}:
            if not document.origin((*path[:-1], key)).place.startswith(COMMAND_LINE):
                del here[key]
    here[path[-1]] = value
    return path


def _place(here: Plain, step: str, place: str, text: str) -> str | int:
    """The key or the number of the entry that `step` means in a mapping or list."""
    if isinstance(here, dict):
        return step
    if not isinstance(here, list):
        raise ConfigError(f"{COMMAND_LINE}: {text}: {place} is {_kind(here)} and has no keys; set {place}=…")
    number = int(step) if step.isdecimal() and len(step) < 10 else len(here)
    if number >= len(here):
        got = f"got {step} after {place}, expected a number from 0 to {len(here) - 1}"
        raise ConfigError(f"{COMMAND_LINE}: {text}: {got}")
    return number


def _inside(here: Any, at: str | int) -> Plain:
    """What is at a key or entry; a mapping is made where nothing is, and of text for a kind."""
    if isinstance(here, dict) and here.get(at) is None:
        here[at] = {}
    elif at in TAGGED and isinstance(here[at], str):
        here[at] = {"kind": here[at]}
    found: Plain = here[at]
    return found


def _value(written: str, text: str) -> Plain:
    try:
        return parse(written, name=f"{COMMAND_LINE}: {text}")[0]
    except YAMLError as error:  # `{target}/train.txt` or `*.txt`: a path, not a YAML mapping or alias
        if written[:1] + written[-1:] in ("[]", "{}"):
            no_space = re.search(r"\w:[^\s/]", written)
            remedy = "write a space after each colon" if no_space else "quote what holds brackets"
            found = f"not a YAML list or mapping ({one_line(error, written)[0]}); {remedy}"
            raise ConfigError(f"{COMMAND_LINE}: {text}: {found}") from None
        return written


def _read(path: Path) -> str:
    if path.suffix not in (".yaml", ".yml"):
        known = ", ".join(preset_names())
        raise ConfigError(f"{path}: expected a .yaml file or a preset ({known}); convert it or rename it")
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise ConfigError(f"{path}: cannot be read: {getattr(error, 'strerror', error)}; check the path") from None
    if len(raw) > MAX_BYTES:
        raise ConfigError(f"{path}: more than {MAX_BYTES} bytes, expected a configuration; is this a data file?")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}:{line}: not UTF-8 text; save the file as UTF-8") from None


def read_preset(name: str) -> str:
    """The text of a preset. Raises `ConfigError` for a name that none has."""
    known = preset_names()
    if name in known:
        return resources.files("uxla.config.presets").joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    raise ConfigError(f"no preset {name!r}; {unknown_name(name, known)} (a file is given with its .yaml)")


def _kind(value: Plain) -> str:
    kinds = {list: "a list", dict: "a mapping", str: "text", bool: "true or false", int: "a number"}
    return kinds.get(type(value), "a number" if value is not None else "empty")
