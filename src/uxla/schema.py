"""What a schema is made of: sections of keys with a meaning, and types whose errors read well.

A section is the one description of a thing: its keys in a configuration, its options on the command line, its arguments
in Python, and its table in docs/configuration.md are made from it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from uxla.devices import MOST, are_devices
from uxla.errors import ConfigError, in_python, setting

if TYPE_CHECKING:
    from pydantic._internal._model_construction import ModelMetaclass
else:
    ModelMetaclass = type(BaseModel)

T = TypeVar("T")

_EXPECTED = {
    "int_type": "a whole number",
    "float_type": "a number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_parsing": "a number",
    "bool_parsing": "true or false",
    "finite_number": "a finite number",
    "string_type": "text; if it is text, quote it",
    "bool_type": "true or false",
    "tuple_type": "a list, as [a, b]",
    "dict_type": "keys with values",
    "model_type": "keys with values",
    "model_attributes_type": "keys with values",
    "literal_error": "{expected}",
    "greater_than": "more than {gt:g}",
    "greater_than_equal": "at least {ge:g}",
    "less_than": "less than {lt:g}",
    "less_than_equal": "at most {le:g}",
    "too_short": "at least one entry",
    "string_too_short": "at least {min_length} character",
    "string_too_long": "at most {max_length} characters",
    "string_unicode": "text without halves of surrogate pairs",
    "string_pattern_mismatch": "a name of letters, digits and - _ . +, beginning with a letter or digit",
}
_IN_PYTHON = {"string_type": "a str", "bool_parsing": "True or False", "bool_type": "True or False"}
_SHOWN = 80


def key(meaning: str, default: Any = ..., *, paper: str = "", **bounds: Any) -> Any:
    """A field whose meaning and place in the paper travel with it: for messages, options and docs/configuration.md."""
    return Field(default, description=meaning, json_schema_extra={"paper": paper}, **bounds)


def refusal(field: str, text: str) -> PydanticCustomError:
    """An error about `field`, a key of the model at hand, for faults that are not about one value's type or range."""
    return PydanticCustomError("refused", "{text}", {"field": field, "text": text})


def together(faults: Iterable[Any]) -> PydanticCustomError:
    """One error for several faults, each as pydantic has it; `faults_of` takes it apart again."""
    return PydanticCustomError("inside", "several faults", {"faults": list(faults)})


def faults_of(error: ValidationError) -> list[ErrorDetails]:
    """Every fault that pydantic found, those inside tagged values among them."""
    return list(_apart(error.errors(include_url=False)))


def _apart(found: Sequence[ErrorDetails], outside: tuple[str | int, ...] = ()) -> Iterator[ErrorDetails]:
    """Pydantic counts right entries alone, so that a list with a wrong one is also called too short: left out."""
    places = [fault["loc"] for fault in found]
    for fault in found:
        own = fault["loc"]
        if fault["type"] == "inside":
            yield from _apart(fault["ctx"]["faults"], (*outside, *own))
        elif fault["type"] != "too_short" or not any(own == other[: len(own)] != other for other in places):
            yield {**fault, "loc": (*outside, *own)}


def unknown_name(name: object, known: Sequence[str]) -> str:
    """What to say of a name that is none of the `known` ones."""
    close = difflib.get_close_matches(str(name), known, n=1)
    return f"did you mean {close[0]}?" if close else f"expected one of {', '.join(known)}"


def refuse_repeated(field: str, values: tuple[str, ...]) -> None:
    """Raise a refusal where a value is given twice."""
    if len(set(values)) != len(values):
        raise refusal(field, f"got {list(values)}, expected each once; remove the repeated one")


def _frozen(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _one_or_several(value: object) -> object:
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def _one_or_two(value: object) -> object:
    counts = value if isinstance(value, list | tuple) else [value]
    if all(type(count) is int and count >= 1 for count in counts) and len(counts) in (1, 2):
        return tuple(counts) if len(counts) == 2 else counts[0]
    raise refusal("", f"got {value!r}, expected a number of at least 1 (3), or for pairs two of them ([2, 2])")


def _number_or_auto(value: object) -> object:
    if value == "auto" or (type(value) is int and value >= 1):
        return value
    raise refusal("", f"got {value!r}, expected a whole number of at least 1, or auto")


def _devices(value: object) -> object:
    if isinstance(value, Mapping) and list(value) == ["cpu"] and type(value["cpu"]) is int and value["cpu"] > MOST:
        raise refusal("", f"got {value!r}, expected at most {MOST} processes; give one for each core or fewer")
    if not are_devices(value):
        raise refusal("", f"got {value!r}, expected auto, cpu, cuda, [cuda:0, cuda:1] or {{cpu: 2}}")
    return tuple(value) if isinstance(value, list) else value


Several = Annotated[tuple[T, ...], BeforeValidator(_frozen)]
OneOrSeveral = Annotated[tuple[T, ...], BeforeValidator(_one_or_several)]
Files = Annotated[str | Annotated[tuple[str, ...], Field(min_length=1)], BeforeValidator(_frozen)]
"""One data file, or several that are read one after the other."""
Copies = Annotated[int | tuple[int, int], BeforeValidator(_one_or_two)]
Devices = Annotated[str | tuple[str, ...] | dict[str, int], BeforeValidator(_devices)]
NumberOrAuto = Annotated[int | Literal["auto"], BeforeValidator(_number_or_auto)]
Name = Annotated[str, Field(pattern=r"^\w[\w.+-]*$", max_length=50)]
"""A name that is also safe as a part of a file name (of at most 255 bytes) and in a table."""


def fault_text(fault: ErrorDetails, meaning: str | None, *, python: bool = False) -> str:
    """What pydantic found wrong with a value: what was given, what is expected, and what the key means; in the words of
    YAML, or of `python`."""
    context: Mapping[str, Any] = fault.get("ctx", {})
    if fault["type"] == "refused":
        return str(context["text"])
    if fault["type"] == "missing":
        return f"is not given{f' ({meaning})' if meaning else ''}"
    words = (_IN_PYTHON if python else {}).get(fault["type"], _EXPECTED.get(fault["type"]))
    expected = fault["msg"] if words is None else words.format(**context)
    got = repr(None) if python and fault["input"] is None else shown(fault["input"])
    return f"got {got}, expected {expected}{f' ({meaning})' if meaning else ''}"


def shown(value: object) -> str:
    """A value as a message quotes it."""
    text = "null" if value is None else repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}…"


class _Checked(ModelMetaclass):
    """A section that is made in Python raises a ConfigError of one line instead of pydantic's error of many."""

    def __call__(cls, **values: Any) -> Any:  # noqa: N805 (a class is what is called)
        try:
            return super().__call__(**values)
        except ValidationError as error:
            fields: Mapping[str, Any] = getattr(cls, "model_fields", {})
            raise ConfigError(*(_line(fault, fields) for fault in faults_of(error))) from None


def _line(fault: ErrorDetails, fields: Mapping[str, Any]) -> str:
    key = str((*fault["loc"], fault.get("ctx", {}).get("field", ""))[0])
    if fault["type"] == "extra_forbidden":
        return f"{setting(key)}: no such setting; {unknown_name(key, list(fields))}"
    text = fault_text(fault, fields[key].description if key in fields else None, python=in_python())
    return f"{setting(key)}: {text}" if key else text


class Section(BaseModel, metaclass=_Checked):
    """Immutable, typed without conversions, and without unknown keys."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", allow_inf_nan=False)
