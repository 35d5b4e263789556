"""The folder of an ensemble: `ensemble.json`, which names the models, in a run folder or in its `ensemble/`."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple, get_args

from uxla.choices import Precision
from uxla.confidence import Scaling
from uxla.errors import ArtifactError, in_python
from uxla.files import write_file
from uxla.models.tasks import TASKS
from uxla.phrases import listed
from uxla.raw_text import DEFAULT_SPLITTER, Splitter

_FILE = "ensemble.json"


class Card(NamedTuple):
    """What `ensemble.json` says; `models` are the folders of the members, the first of which has the tokenizer."""

    task: str
    label_names: tuple[str, ...]
    models: list[Path]
    max_length: int
    split: Splitter
    """How raw text is cut into words, as the text was that the models have read."""
    scaling: Scaling | None
    precision: Precision
    """What the run computed in."""


def read_card(folder: Path) -> Card:
    """That of a run folder, of a target's folder inside one, or of `ensemble/` in either. ArtifactError where there is
    none, or it is damaged."""
    home = _home(folder)
    file = home / _FILE
    try:
        card = json.loads(file.read_text(encoding="utf-8"))
        models = [_inside(home, member) for member in card["members"]]
        TASKS[card["task"]], models[0]  # KeyError for a task there is not
        words = card.get("words", {})
        split = Splitter(**(words | {"together": tuple(words["together"])} if words else {}))
        scaling = Scaling(*map(float, card["scaling"])) if card.get("scaling") else None
        precision = card.get("precision", "fp32")
        if precision not in get_args(Precision):
            raise ValueError(f"precision {precision!r}")
        return Card(card["task"], tuple(card["label_names"]), models, card["max_length"], split, scaling, precision)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ArtifactError(f"{folder}: {_not_here(folder)}") from error
    except OSError as error:
        raise ArtifactError(f"{file}: cannot be read ({error.strerror}); check its rights") from error
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise ArtifactError(f"{file}: damaged ({error}); run the same `uxla run` again to restore it") from error


def save(
    folder: Path,
    *,
    task: str,
    label_names: Sequence[str],
    members: Sequence[str],
    max_length: int,
    split: Splitter = DEFAULT_SPLITTER,
    scaling: Scaling | None = None,
    precision: Precision = "fp32",
) -> None:
    """Write `ensemble.json`, whole or not at all; `members` are model folders relative to `folder`."""
    card = {
        "version": 1,
        "task": task,
        "label_names": list(label_names),
        "members": list(members),
        "max_length": max_length,
        **({"words": asdict(split)} if task == "ner" else {}),
        **({} if scaling is None else {"scaling": list(scaling)}),
        **({} if precision == "fp32" else {"precision": precision}),
    }
    folder.mkdir(parents=True, exist_ok=True)
    write_file(folder / _FILE, json.dumps(card, indent=1, ensure_ascii=False) + "\n")


def _not_here(folder: Path) -> str:
    """What a folder without an ensemble of its own is."""
    if in_python() and not folder.exists() and len(folder.parts) == 2:
        return f"no such folder; for a run of the Hub call uxla.load({str(folder)!r}).ensemble"
    found = sorted(str(file.parents[1]) for file in folder.glob(f"*/ensemble/{_FILE}"))
    if found:
        return f"a folder of several runs or targets; expected one of them: {listed(found)}"
    return f"no {_FILE} here or in ensemble/; expected the folder of a finished run"


def _home(folder: Path) -> Path:
    """The folder of `ensemble.json`, without `..` and links on the way to it.

    A run folder's own entries may be links, as a person set them: its `ensemble` stays under the run folder's name.
    """
    if not (folder / _FILE).is_file():
        return folder.resolve() / "ensemble"
    named = folder.parent.resolve() / folder.name
    return named if folder.name != ".." and (named.parent / "models").is_dir() else folder.resolve()


def _inside(home: Path, member: str) -> Path:
    """The model's folder. A run may come from anywhere: it names no file but its own."""
    place = Path(os.path.normpath(home / member))  # not `resolve`: links inside the run folder stay as they are
    if not place.is_relative_to(home.parent):
        raise ValueError(f"member {member!r} lies outside the run folder")
    return place
