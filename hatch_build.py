"""What the package index shows: README with links that work away from the repository, and the project's addresses.

Both need the repository's address, `repository` in pyproject.toml. As long as it is empty, links into the repository
are plain text.
"""

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

PAPER = "https://aclanthology.org/2021.acl-long.154"


class Published(MetadataHookInterface):
    """`readme` and `urls` of the project."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Sets both in the project's `metadata`."""
        address = self.config["repository"]
        text = Path(self.root, "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": published(text, address)}
        metadata["urls"] = {"Paper": PAPER} | addresses(address)


def addresses(repository: str) -> dict[str, str]:
    """The project's pages below its repository's address; none without one."""
    if not repository:
        return {}
    places = {"Documentation": "blob/main/docs/tutorial.md", "Changelog": "blob/main/CHANGELOG.md", "Issues": "issues"}
    return {"Repository": repository} | {name: f"{repository}/{place}" for name, place in places.items()}


def published(readme: str, repository: str) -> str:
    """README with absolute links: pages, and pictures as files."""
    places = {"!": f"{repository}/raw/main/", "": f"{repository}/blob/main/"}

    def link(match: re.Match[str]) -> str:
        kind, text, path = match.groups()
        if not repository:
            return "" if kind else text
        return f"{kind}[{text}]({places[kind]}{path})"

    return re.sub(r"(!?)\[([^\]]+)\]\((?!https?:|#)([^)\s]+)\)", link, readme)
