"""Tagged values: sections whose `kind` says what they are, of uxla itself or of a plug-in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import cache, cached_property
from inspect import signature
from typing import Any, ClassVar, Literal, get_type_hints

from pydantic import ConfigDict, Field, ValidationError, create_model

from uxla import plugins
from uxla.schema import Section, refusal, shown, together, unknown_name

TAGGED = frozenset({"select", "agree", "vicinity"})
"""The keys of tagged values. Text in their place means the kind: `agree: token` is `agree: {kind: token}`."""


class PluggedIn(Section):
    """The section of a plug-in's kind: the other keys are the arguments of the class `of`. Called, it is the part."""

    model_config = ConfigDict(strict=False, arbitrary_types_allowed=True)
    of: ClassVar[Callable[..., Any]]
    kind: str

    @cached_property
    def part(self) -> Any:
        """What the plug-in makes of the arguments."""
        return self.of(**{name: getattr(self, name) for name in type(self).model_fields if name != "kind"})

    def __call__(self, *given: Any) -> Any:
        """What the part gives."""
        return self.part(*given)


@dataclass(frozen=True)
class Kinds:
    """The kinds that a tagged value may have: uxla's own sections, and those of the plug-ins of `group`."""

    group: plugins.Group
    own: Mapping[str, type[Section]]
    default: str | None = None

    def read(self, value: object) -> object:
        """The section that `value` stands for: a validator, to be run before pydantic's own."""
        if isinstance(value, Section):
            return value
        if isinstance(value, str):
            value = {"kind": value}
        if not isinstance(value, Mapping):
            raise refusal("", f"got {shown(value)}, expected a mapping such as {{kind: {next(iter(self.own))}}}")
        kind = value.get("kind", self.default)
        section = self._section(kind)
        try:
            return section.model_validate({**value, "kind": kind})
        except ValidationError as error:
            raise together(self._named(fault, section, kind) for fault in error.errors(include_url=False)) from None

    def _section(self, kind: object) -> type[Section]:
        known = [*self.own, *plugins.names(self.group)]
        if not isinstance(kind, str) or kind not in known:
            got = "no kind is given" if kind is None else f"got {kind!r}"
            raise refusal("kind", f"{got}; {unknown_name(kind, known)}")
        own = self.own.get(kind)
        return own or _section_of(self.group, kind, plugins.load(self.group, kind))

    def _named(self, fault: Any, section: type[Section], kind: object) -> Any:
        """The fault, with what this kind takes where it is about an unknown key."""
        if fault["type"] == "extra_forbidden" and len(fault["loc"]) == 1:
            takes = [name for name in section.model_fields if name != "kind"]
            others = [other for other, one in self.own.items() if fault["loc"][0] in one.model_fields]
            return {**fault, "ctx": {"kind": kind, "takes": takes, "others": others}}
        return fault


@cache
def _section_of(group: str, kind: str, part: Any) -> type[Section]:
    """A section with the arguments of a class as its keys; any other callable is the part itself, without a key."""
    if not callable(part):
        raise refusal(
            "kind", f"{group}: {kind} is a {type(part).__name__}, expected a class or a function; fix its package"
        )
    keys: dict[str, Any] = {"kind": (Literal[kind], kind)}
    if isinstance(part, type):
        keys |= _arguments(part)
    section = create_model(kind, __base__=PluggedIn, **keys)
    section.of = staticmethod(part if isinstance(part, type) else lambda: part)
    return section


def _arguments(made: type) -> dict[str, Any]:
    hints = get_type_hints(vars(made).get("__init__", made))
    own = fields(made) if is_dataclass(made) else ()
    factories = {f.name: f.default_factory for f in own if f.default_factory is not MISSING}
    found: dict[str, Any] = {}
    for name, parameter in signature(made).parameters.items():
        default = ... if parameter.default is parameter.empty else parameter.default
        found[name] = (hints.get(name, Any), Field(default_factory=factories[name]) if name in factories else default)
    return found
