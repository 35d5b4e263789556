"""What a configuration's keys must be to one another; each fault is one line, with the remedy."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain

from uxla.config.files import SOURCE_PATHS, TARGET_PATHS
from uxla.config.keys import RunKeys
from uxla.config.method import ByConfidence, MaskedLMVicinity
from uxla.config.yaml_text import KeyPath
from uxla.methods import registry
from uxla.methods.method import Method
from uxla.schema import together, unknown_name
from uxla.testbed import TESTBED
from uxla.testbed.languages import LANGUAGES

Faults = Iterator[tuple[str, str]]
"""A key of the configuration, and what is wrong with it."""

PAIR_TASKS = ("nli", "paraphrase")

DATA_PATHS = [("source", name) for name in SOURCE_PATHS] + [("target_data", name) for name in TARGET_PATHS]
"""The keys that name data files."""

_OWN = re.compile(
    r"ensemble|models|predictions|trace|tracking|warmup|.*\.(json|jsonl|md|yaml|unfinished)", re.IGNORECASE
)
"""What a run folder holds beside the folders of its targets."""


def data_paths(config: RunKeys) -> Iterator[tuple[KeyPath, str]]:
    """The data files that are given, by their keys."""
    for section, name in DATA_PATHS:
        paths = getattr(getattr(config, section), name)
        for path in (paths,) if isinstance(paths, str) else paths or ():
            yield (section, name), path


def _lengths(config: RunKeys) -> Faults:
    if config.tokens_per_batch != "auto" and config.tokens_per_batch < config.max_length:
        got = f"got {config.tokens_per_batch}, expected at least max_length={config.max_length}"
        yield "tokens_per_batch", f"{got}: one window must fit a batch; raise it or lower max_length"


def _devices(config: RunKeys) -> Faults:
    if config.devices_per_training > 1 and config.jobs_per_device > 1:
        got = f"got {config.devices_per_training} beside jobs_per_device={config.jobs_per_device}"
        yield "devices_per_training", f"{got}: a training is small or large; set one of the two to 1"


def _targets(config: RunKeys) -> Faults:
    if len({name.casefold() for name in config.target}) != len(config.target):  # to some disks es and ES are one
        yield "target", f"got {list(config.target)}, expected each name once; remove the repeated one"
    for target in config.target if len(config.target) > 1 else ():
        if _OWN.fullmatch(target):
            yield "target", f"got {target!r}, expected a name the run folder has no other use for; rename it"
    for (section, name), path in data_paths(config):
        chosen = chain.from_iterable((config.target_data.where or {}).values())
        told_apart = any("{target}" in str(part) for part in (path, *chosen))
        if section == "target_data" and len(config.target) > 1 and not told_apart:
            several = f"{len(config.target)} targets would share {path}"
            yield "target_data", f"{name}: {several}; write {{target}} where the name belongs in the path"


def _world(config: RunKeys) -> Faults:
    asked = [".".join(map(str, key)) for key, path in data_paths(config) if path.startswith(TESTBED)]
    if asked and config.testbed is None:
        yield "testbed", f"{asked[0]} is a testbed: path but there is no testbed section; add testbed.seed=0"
    unknown = {}
    for (section, _), path in data_paths(config):
        for target in config.target if section == "target_data" else ("",):
            language = path.replace("{target}", target).removeprefix(TESTBED).partition("/")[0]
            if path.startswith(TESTBED) and language not in LANGUAGES:
                unknown[language] = "target" if language == target else str(section)
    for language, key in unknown.items():
        yield key, f"the testbed has no language {language!r}; {unknown_name(language, list(LANGUAGES))}"


def _selection(config: RunKeys) -> Faults:
    for name, training in (("warmup", config.warmup), ("adaptation", config.adaptation)):
        if training.selection == "source_dev" and config.source.dev is None:
            remedy = f"give source.dev=FILE or {name}.selection=last"
            yield name, f"selection source_dev needs source.dev, which is not given; {remedy}"
    if config.keep == "estimated" and config.source.dev is None:
        why = "keep=estimated needs source.dev, the estimate's reference, which is not given"
        yield "keep", f"{why}; give source.dev=FILE or keep=last"
    yield from estimates_of_others(config.keep, map(registry.method, config.methods))
    if config.adaptation.selection == "target_dev" and config.target_data.dev is None:
        remedy = "give target_data.dev=FILE or adaptation.selection=last"
        yield "adaptation", f"selection target_dev needs target_data.dev, which is not given; {remedy}"


def estimates_of_others(keep: str, methods: Iterable[Method]) -> Faults:
    """Where the epoch is to be chosen by estimates, which UXLA's epochs alone have, and the run is not for UXLA."""
    final = registry.final_method(methods)
    if keep == "estimated" and final is not None and final.name != "uxla":
        why = f"keep=estimated chooses among UXLA's epochs, and the run's models are those of {final.name}"
        yield "keep", f"{why}; give keep=last or 'methods=[uxla]'"


def _copies(config: RunKeys) -> Faults:
    copies = config.vicinity.copies if isinstance(config.vicinity, MaskedLMVicinity) else None
    if isinstance(copies, tuple) and config.task not in PAIR_TASKS:
        got = f"copies: got {list(copies)}, expected one number: {config.task} has one text an example"
        yield "vicinity", f"{got}; give vicinity.copies={copies[0]}"


def _per_class(config: RunKeys) -> Faults:
    for number, plan in enumerate(config.schedule):
        if isinstance(plan.select, ByConfidence) and plan.select.per_class and config.task == "ner":
            why = "got per_class with task ner, expected a task with one label an example"
            yield "schedule", f"{number}: {why}; set schedule.{number}.select.per_class=false"


def _labelled(config: RunKeys) -> Faults:
    for number, plan in enumerate(config.schedule):
        if "labelled" in plan.data and config.target_data.labelled is None:
            why = "data has labelled, and target_data.labelled is not given"
            yield "schedule", f"{number}: {why}; give target_data.labelled=FILE, or leave labelled out"


def _methods(config: RunKeys) -> Faults:
    if len(set(config.methods)) != len(config.methods):
        yield "methods", f"got {list(config.methods)}, expected each once; remove the repeated one"
    methods = [registry.method(name) for name in config.methods]
    needs_test = [one.name for one in methods if not registry.makes_models(one, methods)]
    if needs_test and config.target_data.test is None:
        why = f"{needs_test[0]} is only a score to compare with, and target_data.test is not given"
        yield "methods", f"{why}; give target_data.test=FILE or 'methods=[uxla]'"
    elif all(method.rank is None for method in methods):
        why = f"{methods[0].name} is only a score to compare with: its three models are one"
        yield "methods", f"{why}; give another method too, as 'methods=[penalty,{methods[0].name}]'"
    for method in methods:
        for path in method.needs:
            if getattr(config.target_data, path) is None:
                why = f"{method.name} needs target_data.{path}, which is not given"
                yield "methods", f"{why}; give target_data.{path}=FILE or leave {method.name} out"


_CHECKS = (_lengths, _devices, _targets, _world, _selection, _copies, _per_class, _labelled, _methods)


def check(config: RunKeys) -> None:
    """Raise one error with every fault of `config`."""
    faults = [fault for one in _CHECKS for fault in one(config)]
    if faults:
        raise together({"type": "refused", "loc": (), "ctx": {"field": key, "text": text}} for key, text in faults)
