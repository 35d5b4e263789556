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
from uxla.models.tasks import TASKS
from uxla.records import Corpus
from uxla.run.config import RunConfig
from uxla.run.inputs import Inputs, Target, load_inputs
from uxla.run.journal import Journal
from uxla.run.methods import Study, Triple
from uxla.run.store import Store, default_root
from uxla.run.write import write_run

Results = dict[str, Any]


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
    study = Study(config, TASKS[config.task](), inputs, model, vicinity_model, store)
    _describe(inputs, study)
    adapted = {target.name: _adapt(study, target) for target in inputs.targets}
    results: Results = {
        "version": 1,
        "task": config.task,
        "selection": config.adaptation.selection,
        "source": _source_results(study, adapted),
        "targets": {target.name: _target_results(study, target, adapted[target.name]) for target in inputs.targets},
        "inputs": {"model": model.digest, "vicinity_model": vicinity_model.digest, **inputs.digests()},
        "seconds": {stage: round(seconds, 1) for stage, seconds in sorted(journal.seconds.items())},
    }
    write_run(out, config, results, study, adapted)
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


def _adapt(study: Study, target: Target) -> list[Triple]:
    """The models after each epoch of UXLA, or the warmed-up ones where UXLA was not asked for."""
    if "uxla" in study.config.methods:
        return study.uxla(target)
    return [study.warm_up("penalty")]


def _source_results(study: Study, adapted: dict[str, list[Triple]]) -> Results:
    test = study.inputs.test
    named: Results = {"name": study.config.source.name}
    if test is None:
        return named
    before = study.score(study.warm_up("penalty"), test)
    after = {name: study.score(epochs[-1], test) for name, epochs in adapted.items() if "uxla" in study.config.methods}
    return named | {"before": before, "after": after}


def _target_results(study: Study, target: Target, epochs: list[Triple]) -> Results:
    test, methods = target.test, study.config.methods
    results: Results = {}
    if test is None:
        return {}
    if "zero_shot" in methods:
        results["zero_shot"] = study.score(study.warm_up("zero_shot"), test)
    if "penalty" in methods:
        results["penalty"] = study.score(study.warm_up("penalty"), test)
    if "ensemble" in methods:
        results["ensemble"] = study.score_ensemble(study.warm_up("zero_shot"), test)
    if "tri_training" in methods:
        results["tri_training"] = study.score(study.tri_training(target)[-1], test)
    if "uxla" in methods:
        results["uxla"] = [study.score(models, test) for models in epochs]
        results["uxla_ensemble"] = study.score_ensemble(epochs[-1], test)
    if "supervised" in methods:
        results["supervised"] = study.score(study.supervised(target), test)
    return results
