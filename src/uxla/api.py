"""`adapt`: models for another language from corpora, a model and a method; `run`: the same from a configuration."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Literal

from uxla import progress
from uxla.adapted import Adapted
from uxla.choices import AskedPrecision, Task
from uxla.config.files import IN_MEMORY
from uxla.config.method import MaskedLMVicinity
from uxla.config.run import RunConfig
from uxla.console import showing_to_caller
from uxla.devices import Devices
from uxla.errors import spelled_as
from uxla.events import Event, Finished, Planned, StageEnded, heard_by, unheard
from uxla.executors.choice import Choice, running
from uxla.executors.sharded import Sharded
from uxla.methods.method import Method
from uxla.models.hub import download_size, is_here, resolve
from uxla.models.saving import check_objects, objects_digest, write_objects
from uxla.plan.plan import Plan, check_room, foreseen
from uxla.plan.plan import plan as plan_of
from uxla.process_settings import process_settings
from uxla.records import ModelHandle
from uxla.shards import Shard, check_shard, shared
from uxla.store.opening import open_store
from uxla.store.seen import Seen
from uxla.store.store import Store
from uxla.study import pipeline
from uxla.study.arguments import Request, arguments_of, check_arguments, request_of
from uxla.study.inputs import load_inputs
from uxla.study.messages import Messages
from uxla.study.recording import recording
from uxla.study.run_folder import check_folder, is_finished
from uxla.study.settings import UXLA
from uxla.study.tracking import require
from uxla.study.vicinities import Around
from uxla.targets import Target
from uxla.testbed import model_name

Listener = Callable[[Event], None]
Data = Any
"""A `Corpus`, or whatever `uxla.read` makes one of."""

_PAPER = UXLA()


def adapt(
    source: Data,
    target: Data | Target | Mapping[str, Data | Target],
    *,
    dev: Data | None = None,
    test: Data | None = None,
    model: str | Path | tuple[Any, Any] = "FacebookAI/xlm-roberta-base",
    revision: str | None = None,
    task: Task | None = None,
    method: UXLA | Method | str = _PAPER,
    vicinity: MaskedLMVicinity | Around | None = None,
    baselines: Sequence[Method | str] = (),
    store: Store | str | Path | None = None,
    executor: Choice = None,
    on_event: Listener = unheard,
    seed: int = 0,
    devices: Devices = "auto",
    precision: AskedPrecision = "fp32",
    keep: Literal["last", "estimated"] = "last",
    **settings: Any,
) -> Adapted:
    """Three models that learned from a labelled `source` and from raw text of a `target` language, and their scores.

    All data is a `uxla.Corpus`, or what `uxla.read` takes. `dev` and `test` are labelled data of the source; a
    `uxla.Target` has the raw text of a target with its labelled data, and a mapping has several targets by name.
    `model` is a folder, a Hub id, `testbed` (the small model that is shipped), or a model and a tokenizer of
    transformers in memory. The `task` is inferred from the data; pairs are taken for `nli`. `method` is Algorithm 1
    with its settings, a `uxla.UXLA`, or another method; `baselines` are methods to compare with, by name (`uxla
    methods` lists them) or as values, and need a test set of the target. `vicinity` is Gen-LM with its settings, or a
    function from a corpus to its virtual examples.

    Finished work is kept in the `store`, and the next call finds it there; without a store it lies in a temporary
    folder as long as the result lives. Independent work is done by the `executor`: by default a process for each of the
    `devices`; `"ray"`, or a `uxla.Ray`, is a cluster (docs/devices.md). `on_event` receives each `uxla.Event` as it
    happens. `keep` says which models the result has: those of the `last` epoch, or of the epoch with the best score
    `estimated` without labels. Only their weights stay in the store; `keep_weights="warmup"` also keeps those that
    methods begin with, for runs on other targets, and `"all"` those of every epoch. `settings` are other keys of a
    configuration (docs/configuration.md), such as `keep_weights`; `methods`, a list in place of `method` and
    `baselines`; and `files`, the keys `source`, `target_data`, `testbed` and `tracking` of a configuration, which are
    only recorded, in place of names for data in memory.

    Raises UxlaError, before any work, if an argument is at fault.

    >>> import uxla
    >>> source = [(["Ana", "lives", "in", "Lima"], ["B-PER", "O", "O", "B-LOC"])]
    >>> result = uxla.adapt(uxla.read(source, lang="en"), ["Ana vive en Lima"])   # doctest: +SKIP
    >>> result.ensemble.predict("Ana vive en Lima")                                # doctest: +SKIP
    """
    check_arguments(method, vicinity, baselines, executor, on_event)
    settings |= {"revision": revision, "seed": seed, "devices": devices, "precision": precision, "keep": keep}
    request = request_of(
        source,
        target,
        dev=dev,
        test=test,
        model=str(model) if isinstance(model, str | Path) else f"{IN_MEMORY}{type(check_objects(model)[0]).__name__}",
        task=task,
        method=method,
        vicinity=vicinity,
        baselines=baselines,
        **settings,
    )
    with ExitStack() as on_failure, process_settings(), showing_to_caller():
        place = _store(store, on_failure)
        handles = pipeline.Models.of(request.config, None if isinstance(model, str | Path) else _stored(model, place))
        workers = running(executor, request.config.placement, shared=[] if place.shared else [place.root])
        with workers as doing, _foreseen(request, handles, place, on_event) as listen:
            finished = pipeline.adapt(request, handles, store=place, executor=doing, on_event=listen)
        on_failure.pop_all()
    if store is None:
        weakref.finalize(finished, shutil.rmtree, place.root, ignore_errors=True)
    return Adapted(finished.results, finished.environment, finished)


def plan(config: RunConfig, *, probed: bool = True, fresh: bool = False) -> Plan:
    """What `run` would do for `config`: trainings, hours if `probed`, memory, disk. Models are not downloaded for it.

    `fresh` is as in `run`.
    """
    began, store, own = time.monotonic(), open_store(fresh=fresh), config.masked_lm
    backbone = model_name(config.model), config.revision
    named = [backbone, backbone if own.model is None else (model_name(own.model), own.revision)]
    downloads = {name: download_size(name, revision) for name, revision in named if not is_here(name, revision)}
    with spelled_as("yaml"), config.process(), showing_to_caller():
        request = request_of(**arguments_of(config, load_inputs(config, store)))
        handles = [
            ModelHandle(Path(name), name)
            if name in downloads
            else resolve(name, revision=revision, safety=config.safety)
            for name, revision in named
        ]
        models = pipeline.Models(*handles)
        return plan_of(request, models, store, probed=probed, downloads=downloads, began=began)


def run(
    config: RunConfig,
    out: Path,
    *,
    fresh: bool = False,
    overwrite: bool = False,
    seen: Seen | None = None,
    shard: Shard | None = None,
    executor: Choice = None,
    on_event: Listener = unheard,
) -> dict[str, Any]:
    """Adapt as `config` says and write the run folder `out`; the value is what `results.json` holds.

    Raises UxlaError before anything is written if the input is at fault. Finished work is kept in the store, so that
    the same call resumes an interrupted run. `fresh` repeats all work, except for what is `seen`. The `executor` is as
    that of `adapt`. A folder of another configuration is refused, or with `overwrite` replaced. Of a `shard` only its
    trainings and labellings are done, and the folder is written when all are; until then UnfinishedError says to call
    again.
    """
    check_shard(shard, executor, fresh=fresh)
    check_folder(out, config, overwrite=overwrite)
    require(config)
    if shard is not None and is_finished(out, config):
        progress.note(f"{out}: is finished")
        return dict(json.loads((out / "results.json").read_bytes()))

    def write() -> dict[str, Any]:
        with spelled_as("yaml"), recording(out, config, overwrite=overwrite) as record:
            emit = heard_by((record, Messages(config.task, config.source.name)))
            store = open_store(emit, fresh=fresh, seen=seen)
            arguments = arguments_of(config, load_inputs(config, store))
            adapted = adapt(**arguments, store=store, executor=executor, on_event=heard_by((record, on_event)))
            adapted.save(out)
            record(Finished())
        return dict(adapted.results)

    return shared(shard, partial(_do_shard, config, on_event), write)


def _do_shard(config: RunConfig, on_event: Listener, shard: Shard) -> None:
    """Do what a shard can do of a run. All weights stay until the run is put together: another shard may go on from
    them."""
    with spelled_as("yaml"):
        store = open_store()
        arguments = arguments_of(config.model_copy(update={"keep_weights": "all"}), load_inputs(config, store))
        adapt(**arguments, store=store, executor=Sharded(shard), on_event=on_event)


@contextmanager
def _foreseen(request: Request, models: pipeline.Models, store: Store, record: Listener) -> Iterator[Listener]:
    """A listener that keeps one bar over all trainings of a run beside `record`, which hears how many there are.

    WriteError where the disk has no room for the run.
    """
    planned = foreseen(request, models, store)
    if planned is None:
        yield record
        return
    check_room(planned, store.root)
    count = planned.trainings
    record(Planned(count))
    with progress.bar(f"all {count} trainings", count) as bar:

        def listen(event: Event) -> None:
            record(event)
            if isinstance(event, StageEnded) and event.stage == "fit" and not event.hit:
                bar.advance()

        yield listen


def _stored(model: tuple[Any, Any], store: Store) -> str:
    """The folder, in the store, of a model in memory."""

    def make(into: Path, scratch: Path) -> Mapping[str, Any]:
        write_objects(*model, into)
        return {"model": type(model[0]).__name__}

    return str(store.folder("model", {"objects": objects_digest(*model)}, make)[0])


def _store(given: Store | str | Path | None, on_failure: ExitStack) -> Store:
    """The store that is given, or one in a temporary folder."""
    if isinstance(given, Store):
        return given
    if given is not None:
        return Store(given)
    folder = tempfile.mkdtemp(prefix="uxla-")
    on_failure.callback(shutil.rmtree, folder, ignore_errors=True)
    return Store(Path(folder))
