"""`adapt`: from corpora, a model and a method to models for another language."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from os import devnull
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from uxla.algorithm.distil import CleanCluster, MostConfident
from uxla.choices import Device, Precision, Task
from uxla.config.documents import read_document
from uxla.config.method import MaskedLMVicinity
from uxla.config.run import RunConfig
from uxla.errors import ConfigError, DataError
from uxla.records import Corpus, Example
from uxla.store.journal import Journal
from uxla.store.store import Store
from uxla.study import pipeline
from uxla.study.adapted import Adapted
from uxla.study.inputs import Inputs, Target
from uxla.study.settings import UXLA

Raw = Corpus | Iterable[str]
Targets = Raw | Target | Mapping[str, Raw | Target]
"""Raw text, with held-out data in a `Target`; of several languages by their names."""

_PAPER = UXLA()
_PRESETS = {"ner": "xner", "nli": "xnli-5", "paraphrase": "pawsx-5", "classification": "sib200"}
IN_MEMORY = "(in memory)"
"""What a configuration has in place of the path of data that was given in memory."""


def adapt(
    source: Corpus,
    target: Targets,
    *,
    dev: Corpus | None = None,
    test: Corpus | None = None,
    model: str | Path = "FacebookAI/xlm-roberta-base",
    revision: str | None = None,
    task: Task | None = None,
    method: UXLA | str = _PAPER,
    vicinity: MaskedLMVicinity | None = None,
    baselines: Sequence[str] = (),
    store: Store | str | Path | None = None,
    on_event: Callable[[Any], None] | None = None,
    seed: int = 0,
    device: Device = "auto",
    precision: Precision = "fp32",
    keep: Literal["last", "estimated"] = "last",
    max_length: int | None = None,
    trace: int = 0,
    **runtime: Any,
) -> Adapted:
    """Three models that learned from a labelled `source` and from raw text of a `target` language, and their scores.

    `dev` and `test` are labelled data of the source; those of a target are in its `uxla.Target`. `task` is told by the
    data unless two tasks have such data: pairs are taken for `nli`. `baselines` are names of methods to compare with
    (`uxla methods` lists them); they need a target's test set to be scored on. With a `store` finished work is found
    again in the next run; without, it is kept in a temporary folder for as long as the value lives. `keep` says which
    epoch's models are the run's: the `last`, or the one with the best estimated score. `runtime` has further settings
    of a configuration by their names (docs/configuration.md), as `tokens_per_batch=4096`.

    Raises UxlaError, before any work, where an argument is at fault.

    >>> import uxla
    >>> source = [(["Ana", "lives", "in", "Lima"], ["B-PER", "O", "O", "B-LOC"])]
    >>> result = uxla.adapt(uxla.read(source, lang="en"), ["Ana vive en Lima"])   # doctest: +SKIP
    >>> result.final["target"]                                                     # doctest: +SKIP
    """
    targets = _targets(target, source)
    shape = task or _task(source)
    chosen = method if isinstance(method, UXLA) else UXLA()
    methods = (*baselines, "uxla" if isinstance(method, UXLA) else method)
    values = _training_defaults(shape, str(model), chosen, dev)
    values |= {
        **runtime,
        "task": shape,
        "seed": seed,
        "model": str(model),
        "revision": revision,
        "device": device,
        "precision": precision,
        "keep": keep,
        "trace": trace,
        "source": _paths({"train": source, "dev": dev, "test": test}) | {"name": source.name},
        "target": tuple(one.name for one in targets),
        "target_data": _paths({part: [getattr(one, part) for one in targets] for part in _PARTS}),
        "alpha": chosen.alpha,
        "schedule": [_plan(epoch) for epoch in chosen.epochs],
        "agree": {"kind": chosen.agreement},
        "order": chosen.order,
        "collapse_share": chosen.collapse_share,
        "methods": tuple(dict.fromkeys(methods)),
    }
    if max_length is not None:
        values["max_length"] = max_length
    if vicinity is not None:
        values["vicinity"] = vicinity
    config = _checked(values)
    journal = Journal(Path(devnull))
    if on_event is not None:
        journal.watch = lambda event, counts: on_event({"event": event, **counts})
    folder = Path(store.root if isinstance(store, Store) else store).expanduser() if store is not None else None
    temporary = None if folder is not None else tempfile.mkdtemp(prefix="uxla-")
    try:
        inputs = Inputs(source, dev, test, targets)
        adapted = pipeline.adapt(config, inputs, Store(folder or Path(str(temporary)), journal))
    except BaseException:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)
        raise
    if temporary is not None:
        weakref.finalize(adapted, shutil.rmtree, temporary, ignore_errors=True)
    return adapted


_PARTS = ("train", "dev", "test", "labelled", "translated")


def _paths(parts: Mapping[str, Any]) -> dict[str, Any]:
    """A section of data files for what is given in memory; with several targets each has a place of its own."""
    found = {part: given[0] if isinstance(given, list) else given for part, given in parts.items()}
    return {part: f"{IN_MEMORY} {{target}}" if part in _PARTS else "" for part, given in found.items() if given}


def _targets(given: Targets, source: Corpus) -> tuple[Target, ...]:
    named = given if isinstance(given, Mapping) else {getattr(given, "name", "") or "target": given}
    return tuple(_target(name, one, source) for name, one in named.items())


def _target(name: str, given: Raw | Target, source: Corpus) -> Target:
    if isinstance(given, Target):
        return Target(name, given.train.unlabelled(), given.dev, given.test, given.labelled, given.translated)
    if isinstance(given, Corpus):
        return Target(name, given.renamed(name).unlabelled(), None, None, None)
    if isinstance(given, str):
        raise DataError(f"target: got one str, expected a corpus or several texts; write [{given[:20]!r}]")
    texts = (Example(str(i), name, (" ".join(text.split()),)) for i, text in enumerate(given))
    return Target(name, Corpus.from_examples(name, source.label_names, texts), None, None, None)


def _task(source: Corpus) -> Task:
    """What the labelled examples are for."""
    if len(source) == 0:
        raise DataError(f"{source.name}: has no example, expected labelled ones")
    if len(source[0].segments) == 2:
        return "nli"
    return "ner" if "O" in source.label_names else "classification"


def _training_defaults(task: Task, model: str, method: UXLA, dev: Corpus | None) -> dict[str, Any]:
    """The paper's trainings and length for the task, or those of the shipped model."""
    preset = read_document("testbed" if model == "testbed" else _PRESETS[task]).values
    found: dict[str, Any] = {"max_length": preset["max_length"]}
    for section, own in (("warmup", method.warm_up), ("adaptation", method.adaptation)):
        found[section] = dict(preset[section]) if own is None else own.model_dump()  # type: ignore[arg-type]
    if method.warm_up is None and dev is None:
        found["warmup"]["selection"] = "last"
    return found


def _plan(epoch: Any) -> dict[str, Any]:
    data = [name for name in ("source", "target", "source_vicinity", "target_vicinity") if getattr(epoch, name)]
    if isinstance(epoch.select, MostConfident):
        return {"data": data, "select": {"kind": "confidence", **asdict(epoch.select)}}
    if isinstance(epoch.select, CleanCluster):
        return {"data": data, "select": {"kind": "clustering", "threshold": epoch.select.threshold}}
    raise ConfigError(f"method: epochs select by {epoch.select!r}, expected MostConfident or CleanCluster")


def _checked(values: dict[str, Any]) -> RunConfig:
    try:
        return RunConfig.model_validate(values)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        field = fault.get("ctx", {}).get("field", "")
        place = ".".join(str(part) for part in (*fault["loc"], field) if part != "")
        raise ConfigError(f"adapt: {place}: {fault['msg']}") from None
