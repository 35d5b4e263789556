"""A configuration from the data files at hand: which is what is guessed from their names and content."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from uxla.choices import Task
from uxla.corpora import read, task_of
from uxla.errors import ConfigError
from uxla.records import Corpus

_ROLES = {"dev": "dev", "valid": "dev", "validation": "dev", "val": "dev", "test": "test", "eval": "test"}
_ROLES |= dict.fromkeys(("train", "training", "raw", "unlabelled", "unlabeled", "labelled", "labeled"), "train")
_WORD, _CODE = re.compile(r"[^\W_]+"), re.compile("[a-z]{2,3}")
_PLAIN = re.compile(r"[\w./~-]+")
"""A model's name that YAML takes as it is."""
_TRAININGS = {
    "testbed": ("{batch_size: 16, learning_rate: 1e-3, epochs: 6", "{batch_size: 16, learning_rate: 1e-3, epochs: 1}"),
    "": ("{batch_size: 16, learning_rate: 3e-5, epochs: 3", "{batch_size: 16, learning_rate: 5e-6, epochs: 1}"),
}


@dataclass(frozen=True)
class DataFile:
    """A data file: the language and the role that its name has, and what is in it."""

    path: Path
    language: str
    role: str
    corpus: Corpus

    @property
    def labelled(self) -> bool:
        """Whether its examples have labels."""
        return bool(len(self.corpus)) and not self.corpus.table.column("labels").null_count


def guessed_config(files: Sequence[Path], out: Path, *, model: str, task: Task | None = None) -> str:
    """The configuration as commented YAML, its paths relative to the folder of `out`.

    The largest labelled training file is the source's. ConfigError where no file is one, or none is of a target.
    """
    found = [_look_at(file, task) for file in files]
    source = max((file for file in found if file.labelled and file.role == "train"), key=_size, default=None)
    if source is None:
        raise ConfigError(f"{_listed(files)}: no labelled training file; give one, as en/train.conll")
    own = [file for file in found if file.language == source.language and (file.labelled or source.language)]
    others = [file for file in found if file not in own and (file.language or not file.labelled)]
    target = max((file for file in others if file.role == "train"), key=_size, default=None)
    if target is None:
        remedy = "give raw text of the target language, as es/train.txt"
        raise ConfigError(f"{_listed(files)}: no training file of another language than {source.path}; {remedy}")
    theirs = [file for file in others if file.language == target.language]
    return _yaml(source, own, target, theirs, out, model, task or task_of(source.corpus))


def _look_at(file: Path, task: Task | None) -> DataFile:
    parts = [_WORD.findall(part.lower()) for part in (file.stem, file.parent.name)]
    roles = [_ROLES[word] for words in parts for word in words if word in _ROLES]
    corpus = read(str(file), task=task) if file.suffix != ".txt" else read(str(file), task=task, labelled=False)
    return DataFile(file, _language(parts), next(iter(sorted(roles)), "train"), corpus)


def _language(parts: Sequence[Sequence[str]]) -> str:
    """The language in the words of a file's name and of its folder's: the only code of two or three letters in one of
    them, else the only word; empty where there is none, or several could be meant."""
    names = [[word for word in words if word not in _ROLES and not word.isdigit()] for words in parts]
    codes = [[word for word in words if _CODE.fullmatch(word)] for words in names]
    return next((words[0] for words in (*codes, names[0] or names[1]) if len(words) == 1), "")


def _size(file: DataFile) -> int:
    return len(file.corpus)


def _listed(files: Sequence[Path]) -> str:
    return ", ".join(map(str, files))


def _part(files: Sequence[DataFile], role: str) -> DataFile | None:
    return next((file for file in files if file.role == role and file.labelled), None)


def _yaml(
    source: DataFile,
    own: Sequence[DataFile],
    target: DataFile,
    theirs: Sequence[DataFile],
    out: Path,
    model: str,
    task: Task,
) -> str:
    dev, test = _part(own, "dev"), _part(theirs, "test")
    warm_up, adaptation = _TRAININGS.get(model, _TRAININGS[""])
    name = model if _PLAIN.fullmatch(model) else json.dumps(model, ensure_ascii=False)
    selection = "}" if dev else ", selection: last}"
    lines = [
        f"# Made by `uxla init`. Check it, then: uxla plan {out.name}; uxla run {out.name}",
        f"task: {task}",
        f"model: {name}  # a Hub id, a folder, or testbed for the small shipped one",
        "",
        "source:  # the language with labels",
        f"  name: {source.language or 'source'}",
        _line("train", source, out),
        _line("dev", dev, out, "chooses checkpoints; without it the last are taken"),
        _line("test", _part(own, "test"), out),
        "",
        f"target: {target.language or 'target'}",
        "target_data:  # the language without labels",
        _line("train", target, out, "read as raw text: labels in it are not used"),
        _line("dev", _part(theirs, "dev"), out),
        _line("test", test, out, "scored once, at the end; compares methods"),
        _line("labelled", target if target.labelled else None, out, "for the methods supervised and few_shot"),
        "",
        f"warmup: {warm_up}{selection}",
        f"adaptation: {adaptation}",
    ]
    return "\n".join(lines) + "\n"


def _line(key: str, file: DataFile | None, out: Path, comment: str = "") -> str:
    """A key with its file; commented out where there is none."""
    note = f"  # {comment}" if comment else ""
    if file is None:
        return f"  # {key}: FILE{note}"
    path = os.path.relpath(file.path.absolute(), out.absolute().parent)
    names = [name for name in file.corpus.label_names if name != "O"] if file.labelled else []
    labels = f", labels {', '.join(dict.fromkeys(name.split('-')[-1] for name in names))}" if names else ""
    return f'  {key}: "{path}"  # {len(file.corpus):,} examples{labels}{"; " + comment if comment else ""}'
