"""YAML 1.2 as people mean it: `no` and `010` are text, `3e-5` is a number; no aliases, tags or repeated keys."""

from __future__ import annotations

import re
from io import StringIO
from typing import Any, TypeAlias

from ruamel.yaml import YAML, Node, ScalarNode, SequenceNode
from ruamel.yaml.composer import Composer
from ruamel.yaml.error import MarkedYAMLError, StringMark, YAMLError
from ruamel.yaml.events import AliasEvent
from ruamel.yaml.reader import ReaderError
from ruamel.yaml.representer import SafeRepresenter

from uxla.errors import ConfigError

Plain: TypeAlias = bool | int | float | str | list["Plain"] | dict[str, "Plain"] | None
KeyPath: TypeAlias = tuple[str | int, ...]

MAX_DEPTH = 20

_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}
_INT = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[-+]?((\.[0-9]+|[0-9]+\.[0-9]*)([eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+)")
_OF_YAML_1_1 = re.compile(r"y|n|yes|no|on|off|=|<<|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?|[-+]?0?[0-9_]+", re.I)
"""Text that older readers take for something else."""
_UNFINISHED = re.compile("could not find expected|end of stream|stream end")
"""What is said of something without an end: its line is the one where it begins."""


class _Composer(Composer):
    """Makes nodes of plain text only, and not without end."""

    depth = 0

    def compose_node(self, parent: Node | None, index: int) -> Any:
        event = self.parser.peek_event()
        for refused, problem in (
            (isinstance(event, AliasEvent) or event.anchor is not None, "aliases (& and *) are not read"),
            (getattr(event, "tag", None) is not None, "tags (!) are not read"),
            (self.depth == MAX_DEPTH, f"nested deeper than {MAX_DEPTH} levels"),
        ):
            if refused:
                raise MarkedYAMLError(problem=problem, problem_mark=event.start_mark)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


class _Representer(SafeRepresenter):
    def ignore_aliases(self, data: Any) -> bool:
        return True

    def represent_text(self, text: str) -> Any:
        style = "'" if _OF_YAML_1_1.fullmatch(text) else None
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    def represent_number(self, number: float) -> Any:
        text = repr(number)
        text = text.replace("e", ".0e") if "." not in text else text  # to older readers 1e-05 is text
        return self.represent_scalar("tag:yaml.org,2002:float", text)


_Representer.add_representer(str, _Representer.represent_text)
_Representer.add_representer(float, _Representer.represent_number)


def parse(text: str, *, name: str) -> tuple[Plain, dict[KeyPath, int]]:
    """The plain value of one YAML document and the line (from 1) of every key and list entry in it.

    Keys are always text. Raises `YAMLError` where `text` is not the YAML read here, and a `ConfigError` that names
    `name` and the line for a key given twice.
    """
    reader = YAML(typ="safe", pure=True)
    reader.Composer = _Composer
    try:
        node = reader.compose(text)
    except (ValueError, OverflowError) as error:  # ruamel of "\UFFFFFFFF" and of a version with 5000 digits
        mark = StringMark(name, 0, text.count("\n", 0, reader.reader.index), 0, None, 0)
        raise MarkedYAMLError(problem=f"a number out of range ({error})", problem_mark=mark) from None
    lines: dict[KeyPath, int] = {}
    return (None if node is None else _plain(node, (), lines, name)), lines


def entries(text: str) -> list[str]:
    """The entries of a list in brackets, `[a, {b: c}]`, as they are written; none where the text is no such list."""
    try:
        node = YAML(typ="safe", pure=True).compose(text)
    except (YAMLError, ValueError, OverflowError, RecursionError):
        return []
    found = node.value if isinstance(node, SequenceNode) else []
    return [text[item.start_mark.index : item.end_mark.index] for item in found]


def dump(value: object) -> str:
    """`value` as YAML that `parse`, and any reader of YAML 1.1, turns into the same value again."""
    writer: Any = YAML(typ="safe", pure=True)
    writer.Representer = _Representer
    writer.default_flow_style, writer.width, writer.sort_base_mapping_type_on_output = False, 4096, False
    stream = StringIO()
    writer.dump(value, stream)
    return stream.getvalue()


def one_line(error: YAMLError, text: str) -> tuple[str, int | None]:
    """What a YAML error complains about in `text`, and its line (from 1) where it has one."""
    if isinstance(error, ReaderError):
        return f"the character {chr(int(error.character))!r} is not allowed", text.count("\n", 0, error.position) + 1
    problem = getattr(error, "problem", None) or " ".join(str(error).split())
    begun, mark = getattr(error, "context_mark", None), getattr(error, "problem_mark", None)
    if begun is not None and _UNFINISHED.search(problem):
        mark = begun
    if problem.startswith("but "):
        problem = f"{getattr(error, 'context', '')}, {problem}"
    return problem, None if mark is None else mark.line + 1


def _plain(node: Node, path: KeyPath, lines: dict[KeyPath, int], name: str) -> Plain:
    lines[path] = node.start_mark.line + 1
    if isinstance(node, ScalarNode):
        return _scalar(node.value) if node.style is None else str(node.value)
    if isinstance(node, SequenceNode):
        return [_plain(item, (*path, n), lines, name) for n, item in enumerate(node.value)]
    values: dict[str, Plain] = {}
    for key_node, value_node in node.value:
        line, key = key_node.start_mark.line + 1, key_node.value
        if not isinstance(key_node, ScalarNode):
            raise ConfigError(f"{name}:{line}: a list or mapping as a key, expected a word; quote it")
        if key in values:
            first = lines[(*path, key)]
            raise ConfigError(f"{name}:{line}: {key!r} is given twice, first in line {first}; remove one")
        values[key] = _plain(value_node, (*path, key), lines, name)
        lines[(*path, key)] = line
    return values


def _scalar(text: str) -> Plain:
    """What unquoted text stands for."""
    word = text.lower() if text in (text.lower(), text.upper(), text.capitalize()) else text
    if word in _WORDS:
        return _WORDS[word]
    return int(text) if _INT.fullmatch(text) else float(text) if _FLOAT.fullmatch(text) else text
