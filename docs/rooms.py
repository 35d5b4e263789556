"""What docs/architecture.md shows of `src/uxla`: the picture of its rooms, and the table of what is in them.

`python docs/rooms.py` makes both again; a test compares. An arrow leads from a room to one that it imports, unless a
longer way leads there too. The words of the table are the docstrings of the rooms.
"""

import ast
import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "uxla"
PICTURE, PAGE = ROOT / "docs" / "rooms.svg", ROOT / "docs" / "architecture.md"

WIDTH, BOX, HIGH, GAP = 860, 112, 40, 44
ON_TOP = ("api", "adapted", "corpora")
"""Files beside the rooms that import rooms."""
BOTTOM = "bottom files"
"""Stands under all rooms, which import it, and has no arrows."""


def room_of(path: Path) -> str:
    """The room of a file: its folder; files beside the rooms are at the bottom, but for those of `ON_TOP`."""
    inside = path.relative_to(SOURCE)
    if len(inside.parts) > 1:
        return inside.parts[0]
    return {"__init__": "uxla"}.get(inside.stem, inside.stem if inside.stem in ON_TOP else BOTTOM)


def imported(path: Path) -> set[Path]:
    """The files of the package that a file imports, anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    places = [SOURCE.joinpath(*name.split(".")[1:]) for name in names if name.startswith("uxla.")]
    return {file for place in places for file in (place.with_suffix(".py"), place / "__init__.py") if file.is_file()}


def arrows() -> dict[str, set[str]]:
    """By room, the rooms it imports; the package itself is left out."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in sorted(SOURCE.rglob("*.py")):
        found[room_of(path)] |= {room_of(file) for file in imported(path)} - {room_of(path), "uxla"}
    found.pop("uxla", None)
    return dict(found)


def reduced(graph: dict[str, set[str]]) -> dict[str, set[str]]:
    """The same without arrows that a longer way makes needless, and without those to the bottom files."""

    def reach(room: str) -> set[str]:
        return graph[room].union(*(reach(below) for below in graph[room]))

    return {room: below - {BOTTOM}.union(*(reach(one) for one in below)) for room, below in graph.items()}


def levels(graph: dict[str, set[str]]) -> dict[str, int]:
    """By room, the length of the longest way down."""

    def level(room: str) -> int:
        return 1 + max((level(below) for below in graph[room]), default=-1)

    return {room: level(room) for room in graph}


def places(graph: dict[str, set[str]]) -> dict[str, tuple[float, float]]:
    """By room, the middle of its box: one row a level, rooms above what they import."""
    below = reduced(graph)
    by_level: dict[int, list[str]] = defaultdict(list)
    for room, level in levels(graph).items():
        by_level[level].append(room)
    found: dict[str, tuple[float, float]] = {}
    for level in sorted(by_level):
        wish = {room: _mean([found[one][0] for one in below[room]]) for room in by_level[level]}
        rooms = sorted(by_level[level], key=lambda room: (wish[room], room))
        y = (max(by_level) - level) * (HIGH + GAP) + HIGH / 2 + 10
        found |= {room: (x, y) for room, x in zip(rooms, _apart([wish[room] for room in rooms]), strict=True)}
    return found


def _apart(wishes: list[float]) -> list[float]:
    """Middles of boxes in a row, spread evenly; a single box stands where it wishes."""
    step = WIDTH / len(wishes)
    return wishes if len(wishes) == 1 else [step * (place + 0.5) for place in range(len(wishes))]


def _mean(numbers: list[float]) -> float:
    return sum(numbers) / len(numbers) if numbers else WIDTH / 2


def picture() -> str:
    """The rooms and their arrows as SVG."""
    graph = arrows()
    place = places(graph)
    height = max(y for _, y in place.values()) + HIGH / 2 + 10
    names = "records, metrics, decoding, errors, seeds, files …; every room may import them"
    lines = [
        f'<line x1="{place[room][0]:.0f}" y1="{place[room][1] + HIGH / 2:.0f}" '
        f'x2="{place[below][0]:.0f}" y2="{place[below][1] - HIGH / 2 - 6:.0f}"/>'
        for room, below_all in sorted(reduced(graph).items())
        for below in sorted(below_all)
    ]
    boxes = [
        f'<rect x="{x - wide / 2:.0f}" y="{y - HIGH / 2:.0f}" width="{wide}" height="{HIGH}" rx="5"/>'
        f'<text x="{x:.0f}" y="{y + 5:.0f}">{text}</text>'
        for room, (x, y) in sorted(place.items())
        for wide, text in [(WIDTH - 60, f"{BOTTOM}: {names}") if room == BOTTOM else (BOX, room)]
    ]
    style = (
        "rect{fill:#f4f6f8;stroke:#57606a}text{font:14px sans-serif;text-anchor:middle;fill:#1f2328}"
        "line{stroke:#57606a;marker-end:url(#to)}"
    )
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}">',
            "<title>The rooms of src/uxla: an arrow leads from a room to one that it imports</title>",
            f"<style>{style}</style>",
            '<defs><marker id="to" markerWidth="8" markerHeight="8" refX="4" refY="4" orient="auto">'
            '<path d="M1 1 7 4 1 7" fill="none" stroke="#57606a"/></marker></defs>',
            f'<rect x="0" y="0" width="{WIDTH}" height="{height:.0f}" style="fill:#fff;stroke:none"/>',
            *lines,
            *boxes,
            "</svg>\n",
        ]
    )


def table() -> str:
    """The rooms from the top down, with their docstrings."""
    place = places(arrows())
    rooms = sorted(place.keys() - {BOTTOM}, key=lambda room: (place[room][1], place[room][0]))
    rows = (f"| `{_file(room).relative_to(SOURCE).as_posix()}` | {_docstring(room)} |\n" for room in rooms)
    return "| folder or file | what is in it |\n|---|---|\n" + "".join(rows)


def with_table(page: str) -> str:
    """The page with the table made again."""
    return re.sub(r"\| folder or file \|.*?\n(?=\n)", lambda _: table(), page, flags=re.DOTALL)


def _file(room: str) -> Path:
    return SOURCE / f"{room}.py" if room in ON_TOP else SOURCE / room


def _docstring(room: str) -> str:
    file = _file(room) if room in ON_TOP else _file(room) / "__init__.py"
    return (ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or "").split("\n\n")[0].replace("\n", " ")


if __name__ == "__main__":
    PICTURE.write_text(picture(), encoding="utf-8")
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
