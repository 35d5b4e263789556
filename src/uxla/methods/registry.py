"""The one registry of methods: those of uxla, and those that other packages bring."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

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
        raise ConfigError(f"methods: {name} is a {type(found).__name__}, expected a uxla.Method; fix its package")
    if found.name != name:
        raise ConfigError(f"methods: {name} names itself {found.name!r}, expected {name!r}; fix its package")
    return found


def ordered(names: Iterable[str], known: Sequence[Method] = ()) -> dict[str, Method]:
    """The methods of these names in the order of tables, each as `find` has it."""
    return {one.name: one for one in sorted((find(name, known) for name in names), key=_place)}


def row_titles(names: Iterable[str] = (), known: Sequence[Method] = ()) -> dict[str, str]:
    """The names of rows in tables, in their order: of uxla's methods, then of the other `names`.

    UXLA has a row an epoch, and one for its three models together.
    """
    found = ordered({*METHODS, *names}, known)
    titles = {name: one.title for name, one in found.items()}
    after = {"uxla": {"uxla": "UXLA, epoch {}", "uxla_ensemble": "UXLA (ensemble)"}}
    return {key: value for name, own in titles.items() for key, value in after.get(name, {name: own}).items()}


def title(name: str, known: Sequence[Method] = ()) -> str:
    """The title of a method; its name where the package that brings it is gone or broken."""
    return find(name, known).title


def trainings_of(name: str, known: Sequence[Method] = ()) -> str:
    """What the trainings of a method on labels alone are called, or those of models that methods begin with."""
    starts = (one.start for one in (*known, find(name, known)))
    own = (start.trainings for start in starts if start is not None and start.method == name)
    return next(own, title(name, known))


def final_method(methods: Iterable[Method]) -> Method | None:
    """The method whose models a run is for: of those that may be, the one with the highest rank; None without any."""
    ranked = [one for one in methods if one.rank is not None]
    return max(ranked, key=lambda one: (one.rank or 0, one.name), default=None)


def makes_models(one: Method, methods: Iterable[Method]) -> bool:
    """Whether a method is of use without a test set: it is UXLA, or more, or the run of `methods` is for its models."""
    if one.name in METHODS:
        return (one.rank or 0) >= _RANK_OF_UXLA
    return one == final_method(methods)


def find(name: str, known: Sequence[Method] = ()) -> Method:
    """The method of this name: of those that a run has (`known`), else of the registry. Where its package is gone or
    broken, one without steps and with the name as title."""
    own = next((one for one in known if one.name == name), None)
    if own is not None:
        return own
    try:
        return method(name)
    except ConfigError:
        return Method(name, name)


def _place(one: Method) -> tuple[int, str]:
    return list(METHODS).index(one.name) if one.name in METHODS else len(METHODS), one.name
