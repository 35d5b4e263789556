"""One run: warm up, co-train, score. The composition, and no mathematics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

from uxla import progress
from uxla.algorithm.distil import CleanCluster
from uxla.config.run import RunConfig
from uxla.events import (
    Began,
    Channel,
    Emit,
    Event,
    Measured,
    Scored,
    StageEnded,
    TrainingEnded,
    Warned,
    heard_by,
)
from uxla.executors.executor import Executor, executing, side_by_side
from uxla.methods.method import Method, Start
from uxla.models.hub import resolve
from uxla.models.tasks import TASKS
from uxla.records import ModelHandle
from uxla.store.seen import WeightsGoneError
from uxla.store.store import Store
from uxla.store.versions import mixture
from uxla.study.arguments import Request
from uxla.study.check_models import check_models
from uxla.study.choose_epoch import ByMethod, Outcome, choose_epoch
from uxla.study.confidence import confidences
from uxla.study.data_doubts import describe
from uxla.study.environment import environment
from uxla.study.finished_run import FinishedRun
from uxla.study.labelling import Labelling, Triple
from uxla.study.messages import Messages
from uxla.study.results import run_results
from uxla.study.settings import UXLA
from uxla.study.study import Study
from uxla.study.trace import Traces
from uxla.study.vicinities import GenLM, OwnVicinity
from uxla.study.weights import Weights
from uxla.targets import Target
from uxla.testbed import model_name

_Carried = tuple[Mapping[str, ByMethod], Mapping[str, Outcome], Mapping[str, ModelHandle], dict[str, Any]]


class Models(NamedTuple):
    """The pretrained models of a run."""

    backbone: ModelHandle
    vicinity: ModelHandle

    @classmethod
    def of(cls, config: RunConfig, backbone: str | None = None) -> Models:
        """Those that a configuration names, downloaded if need be; samples are made by the backbone, or another one.

        `backbone` is the folder of one that was given in memory.
        """
        safety, own = config.safety, config.masked_lm
        first = resolve(backbone or model_name(config.model), revision=config.revision, safety=safety)
        if own.model is None:
            return cls(first, first)
        return cls(first, resolve(model_name(own.model), revision=own.revision, safety=safety))


def adapt(request: Request, models: Models, *, store: Store, executor: Executor, on_event: Emit) -> FinishedRun:
    """The models and scores that are asked for. Raises UxlaError before any work where the input is at fault."""
    config, trainings, seconds, tokens = request.config, list[dict[str, Any]](), Counter[str](), set[int]()
    traces = Traces(config.trace, "uxla")

    def history(event: Event) -> None:
        if isinstance(event, TrainingEnded):
            trainings.append(event.facts)
        if isinstance(event, StageEnded):
            seconds[event.stage] += event.seconds  # type: ignore[assignment]
            tokens.update({event.facts["tokens_per_batch"]} if "tokens_per_batch" in event.facts else ())

    emit = Channel(
        heard_by((on_event, Messages(config.task, request.inputs.train.name, request.methods), traces, history))
    )
    study = study_of(request, models, replace(store, emit=emit))
    begins = asks_vicinity(request.methods, request.uxla)
    with _process(config, emit), executing(executor):
        check_models(study, request.methods, config.model, generates=begins)
        emit(Began())
        describe(study, generates=begins)
        trained, outcomes, single, results = _carried_out(study, request, trainings, traces)
        confidence = confidences(study, {name: found.final for name, found in outcomes.items()})
        results |= {"confidence": {name: found.facts for name, found in confidence.items()}}
        results["warnings"] += request.inputs.left_out
        if (mixed := mixture(study.labelling.store.made_with)) is not None:
            results["warnings"].append(mixed)
        emit(Scored(results))
        for warning in results["warnings"]:
            emit(Warned(warning))
        named = {"model": models.backbone, "vicinity.model": models.vicinity}
        around = environment(config, named, study.labelling.store.made_with)
        around["tokens_per_batch"] = sorted(tokens)
        around["seconds"] = {stage: round(spent, 1) for stage, spent in sorted(seconds.items())}
    final = {name: found.final for name, found in outcomes.items()}
    scaling = {name: found.scaling for name, found in confidence.items()}
    return FinishedRun(config, results, around, trained, final, single, scaling, study, traces)


def _carried_out(study: Study, request: Request, trainings: list[dict[str, Any]], traces: Traces) -> _Carried:
    """As `carry_out`, from the beginning again each time weights are needed that are gone: they are made again on the
    way, and whatever follows from them if they now have other bytes, as on a GPU."""
    while True:
        try:
            return carry_out(study, request, trainings)
        except WeightsGoneError as gone:
            study.labelling.store.seen.needed.add(gone.place)  # it may have been needed in another process
            progress.note("a model is needed whose weights are gone; it is made again")
            study = replace(study, weights=study.weights.anew())
            trainings.clear()
            traces.clear()


def carry_out(study: Study, request: Request, trainings: Sequence[Mapping[str, Any]]) -> _Carried:
    """All that takes time: by target what each method trained, what the models are judged to be, and the one model in
    place of three; and the results. `trainings` grows as the events of trainings arrive."""
    asked, selection = request.config.keep == "estimated", request.config.adaptation.selection
    starts, trained = dict[str, Triple](), dict[str, ByMethod]()
    outcomes, single = dict[str, Outcome](), dict[str, ModelHandle]()
    for target in study.targets:
        own = trained[target.name] = train(study, request.methods, target, starts)
        outcomes[target.name] = found = choose_epoch(study, target, own, starts, trainings, asked=asked)
        single[target.name] = study.averaged(found.final)
        study.weights.delivered(target, found.final)
    results = run_results(study, trained, outcomes, single, starts, trainings, selection=selection)
    return trained, outcomes, single, results


def train(study: Study, methods: Sequence[Method], target: Target, starts: dict[str, Triple]) -> ByMethod:
    """By method the three models after each epoch for one target; methods go on side by side if there are several
    devices.

    `starts` are the models that methods begin with, by the method that these are of. Each is made once. What the
    results ask of models is labelled as soon as they are made, so that weights may go when nothing begins with them.
    """
    promised = {method.start.method: Future[Triple]() for method in methods if method.start is not None}
    for name in promised.keys() & starts.keys():
        promised[name].set_result(starts[name])
    makers = {method.start.method: method for method in reversed(methods) if method.start is not None}

    def one(method: Method) -> Sequence[Triple]:
        if method.start is None:
            return _trained(study, method, target, None)
        start = promised[method.start.method]
        if makers[method.start.method] is method and not start.done():
            _keep(start, partial(_started, study, method.start))
        return _trained(study, method, target, start.result())

    def work(method: Method) -> int:
        waiting = (other for other in methods if other.start is not None and makers[other.start.method] is method)
        return max(other.data_sets(study.epochs) for other in (method, *waiting))

    found = dict(zip((method.name for method in methods), side_by_side(one, methods, work), strict=True))
    starts |= {name: start.result() for name, start in promised.items()}
    return found


def _keep(promise: Future[Triple], make: Callable[[], Triple]) -> None:
    """Make what other methods wait for, or tell them too why it cannot be made."""
    try:
        promise.set_result(make())
    except BaseException as error:
        promise.set_exception(error)
        raise


def _started(study: Study, start: Start) -> Triple:
    models = start.make(study)
    study.after.label_ahead(start.method, study.targets, models)
    study.weights.started(start.method, models, study.targets)
    return models


def _trained(study: Study, method: Method, target: Target, start: Triple | None) -> Sequence[Triple]:
    after = method.run(study, target, start)
    for models in after if method.steps is not None else ():
        study.after.label_ahead(method.name, [target], models)
    study.weights.ended(target, method, after)
    return after


def asks_vicinity(methods: Sequence[Method], uxla: UXLA) -> bool:
    """Whether any method asks the vicinity model for something: for samples, or how fluent a text is."""
    for method in methods:
        if method.adapts:
            for epoch in method.epochs(uxla.epochs) if method.schedule is not None else uxla.epochs:
                features = epoch.select.features if isinstance(epoch.select, CleanCluster) else ()
                if epoch.source_vicinity or epoch.target_vicinity or "fluency" in features:
                    return True
    return False


def study_of(request: Request, models: Models, store: Store) -> Study:
    """What the methods of a run are given. It emits events by the store's `emit`."""
    config, task = request.config, TASKS[request.config.task]()
    runtime = config.runtime(config.max_length, attention=config.attention, compile=config.compile)
    gen_lm = GenLM(
        settings=config.masked_lm,
        model=models.vicinity,
        task_name=config.task,
        segments=task.segments,
        runtime=runtime,
        store=store,
        seed=config.seed,
    )
    return Study(
        inputs=request.inputs,
        labelling=Labelling(config.task, task, models.backbone, runtime, store, config.devices_per_training),
        uxla=request.uxla,
        vicinity=gen_lm,
        around=None if request.around is None else OwnVicinity(request.around),
        mlm=config.mlm,
        weights=Weights(store, config.keep_weights, request.methods, request.uxla, config.keep == "estimated"),
        seed=config.seed,
        checkpoint_minutes=config.checkpoint_minutes,
    )


@contextmanager
def _process(config: RunConfig, emit: Emit) -> Iterator[None]:
    """With the threads and the determinism that are asked for; losses of training steps are events."""

    def measured(label: str, values: Mapping[str, float]) -> None:
        emit(Measured(label, values))

    with config.process(), progress.measuring(measured):
        yield
