"""The picture of the README: what UXLA gains over zero-shot transfer, by target, from the table of docs/results.md.

`python docs/gains.py` draws it again; a test compares.
"""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
RESULTS, PICTURE = ROOT / "docs" / "results.md", ROOT / "docs" / "gains.svg"

TARGETS = {
    "near": "a related language",
    "far": "a distant language",
    "low": "a low-resource language",
    "joined": "a script without spaces",
}
LEFT, POINT, ROW, TOP = 190, 36, 44, 66
"""Pixels: where zero is, of one F1 point, of a row, and above the first row."""
LAST = 13
"""The last point of the axis."""
STYLE = (
    "svg{--card:#fff;--ink:#1f2328;--faint:#59636e;--line:#d1d9e0;--bar:#1a7f6b}"
    "@media(prefers-color-scheme:dark){svg{--card:#0d1117;--ink:#f0f6fc;--faint:#9198a1;--line:#3d444d;--bar:#2fae93}}"
    "text{font:14px system-ui,sans-serif;fill:var(--ink)}.faint{fill:var(--faint);font-size:12px}"
    ".grid{stroke:var(--line)}.bar{fill:var(--bar)}.interval{stroke:var(--ink);stroke-width:1.5}.title{font-weight:600}"
)


def gains() -> dict[str, tuple[float, float]]:
    """By target, the gain in points and half its 95 % interval over the runs."""
    text = RESULTS.read_text(encoding="utf-8")
    names = next(row for row in text.splitlines() if row.startswith("| difference | near |")).split(" | ")
    cells = next(row for row in text.splitlines() if row.startswith("| uxla − zero_shot |")).split(" | ")
    found = {name: re.match(r"\+([\d.]+) ± ([\d.]+)", cell) for name, cell in zip(names, cells, strict=True)}
    return {name: (float(match[1]), float(match[2])) for name, match in found.items() if match and name in TARGETS}


def picture() -> str:
    """A bar a target with its interval, as SVG for light and dark pages."""
    found = gains()
    end, bottom = LEFT + POINT * LAST, TOP + ROW * len(found)
    drawn = [
        f'<rect x="0.5" y="0.5" width="{end + 69}" height="{bottom + 53}" rx="8" fill="var(--card)" class="grid"/>',
        '<text x="20" y="30" class="title">UXLA’s F1 over zero-shot transfer, in points</text>',
        '<text x="20" y="49" class="faint">50 raw target sentences; mean of 12 runs with its 95 % interval</text>',
    ]
    for point in range(0, LAST + 1, 2):
        x = LEFT + POINT * point
        drawn.append(f'<line x1="{x}" y1="{TOP}" x2="{x}" y2="{bottom}" class="grid"/>')
        drawn.append(f'<text x="{x}" y="{bottom + 18}" text-anchor="middle" class="faint">{point}</text>')
    for row, (name, (gain, half)) in enumerate(found.items()):
        y, x = TOP + ROW * row + ROW / 2, LEFT + POINT * gain
        low, high = x - POINT * half, x + POINT * half
        drawn += [
            f'<text x="20" y="{y - 2}">{name}</text><text x="20" y="{y + 14}" class="faint">{TARGETS[name]}</text>',
            f'<rect x="{LEFT}" y="{y - 9}" width="{x - LEFT:.1f}" height="18" rx="2" class="bar"/>',
            f'<path d="M{low:.1f} {y}H{high:.1f}M{low:.1f} {y - 5}v10M{high:.1f} {y - 5}v10" class="interval"/>',
            f'<text x="{high + 8:.1f}" y="{y + 5}" class="title">+{gain}</text>',
        ]
    drawn.append(f'<text x="20" y="{bottom + 40}" class="faint">Synthetic languages of the testbed</text>')
    size = f'viewBox="0 0 {end + 70} {bottom + 54}" width="{end + 70}"'
    title = "<title>UXLA’s gain over zero-shot transfer on four targets, with 95 % intervals</title>"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">'
    return "\n".join([head, title, f"<style>{STYLE}</style>", *drawn, "</svg>\n"])


if __name__ == "__main__":
    PICTURE.write_text(picture(), encoding="utf-8")
