"""Writes the tables of docs/configuration.md anew, from the schema.

python bench/configuration_page.py
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from uxla.config.run import KEYS

_TABLE = re.compile(r"(?<=\n)\| key \| default .*?\n(?=\n|\Z)", re.DOTALL)
_HEAD = "| key | default | meaning |\n|---|---|---|\n"


_TWINS = {"source": "target_data", "warmup": "adaptation"}
"""Sections with keys in common; a key that means the same in both has one row, in the table of the first."""


def tables() -> dict[str, str]:
    """A table for each section, by its name; that of the keys outside sections is called `The run`."""
    rows: dict[str, dict[str, str]] = {}
    for name, field in KEYS.items():
        section, dot, key = name.partition(".")
        rows.setdefault(section if dot else "The run", {})[key or section] = _cells(name, field)
    for first, second in _TWINS.items():
        for key in [key for key, cells in rows[first].items() if rows[second].get(key) == cells]:
            rows[first][f"{key}`, `{second}.{key}"] = rows[first].pop(key)
            del rows[second][key]
    return {section: _HEAD + "".join(_lines(section, found)) for section, found in rows.items()}


def _lines(section: str, rows: dict[str, str]) -> Iterator[str]:
    prefix = "" if section == "The run" else f"{section}."
    return (f"| `{prefix}{key}` | {cells} |\n" for key, cells in rows.items())


def with_tables(page: str) -> str:
    """The page with a current table under each section's heading."""
    made = tables()
    parts = re.split(r"(?m)^(?=## )", page)
    return "".join(_with_table(part, made) for part in parts)


def _with_table(part: str, made: dict[str, str]) -> str:
    heading = part.partition("\n")[0].removeprefix("## ").strip("`")
    return _TABLE.sub(lambda _: made[heading], part) if heading in made else part


def _cells(name: str, field: FieldInfo) -> str:
    extra = field.json_schema_extra
    paper = extra["paper"] if isinstance(extra, dict) else ""
    return f"{_default(name, field)} | {field.description}{f' ({paper})' if paper else ''}"


def _default(name: str, field: FieldInfo) -> str:
    own, default = field.annotation, field.default
    if isinstance(default, BaseModel) or (isinstance(own, type) and issubclass(own, BaseModel)):
        return "section"
    if field.is_required():
        return "required"
    if name == "schedule":
        return "the paper's"
    return f"`{default if isinstance(default, str) else json.dumps(default)}`"


if __name__ == "__main__":
    page = Path(__file__).parents[1] / "docs" / "configuration.md"
    page.write_text(with_tables(page.read_text(encoding="utf-8")), encoding="utf-8")
