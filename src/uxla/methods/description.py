"""What `results.json` says of a method that is none of uxla's, so that a report can be made without its package."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from uxla.methods.method import PENALISED, Method


def describe(method: Method) -> dict[str, Any]:
    """What reports need of it: names, what it reads, whether it is a baseline, what its start is called."""
    told: dict[str, Any] = {"title": method.title, "in_sentence": method.in_sentence, "needs": list(method.needs)}
    if method.start is not None:
        told["start"] = {"method": method.start.method, "trainings": method.start.trainings}
    return told | {"reads_target": method.reads_target, "baseline": method.baseline}


def described(name: str, told: Mapping[str, Any]) -> Method:
    """The method of this name, for reports; it makes no models."""
    start = replace(PENALISED, **told.get("start", {}))
    return Method(name, **{**told, "needs": tuple(told["needs"]), "start": start})
