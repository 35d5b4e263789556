"""The arguments of `uxla.adapt`: checked, turned into a configuration, and made from one."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import chain
from typing import Any, get_args

from pydantic import ValidationError

from uxla.algorithm.agreement import kind_of
from uxla.algorithm.cotraining import Epoch
from uxla.choices import Task
from uxla.config.consistency import estimates_of_others
from uxla.config.documents import read_document
from uxla.config.errors import OF_UXLA, argument_refused, in_words_of_the_caller, keys
from uxla.config.kinds import PluggedIn
from uxla.config.method import DataSet, MaskedLMVicinity
from uxla.config.run import RunConfig
from uxla.config.training import Adaptation, WarmUp
from uxla.errors import ConfigError
from uxla.executors.cluster import Ray
from uxla.given import plain, shown
from uxla.methods import registry
from uxla.methods.method import Method
from uxla.study.given_inputs import data_sections, given_inputs
from uxla.study.inputs import Inputs
from uxla.study.settings import PARTS, UXLA, method_of
from uxla.study.vicinities import Around
from uxla.targets import Target

_PRESETS = {"ner": "xner", "nli": "xnli-5", "paraphrase": "pawsx-5", "classification": "sib200"}
_FEWEST_STEPS = 100
"""Steps that a warm-up has at least where nobody says how long it is: a few dozen sentences need many passes."""
_VICINITY = "a uxla.MaskedLMVicinity, or a function of a corpus"
_AS_ARGUMENTS = {
    "target_data": "target=uxla.Target(…)",
    "testbed": "source='testbed:source/train'",
    "tracking": "on_event=…",
} | {name: f"method=uxla.UXLA({field}=…)" for key, field in OF_UXLA.items() for name in (key, field)}
"""Keys of a configuration that are other arguments, or parts of one, and names of these parts."""
_NO_KEYS = ("dev", "test", "method", "baselines", "store", "executor", "on_event")
"""Arguments that are no keys of a configuration."""


@dataclass(frozen=True)
class Request:
    """The checked arguments of `uxla.adapt`."""

    config: RunConfig
    inputs: Inputs
    methods: tuple[Method, ...]
    uxla: UXLA
    """Its two trainings included."""
    around: Around | None
    """A vicinity of the user's own, in place of Gen-LM."""


def check_arguments(method: Any, vicinity: Any, baselines: Any, executor: Any, on_event: Any) -> None:
    """ConfigError that names the argument whose value is of another kind than it must be."""
    several = isinstance(baselines, Sequence) and not isinstance(baselines, str)
    named = several and all(isinstance(one, Method | str) for one in baselines)
    maps = isinstance(executor, Ray | str | None) or callable(getattr(executor, "map", None))
    kinds = [
        ("method", method, isinstance(method, UXLA | Method | str), "a uxla.UXLA, a uxla.Method, or a name"),
        ("vicinity", vicinity, isinstance(vicinity, MaskedLMVicinity | None) or _is_function(vicinity), _VICINITY),
        ("baselines", baselines, named, "a list of names, or of uxla.Methods"),
        ("executor", executor, maps, "an executor, as uxla.Serial()"),
        ("on_event", on_event, callable(on_event), "a function of an event, as print"),
    ]
    for name, value, fits, expected in chain(kinds, _parts(method)):
        if not fits:
            raise ConfigError(f"{name}: got {shown(value)}, expected {expected}")


def _parts(method: Any) -> Iterator[tuple[str, Any, bool, str]]:
    """The parts of a UXLA, and whether each is of the kind that it must be."""
    if not isinstance(method, UXLA):
        return
    epochs, trains, adapts = method.epochs, method.warm_up, method.adaptation
    several = isinstance(epochs, Sequence) and all(isinstance(one, Epoch) for one in epochs)
    yield "method: epochs", epochs, several, "a list of uxla.Epochs"
    for epoch in epochs:
        yield "method: select", epoch.select, _is_function(epoch.select), "a selector, as uxla.MostConfident(0.8)"
    yield "method: agreement", method.agreement, _is_function(method.agreement), "an agreement, as uxla.Exact()"
    yield "method: warm_up", trains, isinstance(trains, WarmUp | None), "a uxla.WarmUp"
    yield "method: adaptation", adapts, isinstance(adapts, Adaptation | None), "a uxla.Adaptation"


def _is_function(value: Any) -> bool:
    return callable(value) and not isinstance(value, type)


def request_of(
    source: Any,
    target: Any,
    *,
    dev: Any = None,
    test: Any = None,
    model: str,
    task: Task | None = None,
    method: UXLA | Method | str,
    vicinity: MaskedLMVicinity | Around | None = None,
    baselines: Sequence[Method | str] = (),
    methods: Sequence[Method | str] | None = None,
    files: Mapping[str, Any] | None = None,
    **settings: Any,
) -> Request:
    """The arguments of `uxla.adapt`, checked. Data in memory has no path in the configuration, unless `files` says."""
    for name in sorted(settings.keys() & _AS_ARGUMENTS.keys()):
        passes = ", or those of a training in uxla.WarmUp(epochs=…)" if name == "epochs" else ""
        raise ConfigError(f"{name}: no such argument; give {_AS_ARGUMENTS[name]}{passes}")
    if isinstance(methods, str):
        raise ConfigError(f"methods: got {methods!r}, expected a list of names, or of uxla.Methods")
    inputs, task = given_inputs(source, target, dev=dev, test=test, task=task)
    own = method if isinstance(method, UXLA) else UXLA()
    asked = [*baselines, method if isinstance(method, Method | str) else "uxla"] if methods is None else methods
    found = _by_name([registry.method(one) if isinstance(one, str) else one for one in asked])
    _check_parts(found.values(), inputs.targets, own.epochs)
    _check_final(found.values(), settings.get("keep", "last"))
    given = {name: plain(value) for name, value in settings.items()}
    values = _training(task, model, own, inputs) | _uxla(own) | given | data_sections(inputs) | dict(files or {})
    values |= {"task": task, "model": model, "vicinity": _vicinity(vicinity)}
    # a method that is no plug-in has no name that a configuration knows: with one, all are checked here alone
    values["methods"] = list(found) if found.keys() <= {*registry.names()} else ["uxla"]
    try:
        config = RunConfig.model_validate(values).model_copy(update={"methods": tuple(found)})
    except ValidationError as error:
        names = [*(name for name in RunConfig.model_fields if name not in _AS_ARGUMENTS), *_NO_KEYS]
        raise argument_refused(error, keys(RunConfig), names) from None
    own = replace(own, warm_up=config.warmup, adaptation=config.adaptation)
    around = None if isinstance(vicinity, MaskedLMVicinity | None) else vicinity
    return Request(config, inputs, tuple(found.values()), own, around)


def arguments_of(config: RunConfig, inputs: Inputs) -> dict[str, Any]:
    """The arguments of `uxla.adapt` for a configuration and the corpora of its files."""
    files = {name: getattr(config, name) for name in ("source", "target_data", "testbed", "tracking")}
    of_uxla = {*_AS_ARGUMENTS, "source", "target"}
    return {name: getattr(config, name) for name in RunConfig.model_fields if name not in of_uxla} | {
        "source": inputs.train,
        "target": {one.name: one for one in inputs.targets},
        "dev": inputs.dev,
        "test": inputs.test,
        "method": method_of(config),
        "files": files,
    }


def _uxla(own: UXLA) -> dict[str, Any]:
    """The keys of Algorithm 1."""
    epochs = [
        {"data": [name for name in get_args(DataSet) if getattr(epoch, name)], "select": _section(epoch.select)}
        for epoch in own.epochs
    ]
    others = ("alpha", "order", "collapse_share", "labelled_share")
    return {"schedule": epochs, "agree": _section(own.agreement), **{name: getattr(own, name) for name in others}}


def _by_name(methods: Sequence[Method]) -> dict[str, Method]:
    """ConfigError where two methods have one name, also where one of the two is uxla's or a package's."""
    found = {one.name: one for one in methods}
    if taken := [name for name, one in found.items() if name in registry.names() and registry.method(name) != one]:
        raise ConfigError(f"methods: {taken[0]!r} is the name of another method (`uxla methods` lists them); rename it")
    if twice := [one.name for one in methods if found[one.name] != one]:
        raise ConfigError(f"methods: two are named {twice[0]!r}, expected a name each; rename one")
    return found


def _check_parts(methods: Collection[Method], targets: Sequence[Target], of_the_run: Sequence[Epoch]) -> None:
    """ConfigError where a target lacks what a method is scored on, or learns from."""
    scored = [one for one in methods if not registry.makes_models(one, methods)]
    if scored and len(methods) > 1 and all(one.test is None for one in targets):
        raise ConfigError("baselines: no target has a test set to compare on; give uxla.Target(raw, test=…)")
    for method in methods:
        epochs = method.epochs(of_the_run) if method.schedule is not None else ()
        for part in {*method.needs, *(["labelled"] if any(epoch.labelled for epoch in epochs) else [])}:
            lacking = [one.name for one in targets if getattr(one, part) is None]
            if lacking:
                why = f"{method.name} needs {part} text of the target {lacking[0]}"
                raise ConfigError(f"baselines: {why}; give uxla.Target(raw, {part}=…), or leave it out")


def _check_final(methods: Collection[Method], keep: Any) -> None:
    """ConfigError where no method may be the one that the run is for, or its epochs cannot be chosen as asked for."""
    if methods and registry.final_method(methods) is None:
        names = ", ".join(one.name for one in methods)
        raise ConfigError(f"method: {names} has rank None, so a run cannot deliver its models; give another method too")
    for key, text in estimates_of_others(keep, methods):
        raise ConfigError(in_words_of_the_caller(f"{key}: {text}"))


def _vicinity(given: MaskedLMVicinity | Around | None) -> Any:
    return given if isinstance(given, MaskedLMVicinity) else MaskedLMVicinity() if given is None else _section(given)


def _training(task: str, model: str, own: UXLA, inputs: Inputs) -> dict[str, Any]:
    """The trainings and the length that the paper has for the task, or those of the shipped model."""
    preset: Any = read_document("testbed" if model == "testbed" else _PRESETS[task]).values
    found: dict[str, Any] = {"max_length": preset["max_length"]}
    for section, given in (("warmup", own.warm_up), ("adaptation", own.adaptation)):
        found[section] = dict(preset[section]) if given is None else given.model_dump()
    warm_up = found["warmup"]
    if own.warm_up is None and inputs.dev is None:
        warm_up["selection"] = "last"
    if own.warm_up is None and (passes := warm_up.get("epochs")) is not None:  # of little data more passes
        sentences = warm_up["batch_size"] * warm_up.get("accumulation", 1) * _FEWEST_STEPS
        warm_up["epochs"] = max(passes, sentences / len(inputs.train))
    return found


def _section(part: Any) -> Any:
    """The tagged value of a configuration; of a user's own part, which no configuration can make, its name alone."""
    kind = next((kind for kind, made in PARTS.items() if type(part) is made), None)
    if kind is not None:
        return {"kind": kind, **asdict(part)}
    return part if isinstance(part, PluggedIn) else PluggedIn.model_construct(kind=kind_of(part))
