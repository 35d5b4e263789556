"""The content of `results.json`. Here the labels of the test sets are scored for the first time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from uxla.algorithm.agreement import Token, kind_of
from uxla.config.errors import in_words_of_the_caller
from uxla.methods.description import describe
from uxla.methods.registry import METHODS
from uxla.records import Corpus, ModelHandle
from uxla.report.table import VERSION
from uxla.study.choose_epoch import NO_DEV, ByMethod, Outcome
from uxla.study.labelling import Triple
from uxla.study.run_warnings import one_snapshot, poor_models
from uxla.study.study import Study
from uxla.targets import Target

Results = dict[str, Any]


def run_results(
    study: Study,
    trained: Mapping[str, ByMethod],
    outcomes: Mapping[str, Outcome],
    single: Mapping[str, ModelHandle],
    starts: Mapping[str, Triple],
    trainings: Sequence[Mapping[str, Any]],
    *,
    selection: str,
) -> Results:
    """All of `results.json`; `trained`, `outcomes` and `single` are by target. docs/results-schema.md describes it."""
    models = {"model": study.labelling.backbone.digest, "vicinity_model": study.vicinity.model.digest}
    warm_up = starts.get("penalty")
    targets = {
        t.name: _target_results(study, t, trained[t.name], outcomes[t.name], single[t.name], warm_up)
        for t in study.targets
    }
    chosen = {name: found.chosen_epoch for name, found in outcomes.items() if found.chosen_epoch is not None}
    of_all = [*([NO_DEV] if study.dev is None else poor_models(study, trainings)), *one_snapshot(study, trainings)]
    adapted = any("uxla" in found for found in trained.values())
    transfer = _transfer(study, outcomes, warm_up) if adapted and warm_up else {}
    agreement = study.uxla.agreement
    own = {one.name: describe(one) for one in study.methods if one.name not in METHODS}
    return {
        "version": VERSION,
        "task": study.labelling.task_name,
        "metric": "f1" if study.labelling.task_name == "ner" else "accuracy",
        "selection": selection,
        "precision": study.labelling.runtime.precision,
        "agreement": kind_of(agreement),
        **({"min_agreed": agreement.min_agreed} if isinstance(agreement, Token) else {}),
        "final": study.final.name,
        **({"methods": own} if own else {}),
        "source": _source_results(study, outcomes, warm_up if adapted else None),
        "targets": targets,
        **({"transfer": transfer} if transfer else {}),
        "estimates": {name: found.as_dict() for name, found in outcomes.items() if found.as_dict()},
        **({"kept_epoch": chosen} if chosen else {}),
        "trainings": list(trainings),
        "warnings": [*map(in_words_of_the_caller, [*of_all, *(w for o in outcomes.values() for w in o.warnings)])],
        "inputs": {**models, **study.inputs.digests()},
    }


def _source_results(study: Study, outcomes: Mapping[str, Outcome], warm_up: Triple | None) -> Results:
    """The scores on the source's test set before and after adaptation, where UXLA was asked for."""
    test, named = study.inputs.test, {"name": study.source.name}
    if test is None or warm_up is None:
        return named
    after = {name: study.labelling.score(found.final, test) for name, found in outcomes.items()}
    return named | {"before": study.labelling.score(warm_up, test), "after": after}


def _target_results(
    study: Study, target: Target, trained: ByMethod, found: Outcome, single: ModelHandle, warm_up: Triple | None
) -> Results:
    """The scores of one target on its test set, and on its dev set where one is given."""
    of_dev = _dev_results(study, target, trained, warm_up)
    if target.test is None:
        return of_dev
    labelling, results, by_epoch = study.labelling, Results(), Results()
    for method, epochs in trained.items():
        scores = _scores(study, method, epochs, target.test)
        if method == "uxla":
            last = found.final if study.final.name == "uxla" else epochs[-1]
            results |= {"uxla": scores, "uxla_ensemble": labelling.score_ensemble(last, target.test)}
        else:
            results[method] = scores[-1]
            by_epoch |= {method: scores} if len(scores) > 1 else {}
    as_one = {method for method, epochs in trained.items() if study.as_one(method, epochs[-1])}
    own = {"uxla", *as_one, *(("zero_shot",) if "ensemble" in trained else ())}  # they have entries of their own
    ensembles = {m: labelling.score_ensemble(epochs[-1], target.test) for m, epochs in trained.items() if m not in own}
    more = {"by_epoch": by_epoch, "ensembles": ensembles}
    together, alone = labelling.score_ensemble(found.final, target.test), labelling.score([single], target.test)
    more["single"] = {"ensemble": together, "averaged": alone}
    return results | {name: found for name, found in more.items() if found} | of_dev


def _scores(study: Study, method: str, epochs: Sequence[Triple], corpus: Corpus) -> list[Results]:
    """What a method's row has after each epoch: the scores of its three models, or of these as one."""
    if (one := study.as_one(method, epochs[-1])) is not None:
        return [study.labelling.score_ensemble(one, corpus)]
    return [study.labelling.score(models, corpus) for models in epochs]


def _dev_results(study: Study, target: Target, trained: ByMethod, warm_up: Triple | None) -> Results:
    """`dev`: the target's dev scores of the warm-up (Figure 2), and of each method, as a list if it has epochs."""
    dev = target.dev
    if dev is None:
        return {}
    start = {} if warm_up is None else {"penalty": [warm_up]}
    found = {method: _scores(study, method, epochs, dev) for method, epochs in {**start, **trained}.items()}
    single = {method for method, scores in found.items() if len(scores) == 1 and method != "uxla"}
    return {"dev": {method: scores[0] if method in single else scores for method, scores in found.items()}}


def _transfer(study: Study, outcomes: Mapping[str, Outcome], warm_up: Triple) -> Results:
    """Table 6: the warm-up's and each adapted ensemble on every language that has a test set."""
    tests = {study.source.name: study.inputs.test} | {t.name: t.test for t in study.targets}
    if all(t.test is None for t in study.targets):
        return {}
    languages = {language: test for language, test in tests.items() if test is not None}

    def everywhere(models: Triple) -> Results:
        return {language: study.labelling.score_ensemble(models, test) for language, test in languages.items()}

    after = {name: everywhere(found.final) for name, found in outcomes.items()}
    return {"before": everywhere(warm_up), "after": after}
