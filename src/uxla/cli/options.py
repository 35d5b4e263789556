"""Options of commands made from sections: each key is an option with its meaning, default and range."""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import typer

from uxla import choices
from uxla.data.options import ReadOptions
from uxla.errors import ConfigError, spelled_as
from uxla.progress import silence
from uxla.schema import Section
from uxla.shards import Shard

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from uxla.data.corpus import DataSource

Config = Annotated[
    str, typer.Argument(metavar="CONFIG", help="A preset, such as xner or testbed, or a YAML file (`uxla presets`).")
]
Settings = Annotated[
    list[str] | None,
    typer.Argument(metavar="KEY=VALUE", help="Settings in place of the configuration's, such as target=es."),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show neither progress nor notes.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Task = Annotated[
    choices.Task | None,
    typer.Option(
        help="ner for words, nli or paraphrase for pairs, classification for texts. Default: what a file looks like."
    ),
]
Seed = Annotated[int, typer.Option(min=0, help="The seed of everything random.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the run of another configuration in the folder.")]
OneShard = Annotated[
    Shard | None,
    typer.Option(
        "--shard",
        metavar="I/N",
        parser=Shard.parse,
        help="Do the I-th of N shares of the work (docs/howto/cluster.md).",
    ),
]
Fresh = Annotated[bool, typer.Option("--fresh", help="Do all work again, whatever the store holds.")]


@dataclass(frozen=True)
class Options:
    """Which keys of a section are options: `only` these, else all but those in `without`.

    Keys among the `arguments` are arguments instead; `defaults` take the place of the section's own.
    """

    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)


LABELLING = Options(only=("device", "precision", "threads", "trust_remote_code"), defaults={"precision": "auto"})
"""Where and how exactly the models of a run label; in what the run computed in, where nobody says otherwise."""
FileOptions = Annotated[ReadOptions, Options(without=("tag_names", "label_column", "scheme"))]
"""How a file is read that is to be labelled: nothing about its labels."""
TextOptions = Annotated[ReadOptions, Options(without=("tag_names", "label_column", "scheme", "split", "together"))]
"""How a file is read whose texts are read or rewritten as they are: nothing about labels or words."""


def with_options(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose parameters that are sections are options: one for each key, beside the other parameters.

    A value that the section refuses is a ConfigError of one line that names the option.
    """
    hints = get_type_hints(command, include_extras=True)
    sections = {name: hint for name, hint in hints.items() if _section(hint) is not None}
    parameters = [p.replace(annotation=hints[name]) for name, p in signature(command).parameters.items()]
    made = [option for p in parameters for option in ([p] if p.name not in sections else _options(sections[p.name]))]

    @wraps(command)
    def run(**given: Any) -> None:
        with spelled_as("options"):
            for name, hint in sections.items():
                section = _section(hint)
                assert section is not None
                keys = [option.name for option in _options(hint)]
                given[name] = section(**{key: _parsed(key, section, given.pop(key)) for key in keys})
            command(**given)

    shown = [p.replace(kind=Parameter.KEYWORD_ONLY) for p in made]
    run.__signature__ = Signature(shown)  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in shown}
    return run


def showing_unless(quiet: bool) -> AbstractContextManager[None]:
    """Inside the block progress and notes are shown on stderr, or nothing."""
    from uxla.console import showing

    return silence() if quiet else showing()


def open_file(file: Path, options: ReadOptions, task: choices.Task | None = None) -> DataSource:
    """The file as the options say it is to be read, all its columns kept. DataError where it cannot be."""
    from uxla.data.columns import SHAPES
    from uxla.data.discover import open_rewritable

    return open_rewritable(file, shape=SHAPES[task] if task else None, **options.keywords)


def _section(hint: Any) -> type[Section] | None:
    own = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    return own if isinstance(own, type) and issubclass(own, Section) else None


def _options(hint: Any) -> list[Parameter]:
    section = _section(hint)
    assert section is not None
    chosen = next((each for each in get_args(hint)[1:] if isinstance(each, Options)), Options())
    names = list(chosen.only) or [name for name in section.model_fields if name not in chosen.without]
    names = sorted(names, key=lambda name: not section.model_fields[name].is_required())
    return [_option(name, section, chosen, names) for name in names]


def _option(name: str, section: type[Section], chosen: Options, beside: Sequence[str]) -> Parameter:
    """The option of a key; `beside` are all keys that are options."""
    info = section.model_fields[name]
    default = chosen.defaults.get(name, Parameter.empty if info.is_required() else info.default)
    switch = [f"--{name.replace('_', '-')}"] if default is False else []
    told = _help(name, info, beside, own_default=name not in chosen.defaults)
    made = (
        typer.Argument(help=told, metavar=name.upper())
        if name in chosen.arguments
        else typer.Option(*switch, help=told)
    )
    annotation: Any = Annotated[_typed(info.annotation), made]
    return Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _help(name: str, info: FieldInfo, options: Sequence[str], own_default: bool) -> str:
    meaning, null, default = (info.description or "").partition("; null:")
    text = f"{meaning}; default:{default}" if null and own_default else meaning
    example = f"; write {_WRITTEN[name]}" if name in _WRITTEN else ""
    text = f"{text[:1].upper()}{text[1:]}{example}{_range(info)}."
    named = re.sub(f"`({'|'.join(options)})`", lambda match: f"--{match[1].replace('_', '-')}", text)
    return named.replace("`", "")


def _range(info: FieldInfo) -> str:
    """What a number may be, as the refusal of another one says it."""
    bounds = ((one, getattr(limit, one, None)) for limit in info.metadata for one in _BOUNDS)
    said = [f"{_BOUNDS[one]} {value:g}" for one, value in bounds if value is not None]
    return f"; {' and '.join(said)}" if said else ""


def _typed(annotation: Any) -> Any:
    """The type as the command line reads it: what is more than one value or a mapping is text."""
    found = _alternatives(annotation)
    [first, *others] = [each for each in found if each is not type(None)]
    plain = first in (bool, int, float, str) or get_origin(first) is Literal
    kind = first if plain and not others else str
    return kind | None if type(None) in found else kind


def _alternatives(annotation: Any) -> list[Any]:
    """The types that a value may be of."""
    if get_origin(annotation) in (Union, types.UnionType):
        return [one for each in get_args(annotation) for one in _alternatives(each)]
    if get_origin(annotation) is Annotated:
        return _alternatives(get_args(annotation)[0])
    return [annotation]


def _parsed(name: str, section: type[Section], value: Any) -> Any:
    """The value of an option, where that is text for a mapping, for several values, or for a number or a word."""
    if not isinstance(value, str):
        return value
    if name in _PARSERS:
        return _PARSERS[name](value)
    takes_number = int in _alternatives(section.model_fields[name].annotation)
    return int(value) if takes_number and re.fullmatch(r"[0-9]{1,18}", value) else value


def _columns(text: str) -> Any:
    from uxla.data.columns import parse_columns

    return parse_columns(text)


def _where(text: str) -> Any:
    from uxla.data.row_filter import parse_where

    return parse_where(text)


def _copies(text: str) -> Any:
    """3, or 2,2."""
    try:
        numbers = tuple(int(part) for part in text.split(","))
    except ValueError:
        raise ConfigError(f"--copies: got {text!r}, expected a number as 3, or for pairs two as 2,2") from None
    return numbers if len(numbers) > 1 else numbers[0]


_PARSERS: Mapping[str, Callable[[str], Any]] = {
    "columns": _columns,
    "where": _where,
    "copies": _copies,
    "tag_names": lambda text: tuple(text.split(",")),
    "together": lambda text: tuple(filter(None, text.split(","))),
}
_BOUNDS = {"gt": "more than", "ge": "at least", "lt": "less than", "le": "at most"}
_WRITTEN = {
    "columns": "text=review, or first=premise,second=hypothesis,label=gold",
    "where": "language=es, or split=a,split=b",
    "copies": "3, or 2,2",
    "tag_names": "O,B-PER,I-PER",
    "together": "hyphens,numbers",
}
"""How these are written on the command line."""
