"""One run from configuration to results: load, warm up, co-train, score, write. The composition, and no mathematics."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any

import torch
import transformers

from uxla import progress
from uxla.models.loading import resolve
from uxla.models.memory import Budget
from uxla.models.tasks import TASKS
from uxla.records import Corpus
from uxla.run.config import Method, RunConfig
from uxla.run.inputs import Inputs, Target, load_inputs
from uxla.run.journal import Journal
from uxla.run.methods import Study, Triple
from uxla.run.store import Store, default_root
from uxla.run.write import write_run

Results = dict[str, Any]
Trained = dict[Method, list[Triple]]


def run(config: RunConfig, out: Path) -> Results:
    """Do everything `config` asks for and write the run folder `out`; the value is what `results.json` holds.

    Raises UxlaError before anything is written where the input is at fault. Finished work is kept in the store, so
    that the same call after an interruption goes on where it was.
    """
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    if config.threads is not None:
        torch.set_num_threads(config.threads)
    journal = Journal(out / "journal.jsonl")
    store = Store(default_root(), journal)
    inputs = load_inputs(config, store)
    model = resolve(_shipped(config.model), revision=config.revision)
    vicinity_model = model
    if config.vicinity.model is not None:
        vicinity_model = resolve(_shipped(config.vicinity.model), revision=config.vicinity.revision)
    study = Study(config, TASKS[config.task](), inputs, model, vicinity_model, store, Budget(config.tokens_per_batch))
    study.check_models()
    journal.open()
    _describe(inputs, study)
    trained = {t.name: {method: study.train(method, t) for method in config.methods} for t in inputs.targets}
    results: Results = {
        "version": 1,
        "task": config.task,
        "selection": config.adaptation.selection,
        "source": _source_results(study, trained),
        "targets": {t.name: _target_results(study, t, trained[t.name]) for t in inputs.targets},
        "inputs": {"model": model.digest, "vicinity_model": vicinity_model.digest, **inputs.digests()},
    }
    write_run(out, results, study, {name: _final(methods) for name, methods in trained.items()})
    return results


def _shipped(name: str) -> str:
    if name != "testbed":
        return name
    from uxla.testbed import asset

    return str(asset())


def _describe(inputs: Inputs, study: Study) -> None:
    journal = study.store.journal
    journal.write("versions", torch=torch.__version__, transformers=transformers.__version__, cpus=os.cpu_count())
    for target in inputs.targets:
        counts = {"source": len(inputs.train), "target": len(target.train)}
        shared = _duplicates(target.train, target.test) if target.test is not None else 0
        journal.write("data", language=target.name, **counts, test_sentences_also_in_train=shared)
        progress.note(
            f"{inputs.train.name} → {target.name}: {counts['source']} labelled, {counts['target']} raw sentences"
        )
        if shared:
            progress.note(f"{target.name}: {shared} of {len(target.test or ())} test sentences also stand in its train")


def _duplicates(train: Corpus, test: Corpus) -> int:
    known = Counter(example.segments for example in train)
    return sum(example.segments in known for example in test)


def _final(trained: Trained) -> Triple:
    """The models a run is for: UXLA's, or where that was not asked for those of the strongest method there is."""
    for method in ("uxla", "tri_training", "penalty", "zero_shot", "ensemble", "supervised"):
        if method in trained:
            return trained[method][-1]
    raise AssertionError("a run has at least one method")


def _source_results(study: Study, trained: dict[str, Trained]) -> Results:
    test = study.inputs.test
    named: Results = {"name": study.config.source.name}
    if test is None or "uxla" not in study.config.methods:
        return named
    after = {name: study.score(methods["uxla"][-1], test) for name, methods in trained.items()}
    return named | {"before": study.score(study.warm_up(penalty=True), test), "after": after}


def _target_results(study: Study, target: Target, trained: Trained) -> Results:
    """The scores of one target, on its test set, looked at here for the first time."""
    results: Results = {}
    if target.test is None:
        return results
    for method, epochs in trained.items():
        if method == "uxla":
            results["uxla"] = [study.score(models, target.test) for models in epochs]
            results["uxla_ensemble"] = study.score_ensemble(epochs[-1], target.test)
        elif method == "ensemble":
            results["ensemble"] = study.score_ensemble(epochs[-1], target.test)
        else:
            results[method] = study.score(epochs[-1], target.test)
    return results
