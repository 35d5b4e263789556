"""What pydantic found wrong, as one line a person can act on."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from uxla.config.documents import COMMAND_LINE, Document
from uxla.config.yaml_text import Plain
from uxla.errors import ConfigError

_EXPECTED = {
    "int_type": "a whole number",
    "float_type": "a number",
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
    "string_too_long": "at most {max_length} characters",
    "string_unicode": "text without halves of surrogate pairs",
    "string_pattern_mismatch": "a name of letters, digits and - _ . +, beginning with a letter or digit",
}
_EXAMPLES = {
    "model": "FacebookAI/xlm-roberta-base",
    "source.train": "en/train.conll",
    "source.dev": "en/dev.conll",
    "target": "es",
    "target_data.train": "es/train.txt",
}


def keys(model: type[BaseModel], prefix: str = "") -> dict[str, FieldInfo]:
    """Every key under `model` by its dotted name, sections included; the entries of a list are written `*`."""
    found: dict[str, FieldInfo] = {}
    for name, field in model.model_fields.items():
        dotted = f"{prefix}{name}"
        found[dotted] = field
        for section, inner in _sections(field.annotation, dotted):
            found |= keys(section, inner)
    return found


def refused(error: ValidationError, document: Document, known: Mapping[str, FieldInfo]) -> ConfigError:
    """One line for the first fault found in `document`; unknown keys come first, then all missing keys together."""
    faults = error.errors(include_url=False)
    unknown = [fault for fault in faults if fault["type"] == "extra_forbidden"]
    missing = [_dotted(fault) for fault in faults if fault["type"] == "missing"]
    if unknown:
        return ConfigError(_unknown(unknown[0], document, known))
    others = [fault for fault in faults if fault["type"] != "missing"]
    if others:
        return ConfigError(_wrong(others[0], document, known))
    return ConfigError(_missing(missing, document, known))


def _unknown(fault: ErrorDetails, document: Document, known: Mapping[str, FieldInfo]) -> str:
    got = _dotted(fault)
    section, _, name = _pattern(fault).rpartition(".")
    siblings = [key.rpartition(".")[2] for key in known if key.rpartition(".")[0] == section]
    close = difflib.get_close_matches(name, siblings, n=1)
    elsewhere = [key for key in known if key.rpartition(".")[2] == name]
    if close:
        hint = f"did you mean {'.'.join([*got.split('.')[:-1], close[0]])}?"
    elif elsewhere:
        hint = f"did you mean {' or '.join(elsewhere)}?"
    else:
        hint = f"expected one of {', '.join(siblings)}"
    return f"{document.origin(_path(fault)).place}: no key {got}; {hint}"


def _missing(missing: list[str], document: Document, known: Mapping[str, FieldInfo]) -> str:
    needed = [key for name in missing for key in _required(name, known)]
    if "source.train" in needed and _selects_by_source_dev(document.values):
        needed.insert(needed.index("source.train") + 1, "source.dev")
    meanings = "; ".join(f"{key} ({known[key].description})" for key in needed if key in known)
    run = document.name.removeprefix("preset ")
    example = " ".join(f"{key}={_EXAMPLES.get(key, '…')}" for key in needed)
    return f"{document.name} needs {meanings}; for example: uxla run {run} {example}"


def _required(key: str, known: Mapping[str, FieldInfo]) -> list[str]:
    """A missing section is asked for by its required keys: `source.train` rather than `source`."""
    inner = [name for name, field in known.items() if name.startswith(f"{key}.") and field.is_required()]
    return inner or [key]


def _selects_by_source_dev(values: Mapping[str, Plain]) -> bool:
    """Whether `source.dev` is needed too and lacks: asked for with the rest rather than in a second refusal."""
    source, warmup = values.get("source"), values.get("warmup")
    lacks = not isinstance(source, dict) or source.get("dev") is None
    return lacks and isinstance(warmup, dict) and warmup.get("selection", "source_dev") == "source_dev"


def _wrong(fault: ErrorDetails, document: Document, known: Mapping[str, FieldInfo]) -> str:
    context: dict[str, Any] = fault.get("ctx", {})
    if fault["type"] == "refused":
        path = (*_path(fault), context["field"]) if context["field"] else _path(fault)
        text = context["text"]
    else:
        path = _path(fault)
        known_words = _EXPECTED.get(fault["type"])
        expected = fault["msg"] if known_words is None else known_words.format(**context)
        text = f"got {_shown(fault['input'])}, expected {expected}{_meaning(fault, known)}"
    key = ".".join(map(str, path))
    place = document.origin(path).place
    return f"{place}: {text}" if place.startswith(f"{COMMAND_LINE}: {key}=") else f"{place}: {key}: {text}"


def _meaning(fault: ErrorDetails, known: Mapping[str, FieldInfo]) -> str:
    field = known.get(_pattern(fault))
    return f" ({field.description})" if field is not None and field.description else ""


def _shown(value: object) -> str:
    text = "null" if value is None else repr(value)
    return text if len(text) <= 80 else f"{text[:77]}…"


def _path(fault: ErrorDetails) -> tuple[str | int, ...]:
    return fault["loc"]


def _dotted(fault: ErrorDetails) -> str:
    return ".".join(map(str, fault["loc"]))


def _pattern(fault: ErrorDetails) -> str:
    return ".".join("*" if isinstance(part, int) else part for part in fault["loc"])


def _sections(annotation: Any, dotted: str) -> list[tuple[type[BaseModel], str]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [(annotation, f"{dotted}.")]
    inner = f"{dotted}.*" if get_origin(annotation) is tuple else dotted
    return [found for part in get_args(annotation) for found in _sections(part, inner)]
