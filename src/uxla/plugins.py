"""Parts of uxla that other packages bring, found by their entry points."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any

from uxla.errors import ConfigError


def names(group: str) -> list[str]:
    """The names that installed packages give to their parts of a group, such as `uxla.selectors`."""
    return sorted(point.name for point in entry_points(group=group))


def load(group: str, name: str) -> Any:
    """The part of that name. ConfigError where the package that brings it cannot be imported."""
    [point, *_] = entry_points(group=group, name=name)
    try:
        return point.load()
    except Exception as error:  # whatever foreign code can raise
        why = f"{type(error).__name__}: {error}"
        raise ConfigError(
            f"{group}: {name} ({point.value}) cannot be loaded: {why}; mend or remove the package"
        ) from error
