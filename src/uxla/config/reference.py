"""The tables of docs/configuration.md, from the schema: `python -m uxla.config.reference docs/configuration.md`."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from uxla.config.run import KEYS

_TABLE = re.compile(r"(?<=\n)\| key \| default .*?\n(?=\n|\Z)", re.DOTALL)
_HEAD = "| key | default | meaning | paper |\n|---|---|---|---|\n"


def tables() -> dict[str, str]:
    """A table for each section, by its name; that of the keys outside sections is called `The run`."""
    rows: dict[str, list[str]] = {}
    for name, field in KEYS.items():
        section, dot, _ = name.partition(".")
        rows.setdefault(section if dot else "The run", []).append(_row(name, field))
    return {section: _HEAD + "".join(found) for section, found in rows.items()}


def with_tables(page: str) -> str:
    """The page with the table under each section's heading made anew."""
    made = tables()
    parts = re.split(r"(?m)^(?=## )", page)
    return "".join(_with_table(part, made) for part in parts)


def _with_table(part: str, made: dict[str, str]) -> str:
    heading = part.partition("\n")[0].removeprefix("## ").strip("`")
    return _TABLE.sub(lambda _: made[heading], part) if heading in made else part


def _row(name: str, field: FieldInfo) -> str:
    extra = field.json_schema_extra
    paper = extra["paper"] if isinstance(extra, dict) else ""
    return f"| `{name}` | {_default(name, field)} | {field.description} | {paper} |\n"


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
    page = Path(sys.argv[1])
    page.write_text(with_tables(page.read_text(encoding="utf-8")), encoding="utf-8")
