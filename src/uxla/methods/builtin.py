"""The methods of uxla, in the order of their rows in tables: each differs from UXLA in what its lines say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from uxla.methods.method import PENALISED, Lab, Method, Start

if TYPE_CHECKING:
    from uxla.methods.method import Schedule, Triple
    from uxla.targets import Target

_SOURCE = "labelled text in {s} alone"
_BOTH = "labelled text in {s} and raw text in {t}, by "
_PLAIN = Start("zero_shot", lambda lab: lab.warm_up("zero_shot", penalty=False), "warm-up without penalty")
_TUNED = Start("mlm_tuned", lambda lab: lab.tuned().warm_up("mlm_tuned"), "warm-up, masked LM tuned first")
_HEADS = Start("three_heads", lambda lab: lab.three_heads(), "UXLA, three heads, warm-up")


def _as_the_run(epochs: Schedule) -> Schedule:
    return epochs


def _undistilled(epochs: Schedule) -> Schedule:
    """Agreement alone decides: η = 100 in every epoch."""
    from uxla.algorithm.distil import MostConfident

    return [replace(epoch, select=MostConfident(1.0)) for epoch in epochs]


def _without_samples(epochs: Schedule) -> Schedule:
    from uxla.algorithm.cotraining import Epoch

    return [Epoch(epoch.select, source=True, target=True) for epoch in epochs]


def _on_the_source(epochs: Schedule) -> Schedule:
    from uxla.algorithm.cotraining import Epoch

    return [Epoch(epoch.select, source=True, source_vicinity=True) for epoch in epochs]


def _tri_training(epochs: Schedule) -> Schedule:
    return _undistilled(_without_samples(epochs))


def _translate_train(lab: Lab, target: Target, models: None) -> Sequence[Triple]:
    assert target.translated is not None
    return [lab.train("translate_train", target, [lab.source, target.translated], lab.dev)]


def _supervised(lab: Lab, target: Target, models: None) -> Sequence[Triple]:
    assert target.labelled is not None
    return [lab.train("supervised", target, [target.labelled], target.dev)]


BUILTIN = (
    # Trained on the source alone (§4.3).
    Method(
        name="zero_shot",
        title="zero-shot",
        learned_from=_SOURCE,
        paper="§4.3, Table 1",
        group="baseline",
        reads_target=False,
        rank=5,
        baseline=True,
        start=_PLAIN,
    ),
    # Trained on the source alone with the confidence penalty (§2.1): what all adaptation begins with.
    Method(
        name="penalty",
        title="+ confidence penalty",
        in_sentence="the confidence penalty alone",
        learned_from=_SOURCE,
        paper="§2.1, Table 1",
        group="uxla",
        reads_target=False,
        rank=10,
        baseline=True,
        start=PENALISED,
    ),
    # The mean of the probabilities of zero-shot's models.
    Method(
        name="ensemble",
        title="ensemble of zero-shot",
        in_sentence="the ensemble of zero-shot",
        learned_from=_SOURCE,
        paper="§3.2, Table 1",
        group="baseline",
        reads_target=False,
        rank=4,
        start=_PLAIN,
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
    Method(
        name="source_vicinity",
        title="source and its vicinity",
        learned_from=_SOURCE,
        reads_target=False,
        rank=40,
        schedule=_on_the_source,
    ),
    # Each model labels for itself what it is surest of: no peers, no vicinity samples.
    Method(
        name="self_training",
        title="self-training",
        learned_from=_BOTH + "self-training",
        rank=50,
        schedule=_without_samples,
        order="alone",
    ),
    # Agreement as the run has it, without distillation or vicinity samples, as many epochs as UXLA has.
    Method(
        name="tri_training",
        title="tri-training",
        learned_from=_BOTH + "tri-training",
        paper="§4.1",
        rank=70,
        baseline=True,
        schedule=_tri_training,
    ),
    # Tri-training as the paper's row has it (η = 100, ∩): peers agree on whole sentences, one epoch.
    Method(
        name="tri_training_paper",
        title="tri-training (the paper's)",
        learned_from=_BOTH + "tri-training",
        paper="Table 5",
        rank=60,
        schedule=lambda epochs: _tri_training(epochs[:1]),
        agreement="exact",
    ),
    # UXLA without the first stage of distillation.
    Method(
        name="no_distillation",
        title="UXLA, no distillation",
        in_sentence="UXLA without distillation",
        learned_from=_BOTH + "UXLA without distillation",
        paper="Table 5",
        rank=80,
        schedule=_undistilled,
    ),
    # UXLA without the second stage: what both peers selected, with the labels of k (φ).
    Method(
        name="no_agreement",
        title="UXLA, no agreement",
        in_sentence="UXLA without agreement",
        learned_from=_BOTH + "UXLA without agreement",
        paper="Table 5",
        rank=90,
        schedule=_as_the_run,
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
        schedule=_as_the_run,
    ),
    # Algorithm 1.
    Method(
        name="uxla",
        title="UXLA",
        learned_from=_BOTH + "UXLA",
        paper="Algorithm 1, Table 1",
        group="uxla",
        rank=100,
        schedule=_as_the_run,
    ),
    # Trained on the source and on the user's translation of labelled sentences into the target language.
    Method(
        name="translate_train",
        title="translate-train",
        learned_from="labelled text in {s} and its translation into {t}",
        paper="Table 3",
        group="supervised",
        needs=("translated",),
        reads_target=False,
        rank=30,
        start=None,
        steps=_translate_train,
    ),
    # Trained on the target's own labels: the upper bound.
    Method(
        name="supervised",
        title="supervised (target labels)",
        in_sentence="training on target labels",
        learned_from="labelled text in {t}",
        paper="Tables 1, 2",
        group="supervised",
        needs=("labelled",),
        reads_target=False,
        rank=0,
        start=None,
        steps=_supervised,
    ),
)
