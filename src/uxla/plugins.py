"""Parts that other packages bring by entry points: methods, selectors, agreements, vicinities and executors.

A package declares them in its `pyproject.toml`, the part's name on the left:

    [project.entry-points."uxla.methods"]
    half = "my_package:HALF"

Names are read without importing anything; a part is imported when it is asked for.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal, get_args

from uxla.errors import ConfigError

Group = Literal["uxla.methods", "uxla.selectors", "uxla.agreements", "uxla.vicinities", "uxla.executors"]
GROUPS: tuple[Group, ...] = get_args(Group)


@dataclass(frozen=True)
class Plugin:
    """A part of another package that is installed, and maybe not yet imported."""

    group: Group
    name: str
    package: str
    place: str
    """Where it is, as `module:attribute`."""

    def load(self) -> Any:
        """The part itself. ConfigError that names the package where it cannot be imported."""
        try:
            return EntryPoint(self.name, self.place, self.group).load()
        except Exception as error:  # whatever foreign code can raise
            why = f"{type(error).__name__}: {error}"
            part = f"{self.group}: {self.name} of the package {self.package} ({self.place}) cannot be loaded"
            raise ConfigError(f"{part} ({why}); fix or remove that package, or leave {self.name} out") from error


def found(group: Group) -> list[Plugin]:
    """The installed parts of a group, by name."""
    return list(_installed(group, tuple(sys.path)))


def names(group: Group) -> list[str]:
    """Their names, each once."""
    return list(dict.fromkeys(plugin.name for plugin in found(group)))


def load(group: Group, name: str) -> Any:
    """The part of this name. ConfigError where none is installed, where two packages bring one, or it is broken."""
    same = [plugin for plugin in found(group) if plugin.name == name]
    if not same:
        raise ConfigError(f"{group}: no installed package has one of the name {name!r}; check the name, or install it")
    if len(same) > 1:
        packages = " and ".join(sorted(plugin.package for plugin in same))
        raise ConfigError(f"{group}: {name} is in the packages {packages}; remove one of them")
    return same[0].load()


@lru_cache(maxsize=16)
def _installed(group: Group, path: tuple[str, ...]) -> tuple[Plugin, ...]:
    """`path` is where packages are looked for: another one, another answer."""
    points = {(point.name, point.value): point for point in entry_points(group=group)}
    return tuple(Plugin(group, name, _package(point), place) for (name, place), point in sorted(points.items()))


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else point.value.partition(":")[0]
