"""One run: warm up, co-train, score, and write what came of it. The composition, and no mathematics."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from uxla import progress
from uxla.config.run import RunConfig
from uxla.models.hub import resolve
from uxla.models.memory import Budget
from uxla.models.model_safety import ModelSafety
from uxla.models.tasks import TASKS
from uxla.process_settings import process_settings
from uxla.report.table import WARNING
from uxla.store.journal import Journal
from uxla.store.store import Seen, Store, default_root
from uxla.store.versions import mixture
from uxla.study.adapted import Adapted
from uxla.study.choose_epoch import verdict
from uxla.study.described import describe
from uxla.study.environment import environment
from uxla.study.inputs import Inputs, load_inputs
from uxla.study.methods import METHODS
from uxla.study.results import Results, run_results
from uxla.study.run_folder import check_folder, taken
from uxla.study.study import Study, Triple
from uxla.study.tracking import Tracking, require, tracking
from uxla.study.write import write_run
from uxla.testbed import model_name


def run(
    config: RunConfig, out: Path, *, fresh: bool = False, overwrite: bool = False, seen: Seen | None = None
) -> Results:
    """Do everything `config` asks for and write the run folder `out`; the value is what `results.json` holds.

    Raises UxlaError before anything is written where the input is at fault. Finished work is kept in the store, so
    that the same call after an interruption goes on where it was; `fresh` does all of it anew, but for what is `seen`.
    A folder of another configuration is refused, or with `overwrite` replaced.
    """
    check_folder(out, config, overwrite=overwrite)
    journal = Journal(out / "journal.jsonl")
    store = Store(default_root(), journal, fresh, seen or Seen())
    inputs = load_inputs(config, store)
    require(config)
    with ExitStack() as open_while_it_runs:
        trackers = Tracking({})

        def begin() -> None:
            open_while_it_runs.enter_context(taken(out, config, overwrite=overwrite))
            open_while_it_runs.enter_context(tracking(config, out, trackers))
            journal.watch = trackers.event
            journal.open()

        adapted = adapt(config, inputs, store, begin=begin)
        trackers.results(adapted.results)
        write_run(adapted, out)
    return dict(adapted.results)


def adapt(config: RunConfig, inputs: Inputs, store: Store, *, begin: Callable[[], None] = lambda: None) -> Adapted:
    """Everything `config` asks for of these corpora; `begin` is called when all was checked, before any work.

    Raises UxlaError before that where the input is at fault. Finished work is kept in the store.
    """
    safety = ModelSafety(config.trust_remote_code, config.allow_pickle_weights)
    model = resolve(model_name(config.model), revision=config.revision, safety=safety)
    vicinity_model = model
    if config.masked_lm.model is not None:
        name = model_name(config.masked_lm.model)
        vicinity_model = resolve(name, revision=config.masked_lm.revision, safety=safety)
    budget = Budget(config.tokens_per_batch)
    study = Study(config, TASKS[config.task](), inputs, model, vicinity_model, store, budget, safety, trainings=[])
    with process_settings(threads=config.threads, deterministic=config.deterministic):
        study.check_models()
        begin()
        describe(study)
        trained = {t.name: {method: METHODS[method](study, t) for method in config.methods} for t in inputs.targets}
        models: Mapping[str, Mapping[str, Sequence[Triple]]] = {
            name: {str(method): epochs for method, epochs in found.items()} for name, found in trained.items()
        }
        verdicts = {t.name: verdict(study, t, trained[t.name]) for t in inputs.targets}
        results = run_results(study, trained, verdicts)
        if (mixed := mixture(store.made_with)) is not None:
            results["warnings"].append(mixed)
        for warning in results["warnings"]:
            progress.note(f"{WARNING}{warning}")
        around = environment(config, {"model": model, "vicinity.model": vicinity_model}, store.made_with)
        around["seconds"] = {stage: round(seconds, 1) for stage, seconds in sorted(store.journal.seconds.items())}
        final = {name: found.kept for name, found in verdicts.items()}
    return Adapted(config, results, around, models, final, study)
