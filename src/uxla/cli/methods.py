"""`uxla methods`: the methods that a run can compare, and the parts of other packages."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uxla.markup import Table


def methods() -> None:
    """List the methods that a run can compare, and installed plug-ins."""
    from uxla.cli.tables import show

    show(_methods())
    parts = _parts()
    if parts.rows or parts.notes:
        show(parts)


def _methods() -> Table:
    from uxla.errors import ConfigError
    from uxla.markup import Row, Table
    from uxla.methods import registry

    rows, notes = [], []
    for name in registry.names():
        try:
            one = registry.method(name)
        except ConfigError as error:
            notes.append(str(error))
            continue
        needs = ", ".join(f"target_data.{part}" for part in one.needs)
        rows.append(Row((name, one.title, needs, one.paper, _package(name))))
    return Table(("method", "in tables", "needs", "in the paper", "package"), (), tuple(rows), notes=tuple(notes))


def _package(name: str) -> str:
    from uxla import plugins
    from uxla.methods.registry import METHODS

    found = {plugin.name: plugin.package for plugin in plugins.found("uxla.methods")}
    return "uxla" if name in METHODS else found[name]


def _parts() -> Table:
    from uxla import plugins
    from uxla.config.method import AGREES, SELECTS, VICINITIES
    from uxla.errors import ConfigError
    from uxla.markup import Row, Table
    from uxla.methods.registry import METHODS

    own = {"uxla.methods": METHODS} | {kinds.group: kinds.own for kinds in (SELECTS, AGREES, VICINITIES)}
    rows, notes = list[Row](), []
    for group in plugins.GROUPS:
        for plugin in plugins.found(group):
            if plugin.name in own.get(group, ()):
                hidden = "has the name of a part of uxla, which is the one that is used; rename it"
                notes.append(f"{group}: {plugin.name} of the package {plugin.package} {hidden}")
            elif group != "uxla.methods":
                try:
                    plugin.load()
                except ConfigError as error:
                    notes.append(str(error))
                else:
                    rows.append(Row((plugin.name, group.removeprefix("uxla."), plugin.package)))
    return Table(("part", "of the", "package"), (), tuple(rows), notes=tuple(notes))
