"""What the methods of one run share: data, backbone, store; trainings, Algorithm 1, labels and scores from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from statistics import fmean
from typing import Any, cast

from uxla import progress
from uxla.algorithm.cotraining import CoTraining, Epoch
from uxla.algorithm.distil import CleanCluster, Feature, MostConfident, Select, length
from uxla.algorithm.mixing import balanced_mix, looked_at
from uxla.algorithm.vicinity import Vicinity
from uxla.config.method import ByClustering, ByConfidence, EpochPlan
from uxla.config.run import Method, RunConfig
from uxla.config.training import Training
from uxla.lm.tuning import tuned
from uxla.metrics import Score
from uxla.models.ensemble import average
from uxla.models.gen_lm.masked_lm import MaskedLM
from uxla.models.lm.model import TrainableLM
from uxla.models.lm.training import Recipe
from uxla.models.memory import Budget
from uxla.models.model_safety import SAFE, ModelSafety
from uxla.models.multi_head import MultiHeadTask
from uxla.models.runtime import Runtime
from uxla.models.tasks import Task
from uxla.models.training.optimiser import Optimisation
from uxla.records import Corpus, ModelHandle, Predictions
from uxla.report.trainings import title
from uxla.seeds import derive, generator
from uxla.store.store import Store
from uxla.study.inputs import Inputs, Target
from uxla.study.messages import purpose
from uxla.study.remembered import Ended, StoredFluency, StoredLearner, StoredVicinity, unheard
from uxla.study.trace import Trace
from uxla.study.trainings import Course, Made

Triple = tuple[ModelHandle, ModelHandle, ModelHandle]

ADAPTED: frozenset[Method] = frozenset({"uxla", "no_agreement", "no_distillation", "three_heads"})
"""The methods that follow the configuration's schedule."""

_OF_COTRAINING = ("alpha", "order", "collapse_share", "seed")
"""Settings of `CoTraining` that are the configuration's own, under the same names."""


@dataclass(frozen=True)
class Study:
    """Everything the methods of one run need."""

    config: RunConfig
    task: Task
    inputs: Inputs
    model: ModelHandle
    vicinity_model: ModelHandle
    store: Store
    budget: Budget = field(default_factory=lambda: Budget(8192))
    safety: ModelSafety = SAFE
    traces: dict[str, Trace] = field(default_factory=dict)
    """What `uxla` did with the examples, by target; filled as it runs."""
    told: set[str] = field(default_factory=set)
    """What a person was told of data sets, so that three models do not say it three times."""
    called: Method | None = None
    """What a warm-up of this study is the warm-up of, where that is no method of the study's own."""
    trainings: list[Made] | None = None
    """What each training gave; filled as they end, and told. None: neither, and no model is scored for it."""

    def check_models(self) -> None:
        """ModelError where the backbone or the vicinity model cannot be used: said now, not after the warm-up.

        Every run looks, for another machine or library can refuse what this one took. What becomes of a backbone's own
        classification layer is told.
        """
        config = self.config
        layer = self.learner(config.warmup, None, "check").check(self.inputs.train.label_names)
        if "mlm_tuned" in config.methods:
            TrainableLM.open(self.model.path, self.runtime, masked=config.mlm.masked)
        if generates(config):
            self.masked_lm()
        if layer:
            self.store.journal.write("doubt", about=config.model, kind="classification layer", text=layer)
            progress.note(layer)

    def warm_up(self, *, penalty: bool) -> Triple:
        """Three models trained on the source (§2.1), with the confidence penalty or without."""
        settings = self.config.warmup if penalty else self.config.warmup.model_copy(update={"penalty": 0.0})
        method: Method = "penalty" if penalty else "zero_shot"
        return self.trained_on([self.inputs.train], settings, self.inputs.dev, self.called or method)

    def score(self, models: Sequence[ModelHandle], corpus: Corpus) -> dict[str, Any]:
        """The models' scores on a labelled corpus and their mean, in percent."""
        return self._scored([self.predict(model, corpus) for model in models], corpus)

    def score_ensemble(self, models: Sequence[ModelHandle], corpus: Corpus) -> dict[str, Any]:
        """The score of the mean of the models' probabilities, in percent."""
        return self._scored([self.ensemble(models, corpus)], corpus)

    def ensemble(self, models: Sequence[ModelHandle], corpus: Corpus) -> Predictions:
        """The mean of the models' probabilities."""
        return average([self.predict(model, corpus) for model in models])

    def predict(self, model: ModelHandle, corpus: Corpus) -> Predictions:
        """The model's class probabilities."""
        return self.learner(self.config.warmup, None, "score").predict(model, corpus)

    def _scored(self, tables: Sequence[Predictions], corpus: Corpus) -> dict[str, Any]:
        found = [self.task.score(corpus, table) for table in tables]
        main = [next(iter(scores.values())) for scores in found]
        others = {name: fmean(scores[name] for scores in found) for name in list(found[0])[1:]}
        return Score.of(main, **others).as_dict()

    def trained_on(
        self,
        corpora: Sequence[Corpus],
        settings: Training,
        dev: Corpus | None,
        method: Method,
        target: str | None = None,
    ) -> Triple:
        """Three models trained on labelled corpora, all of their sentences alike."""
        draws = _draws(settings)(sum(map(len, corpora)))
        course, models = self._course(method, target), []
        for i in (1, 2, 3):
            mix, _ = balanced_mix(corpora, alpha=1.0, rng=generator(self.config.seed, "warm-up", i), draws=draws)
            learner = self.learner(settings, dev, f"{purpose(method)}, model {i} of 3", course.begin(i))
            models.append(learner.fit(self.model, mix, seed=derive(self.config.seed, "warm-up", i)))
        return models[0], models[1], models[2]

    def mlm_tuned(self) -> Study:
        """The same study on a backbone that first read the sentences of the source and all targets (Table 7)."""
        corpora = [self.inputs.train, *(target.train for target in self.inputs.targets)]
        recipe, seed = Recipe(**self.config.mlm.model_dump()), derive(self.config.seed, "mlm")
        every = self.config.checkpoint_every
        model = tuned(self.model, corpora, recipe, self.runtime, self.store, seed, checkpoint_every=every)
        return replace(self, model=model, called="mlm_tuned")

    @property
    def runtime(self) -> Runtime:
        """Where, how large and how exact models compute."""
        config = self.config
        speed = config.attention, config.compile
        return Runtime(config.device, config.max_length, self.budget, self.safety, config.precision, *speed)

    def three_heads(self) -> Triple:
        """One model trained on the source with three classification layers (App. A), as three models."""
        settings, train = self.config.warmup, self.inputs.train
        rng, draws = generator(self.config.seed, "warm-up", 1), _draws(settings)(len(train))
        mix, _ = balanced_mix([train], alpha=1.0, rng=rng, draws=draws)
        ended = self._course("three_heads", None).begin(None)
        learner = self.learner(settings, self.inputs.dev, "warm-up, three heads", ended)
        learner = replace(learner, task=MultiHeadTask(self.task), task_name=f"{self.config.task}, heads")
        model = learner.fit(self.model, mix, seed=derive(self.config.seed, "warm-up", 1))
        return replace(model, head=0), replace(model, head=1), replace(model, head=2)

    def cotrain(
        self,
        target: Target,
        schedule: Sequence[Epoch],
        method: Method,
        models: Triple | None = None,
        **other: Any,
    ) -> list[Triple]:
        """The three models after each epoch of Algorithm 1 by this schedule, beginning with `models`, by default the
        warmed-up ones; `other`: `CoTraining`'s settings where they are not the configuration's."""
        config = self.config
        dev = {"source_dev": self.inputs.dev, "target_dev": target.dev}.get(config.adaptation.selection)
        trace = Trace(config.trace if method == "uxla" else 0)
        if trace.limit:
            self.traces[target.name] = trace
        settings = {name: getattr(config, name) for name in _OF_COTRAINING}
        settings |= {"agreement": config.agree.kind, "min_agreed": getattr(config.agree, "min_agreed", 0.5)} | other
        alone = settings["order"] == "alone"
        course = self._course(method, target.name, len(schedule), "alone" if alone else str(settings["agreement"]))
        cotraining = CoTraining(
            learner=self.learner(config.adaptation, dev, f"{title(method)} {target.name}", course.ended),
            vicinity=self.vicinity(),
            schedule=schedule,
            draws=_draws(config.adaptation),
            record=course.record,
            watch=trace,
            **settings,
        )
        return cotraining(self.inputs.train, target.train, models or self.warm_up(penalty=True))

    def epoch(self, plan: EpochPlan) -> Epoch:
        """One line of Algorithm 1's schedule."""
        used: dict[str, Any] = dict.fromkeys(plan.data, True)
        return Epoch(self.select(plan), **used)

    def select(self, plan: EpochPlan) -> Select:
        """How an epoch distils (§2.3, stage 1)."""
        match plan.select:
            case ByConfidence(share=share, per_class=per_class):
                return MostConfident(share, per_class=per_class)
            case ByClustering(threshold=threshold, features=features):
                known: dict[str, Feature] = {"length": length, "fluency": self.fluency()}
                return CleanCluster(threshold, tuple(known[name] for name in features))
            case plug_in:
                return cast(Select, plug_in.build())

    def learner(self, settings: Training, dev: Corpus | None, purpose: str, ended: Ended = unheard) -> StoredLearner:
        """`fit` and `predict` with one section's training values; `purpose` is what a person is told it is for."""
        config = self.config
        values = settings.model_dump(exclude={"epochs", "max_steps"})
        optimisation = Optimisation(**values)
        if optimisation.selection not in ("source_dev", "target_dev"):
            dev = None
        return StoredLearner(
            task_name=config.task,
            task=self.task,
            backbone=self.model,
            settings=optimisation,
            runtime=self.runtime,
            store=self.store,
            purpose=purpose,
            dev=dev,
            checkpoint_every=config.checkpoint_every,
            told=self.told,
            ended=ended,
        )

    def vicinity(self) -> StoredVicinity:
        """GEN-LM as the run's settings have it (§2.2)."""
        config, settings = self.config, self.config.masked_lm
        seed, copies = derive(config.seed, "vicinity"), _copies(settings.copies, self.task.segments)
        inputs = self.runtime.inputs | settings.model_dump(exclude={"model", "revision", "fresh"})
        inputs |= {"lm": self.vicinity_model.digest, "seed": seed, "copies": copies}

        def open_vicinity() -> Vicinity:
            return Vicinity(
                self.masked_lm(),
                share=settings.share,
                copies=copies,
                seed=seed,
                min_word_chars=settings.min_word_chars,
                keep_unchanged=settings.keep_unchanged,
            )

        return StoredVicinity(open_vicinity, inputs, self.store, settings.fresh)

    def fluency(self) -> StoredFluency:
        """How fluent the vicinity model finds examples (App. C)."""
        config = self.config
        inputs = self.runtime.inputs | {"lm": self.vicinity_model.digest, "task": config.task}
        return StoredFluency(self.masked_lm, inputs, self.store)

    def masked_lm(self) -> MaskedLM:
        """The vicinity model in memory. ModelError where it cannot be used as the settings have it."""
        settings = self.config.masked_lm
        return MaskedLM.load(str(self.vicinity_model.path), self.runtime, top=settings.top, unit=settings.unit)

    def _course(self, method: Method, target: str | None, epochs: int = 0, agreement: str = "exact") -> Course:
        made, journal = self.trainings, self.store.journal
        return Course(method, target, self.config.task, journal, made, partial(self._on_dev, method), epochs, agreement)

    def _on_dev(self, method: Method, model: ModelHandle) -> float | None:
        """The model's score on the source's dev set, or on a part drawn from it: the labels that the estimates read."""
        dev = self.inputs.dev
        if dev is None or method == "supervised":
            return None
        heads = method == "three_heads" and model.head is None
        models = [replace(model, head=head) for head in range(3)] if heads else [model]
        return float(self.score(models, looked_at(dev, self.config.seed))["mean"])


def generates(config: RunConfig) -> bool:
    """Whether any method of a run asks the vicinity model for something."""
    plans = config.schedule if set(config.methods) & ADAPTED else ()
    virtual = any("vicinity" in name for plan in plans for name in plan.data)
    selects = set(config.methods) & (ADAPTED | {"self_training", "source_vicinity"})
    fluent = bool(selects) and any("fluency" in getattr(plan.select, "features", ()) for plan in config.schedule)
    return virtual or fluent or "source_vicinity" in config.methods


def _copies(copies: int | tuple[int, int] | None, segments: int) -> tuple[int, ...]:
    """δ of each segment; by default Table 8's 3, for pairs 2 × 2."""
    if isinstance(copies, tuple):
        return copies
    return (copies or (3 if segments == 1 else 2),) * segments


def _draws(settings: Training) -> Callable[[int], int]:
    """From the number of examples to the number drawn in one training."""
    if settings.max_steps is not None:
        fixed = settings.max_steps * settings.batch_size * settings.accumulation
        return lambda total: fixed
    epochs = settings.epochs
    assert epochs is not None
    return lambda total: max(1, round(total * epochs))
