"""A configuration before it is checked: a preset or a YAML file with overrides, and where each value came from."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import cast

from ruamel.yaml.error import YAMLError

from uxla.config.kinds import TAGGED
from uxla.config.yaml_text import MAX_DEPTH, KeyPath, Plain, one_line, parse
from uxla.errors import ConfigError

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
    """The preset of that name or, where the name has a suffix, the YAML file. Raises `ConfigError`."""
    path = Path(os.path.expanduser(preset_or_path))  # Path.expanduser raises for a user that is none
    if path.suffix:
        name, text, folder = preset_or_path, _read(path), path.parent.absolute()
    else:
        name, text, folder = f"preset {preset_or_path}", _read_preset(preset_or_path), Path.cwd()
    try:
        values, lines = parse(text, name=name)
    except YAMLError as error:
        problem, line = one_line(error)
        place = name if line is None else f"{name}:{line}"
        raise ConfigError(f"{place}: not the YAML read here: {problem}; quote the value or mend the line") from None
    if not isinstance(values, dict | None):
        raise ConfigError(f"{name}:1: got {_kind(values)}, expected `key: value` lines; see docs/configuration.md")
    origins = {path: Origin(f"{name}:{line}", folder) for path, line in lines.items()}
    return Document(name, values or {}, {**origins, (): Origin(name, folder)})


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
    values = cast(dict[str, Plain], _copy(document.values))
    root = steps[0]
    if len(steps) > 1 and values.get(root) is None and root in defaults:
        values[root] = _copy(defaults[root])
    before = _copy(values)
    path = _set(values, steps, _value(written, text), text)
    if path[-1] == "kind":
        _begin_anew(_at(values, path[:-1]), _at(before, path[:-1]), document, path[:-1])
    here = Origin(f"{COMMAND_LINE}: {text}", Path.cwd())
    kept = {where: origin for where, origin in document.origins.items() if where[: len(path)] != path}
    made = {path[:depth]: here for depth in range(1, len(path) + 1)}
    return Document(document.name, values, {**made, **kept})


def absolute(path: str, origin: Origin) -> str:
    """`path` as an absolute path, `~` expanded, a relative one starting where its origin says.

    What `..` leads to is what the system says, behind links too; links after the last `..` stay as a person set them.
    """
    parts = (origin.folder / os.path.expanduser(path)).parts
    if ".." not in parts:
        return os.path.abspath(Path(*parts))
    behind = len(parts) - parts[::-1].index("..")
    return str(Path(*parts[:behind]).resolve().joinpath(*parts[behind:]))


def _set(values: dict[str, Plain], steps: list[str], value: Plain, text: str) -> KeyPath:
    """Put `value` where `steps` lead; that place, its list entries as numbers."""
    here: Plain = values
    path: KeyPath = ()
    for depth, step in enumerate(steps, start=1):
        place = ".".join(steps[: depth - 1])
        at: str | int = step
        if isinstance(here, list):
            at = _index(step, len(here))
            if at < 0:
                got = f"got {step} after {place}, expected a number from 0 to {len(here) - 1}"
                raise ConfigError(f"{COMMAND_LINE}: {text}: {got}")
        elif not isinstance(here, dict):
            raise ConfigError(f"{COMMAND_LINE}: {text}: {place} is {_kind(here)} and has no keys; set {place}=…")
        path = (*path, at)
        if depth == len(steps):
            here[at] = value  # type: ignore[index]
        else:
            here = _step_into(here, at)
    return path


def _begin_anew(new: Plain, old: Plain, document: Document, path: KeyPath) -> None:
    """Take the keys of the old kind away where another kind was set, but for those that the command line gave."""
    if isinstance(new, dict) and isinstance(old, dict) and old.get("kind", new["kind"]) != new["kind"]:
        for key in [key for key in old if key != "kind"]:
            if not document.origin((*path, key)).place.startswith(COMMAND_LINE):
                del new[key]


def _at(value: Plain, path: KeyPath) -> Plain:
    for step in path:
        inside = isinstance(value, list) or (isinstance(value, dict) and step in value)
        value = value[step] if inside else None  # type: ignore[index]
    return value


def _index(step: str, length: int) -> int:
    """The entry of a list that `step` means, -1 if none; a dict's key keeps its zeros, so only here it is a number."""
    number = int(step) if step.isdecimal() and len(step) < 10 else length
    return number if number < length else -1


def _step_into(here: dict[str, Plain] | list[Plain], step: str | int) -> Plain:
    if isinstance(here, list):
        return here[cast(int, step)]
    key = str(step)
    if here.get(key) is None:
        here[key] = {}
    elif key in TAGGED and isinstance(here[key], str):
        here[key] = {"kind": here[key]}
    return here[key]


def _value(written: str, text: str) -> Plain:
    try:
        return parse(written, name=f"{COMMAND_LINE}: {text}")[0]
    except YAMLError:  # `{target}/train.txt` or `*.txt`: a path, not a YAML mapping or alias
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


def _read_preset(name: str) -> str:
    known = preset_names()
    if name in known:
        return resources.files("uxla.config.presets").joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]}?" if close else f"presets are {', '.join(known)}"
    raise ConfigError(f"no preset {name!r}; {hint} (a file is given with its .yaml)")


def _copy(value: Plain) -> Plain:
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value


def _kind(value: Plain) -> str:
    kinds = {list: "a list", dict: "a mapping", str: "text", bool: "true or false", int: "a number"}
    return kinds.get(type(value), "a number" if value is not None else "empty")
