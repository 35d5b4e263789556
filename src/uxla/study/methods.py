"""The methods a run compares, each in a line or two: what it trains on, and how that differs from UXLA.

Every one gives its three models: after its last training or, where it adapts by epochs, after each of them. All go
through the store, so that methods share what they have in common.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from uxla.algorithm.cotraining import Epoch
from uxla.algorithm.distil import MostConfident
from uxla.config.method import ByConfidence
from uxla.config.run import Method
from uxla.records import ModelHandle
from uxla.study.inputs import Target
from uxla.study.study import Study, Triple


def zero_shot(study: Study, target: Target) -> list[Triple]:
    """Trained on the source alone (§4.3); `ensemble` is the mean of these models' probabilities."""
    return [study.warm_up(penalty=False)]


def penalty(study: Study, target: Target) -> list[Triple]:
    """Trained on the source alone, with the confidence penalty (§2.1): what all adaptation begins with."""
    return [study.warm_up(penalty=True)]


def mlm_tuned(study: Study, target: Target) -> list[Triple]:
    """As `penalty`, on a backbone tuned as a masked LM on the task's sentences first (Table 7)."""
    return [study.mlm_tuned().warm_up(penalty=True)]


def uxla(study: Study, target: Target) -> list[Triple]:
    """Algorithm 1."""
    return study.cotrain(target, [study.epoch(plan) for plan in study.config.schedule], "uxla")


def no_agreement(study: Study, target: Target) -> list[Triple]:
    """UXLA without the second stage of distillation: what both peers selected, with the labels of k (φ in Table 5)."""
    schedule = [study.epoch(plan) for plan in study.config.schedule]
    return study.cotrain(target, schedule, "no_agreement", agreement="none")


def no_distillation(study: Study, target: Target) -> list[Triple]:
    """UXLA without the first stage of distillation: agreement alone decides (η = 100 in every epoch)."""
    schedule = [study.epoch(plan.model_copy(update=_ALL)) for plan in study.config.schedule]
    return study.cotrain(target, schedule, "no_distillation")


def three_heads(study: Study, target: Target) -> list[Triple]:
    """UXLA with three classification layers on one encoder instead of three models (App. A)."""
    schedule = [study.epoch(plan) for plan in study.config.schedule]
    return study.cotrain(target, schedule, "three_heads", study.three_heads(), share=_shared)


def tri_training(study: Study, target: Target) -> list[Triple]:
    """Tri-training (§4.1): agreement as the run has it, without distillation or vicinity samples, as many epochs as
    UXLA has."""
    return study.cotrain(target, [_TRI_TRAINED] * len(study.config.schedule), "tri_training")


def tri_training_paper(study: Study, target: Target) -> list[Triple]:
    """Tri-training as the paper's row has it (Table 5, η = 100, ∩): peers agree on whole sentences, one epoch."""
    return study.cotrain(target, [_TRI_TRAINED], "tri_training_paper", agreement="exact")


def self_training(study: Study, target: Target) -> list[Triple]:
    """Each model labels for itself what it is surest of: no peers, no vicinity samples."""
    schedule = [Epoch(study.select(plan), source=True, target=True) for plan in study.config.schedule]
    return study.cotrain(target, schedule, "self_training", order="alone")


def source_vicinity(study: Study, target: Target) -> list[Triple]:
    """The source and its vicinity samples, co-labelled as in UXLA: no sentence of the target is read."""
    schedule = [Epoch(study.select(plan), source=True, source_vicinity=True) for plan in study.config.schedule]
    return study.cotrain(target, schedule, "source_vicinity")


def translate_train(study: Study, target: Target) -> list[Triple]:
    """Trained on the source and on the user's translation of labelled sentences into the target language."""
    assert target.translated is not None
    settings = study.config.warmup.model_copy(update={"penalty": 0.0})
    return [
        study.trained_on(
            [study.inputs.train, target.translated], settings, study.inputs.dev, "translate_train", target.name
        )
    ]


def supervised(study: Study, target: Target) -> list[Triple]:
    """Trained on the target's own labels: the upper bound (Tables 1, 2)."""
    assert target.labelled is not None
    settings = study.config.warmup.model_copy(update={"penalty": 0.0})
    if target.dev is None and settings.selection == "source_dev":
        settings = settings.model_copy(update={"selection": "last"})
    return [study.trained_on([target.labelled], settings, target.dev, "supervised", target.name)]


def _shared(head: ModelHandle, trained: ModelHandle) -> ModelHandle:
    """Another head once one was trained: the same layer on the encoder that is new now."""
    return replace(trained, head=head.head)


_TRI_TRAINED = Epoch(MostConfident(1.0), source=True, target=True)
_ALL = {"select": ByConfidence(kind="confidence", share=1.0)}

METHODS: Mapping[Method, Callable[[Study, Target], list[Triple]]] = {
    "zero_shot": zero_shot,
    "ensemble": zero_shot,
    "penalty": penalty,
    "mlm_tuned": mlm_tuned,
    "self_training": self_training,
    "tri_training": tri_training,
    "tri_training_paper": tri_training_paper,
    "uxla": uxla,
    "no_agreement": no_agreement,
    "no_distillation": no_distillation,
    "three_heads": three_heads,
    "source_vicinity": source_vicinity,
    "translate_train": translate_train,
    "supervised": supervised,
}
"""By the name that `methods` of a configuration has for them."""
