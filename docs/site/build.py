"""The documentation site: the pages of docs/, README as its front page, and the notebooks, in `site/`.

python docs/site/build.py

Warnings are errors, and every link within the site is followed. Nothing is fetched.
"""

import base64
import json
import re
import shutil
import sys
import tomllib
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from sphinx.cmd.build import main as sphinx

ROOT = Path(__file__).parents[2]
PAGES, SITE = ROOT / "build" / "pages", ROOT / "site"
OUTSIDE = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
}
"""Files outside of docs/ that are pages of the site."""
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["metadata"]["hooks"]
REPOSITORY = SETTINGS["custom"]["repository"]


def gather() -> None:
    """Fills the folder of pages that Sphinx reads."""
    shutil.rmtree(PAGES, ignore_errors=True)
    shutil.copytree(ROOT / "docs", PAGES, ignore=shutil.ignore_patterns("*.py", "__pycache__", "site"))
    for name, page in OUTSIDE.items():
        shutil.copy(ROOT / name, PAGES / page)
    for notebook in sorted((ROOT / "examples").glob("*.ipynb")):
        write_notebook(json.loads(notebook.read_text(encoding="utf-8")), PAGES / "notebooks" / f"{notebook.stem}.md")
    for page in PAGES.rglob("*.md"):
        outside = {page: name for name, page in OUTSIDE.items()}.get(page.relative_to(PAGES).as_posix())
        folder = ROOT if outside else ROOT / "docs" / page.parent.relative_to(PAGES)
        page.write_text(linked(page.read_text(encoding="utf-8"), folder), encoding="utf-8")
    with (PAGES / "index.md").open("a", encoding="utf-8") as index:
        index.write((ROOT / "docs" / "site" / "navigation.md").read_text(encoding="utf-8"))
    for name in ("conf.py", "site.css"):
        shutil.copy(ROOT / "docs" / "site" / name, PAGES)


def linked(text: str, folder: Path) -> str:
    """The page with links from the top of the site. Other files are linked in the repository, or not at all."""

    def link(match: re.Match[str]) -> str:
        path, _, anchor = match[3].partition("#")
        goal = (folder / path).resolve().relative_to(ROOT)
        if (goal.parts[0] == "docs" and goal.suffix) or str(goal) in OUTSIDE:
            page = OUTSIDE.get(str(goal), goal.as_posix().removeprefix("docs/"))
        elif goal.suffix == ".ipynb":
            page = f"notebooks/{goal.stem}.md"
        else:
            return f"[{match[2]}]({REPOSITORY}/blob/main/{goal})" if REPOSITORY else match[2]
        text = "" if match[2].endswith(".md") else match[2]  # Sphinx puts the page's title there
        return f"{match[1]}[{text}](/{page}{'#' * bool(anchor)}{anchor})"

    return re.sub(r"(!?)\[([^\]]+)\]\((?!https?:|#|/)([^)\s]+)\)", link, text)


def write_notebook(notebook: dict[str, Any], page: Path) -> None:
    """A notebook as a page: its text, its code, and what the code printed and drew."""
    page.parent.mkdir(exist_ok=True)
    parts = []
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        parts.append(source if cell["cell_type"] == "markdown" else f"```python\n{source}\n```")
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "image/png" in data:
                picture = page.with_name(f"{page.stem}-{len(parts)}.png")
                picture.write_bytes(base64.b64decode(data["image/png"]))
                parts.append(f"![{''.join(data['text/plain'])}]({picture.name})")
            elif "text" in output:
                parts.append(f"```text\n{''.join(output['text'])}```")
    page.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


class Links(HTMLParser):
    """The links of a page and the places in it that links can lead to."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.to: list[str] = []
        self.places: set[str] = set()
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keeps what a tag says of links and places."""
        for name, value in attrs:
            if name == "id" and value:
                self.places.add(value)
            elif name in ("href", "src") and value and not re.match(r"[a-z]+:|//", value):
                self.to.append(value)


def dead_links() -> list[str]:
    """Each link within the site that leads nowhere, with its page."""
    pages = {page: Links(page) for page in SITE.rglob("*.html")}
    found = []
    for page, links in pages.items():
        for link in links.to:
            path, _, place = unquote(link).partition("#")
            goal = (page.parent / path.partition("?")[0]).resolve() if path else page
            goal = goal / "index.html" if goal.is_dir() else goal
            if not goal.exists() or (place and goal in pages and place not in pages[goal].places):
                found.append(f"{page.relative_to(SITE)}: {link}")
    return found


def build() -> int:
    """Makes the site; the exit status."""
    gather()
    status = sphinx(["-W", "--keep-going", "-q", "-b", "html", str(PAGES), str(SITE)])
    dead = [] if status else dead_links()
    print(*dead, sep="\n", file=sys.stderr)
    return status or bool(dead)


if __name__ == "__main__":
    sys.exit(build())
