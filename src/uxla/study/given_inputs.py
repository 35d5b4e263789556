"""The data that `uxla.adapt` is given, as the corpora of a run, and what a configuration says of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from uxla.choices import Task, check_task
from uxla.config.files import IN_MEMORY, TARGET_PATHS
from uxla.corpora import labelled_like, raw, read, task_of
from uxla.data.columns import SHAPES, are_columns
from uxla.errors import ConfigError
from uxla.records import Corpus
from uxla.study.inputs import Inputs
from uxla.targets import Target

_TARGET = f"{IN_MEMORY}{{target}}"
_SPLITS = frozenset(("train", "validation", "dev", "test", "unsupervised"))
"""Names that parts of one data set have, and no languages."""


def given_inputs(source: Any, target: Any, *, dev: Any, test: Any, task: Task | None) -> tuple[Inputs, Task]:
    """The corpora under the names that a run has for them, with the labels of the source; and the task they are for.

    UxlaError for data that cannot be read, for a task that the labels are not for, and for a target that is none.
    """
    check_task(task)
    source = source if isinstance(source, Corpus) else read(source, name="source", lang="source", task=task)
    found = task_of(source)
    task = found if task is None else task
    if SHAPES[task] != SHAPES[found]:
        raise ConfigError(f"task: got {task}, and the source's labels are for {found}; leave it out, or read it anew")
    given = target if _has_languages(target) else {_name(target, source): target}
    targets = tuple(_target(str(name), one, source, task) for name, one in given.items())
    for one in targets:
        if one.name == source.name:
            raise ConfigError(f"target: {one.name!r} is also the source's name; give the target another one")
    dev, test = (
        _labelled(data, source, task, f"{source.name} {part}") for data, part in ((dev, "dev"), (test, "test"))
    )
    return Inputs(source, dev, test, targets), task


def _has_languages(target: Any) -> bool:
    """Whether `target` has a target by each name, and is not the columns of one. ConfigError for the splits of one."""
    if not isinstance(target, Mapping):
        return False
    names = [str(name) for name in target]
    if names and _SPLITS.issuperset(names):
        raise ConfigError(f"target: holds {', '.join(names)}; give one of them, or uxla.Target(raw, test=…)")
    return not are_columns(names)


def _name(target: Any, source: Corpus) -> str:
    """The name of a single target: its corpus's, unless that is the source's too."""
    name = target.name if isinstance(target, Corpus | Target) else "target"
    return "target" if name == source.name else name


def _labelled(data: Any, source: Corpus, task: Task, name: str) -> Corpus | None:
    return None if data is None else labelled_like(data, source, task, name)


def _target(name: str, given: Any, source: Corpus, task: Task) -> Target:
    found = given if isinstance(given, Target) else Target(given)
    others = {part: _labelled(getattr(found, part), source, task, f"{name} {part}") for part in TARGET_PATHS[1:]}
    return Target(raw(found.train, source, task, name), **others, name=name)


def data_sections(inputs: Inputs) -> dict[str, Any]:
    """The sections of a configuration for data in memory."""
    labelled = {"train": inputs.train, "dev": inputs.dev, "test": inputs.test}
    return {
        "source": {part: f"{IN_MEMORY}{one.name}" for part, one in labelled.items() if one}
        | {"name": inputs.train.name},
        "target": tuple(one.name for one in inputs.targets),
        "target_data": {"train": _TARGET}
        | {part: _TARGET for part in TARGET_PATHS[1:] if any(getattr(one, part) for one in inputs.targets)},
    }
