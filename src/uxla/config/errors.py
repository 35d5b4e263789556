"""What pydantic found wrong, as lines a person can act on."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from uxla.config.documents import COMMAND_LINE, Document
from uxla.config.yaml_text import KeyPath, Plain
from uxla.errors import ConfigError, in_python
from uxla.schema import fault_text, faults_of, unknown_name

_EXAMPLES = {
    "model": "FacebookAI/xlm-roberta-base",
    "source.train": "en/train.conll",
    "source.dev": "en/dev.conll",
    "target": "es",
    "target_data.train": "es/train.txt",
    "schedule.*.data": "[source,target]",
    "schedule.*.select": "'{kind: confidence, share: 0.8}'",
    "schedule.*.select.share": "0.8",
    "schedule.*.select.threshold": "0.5",
}


OF_UXLA = {
    "schedule": "epochs",
    "agree": "agreement",
    "alpha": "alpha",
    "labelled_share": "labelled_share",
    "order": "order",
    "collapse_share": "collapse_share",
    "warmup": "warm_up",
    "adaptation": "adaptation",
}
"""Keys that are fields of `uxla.UXLA`."""
_AS_ARGUMENTS = {
    r"target_data\.(\w+)=FILE": r"uxla.Target(raw, \1=…)",
    r"target_data\.(\w+)": r"\1 of the target",
    r"source\.(\w+)=FILE": r"\1=…",
    r"source\.(\w+)": r"\1",
    r"'methods=\[penalty,\w+\]'": r"baselines=['penalty']",
    r"'methods=\[(\w+)\]'": r"method='\1'",
    r"select\.share in schedule": "the share of uxla.MostConfident",
    r"schedule\.\d+\.select\.": "",
    r"warmup\.selection=(\w+)": r"selection='\1' in uxla.WarmUp",
    r"warmup\.(\w+)": r"uxla.WarmUp(\1=…)",
    r"adaptation\.selection=(\w+)": r"selection='\1' in uxla.Adaptation",
    r"agree=token": "agreement=uxla.Token()",
    r"agree\.min_agreed": "min_agreed of uxla.Token",
    r"collapse_share=1": "uxla.UXLA(collapse_share=1)",
    r"\bkeep=(\w+)": r"keep='\1'",
    r"vicinity\.(\w+)=": r"\1=",
}
"""What keys of a configuration are as arguments, in remedies."""


def in_words_of_the_caller(text: str) -> str:
    """A message about keys of a configuration; for who calls the library, about arguments."""
    if in_python():
        for key, argument in _AS_ARGUMENTS.items():
            text = re.sub(key, argument, text)
    return text


def keys(model: type[BaseModel], prefix: str = "") -> dict[str, FieldInfo]:
    """Every key under `model` by its dotted name, sections included; the entries of a list are written `*`.

    The keys of a tagged value are those of all its own kinds.
    """
    found: dict[str, FieldInfo] = {}
    for name, field in model.model_fields.items():
        dotted = f"{prefix}{name}"
        found[dotted] = field
        for section, inner in _sections(field.annotation, dotted):
            for dotted_inner, inner_field in keys(section, inner).items():
                found.setdefault(dotted_inner, inner_field)
    return found


def refused(error: ValidationError, document: Document, known: Mapping[str, FieldInfo]) -> list[str]:
    """A line for each fault found in `document`: unknown keys, wrong values, and all missing keys together."""
    faults = faults_of(error)
    unknown = [_unknown(fault, document, known) for fault in faults if fault["type"] == "extra_forbidden"]
    wrong = [_wrong(fault, document, known) for fault in faults if fault["type"] not in ("extra_forbidden", "missing")]
    missing = [fault["loc"] for fault in faults if fault["type"] == "missing"]
    missing = [path for path in missing if not any(f"did you mean {_dotted(path)}?" in line for line in unknown)]
    return [*unknown, *wrong, *([_missing(missing, document, known)] if missing else [])]


def argument_refused(error: ValidationError, known: Mapping[str, FieldInfo], arguments: Sequence[str]) -> ConfigError:
    """A line for each fault of values that were `arguments` of `uxla.adapt`, in the words of a call."""
    return ConfigError(*(_of_argument(fault, known, arguments) for fault in faults_of(error)))


def _of_argument(fault: ErrorDetails, known: Mapping[str, FieldInfo], arguments: Sequence[str]) -> str:
    path, meant = fault["loc"], known.get(_pattern(fault["loc"]))
    if fault["type"] == "extra_forbidden":
        return f"{_argument(path)}: no such argument; {unknown_name(path[-1], arguments)}"
    if fault["type"] == "refused" and fault["ctx"]["field"]:
        path = (*path, fault["ctx"]["field"])
    text = fault_text(fault, meant.description if meant is not None else None, python=in_python())
    return f"{_argument(path)}: {in_words_of_the_caller(text)}"


def _argument(path: KeyPath) -> str:
    name, *rest = map(str, path)
    places = "".join(f"[{part}]" if part.isdecimal() else f".{part}" for part in rest)
    return (f"method: {OF_UXLA[name]}" if name in OF_UXLA else name) + places


def _unknown(fault: ErrorDetails, document: Document, known: Mapping[str, FieldInfo]) -> str:
    *outer, name = map(str, fault["loc"])
    got, place = _dotted(fault["loc"]), document.origin(fault["loc"]).place
    section, kind = _pattern(fault["loc"][:-1]), fault.get("ctx", {}).get("kind")
    siblings = (
        fault["ctx"]["takes"] if kind else [k.rpartition(".")[2] for k in known if k.rpartition(".")[0] == section]
    )
    close = difflib.get_close_matches(name, siblings, n=1)
    elsewhere = [key for key in known if key.rpartition(".")[2] == name]
    if section == "schedule.*" and name in ("confidence", "clustering"):
        hint = f"did you mean {'.'.join(outer)}.select={{kind: {name}, …}}?"
    elif others := fault.get("ctx", {}).get("others"):
        hint = f"it belongs to kind {' or '.join(others)}"
    elif elsewhere:
        hint = f"did you mean {' or '.join(elsewhere)}?"
    elif close:
        hint = f"did you mean {'.'.join([*outer, close[0]])}?"
    else:
        hint = f"expected one of {', '.join(siblings)}" if siblings else "this kind takes no other key"
    return f"{place}: no key {got}{f' with kind {kind}' if kind else ''}; {hint}"


def _missing(missing: list[KeyPath], document: Document, known: Mapping[str, FieldInfo]) -> str:
    needed = [key for path in missing for key in _required(path, known)]
    if "source.train" in needed and _selects_by_source_dev(document.values):
        needed.insert(needed.index("source.train") + 1, "source.dev")
    patterns = {key: re.sub(r"\.\d+\b", ".*", key) for key in needed}
    meanings = "; ".join(f"{key} ({known[at].description})" if at in known else key for key, at in patterns.items())
    run = document.name.removeprefix("preset ")
    example = " ".join(f"{key}={_EXAMPLES.get(at, '…')}" for key, at in patterns.items())
    return f"{document.name} needs {meanings}; for example: uxla run {run} {example}"


def _required(path: KeyPath, known: Mapping[str, FieldInfo]) -> list[str]:
    """A missing section is asked for by its required keys: `source.train` rather than `source`."""
    key = _dotted(path)
    inner = [name for name, field in known.items() if name.startswith(f"{key}.") and field.is_required()]
    return inner or [key]


def _selects_by_source_dev(values: Mapping[str, Plain]) -> bool:
    """Whether `source.dev` is needed too and lacks: asked for with the rest rather than in a second refusal."""
    source, warmup = values.get("source"), values.get("warmup")
    lacks = not isinstance(source, dict) or source.get("dev") is None
    return lacks and isinstance(warmup, dict) and warmup.get("selection", "source_dev") == "source_dev"


def _wrong(fault: ErrorDetails, document: Document, known: Mapping[str, FieldInfo]) -> str:
    path = fault["loc"]
    meant = known.get(_pattern(path))
    text = fault_text(fault, meant.description if meant is not None else None)
    if fault["type"] == "refused":
        path = (*path, fault["ctx"]["field"]) if fault["ctx"]["field"] else path
    key, place = _dotted(path), document.origin(path).place
    return f"{place}: {text}" if place.startswith(f"{COMMAND_LINE}: {key}=") else f"{place}: {key}: {text}"


def _dotted(path: KeyPath) -> str:
    return ".".join(map(str, path))


def _pattern(path: KeyPath) -> str:
    return ".".join("*" if isinstance(part, int) else part for part in path)


def _sections(annotation: Any, dotted: str) -> list[tuple[type[BaseModel], str]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [(annotation, f"{dotted}.")]
    inner = f"{dotted}.*" if get_origin(annotation) is tuple else dotted
    return [found for part in get_args(annotation) for found in _sections(part, inner)]
