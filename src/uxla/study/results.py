"""What `results.json` holds: every method's scores on the test sets, looked at here for the first time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from uxla.config.run import Method
from uxla.report.table import VERSION
from uxla.study.choose_epoch import NO_DEV, Verdict
from uxla.study.doubts import poor_models
from uxla.study.inputs import Target
from uxla.study.study import Study, Triple

Results = dict[str, Any]
Trained = dict[Method, list[Triple]]


def run_results(study: Study, trained: Mapping[str, Trained], verdicts: Mapping[str, Verdict]) -> Results:
    """All of `results.json`; `trained` and `verdicts` are by target. docs/results-schema.md describes it."""
    models = {"model": study.model.digest, "vicinity_model": study.vicinity_model.digest}
    targets = {t.name: _target_results(study, t, trained[t.name], verdicts[t.name]) for t in study.inputs.targets}
    kept = {name: found.kept_epoch for name, found in verdicts.items() if found.kept_epoch is not None}
    of_all = [NO_DEV] if study.inputs.dev is None else list(poor_models(study))
    transfer = _transfer(study, verdicts)
    return {
        "version": VERSION,
        "task": study.config.task,
        "metric": "f1" if study.config.task == "ner" else "accuracy",
        "selection": study.config.adaptation.selection,
        "precision": study.config.precision,
        "agreement": study.config.agree.kind,
        "min_agreed": getattr(study.config.agree, "min_agreed", 0.5),
        "source": _source_results(study, verdicts),
        "targets": targets,
        **({"transfer": transfer} if transfer else {}),
        "estimates": {name: found.as_dict() for name, found in verdicts.items() if found.as_dict()},
        **({"kept_epoch": kept} if kept else {}),
        "trainings": study.trainings or [],
        "warnings": of_all + [warning for found in verdicts.values() for warning in found.warnings],
        "inputs": {**models, **study.inputs.digests()},
    }


def _source_results(study: Study, verdicts: Mapping[str, Verdict]) -> Results:
    test = study.inputs.test
    named: Results = {"name": study.config.source.name}
    if test is None or "uxla" not in study.config.methods:
        return named
    after = {name: study.score(found.kept, test) for name, found in verdicts.items()}
    return named | {"before": study.score(study.warm_up(penalty=True), test), "after": after}


def _target_results(study: Study, target: Target, trained: Trained, found: Verdict) -> Results:
    """The scores of one target on its test set, and on its dev set where one is given."""
    if target.test is None:
        return _dev_results(study, target, trained)
    results: Results = {}
    by_epoch: Results = {}
    for method, epochs in trained.items():
        if method == "ensemble":
            results[method] = study.score_ensemble(epochs[-1], target.test)
            continue
        scores = [study.score(models, target.test) for models in epochs]
        if method == "uxla":
            results |= {"uxla": scores, "uxla_ensemble": study.score_ensemble(found.kept, target.test)}
        else:
            results[method] = scores[-1]
            by_epoch |= {method: scores} if len(scores) > 1 else {}
    own = {"uxla", "ensemble", *(("zero_shot",) if "ensemble" in trained else ())}  # they have entries of their own
    ensembles = {m: study.score_ensemble(epochs[-1], target.test) for m, epochs in trained.items() if m not in own}
    more = {"by_epoch": by_epoch, "ensembles": ensembles}
    return results | {name: found for name, found in more.items() if found} | _dev_results(study, target, trained)


def _dev_results(study: Study, target: Target, trained: Trained) -> Results:
    """`dev`: the target's dev scores of the warm-up and after each epoch (Figure 2)."""
    dev = target.dev
    if dev is None or "uxla" not in trained:
        return {}
    epochs = [study.score(models, dev) for models in trained["uxla"]]
    return {"dev": {"penalty": study.score(study.warm_up(penalty=True), dev), "uxla": epochs}}


def _transfer(study: Study, verdicts: Mapping[str, Verdict]) -> Results:
    """Table 6: the warm-up's and each adapted ensemble on every language that has a test set."""
    tests = {study.config.source.name: study.inputs.test} | {t.name: t.test for t in study.inputs.targets}
    if "uxla" not in study.config.methods or all(t.test is None for t in study.inputs.targets):
        return {}
    known = {language: test for language, test in tests.items() if test is not None}

    def everywhere(models: Triple) -> Results:
        return {language: study.score_ensemble(models, test) for language, test in known.items()}

    after = {name: everywhere(found.kept) for name, found in verdicts.items()}
    return {"before": everywhere(study.warm_up(penalty=True)), "after": after}
