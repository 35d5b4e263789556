"""What the sections of a configuration are made of: keys with a meaning, and types whose errors read well."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

T = TypeVar("T")


def key(meaning: str, default: Any = ..., *, paper: str = "", **bounds: Any) -> Any:
    """A field whose meaning and place in the paper travel with it: for messages, options and docs/configuration.md."""
    return Field(default, description=meaning, json_schema_extra={"paper": paper}, **bounds)


def refusal(field: str, text: str) -> PydanticCustomError:
    """An error about `field`, a key of the model at hand, for faults that are not about one value's type or range."""
    return PydanticCustomError("refused", "{text}", {"field": field, "text": text})


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


Several = Annotated[tuple[T, ...], BeforeValidator(_frozen)]
OneOrSeveral = Annotated[tuple[T, ...], BeforeValidator(_one_or_several)]
Files = Annotated[str | Annotated[tuple[str, ...], Field(min_length=1)], BeforeValidator(_frozen)]
"""One data file, or several that are read one after the other."""
Copies = Annotated[int | tuple[int, int], BeforeValidator(_one_or_two)]
Name = Annotated[str, Field(pattern=r"^\w[\w.+-]*$", max_length=50)]
"""A name that is also safe as a part of a file name (of at most 255 bytes) and in a table."""


class Section(BaseModel):
    """Immutable, typed without conversions, and without unknown keys."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", allow_inf_nan=False)
