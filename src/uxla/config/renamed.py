"""Keys and values that were written otherwise once: what to write instead, so that it works when it is pasted."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

from uxla.config.documents import COMMAND_LINE, Document
from uxla.config.yaml_text import KeyPath

_SELECT = ("confidence", "clustering", "per_class", "features")
_AGREE = ("agreement", "min_agreed")


def instead(path: KeyPath, document: Document) -> str | None:
    """What to write in place of the key, or the value, at `path`; None where it never was one."""
    values: Any = document.values
    match path:
        case ("schedule", int(number), name) if name in _SELECT:
            epoch = values["schedule"][number]
            said = _write(document, path, ("schedule", number, "select"), _select(epoch))
            return said + _in_place_of(epoch, _SELECT)
        case (name,) if name in _AGREE:
            return _write(document, path, ("agree",), _agree(values)) + _in_place_of(values, _AGREE)
        case ("vicinity", "precision"):
            said = _write(document, path, ("precision",), values["vicinity"]["precision"])
            return f"{said}, which is for all models of a run"
        case ("adaptation", "selection") if values["adaptation"]["selection"] == "estimated":
            return _write(document, path, ("keep",), "estimated")
    return None


def _write(document: Document, path: KeyPath, key: KeyPath, value: Any) -> str:
    """`key` with its value as a line of the file, or as an argument where the old spelling was one."""
    if document.origin(path).place.startswith(COMMAND_LINE):
        dotted = ".".join(map(str, key))
        return f"write {shlex.quote(f'{dotted}={_flow(value)}')}"
    return f"write {key[-1]}: {_flow(value)}{' at the top level' if len(key) < len(path) else ''}"


def _in_place_of(around: Mapping[str, Any], old: tuple[str, ...]) -> str:
    given = [key for key in old if key in around]
    return f" in place of {', '.join(given)}" if len(given) > 1 else ""


def _select(epoch: Mapping[str, Any]) -> dict[str, Any]:
    now = epoch.get("select")
    now = now if isinstance(now, Mapping) else {}
    clustering, confidence, features = (epoch.get(key) for key in ("clustering", "confidence", "features"))
    if clustering is not None or (features and confidence is None):
        threshold = now.get("threshold", 0.5) if clustering is None else clustering
        return {"kind": "clustering", "threshold": threshold} | ({"features": features} if features else {})
    share = now.get("share", 1.0) if confidence is None else confidence
    return {"kind": "confidence", "share": share} | ({"per_class": True} if epoch.get("per_class") else {})


def _agree(run: Mapping[str, Any]) -> dict[str, Any]:
    kind = run.get("agreement", "token")
    return {"kind": kind} | ({"min_agreed": run["min_agreed"]} if kind == "token" and "min_agreed" in run else {})


def _flow(value: Any) -> str:
    """A value as YAML on one line."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {_flow(one)}' for key, one in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_flow, value))}]"
    return value if isinstance(value, str) and value.isidentifier() else json.dumps(value, ensure_ascii=False)
