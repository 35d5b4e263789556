"""The one registry of methods: those of uxla, and those that other packages bring."""

from __future__ import annotations

from collections.abc import Iterable

from uxla import plugins
from uxla.errors import ConfigError
from uxla.methods.builtin import BUILTIN
from uxla.methods.method import Method
from uxla.schema import unknown_name

METHODS = {method.name: method for method in BUILTIN}
"""The methods of uxla by name, in the order of their rows in tables."""
_RANK_OF_UXLA = METHODS["uxla"].rank or 0


def names() -> list[str]:
    """All names that `methods` of a configuration may have: uxla's, then those of other packages."""
    return [*METHODS, *(name for name in plugins.names("uxla.methods") if name not in METHODS)]


def method(name: str) -> Method:
    """The method of this name. ConfigError where there is none, or the package that brings it is broken."""
    if name in METHODS:
        return METHODS[name]
    if name not in names():
        raise ConfigError(f"no method {name!r}; {unknown_name(name, names())}")
    found = plugins.load("uxla.methods", name)
    if not isinstance(found, Method):
        raise ConfigError(f"methods: {name} is a {type(found).__name__}, expected a uxla.Method; mend its package")
    if found.name != name:
        raise ConfigError(f"methods: {name} names itself {found.name!r}, expected {name!r}; mend its package")
    return found


def ordered(names: Iterable[str]) -> dict[str, Method]:
    """The methods of these names in the order of tables; one whose package is gone or broken has its name as title."""
    return {one.name: one for one in sorted(map(find, names), key=_place)}


def row_titles(names: Iterable[str] = ()) -> dict[str, str]:
    """The names of rows in tables, in their order: of uxla's methods, then of the other `names`.

    UXLA has a row an epoch, and one for its three models together.
    """
    found = ordered({*METHODS, *names})
    titles = {name: one.title for name, one in found.items()}
    after = {"uxla": {"uxla": "UXLA, epoch {}", "uxla_ensemble": "UXLA (ensemble)"}}
    return {key: value for name, own in titles.items() for key, value in after.get(name, {name: own}).items()}


def title(name: str) -> str:
    """The title of a method; its name where the package that brings it is gone or broken."""
    return find(name).title


def trainings_of(name: str) -> str:
    """What the trainings of a method on labels alone are called."""
    one = find(name)
    return one.start.trainings if one.start is not None and one.start.method == name else one.title


def final_method(names: Iterable[str]) -> str:
    """The method whose models a run is for: of those `names` that may be, the one with the highest rank."""
    ranked = [(one.rank, one.name) for one in map(find, names) if one.rank is not None]
    return max(ranked, default=(0, ""))[1]


def makes_models(name: str, names: Iterable[str]) -> bool:
    """Whether a method is of use without a test set: it is UXLA, or more, or the run of `names` is for its models."""
    if name in METHODS:
        return (METHODS[name].rank or 0) >= _RANK_OF_UXLA
    return name == final_method(names)


def find(name: str) -> Method:
    """The method of this name; one without steps and with the name as title where its package is gone or broken."""
    try:
        return method(name)
    except ConfigError:
        return Method(name, name)


def _place(one: Method) -> tuple[int, str]:
    return list(METHODS).index(one.name) if one.name in METHODS else len(METHODS), one.name
