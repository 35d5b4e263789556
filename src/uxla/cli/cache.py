"""`uxla cache ls`, `gc`, `verify`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from uxla.errors import ConfigError

if TYPE_CHECKING:
    from uxla.markup import Table
    from uxla.store.housekeeping import Entry
    from uxla.store.shared import SharedStore

cache = typer.Typer(no_args_is_help=True, help="List finished work, verify it, make room.")


@cache.command("ls")
def list_cache(
    everything: Annotated[bool, typer.Option("--all", help="List each piece of work with its age and model.")] = False,
) -> None:
    """Show how much finished work there is, stage by stage."""
    from rich.console import Console
    from rich.filesize import decimal

    from uxla.console import showing
    from uxla.store.housekeeping import entries
    from uxla.store.opening import default_root, shared_url
    from uxla.store.shared import SharedStore

    root = default_root()
    found = entries(root)
    artifacts = [entry for entry in found if entry.kind == "artifact"]
    if artifacts:
        table = _table(artifacts) if everything else _summary(artifacts)
        Console().print(table.rich(frame=False))
    typer.echo(f"{root}: {len(artifacts)} artifacts, {decimal(sum(entry.size for entry in artifacts))}")
    if url := shared_url():
        with showing():
            there = SharedStore.at(url).artifacts()
        typer.echo(f"{url}: {len(there)} artifacts, {decimal(sum(one.size for one in there))}")
    if gone := sum(entry.weights_gone for entry in artifacts):
        typer.echo(f"models whose weights are gone, to be made again if they are needed: {gone}")
    for kind, what in {"scratch": "saved progress", "unfinished": "unfinished", "damaged": "damaged"}.items():
        if sizes := [entry.size for entry in found if entry.kind == kind]:
            typer.echo(f"{what}: {len(sizes)}, {decimal(sum(sizes))}")


@cache.command("gc")
def collect(
    older_than: Annotated[
        str | None, typer.Option(metavar="AGE", help="Also remove what was not used for this long, such as 30d or 12h.")
    ] = None,
    max_size: Annotated[
        str | None,
        typer.Option(metavar="SIZE", help="Also remove the least recently used down to this size, such as 20GB."),
    ] = None,
    shared: Annotated[
        bool, typer.Option("--shared", help="Clean $UXLA_STORE instead, by the age of the work; needs --older-than.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List what would be removed, and remove nothing.")] = False,
) -> None:
    """Remove damaged and unfinished work; with options, finished work too.

    Run folders do not need the cache. Work that a running uxla needs is kept; of a shared store it is made again.
    """
    if shared:
        _collect_shared(older_than, max_size, dry_run=dry_run)
        return
    from rich.filesize import decimal

    from uxla.store.housekeeping import clear, parse_age, parse_size
    from uxla.store.opening import default_root

    age = parse_age(older_than) if older_than is not None else None
    size = parse_size(max_size) if max_size is not None else None
    cleared = clear(default_root(), older_than=age, max_size=size, dry_run=dry_run)
    done = "would remove" if dry_run else "removed"
    for entry in cleared.removed:
        typer.echo(f"{done} {entry.kind} {_short(entry.name)}: {decimal(entry.size)}, last used {_ago(entry.idle)} ago")
    typer.echo(f"{done} {len(cleared.removed)}, {decimal(cleared.size)}")
    if cleared.in_use:
        typer.echo(f"left alone: {len(cleared.in_use)} that a running uxla uses")


@cache.command("verify")
def verify_cache(
    shared: Annotated[
        bool, typer.Option("--shared", help="Verify $UXLA_STORE instead: read every file that a record names.")
    ] = False,
) -> None:
    """Compare all finished work with its digests.

    Damaged work is set aside, but stays in a shared store, and the exit status is 1.
    """
    from uxla.console import showing
    from uxla.store.opening import default_root
    from uxla.store.verify import verify, verify_shared

    with showing():
        broken = verify_shared(_shared()) if shared else verify(default_root())
    for one in broken:
        what_now = (
            f"set aside as {one.moved}" if one.moved else "a machine that needs it and does not have it makes it again"
        )
        typer.echo(f"damaged {one.name}: {one.fault}; {what_now}")
    if broken:
        raise typer.Exit(1)
    typer.echo("no artifact is damaged")


def _collect_shared(older_than: str | None, max_size: str | None, *, dry_run: bool) -> None:
    from rich.filesize import decimal

    from uxla.console import showing
    from uxla.store.housekeeping import parse_age

    if older_than is None or max_size is not None:
        raise ConfigError("--shared: takes --older-than and no --max-size; give an age, as --older-than 30d")
    age = parse_age(older_than)
    with showing():
        removed = _shared().clear(age, dry_run=dry_run)
    done = "would remove" if dry_run else "removed"
    for one in removed:
        typer.echo(f"{done} {_short(one.name)}: {decimal(one.size)}, made {_ago(one.age)} ago")
    typer.echo(f"{done} {len(removed)}, {decimal(sum(one.size for one in removed))}")


def _shared() -> SharedStore:
    from uxla.store.opening import shared_url
    from uxla.store.shared import SharedStore

    url = shared_url()
    if url is None:
        raise ConfigError("--shared: UXLA_STORE names no shared store; set it")
    return SharedStore.at(url)


def _summary(artifacts: list[Entry]) -> Table:
    from rich.filesize import decimal

    from uxla.markup import Figure, Row, Table

    rows = []
    for stage in sorted({entry.stage for entry in artifacts}):
        own = [entry for entry in artifacts if entry.stage == stage]
        last = _ago(min(entry.idle for entry in own))
        rows.append(Row((stage,), tuple(map(Figure, (str(len(own)), decimal(sum(e.size for e in own)), last)))))
    return Table(("stage",), ("count", "size", "last used"), tuple(rows))


def _table(artifacts: list[Entry]) -> Table:
    from rich.filesize import decimal

    from uxla.markup import Figure, Row, Table

    def row(entry: Entry) -> Row:
        users = sum(other.source == entry.name for other in artifacts)
        made_with = entry.source.split("-")[1][:12] if entry.source else "" if entry.manifest else "damaged"
        figures = decimal(entry.size), _ago(entry.age), _ago(entry.idle), made_with, str(users or "")
        return Row((entry.stage, entry.key[:12]), tuple(map(Figure, figures)))

    columns = ("size", "age", "last used", "with model", "used by")
    return Table(("stage", "key"), columns, tuple(map(row, artifacts)))


def _short(name: str) -> str:
    stage, _, key = name.partition("-")
    return f"{stage} {key[:12]}"


def _ago(seconds: float) -> str:
    """The largest unit that fits, as 3 d."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds)} s"
