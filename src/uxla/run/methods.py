"""The methods a run compares: warm-up, UXLA, the baselines; each gives models, all share what they have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

from uxla import progress
from uxla.algorithm.cotraining import CoTraining, Epoch
from uxla.algorithm.distil import CleanCluster, MostConfident, Select
from uxla.algorithm.mixing import balanced_mix
from uxla.algorithm.vicinity import Vicinity
from uxla.metrics import Score
from uxla.models.ensemble import average
from uxla.models.loaded import Runtime
from uxla.models.masked_lm import MaskedLM
from uxla.models.memory import Budget
from uxla.models.optimiser import Optimisation
from uxla.models.tasks import Task
from uxla.models.trust import SAFE, Trust
from uxla.records import Corpus, ModelHandle, Predictions
from uxla.run.config import Method, RunConfig
from uxla.run.inputs import Inputs, Target
from uxla.run.learner import StoredLearner, StoredVicinity
from uxla.run.sections import EpochPlan, Training
from uxla.run.store import Store
from uxla.run.trace import Trace
from uxla.seeds import derive, generator

Triple = tuple[ModelHandle, ModelHandle, ModelHandle]


@dataclass(frozen=True)
class Study:
    """Everything the methods of one run need, and the methods themselves."""

    config: RunConfig
    task: Task
    inputs: Inputs
    model: ModelHandle
    vicinity_model: ModelHandle
    store: Store
    budget: Budget = field(default_factory=lambda: Budget(8192))
    trust: Trust = SAFE
    traces: dict[str, Trace] = field(default_factory=dict)
    """What `uxla` did with the examples, by target; filled as it runs."""

    def check_models(self) -> None:
        """ModelError where the backbone or the vicinity model cannot be used: said now, not after the warm-up."""
        config, names = self.config, self.inputs.train.label_names
        virtual = "uxla" in config.methods and any("vicinity" in name for e in config.schedule for name in e.data)

        def check(into: Path, scratch: Path) -> dict[str, Any]:
            self._learner(config.warmup, None, "check").check(names)
            if virtual:
                self._vicinity().open_vicinity()
            return {}

        models = {"model": self.model.digest, "vicinity_model": self.vicinity_model.digest if virtual else None}
        self.store.folder("check", {**models, "label_names": names, "max_length": config.max_length}, check)

    def train(self, method: Method, target: Target) -> list[Triple]:
        """The three models of a method; of a method with epochs, after each of them."""
        match method:
            case "zero_shot" | "ensemble":
                return [self.warm_up(penalty=False)]
            case "penalty":
                return [self.warm_up(penalty=True)]
            case "tri_training":
                return self.tri_training(target)
            case "uxla":
                return self.uxla(target)
            case "supervised":
                return [self.supervised(target)]

    def warm_up(self, *, penalty: bool) -> Triple:
        """Three models trained on the source (§2.1), with the confidence penalty or without."""
        settings, kind = self.config.warmup, "warm-up"
        if not penalty:
            settings, kind = settings.model_copy(update={"penalty": 0.0}), "warm-up without penalty"
        return self._trained_on(self.inputs.train, settings, self.inputs.dev, kind)

    def supervised(self, target: Target) -> Triple:
        """Three models trained on the target's own labels: the upper bound."""
        assert target.labelled is not None
        settings = self.config.warmup.model_copy(update={"penalty": 0.0})
        if target.dev is None and settings.selection == "source_dev":
            settings = settings.model_copy(update={"selection": "last"})
        return self._trained_on(target.labelled, settings, target.dev, "supervised")

    def uxla(self, target: Target) -> list[Triple]:
        """The three models after each epoch of Algorithm 1."""
        schedule = [_epoch(plan) for plan in self.config.schedule]
        return self._cotrain(target, schedule, "uxla")

    def tri_training(self, target: Target) -> list[Triple]:
        """Tri-training (§4.1): agreement without distillation or vicinity, as many epochs as UXLA has."""
        schedule = [Epoch(MostConfident(1.0), source=True, target=True)] * len(self.config.schedule)
        return self._cotrain(target, schedule, "tri_training")

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
        return self._learner(self.config.warmup, None, "score").predict(model, corpus)

    def _scored(self, tables: Sequence[Predictions], corpus: Corpus) -> dict[str, Any]:
        found = [self.task.score(corpus, table.labels) for table in tables]
        main = [next(iter(scores.values())) for scores in found]
        others = {name: fmean(scores[name] for scores in found) for name in list(found[0])[1:]}
        return Score.of(main, **others).as_dict()

    def _trained_on(self, corpus: Corpus, settings: Training, dev: Corpus | None, kind: str) -> Triple:
        draws = _draws(settings)(len(corpus))
        models = []
        for i in (1, 2, 3):
            mix, _ = balanced_mix([corpus], alpha=1.0, rng=generator(self.config.seed, "warm-up", i), draws=draws)
            learner = self._learner(settings, dev, f"{kind}, model {i} of 3")
            models.append(learner.fit(self.model, mix, seed=derive(self.config.seed, "warm-up", i)))
        return models[0], models[1], models[2]

    def _cotrain(self, target: Target, schedule: Sequence[Epoch], method: str) -> list[Triple]:
        config = self.config
        dev = {"source_dev": self.inputs.dev, "target_dev": target.dev}.get(config.adaptation.selection)
        trace = Trace(config.trace if method == "uxla" else 0)
        if trace.limit:
            self.traces[target.name] = trace
        cotraining = CoTraining(
            learner=self._learner(config.adaptation, dev, method),
            vicinity=self._vicinity(),
            schedule=schedule,
            alpha=config.alpha,
            agreement=config.agreement,
            min_agreed=config.min_agreed,
            order=config.order,
            collapse_share=config.collapse_share,
            draws=_draws(config.adaptation),
            seed=config.seed,
            record=self._record(method, target.name),
            watch=trace,
        )
        return cotraining(self.inputs.train, target.train, self.warm_up(penalty=True))

    def _learner(self, settings: Training, dev: Corpus | None, purpose: str) -> StoredLearner:
        config = self.config
        values = settings.model_dump(exclude={"epochs", "max_steps"})
        optimisation = Optimisation(**values)
        if optimisation.selection not in ("source_dev", "target_dev"):
            dev = None
        runtime = Runtime(config.device, config.max_length, self.budget, self.trust, config.precision)
        return StoredLearner(
            task_name=config.task,
            task=self.task,
            backbone=self.model,
            settings=optimisation,
            runtime=runtime,
            store=self.store,
            purpose=purpose,
            dev=dev,
            checkpoint_every=config.checkpoint_every,
        )

    def _vicinity(self) -> StoredVicinity:
        config, settings = self.config, self.config.vicinity
        seed = derive(config.seed, "vicinity")
        inputs = settings.model_dump(exclude={"model", "revision", "fresh"})
        inputs |= {"lm": self.vicinity_model.digest, "seed": seed, "max_length": config.max_length}

        copies = _copies(settings.copies, self.task.segments)

        def open_vicinity() -> Vicinity:
            filler = MaskedLM.load(
                str(self.vicinity_model.path),
                trust=self.trust,
                device=config.device,
                max_length=config.max_length,
                budget=self.budget,
                top=settings.top,
                unit=settings.unit,
                precision=settings.precision,
            )
            return Vicinity(
                filler,
                share=settings.share,
                copies=copies,
                seed=seed,
                min_word_chars=settings.min_word_chars,
                keep_unchanged=settings.keep_unchanged,
            )

        return StoredVicinity(open_vicinity, inputs, self.store, settings.fresh)

    def _record(self, method: str, target: str) -> Callable[..., None]:
        def record(event: str, **counts: Any) -> None:
            self.store.journal.write(event, method=method, target=target, **counts)
            progress.note(f"{method}: {_sentence(event, counts)}")

        return record


def _sentence(event: str, counts: dict[str, Any]) -> str:
    if event == "co_label":
        kept = f"{counts['data']}: of {counts['of']} kept by k {counts['kept_by_k']}, by j {counts['kept_by_j']}"
        if counts["collapsed"]:
            return f"{kept}; model {' and '.join(counts['collapsed'])} gives nearly one label only and teaches nobody"
        return f"{kept}, agreed {counts['agreed']}"
    place = "epoch {epoch}: model {l} taught by {k} and {j}".format(**counts)
    if event == "skip":
        return f"{place}: distillation left nothing, the model stays as it is"
    drawn = ", ".join(f"{count} of {name} ({counts['sizes'][name]})" for name, count in counts["drawn"].items())
    return f"{place}: draws {drawn}"


def _epoch(plan: EpochPlan) -> Epoch:
    select: Select
    if plan.clustering is not None:
        select = CleanCluster(plan.clustering)
    else:
        assert plan.confidence is not None
        select = MostConfident(plan.confidence, per_class=plan.per_class)
    used: dict[str, Any] = dict.fromkeys(plan.data, True)
    return Epoch(select, **used)


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
