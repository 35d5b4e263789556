"""The methods of uxla, in the order of their rows in tables: each differs from UXLA in what its lines say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from uxla.methods.method import Lab, Method, Start

if TYPE_CHECKING:
    from uxla.methods.method import Schedule, Triple
    from uxla.targets import Target

_PLAIN = Start("zero_shot", lambda lab: lab.warm_up("zero_shot", penalty=False), "warm-up without penalty")
_SNAPSHOTS = Start(
    "snapshots",
    lambda lab: lab.warm_up("snapshots", penalty=False, selection="average"),
    "warm-up with averaged snapshots",
)
_SAME_LAYER = Start(
    "weight_mean",
    lambda lab: lab.warm_up("weight_mean", penalty=False, same_layer=True),
    "warm-up from one layer",
)
_TUNED = Start("mlm_tuned", lambda lab: lab.tuned().warm_up("mlm_tuned"), "warm-up, masked LM tuned first", tunes=True)
_HEADS = Start("three_heads", lambda lab: lab.three_heads(), "UXLA, three heads, warm-up")


def _undistilled(epochs: Schedule) -> Schedule:
    """Agreement alone decides: η = 100 in every epoch."""
    from uxla.algorithm.distil import MostConfident

    return [replace(epoch, select=MostConfident(1.0)) for epoch in epochs]


def _of_source_and(data: str, epochs: Schedule) -> Schedule:
    from uxla.algorithm.cotraining import Epoch

    return [Epoch(epoch.select, source=True, **{data: True}) for epoch in epochs]


_without_samples = partial(_of_source_and, "target")


def _tri_training(epochs: Schedule, most: int | None = None) -> Schedule:
    return _undistilled(_without_samples(epochs)[:most])


def _with_labelled(epochs: Schedule) -> Schedule:
    return [replace(epoch, labelled=True) for epoch in epochs]


def _translate_train(lab: Lab, target: Target, models: None) -> Sequence[Triple]:
    assert target.translated is not None
    return [lab.train("translate_train", target, [lab.source, target.translated], lab.dev)]


def _supervised(lab: Lab, target: Target, models: None) -> Sequence[Triple]:
    assert target.labelled is not None
    return [lab.train("supervised", target, [target.labelled], target.dev)]


_on_source = partial(Method, learned_from="labelled text in {s} alone", reads_target=False)
_with_labels = partial(Method, group="supervised", reads_target=False, start=None)

BUILTIN = (
    # Trained on the source alone (§4.3).
    _on_source(
        name="zero_shot",
        title="zero-shot",
        paper="§4.3, Table 1",
        group="baseline",
        rank=5,
        baseline=True,
        start=_PLAIN,
    ),
    # Trained on the source alone with the confidence penalty (§2.1): what all adaptation begins with.
    _on_source(
        name="penalty",
        title="+ confidence penalty",
        in_sentence="the confidence penalty alone",
        paper="§2.1, Table 1",
        group="uxla",
        rank=10,
        baseline=True,
    ),
    # The mean of the probabilities of zero-shot's models.
    _on_source(
        name="ensemble",
        title="ensemble of zero-shot",
        in_sentence="the ensemble of zero-shot",
        paper="§3.2, Table 1",
        group="baseline",
        rank=4,
        together="probabilities",
        start=_PLAIN,
    ),
    # Zero-shot, each model the mean of its training's checkpoints (Schmidt et al. 2023).
    _on_source(
        name="snapshots",
        title="zero-shot, snapshots averaged",
        rank=3,
        baseline=True,
        start=_SNAPSHOTS,
    ),
    # The mean of the weights of three zero-shot models, which began with one classification layer: one model.
    _on_source(
        name="weight_mean",
        title="zero-shot, three models averaged",
        rank=None,
        baseline=True,
        together="weights",
        start=_SAME_LAYER,
    ),
    # As `penalty`, on a backbone tuned as a masked LM on the task's sentences first.
    Method(
        name="mlm_tuned",
        title="masked LM tuned first",
        in_sentence="a masked LM tuned first",
        learned_from="labelled text in {s}, after raw text of all languages,",
        paper="Table 7",
        rank=20,
        start=_TUNED,
    ),
    # The source and its vicinity samples, co-labelled as in UXLA: no sentence of the target is read.
    _on_source(
        name="source_vicinity",
        title="source and its vicinity",
        rank=40,
        schedule=partial(_of_source_and, "source_vicinity"),
    ),
    # Each model labels for itself what it is surest of: no peers, no vicinity samples.
    Method(
        name="self_training",
        title="self-training",
        learned_from="labelled text in {s} and raw text in {t}, by self-training",
        rank=50,
        schedule=_without_samples,
        order="alone",
    ),
    # Agreement as the run has it, without distillation or vicinity samples, as many epochs as UXLA has.
    Method(
        name="tri_training",
        title="tri-training",
        learned_from="labelled text in {s} and raw text in {t}, by tri-training",
        paper="§4.1",
        rank=70,
        baseline=True,
        schedule=_tri_training,
    ),
    # Tri-training as the paper's row has it (η = 100, ∩): peers agree on whole sentences, one epoch.
    Method(
        name="tri_training_paper",
        title="tri-training (the paper's)",
        learned_from="labelled text in {s} and raw text in {t}, by tri-training",
        paper="Table 5",
        rank=60,
        schedule=partial(_tri_training, most=1),
        agreement="exact",
    ),
    # UXLA without the first stage of distillation.
    Method(
        name="no_distillation",
        title="UXLA, no distillation",
        in_sentence="UXLA without distillation",
        learned_from="labelled text in {s} and raw text in {t}, by UXLA without distillation",
        paper="Table 5",
        rank=80,
        schedule=_undistilled,
    ),
    # UXLA without the second stage: what both peers selected, with the labels of k (φ).
    Method(
        name="no_agreement",
        title="UXLA, no agreement",
        in_sentence="UXLA without agreement",
        learned_from="labelled text in {s} and raw text in {t}, by UXLA without agreement",
        paper="Table 5",
        rank=90,
        schedule=list,
        agreement="none",
    ),
    # UXLA with three classification layers on one encoder: its three models are one, so that no run is for them.
    Method(
        name="three_heads",
        title="UXLA, three heads",
        in_sentence="UXLA with three heads",
        paper="App. A",
        rank=None,
        start=_HEADS,
        schedule=list,
    ),
    # Algorithm 1.
    Method(
        name="uxla",
        title="UXLA",
        learned_from="labelled text in {s} and raw text in {t}, by UXLA",
        paper="Algorithm 1, Table 1",
        group="uxla",
        rank=100,
        baseline=True,
        schedule=list,
    ),
    # Algorithm 1 with the target's few labelled sentences in the mix of each epoch.
    Method(
        name="few_shot",
        title="UXLA, few-shot",
        in_sentence="UXLA with a few target labels",
        learned_from="labelled text in {s} and raw text in {t}, by UXLA, and a few labelled sentences in {t}",
        group="supervised",
        needs=("labelled",),
        rank=110,
        schedule=_with_labelled,
    ),
    # Trained on the source and on the user's translation of labelled sentences into the target language.
    _with_labels(
        name="translate_train",
        title="translate-train",
        learned_from="labelled text in {s} and its translation into {t}",
        paper="Table 3",
        needs=("translated",),
        rank=30,
        steps=_translate_train,
    ),
    # Trained on the target's own labels: the upper bound.
    _with_labels(
        name="supervised",
        title="supervised (target labels)",
        in_sentence="training on target labels",
        learned_from="labelled text in {t}",
        paper="Tables 1, 2",
        needs=("labelled",),
        rank=0,
        steps=_supervised,
    ),
)
