"""Which names are those of repositories of the Hugging Face Hub."""

from __future__ import annotations

import re
from pathlib import Path

_FORM = re.compile(r"(?!.*(--|\.\.))\b[\w.-]{1,96}\b/\b[\w.-]{1,96}\b(?<!\.git)", re.ASCII)


def has_hub_form(name: str) -> bool:
    """Whether a name has the form `user/repository`, by the Hub's own rules."""
    return _FORM.fullmatch(name) is not None


def is_hub_id(name: str) -> bool:
    """Whether a name has that form and is no folder here, which goes before a repository of the same name."""
    return has_hub_form(name) and not Path(name).is_dir()
