"""YAML as people mean it: YAML 1.2 scalars (`no` is text, `3e-5` a number), no aliases, no duplicate keys."""

from __future__ import annotations

import re
from typing import Any, TypeAlias

import yaml

from uxla.errors import ConfigError

Plain: TypeAlias = bool | int | float | str | list["Plain"] | dict[str, "Plain"] | None
KeyPath: TypeAlias = tuple[str | int, ...]

MAX_DEPTH = 20

_SCALARS = {
    "tag:yaml.org,2002:null": (re.compile(r"(~|null|Null|NULL|)$"), ["~", "n", "N", ""]),
    "tag:yaml.org,2002:bool": (re.compile(r"(true|True|TRUE|false|False|FALSE)$"), list("tTfF")),
    "tag:yaml.org,2002:int": (re.compile(r"[-+]?(0|[1-9][0-9]{0,17})$"), list("-+0123456789")),
    "tag:yaml.org,2002:float": (
        re.compile(r"[-+]?((\.[0-9]+|[0-9]+\.[0-9]*)([eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+)$"),
        list("-+.0123456789"),
    ),
}


class _Loader(yaml.SafeLoader):
    """Composes nodes only; values are made from them here, so no tag can build an object."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 (PyYAML's own shape; filled below)
    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            raise yaml.MarkedYAMLError(problem="aliases (& and *) are not read", problem_mark=event.start_mark)
        if getattr(event, "tag", None) is not None:
            raise yaml.MarkedYAMLError(problem="tags (!) are not read", problem_mark=event.start_mark)
        if self._depth == MAX_DEPTH:
            problem = f"nested deeper than {MAX_DEPTH} levels"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=event.start_mark)
        self._depth += 1
        node: yaml.Node | None = super().compose_node(parent, index)
        self._depth -= 1
        return node


class _Dumper(yaml.SafeDumper):
    """Quotes text that YAML 1.1 or 1.2 would read as something else."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


for _tag, (_pattern, _first) in _SCALARS.items():
    for _kind in (_Loader, _Dumper):
        _kind.add_implicit_resolver(_tag, _pattern, _first)


def parse(text: str, *, name: str) -> tuple[Plain, dict[KeyPath, int]]:
    """The plain value of one YAML document and the line (from 1) of every key and list entry in it.

    Keys are always text. Raises `yaml.YAMLError` where `text` is not the YAML read here, and a `ConfigError` that
    names `name` and the line for a key given twice.
    """
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
    except (ValueError, OverflowError) as error:  # PyYAML of "\UFFFFFFFF" and of a version with 5000 digits
        raise yaml.MarkedYAMLError(problem=f"a number out of range ({error})", problem_mark=loader.get_mark()) from None
    finally:
        loader.dispose()
    lines: dict[KeyPath, int] = {}
    return (None if node is None else _plain(node, (), lines, name)), lines


def dump(value: Plain) -> str:
    """`value` as YAML that `parse`, and any YAML 1.1 reader, turns into the same value again."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=4096)


def one_line(error: yaml.YAMLError) -> tuple[str, int | None]:
    """What a YAML error complains about, and its line (from 1) where it has one."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem is not None:
        mark = error.problem_mark
        return error.problem, None if mark is None else mark.line + 1
    return " ".join(str(error).split()), None


def _plain(node: yaml.Node, path: KeyPath, lines: dict[KeyPath, int], name: str) -> Plain:
    lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*path, n), lines, name) for n, item in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, lines, name)
    return _scalar(node.tag, str(node.value))


def _mapping(node: yaml.MappingNode, path: KeyPath, lines: dict[KeyPath, int], name: str) -> dict[str, Plain]:
    values: dict[str, Plain] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            raise ConfigError(f"{name}:{line}: a list or mapping as a key, expected a word; quote it")
        key = str(key_node.value)
        if key in values:
            first = lines[(*path, key)]
            raise ConfigError(f"{name}:{line}: {key!r} is given twice, first in line {first}; remove one")
        values[key] = _plain(value_node, (*path, key), lines, name)
        lines[(*path, key)] = line
    return values


def _scalar(tag: str, text: str) -> Plain:
    match tag.rpartition(":")[2]:
        case "null":
            return None
        case "bool":
            return text.lower() == "true"
        case "int":
            return int(text)
        case "float":
            return float(text)
    return text
