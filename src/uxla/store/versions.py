"""Versions of the stages of work, and of the packages that compute: those installed now, and those that made what the
store has."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from importlib import metadata

from uxla import __version__
from uxla.errors import in_python

VERSIONS = {"world": 2, "fit": 7, "predict": 4, "vicinity": 1, "fluency": 1, "mlm": 3, "augment": 1, "model": 1}
VERSIONS |= {"average": 2, "student": 2, "encoded": 1, "answers": 1}
"""A stage's version is part of its keys: raise it when the same inputs would give another result. Versions of libraries
stand in the manifests, not in keys: an upgrade throws no finished work away, and a run says what made what it used."""

PACKAGES = ("torch", "transformers", "tokenizers", "numpy", "scikit-learn")
"""Packages that decide what comes of a piece of work, beside uxla itself."""

UNKNOWN = "unknown"
"""The version of what was made before versions were noted."""


def current_versions() -> dict[str, str]:
    """The versions of now, without what tells builds apart (`2.13.0`, not `2.13.0+cpu`)."""
    found = {name: metadata.version(name) for name in PACKAGES}
    return {name: version.partition("+")[0] for name, version in {"uxla": __version__, **found}.items()}


def mixture(made_with: Mapping[str, Collection[str]]) -> str | None:
    """A warning where the work of one run was made with several versions; None where it was made with one."""
    mixed = {name: sorted(found) for name, found in made_with.items() if len(found) > 1}
    if not mixed:
        return None
    named = "; ".join(f"{name} {' and '.join(found)}" for name, found in mixed.items())
    repeats = "another `store`" if in_python() else "--fresh"
    return (
        f"what this run used from the store was made with several versions ({named}), which alone can make a "
        f"difference; {repeats} repeats all of it"
    )
