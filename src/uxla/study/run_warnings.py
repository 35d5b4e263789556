"""Warnings of a run about its own results: nothing was learned, models are poor or collapsed, labels were lost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from statistics import fmean
from typing import Any, Literal

import numpy as np

from uxla.algorithm.agreement import kind_of
from uxla.algorithm.distil import has_collapsed, majority_share
from uxla.algorithm.mixing import judging_sample
from uxla.errors import in_python
from uxla.methods.registry import find, ordered, title
from uxla.phrases import enumerated, one_label_only, seen
from uxla.records import IGNORED, Corpus, Ints, ModelHandle
from uxla.report.trainings import NOUNS, from_target
from uxla.study.labelling import Triple
from uxla.study.messages import metric
from uxla.study.settings import agreement_of
from uxla.study.study import Study
from uxla.targets import Target

Made = Mapping[str, Any]
"""An entry of `trainings` in `results.json`."""

POOR_F1 = 50.0
"""Under this F1 on source dev, most entities are labelled wrongly."""

POOR_GAIN = 0.25
"""A model is poor if its accuracy is less than this share of the way from the most frequent label's share to 100."""

EXPECTED = 5
"""If the source's share predicts at least so many labels of a kind in the text, finding none is suspicious."""


def poor_models(study: Study, trainings: Sequence[Made]) -> Iterator[str]:
    """One sentence about warm-ups whose models score hardly above chance on source dev, by the mean of the three."""
    dev, name = study.inputs.dev, metric(study.labelling.task_name)
    if dev is None:
        return
    entities = [i for i, label in enumerate(dev.label_names) if label != "O"]
    if study.labelling.task_name == "ner" and not np.isin(dev.gold_labels, entities).any():
        yield "source.dev: it has no entity, so that no model can be scored or chosen by it; give a file that has some"
        return
    least, against = _least(study, dev)
    poor = []
    for method in ordered({made["method"] for made in trainings}, study.methods):
        found = [made for made in trainings if made["method"] == method and made["epoch"] is None]
        scores = [made["dev"] for made in found if made["dev"] is not None]
        if scores and fmean(scores) < least:
            poor.append(f"{title(method, study.methods)}: {name} {enumerated([f'{score:.1f}' for score in scores])}")
    if poor:
        yield (
            f"source.dev: the models are poor there ({'; '.join(poor)}; {against}), so do not trust their "
            f"labels; {_train_longer(study)}"
        )


def one_snapshot(study: Study, trainings: Sequence[Made]) -> Iterator[str]:
    """A sentence where `snapshots` averaged one checkpoint, the last: its models are zero-shot's then."""
    steps = [made["steps"] for made in trainings if made["method"] == "snapshots"]
    if steps and steps[0] <= study.warm_up_training.evaluate_every:
        yield (
            f"{title('snapshots')}: a training of {steps[0]} steps has one snapshot, its end, so that this row is "
            "zero-shot under another name; set warmup.evaluate_every to half of the steps, or leave the method out"
        )


def untaught(study: Study, target: Target, trainings: Sequence[Made]) -> Iterator[str]:
    """A sentence for each method in which no sentence of the target taught any model, in all epochs or in some."""
    said: dict[str, list[str]] = defaultdict(list)
    own = [made for made in trainings if made["target"] == target.name and made["epoch"] is not None]
    for method, group in groupby(own, lambda made: made["method"]):
        epochs = _by_epoch(list(group))
        empty = [epoch for epoch, found in epochs.items() if not any(one["taught"] for one in found)]
        alike: dict[str, list[int]] = defaultdict(list)
        for epoch in empty:
            alike[_why(epochs[epoch])].append(epoch)
        for numbers in alike.values():
            where = "" if len(numbers) == len(epochs) else f"in {_epochs(numbers)} "
            cause = _cause(study, method, [one for epoch in numbers for one in epochs[epoch]])
            noun = NOUNS[study.labelling.task_name].removesuffix("s")
            said[f"{where}no {noun} of {target.name} taught any model: {cause}"].append(title(method, study.methods))
    for what, methods in said.items():
        yield f"{enumerated(methods)}: {what}"


def collapsed(
    study: Study, raw: Corpus, states: Mapping[str, Sequence[Triple]], begun_with: Triple | None
) -> Iterator[str]:
    """A sentence for each state in which models have collapsed on the target's raw text (`has_collapsed`).

    Adapted models are compared with those that adaptation was `begun_with`."""
    limit, known = study.uxla.collapse_share, judging_sample(study.inputs.dev or study.inputs.train, study.seed)
    if majority_share(known.gold_labels) > limit:
        return

    def given(model: ModelHandle, to: Corpus) -> Ints:
        return study.labelling.predict(model, to).pseudo_labels

    def fallen_from(model: ModelHandle, before: ModelHandle) -> bool:
        return has_collapsed(given(model, raw), limit, partial(given, before, raw), partial(given, model, known))

    for name, epochs in states.items():
        method = find(name, study.methods)
        found: dict[tuple[int, ...], list[int]] = defaultdict(list)
        for number, models in enumerate(epochs, start=1):
            before = begun_with if begun_with is not None and method.adapts else models
            pairs = enumerate(zip(models, before, strict=True), start=1)
            found[tuple(i for i, pair in pairs if fallen_from(*pair))].append(number)
        for fallen, numbers in found.items():
            place = f"{method.title}, {_epochs(numbers)}" if len(epochs) > 1 else method.title
            if fallen:
                yield f"{place}: {one_label_only(fallen)} to raw text: collapsed; {_not_collapse(study)}"


def vanished(study: Study, target: Target, raw: Corpus, final: Triple, before: Triple | None) -> Iterator[str]:
    """Labels, or entity types, of the source that the final models give to no raw text, though the models `before`
    did; or that no model gives although the source has many."""
    known = study.inputs.train.gold_labels
    gold, names = _kinds(known, study)

    def given_by(models: Triple) -> Any:
        return sum(_kinds(study.labelling.predict(model, raw).pseudo_labels, study)[0] for model in models)

    given = given_by(final)
    earlier = given if before is None else given_by(before)
    expected = gold * len(study.labelling.predict(final[0], raw).pseudo_labels) / max(len(known), 1)
    lost = [seen(names[i]) for i in np.flatnonzero((gold > 0) & (given == 0) & (earlier > 0))]
    never = [seen(names[i]) for i in np.flatnonzero((given == 0) & (earlier == 0) & (expected >= EXPECTED))]
    what = f"any {NOUNS[study.labelling.task_name].removesuffix('s')} of {target.name}"
    if lost:
        yield (
            f"{_shortened(lost)}: after adaptation no model gives {_it(lost)} to {what}, as the warm-up's did; keep an "
            "earlier epoch (keep=estimated), or adapt with fewer epochs"
        )
    if never:
        yield (
            f"{_shortened(never)}: no model gives {_it(never)} to {what}, though the source has many; look whether "
            f"the text has any, and else {_train_longer(study)}"
        )


def _least(study: Study, dev: Corpus) -> tuple[float, str]:
    """The least score of models that are not poor, and how to explain it."""
    if study.labelling.task_name == "ner":
        return POOR_F1, f"under {POOR_F1:.0f}"
    share = 100.0 * majority_share(dev.gold_labels)
    return share + POOR_GAIN * (100.0 - share), f"always the most frequent label: {share:.1f}"


def _by_epoch(trainings: Sequence[Made]) -> dict[int, list[Mapping[str, Any]]]:
    """By epoch, what became of the target's sentences; only epochs that were to learn from some."""
    found: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for made in trainings:
        if given := from_target(made):
            found[made["epoch"]] += given
    return found


def _why(found: Sequence[Mapping[str, Any]]) -> Literal["collapsed", "too few kept", "not agreed"]:
    if any(one["collapsed"] for one in found):
        return "collapsed"
    return "not agreed" if all(all(one["kept"]) for one in found) else "too few kept"


def _cause(study: Study, method: str, found: Sequence[Mapping[str, Any]]) -> str:
    """Why no sentence was left, and what to do."""
    own, why = find(method, study.methods).agreement, _why(found)
    agreement = kind_of(agreement_of(own, study.uxla.agreement))
    if why == "collapsed":
        fallen = sorted({number for one in found for number in one["collapsed"]})
        return f"{one_label_only(fallen)} and so teach{'es' * (len(fallen) == 1)} nobody; {_not_collapse(study)}"
    if why == "too few kept":
        return "distillation keeps too few of them; raise select.share in schedule, or give more raw text"
    if agreement == "none":
        return "no two models are sure of the same one; raise select.share in schedule"
    word_by_word = study.labelling.task_name == "ner" and agreement == "exact" and own is None
    other = ", or set agree=token" if word_by_word else ", or lower agree.min_agreed" if agreement == "token" else ""
    return f"the models never agreed on one; {_train_longer(study)}{other}"


def _train_longer(study: Study) -> str:
    own = study.warm_up_training
    name = "epochs" if own.epochs is not None else "max_steps"
    key = f"warmup.{name}"
    if in_python():  # WarmUp has no defaults of these, and by default chooses by a dev set
        last = ", selection='last'" if own.selection == "last" else ""
        key = f"warm_up=uxla.WarmUp(batch_size={own.batch_size}, learning_rate={own.learning_rate:g}, {name}=…{last})"
    return f"train the warm-up longer ({key}) or on more labelled text"


def _not_collapse(study: Study) -> str:
    return f"{_train_longer(study)}, or set collapse_share=1 where the text really is so"


def _kinds(labels: Ints, study: Study) -> tuple[Ints, list[str]]:
    """How often each entity type, or each class, occurs; and their names."""
    names = study.inputs.train.label_names
    counts = np.bincount(labels[labels != IGNORED], minlength=len(names))
    if study.labelling.task_name != "ner":
        return counts, list(names)
    types = list(dict.fromkeys(name[2:] for name in names if name != "O"))
    sums = [sum(counts[i] for i, name in enumerate(names) if name != "O" and name[2:] == kind) for kind in types]
    return np.asarray(sums, dtype=np.int64), types


def _epochs(numbers: Sequence[int]) -> str:
    return f"epoch{'s' * (len(numbers) > 1)} {enumerated(numbers)}"


def _shortened(names: Sequence[str]) -> str:
    return enumerated(list(names) if len(names) <= 5 else [*names[:4], f"{len(names) - 4} more"])


def _it(names: Sequence[str]) -> str:
    return "it" if len(names) == 1 else "them"
