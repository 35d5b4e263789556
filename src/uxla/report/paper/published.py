"""The paper's own tables, read from `published.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from ruamel.yaml import YAML

PAPER = "paper (Bari et al., 2021), XLM-R large"
"""What marks a figure as the paper's."""


@dataclass(frozen=True)
class Published:
    """One of Tables 1 to 7: rows by block and name, each row its cells by column, as text, exactly as printed."""

    title: str
    task: str
    columns: tuple[str, ...]
    blocks: Mapping[str, Mapping[str, Mapping[str, str]]]
    notes: tuple[str, ...]

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages it has figures of: its columns or, where models in columns meet languages in rows, its rows."""
        return self.columns if "before" not in self.columns else tuple(self.blocks[""])


@dataclass(frozen=True)
class PublishedSettings:
    """Table 8: by block, row and task the value in warm-up and in adaptation; `tasks` are the names it gives them."""

    title: str
    tasks: Mapping[str, str]
    blocks: Mapping[str, Mapping[str, Mapping[str, tuple[Any, Any]]]]
    notes: tuple[str, ...]


def published(number: int) -> Published:
    """Table `number`, 1 to 7."""
    found = _tables()[number]
    columns = tuple(found["columns"].split())
    blocks = {
        block: {name: dict(zip(columns, cells.split(), strict=True)) for name, cells in rows.items()}
        for block, rows in found["blocks"].items()
    }
    return Published(found["title"], found["task"], columns, blocks, tuple(found["notes"]))


def published_settings() -> PublishedSettings:
    """Table 8."""
    found = _tables()[8]
    return PublishedSettings(found["title"], found["tasks"], found["blocks"], tuple(found["notes"]))


@cache
def _tables() -> dict[int, Any]:
    text = resources.files("uxla.report.paper").joinpath("published.yaml").read_text(encoding="utf-8")
    return dict(YAML(typ="safe", pure=True).load(text))
