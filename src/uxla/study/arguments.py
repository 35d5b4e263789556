"""What `uxla.adapt` makes of its arguments: corpora under a run's names, methods, and a checked configuration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from pydantic import ValidationError

from uxla.algorithm.agreement import AGREEMENTS, kind_of
from uxla.algorithm.cotraining import Epoch
from uxla.algorithm.distil import CleanCluster, MostConfident
from uxla.choices import Task
from uxla.config.documents import read_document
from uxla.config.kinds import PluggedIn
from uxla.config.method import MaskedLMVicinity
from uxla.config.run import RunConfig
from uxla.errors import ConfigError, DataError
from uxla.methods import registry
from uxla.methods.method import Method
from uxla.records import Corpus, Example, Target
from uxla.study.inputs import Inputs
from uxla.study.settings import UXLA
from uxla.study.vicinities import Around

Raw = Corpus | Iterable[str]
Targets = Raw | Target | Mapping[str, Raw | Target]
"""Raw text, with held-out data in a `Target`; of several languages by their names."""

_PRESETS = {"ner": "xner", "nli": "xnli-5", "paraphrase": "pawsx-5", "classification": "sib200"}
_IN_MEMORY = "(in memory) {target}"
"""What a configuration has in place of the path of data that was given in memory."""
_PARTS = ("train", "dev", "test", "labelled", "translated")


def inputs_of(source: Corpus, dev: Corpus | None, test: Corpus | None, target: Targets) -> Inputs:
    """The corpora under the names that a run has for them."""
    if len(source) == 0:
        raise DataError(f"{source.name}: has no example, expected labelled ones")
    named = target if isinstance(target, Mapping) else {getattr(target, "name", "target"): target}
    targets = tuple(_target(name, given, source) for name, given in named.items())
    for one in targets:
        if one.name == source.name:
            raise ConfigError(f"target: {one.name!r} is also the source's name; give the target another one")
    dev, test = _named(dev, f"{source.name} dev"), _named(test, f"{source.name} test")
    return Inputs(source, dev, test, targets)


def _named(corpus: Corpus | None, name: str) -> Corpus | None:
    return None if corpus is None else corpus.renamed(name)


def _target(name: str, given: Raw | Target, source: Corpus) -> Target:
    if isinstance(given, Target):
        others = {part: _named(getattr(given, part), f"{name} {part}") for part in _PARTS[1:]}
        return Target(given.train.renamed(name).unlabelled(), **others, name=name)
    if isinstance(given, Corpus):
        return Target(given.renamed(name).unlabelled(), name=name)
    if isinstance(given, str):
        raise DataError(f"target: got one str, expected a corpus or several texts; write [{given[:20]!r}]")
    texts = (Example(str(i), name, (" ".join(text.split()),)) for i, text in enumerate(given))
    return Target(Corpus.from_examples(name, source.label_names, texts), name=name)


def methods_of(given: Iterable[Method | str]) -> tuple[Method, ...]:
    """Methods by name or as they are, each once. ConfigError for a name that no method has."""
    found = [registry.method(one) if isinstance(one, str) else one for one in given]
    return tuple({one.name: one for one in found}.values())


def _task(source: Corpus) -> Task:
    """What the labelled examples are for."""
    if len(source[0].segments) == 2:
        return "nli"
    return "ner" if "O" in source.label_names else "classification"


def config_of(
    inputs: Inputs,
    methods: Sequence[Method],
    own: UXLA,
    vicinity: MaskedLMVicinity | Around | None,
    asked: Mapping[str, Any],
) -> RunConfig:
    """The arguments as a configuration, checked; data in memory has no path in it."""
    task, targets = asked["task"] or _task(inputs.train), inputs.targets
    known = [one.name for one in methods if one.name in registry.names()]
    data = {part: _IN_MEMORY for part in _PARTS if any(getattr(one, part) for one in targets)}
    labelled = {"train": inputs.train, "dev": inputs.dev, "test": inputs.test}
    values = _training(task, asked["model"], own, inputs.dev) | {
        **asked,
        "task": task,
        "source": {part: _IN_MEMORY for part, one in labelled.items() if one} | {"name": inputs.train.name},
        "target": tuple(one.name for one in targets),
        "target_data": data,
        "alpha": own.alpha,
        "schedule": [_plan(epoch) for epoch in own.epochs],
        "agree": _section(own.agreement, {one: kind for kind, one in AGREEMENTS.items()}),
        "order": own.order,
        "collapse_share": own.collapse_share,
        "vicinity": _vicinity(vicinity),
        "methods": known or ["uxla"],  # a method that is no plug-in has no name that a configuration knows
    }
    return _checked(values).model_copy(update={"methods": tuple(one.name for one in methods)})


def _vicinity(given: MaskedLMVicinity | Around | None) -> Any:
    if given is None:
        return MaskedLMVicinity()
    return given if isinstance(given, MaskedLMVicinity) else PluggedIn.model_construct(kind=kind_of(given))


def _training(task: str, model: str, own: UXLA, dev: Corpus | None) -> dict[str, Any]:
    """The trainings and the length that the paper has for the task, or those of the shipped model."""
    preset: Any = read_document("testbed" if model == "testbed" else _PRESETS[task]).values
    found: dict[str, Any] = {"max_length": preset["max_length"]}
    for section, given in (("warmup", own.warm_up), ("adaptation", own.adaptation)):
        found[section] = dict(preset[section]) if given is None else given.model_dump()
    if own.warm_up is None and dev is None:
        found["warmup"]["selection"] = "last"
    return found


def _plan(epoch: Epoch) -> dict[str, Any]:
    data = [name for name in ("source", "target", "source_vicinity", "target_vicinity") if getattr(epoch, name)]
    return {"data": data, "select": _section(epoch.select, {MostConfident: "confidence", CleanCluster: "clustering"})}


def _section(value: Any, kinds: Mapping[type, str]) -> Any:
    """The tagged value of a configuration; of a user's own part, which no configuration can make, its name alone."""
    kind = kinds.get(type(value))
    return PluggedIn.model_construct(kind=kind_of(value)) if kind is None else {"kind": kind, **asdict(value)}


def _checked(values: dict[str, Any]) -> RunConfig:
    try:
        return RunConfig.model_validate(values)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        field = fault.get("ctx", {}).get("field", "")
        place = ".".join(str(part) for part in (*fault["loc"], field) if part != "")
        raise ConfigError(f"adapt: {place}: {fault['msg']}") from None
