"""The README's picture and table: what UXLA gains over zero-shot transfer, from the tables of docs/results.md.

`python docs/gains.py` draws the one and fills the other again; a test compares.
"""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
RESULTS, PICTURE, README = ROOT / "docs" / "results.md", ROOT / "docs" / "gains.svg", ROOT / "README.md"

TASKS = {"NER": "Named entities (F1)", "Topics": "Topics of sentences (accuracy)"}
"""Headings of docs/results.md, and what the picture calls them."""
LANGUAGES = {
    **{"ar": "Arabic", "hau": "Hausa", "hin": "Hindi", "my": "Burmese", "mya": "Burmese", "quy": "Quechua"},
    **{"sw": "Swahili", "swh": "Swahili", "ur": "Urdu", "urd": "Urdu", "yor": "Yoruba"},
    **{"zh": "Chinese", "zho": "Chinese"},
}
LEFT, WIDTH, ROW, TOP = 120, 520, 26, 66
"""Pixels: where names end, of the axis, of a row, and above the first row."""
STYLE = (
    "svg{--card:#fff;--ink:#1f2328;--faint:#59636e;--line:#d1d9e0;--bar:#1a7f6b}"
    "@media(prefers-color-scheme:dark){svg{--card:#0d1117;--ink:#f0f6fc;--faint:#9198a1;--line:#3d444d;--bar:#2fae93}}"
    "text{font:14px system-ui,sans-serif;fill:var(--ink)}.faint{fill:var(--faint);font-size:12px}"
    ".grid{stroke:var(--line)}.zero{stroke:var(--faint)}.bar{fill:var(--bar)}"
    ".interval{stroke:var(--ink);stroke-width:1.5;fill:none}.other{fill:var(--card);stroke:var(--ink)}"
    ".title{font-weight:600}"
)
_CELL = re.compile(r"([+−][\d.]+) \[(−?[\d.]+), (−?[\d.]+)\]")


class Gain(NamedTuple):
    """Over zero-shot, in points: UXLA's with its 95 % interval, and tri-training's; over so many seeds."""

    uxla: float
    low: float
    high: float
    other: float
    seeds: int


def gains(text: str) -> dict[str, dict[str, Gain]]:
    """By task and language, in the order of the tables."""
    found = {}
    for heading in TASKS:
        rows = _rows(text, heading)
        if rows:
            names = [LANGUAGES[re.split(r"\W", name)[0]] for name in rows["method"]]
            columns = zip(rows["UXLA − zero-shot"], rows["tri-training − zero-shot"], rows["seeds"], strict=False)
            known = {name: column for name, column in zip(names, columns, strict=True) if all(column)}
            found[heading] = {name: _gain(*column) for name, column in known.items()}
    return found


def filled(readme: str, text: str) -> str:
    """The README with the means of the results' tables in its own: rows of the same names, a column a task."""
    tasks = [_rows(text, heading) for heading in TASKS]

    def row(line: re.Match[str]) -> str:
        return f"| {line[1]} | {' | '.join(rows[line[1]][-1] for rows in tasks)} |"

    return re.sub(r"^\| (UXLA[^|]*?) \| [^|]* \| [^|]* \|$", row, readme, flags=re.MULTILINE)


def _rows(text: str, heading: str) -> dict[str, list[str]]:
    """The tables of one task, by the name of the row."""
    part = re.search(rf"^### Test languages\n.*?^#### {heading}\n(.*?)^####", text, re.MULTILINE | re.DOTALL)
    return {cells[0]: cells[1:] for cells in map(_cells, part[1].splitlines()) if cells} if part is not None else {}


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []


def _gain(uxla: str, other: str, seeds: str) -> Gain:
    figures = [float(figure.replace("−", "-")) for cell in (uxla, other) for figure in _CELL.match(cell).groups()]
    return Gain(*figures[:4], int(seeds))


def picture(found: dict[str, dict[str, Gain]]) -> str:
    """A bar a language with its interval, as SVG for light and dark pages."""
    every = [gain for of in found.values() for gain in of.values()]
    first, last = _axis(min(min(g.low, g.other) for g in every), max(max(g.high, g.other) for g in every))
    bottom, right = TOP + ROW * (len(every) + len(found)), LEFT + WIDTH + 70

    def x(points: float) -> float:
        return LEFT + WIDTH * (points - first) / (last - first)

    drawn = [
        f'<rect x="0.5" y="0.5" width="{right - 1}" height="{bottom + 53}" rx="8" fill="var(--card)" class="grid"/>',
        '<text x="20" y="30" class="title">UXLA’s gain over zero-shot transfer, in points</text>',
        f'<text x="20" y="49" class="faint">{runs(every)}; the diamond is tri-training’s gain</text>',
    ]
    for point in range(first, last + 1, 5):
        line = f'x1="{x(point):.1f}" y1="{TOP}" x2="{x(point):.1f}" y2="{bottom}" class="{"grid" if point else "zero"}"'
        text = f'<text x="{x(point):.1f}" y="{bottom + 18}" text-anchor="middle" class="faint">{_minus(point)}</text>'
        drawn += [f"<line {line}/>", text]
    y = TOP - ROW / 2
    for task, of in found.items():
        y += ROW
        drawn.append(f'<text x="20" y="{y + 5}" class="faint">{TASKS[task]}</text>')
        for name, gain in of.items():
            y += ROW
            begin, end = sorted((x(0), x(gain.uxla)))
            ends = f"M{x(gain.low):.1f} {y - 4}v8m0 -4H{x(gain.high):.1f}m0 -4v8"
            beyond = max(x(gain.high), x(gain.other) + 5)
            drawn += [
                f'<text x="32" y="{y + 5}">{name}</text>',
                f'<rect x="{begin:.1f}" y="{y - 8}" width="{end - begin:.1f}" height="16" rx="2" class="bar"/>',
                f'<path d="{ends}" class="interval"/>',
                f'<path d="M{x(gain.other):.1f} {y - 5}l5 5l-5 5l-5 -5z" class="other"/>',
                f'<text x="{beyond + 8:.1f}" y="{y + 5}" class="title">{_minus(f"{gain.uxla:+.1f}")}</text>',
            ]
    size = f'viewBox="0 0 {right} {bottom + 54}" width="{right}"'
    title = "<title>UXLA’s gain over zero-shot transfer by language, with 95 % intervals; tri-training’s gain</title>"
    about = "From English, with a small multilingual encoder"
    foot = f'<text x="20" y="{bottom + 40}" class="faint">{about}</text>'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">'
    return "\n".join([head, title, f"<style>{STYLE}</style>", *drawn, foot, "</svg>\n"])


def runs(gains: list[Gain]) -> str:
    """How many runs a bar is of, and what its interval is over."""
    seeds = sorted({gain.seeds for gain in gains})
    if seeds == [1]:
        return "One run each, with a 95 % interval over its sentences"
    return f"Mean of {seeds[0]}{f' to {seeds[-1]}' * (len(seeds) > 1)} runs with its 95 % interval"


def _axis(low: float, high: float) -> tuple[int, int]:
    """Multiples of five around both, and around zero."""
    return 5 * int(min(low, 0) // 5), -5 * int(min(-high, 0) // 5)


def _minus(text: object) -> str:
    return str(text).replace("-", "−")


if __name__ == "__main__":
    results = RESULTS.read_text(encoding="utf-8")
    PICTURE.write_text(picture(gains(results)), encoding="utf-8")
    README.write_text(filled(README.read_text(encoding="utf-8"), results), encoding="utf-8")
