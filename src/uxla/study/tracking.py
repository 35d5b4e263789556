"""Experiment trackers (TensorBoard, MLflow, W&B) behind the same two calls, imported only when asked for.

A tracker is told the configuration, the loss of every training step, what each co-labelling kept, each model's score on
source dev, and the scores.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from uxla import progress
from uxla.algorithm.events import CoLabelled
from uxla.config.run import RunConfig
from uxla.errors import ConfigError
from uxla.events import Event, Measured, Scored, TrainingEnded

FOLDER = "tracking"
"""Where in the run folder a tracker that writes files writes them."""


class Tracker(Protocol):
    """What is asked of a tracker."""

    def log(self, values: Mapping[str, float], step: int) -> None:
        """Numbers by name, and which step of these names this is."""

    def close(self, *, failed: bool) -> None:
        """Nothing more comes: the run is over, or has failed."""


class Tracking:
    """The trackers of one run. A tracker that fails while the run goes on is told of once and left out."""

    def __init__(self, trackers: Mapping[str, Tracker]) -> None:
        self._trackers = dict(trackers)
        self._steps: Counter[str] = Counter()

    def add(self, name: str, tracker: Tracker) -> None:
        """Tell this one too."""
        self._trackers[name] = tracker

    def __call__(self, event: Event) -> None:
        """Tell the numbers of an event, where it has some to plot."""
        match event:
            case CoLabelled():
                if len(event.corpus):
                    share = int(event.chosen.sum()) / len(event.corpus)
                    self._log({f"{event.method}/{event.target}/{event.corpus.name}: kept": share})
            case TrainingEnded():
                if event.dev is not None:
                    self._log({f"{event.method}/{event.target or 'source'}: source dev": event.dev})
            case Measured():
                self._log({f"{event.label}: {name}": value for name, value in event.values.items()})
            case Scored():
                self._results(event.results)

    def _results(self, results: Mapping[str, Any]) -> None:
        """The scores of the run: methods with epochs as curves."""
        for target, found in results["targets"].items():
            curves = {**{name: [value] for name, value in found.items()}, **found.get("by_epoch", {})}
            curves |= {name: value for name, value in found.items() if isinstance(value, list)}
            for method, scores in curves.items():
                for score in scores:
                    if "mean" in score:
                        self._log({f"score/{target}/{method}": score["mean"]})

    def close(self, *, failed: bool = False) -> None:
        """Tell every tracker that the run is over, or has failed."""
        self._each(lambda tracker: tracker.close(failed=failed))

    def _log(self, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            self._steps[name] += 1
            step, number = self._steps[name], {name: float(value)}
            self._each(lambda tracker, step=step, number=number: tracker.log(number, step))  # type: ignore[misc]

    def _each(self, call: Callable[[Tracker], None]) -> None:
        for name, tracker in list(self._trackers.items()):
            try:
                call(tracker)
            except Exception as error:  # whatever foreign code and a network can raise: no run is lost for it
                del self._trackers[name]
                progress.note(f"tracking: {name} failed and is left out ({type(error).__name__}: {error})")


@contextmanager
def tracking(config: RunConfig, out: Path, found: Tracking | None = None) -> Iterator[Tracking]:
    """The trackers that `config.tracking` names, closed at the end; ConfigError where one cannot be opened."""
    found, failed = found or Tracking({}), True
    try:
        for name in config.tracking:
            found.add(name, _opened(name, config, out))
        yield found
        failed = False
    finally:
        found.close(failed=failed)


def require(config: RunConfig) -> None:
    """ConfigError for a tracker that is not installed: said before any work."""
    for name in config.tracking:
        _module(name)


def _module(name: str) -> Any:
    try:
        return _IMPORTS[name]()
    except ImportError:
        raise ConfigError(f"tracking: {name} is not installed; pip install {name}, or leave it out") from None


def _tensorboard() -> Any:
    import torch.utils.tensorboard as module

    return module


def _mlflow() -> Any:
    import mlflow  # type: ignore[import-not-found,unused-ignore]

    return mlflow


def _wandb() -> Any:
    import wandb  # type: ignore[import-not-found,unused-ignore]

    return wandb


_IMPORTS: Mapping[str, Callable[[], Any]] = {"tensorboard": _tensorboard, "mlflow": _mlflow, "wandb": _wandb}


def _opened(name: str, config: RunConfig, out: Path) -> Tracker:
    try:
        return _TRACKERS[name](_module(name), config, out)
    except ConfigError:
        raise
    except Exception as error:
        why = str(error).strip().split("\n")[0]
        raise ConfigError(f"tracking: {name} cannot begin ({why}); mend that, or leave it out") from error


class _TensorBoard:
    def __init__(self, module: Any, config: RunConfig, out: Path) -> None:
        self._writer = module.SummaryWriter(str(out / FOLDER))
        self._writer.add_text("config", "    " + config.to_yaml().replace("\n", "\n    "))

    def log(self, values: Mapping[str, float], step: int) -> None:
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def close(self, *, failed: bool) -> None:
        self._writer.close()


class _MLflow:
    def __init__(self, module: Any, config: RunConfig, out: Path) -> None:
        self._module = module
        module.start_run(run_name=out.name)
        module.log_text(config.to_yaml(), "config.yaml")

    def log(self, values: Mapping[str, float], step: int) -> None:
        self._module.log_metrics({_plain(name): value for name, value in values.items()}, step=step)

    def close(self, *, failed: bool) -> None:
        self._module.end_run("FAILED" if failed else "FINISHED")


class _WandB:
    def __init__(self, module: Any, config: RunConfig, out: Path) -> None:
        self._run = module.init(project="uxla", name=out.name, config=config.model_dump(), dir=str(out))
        self._run.define_metric("*", step_metric="step")  # W&B's own step counts the calls of all curves together

    def log(self, values: Mapping[str, float], step: int) -> None:
        self._run.log({**values, "step": step})

    def close(self, *, failed: bool) -> None:
        self._run.finish(exit_code=int(failed))


def _plain(name: str) -> str:
    """MLflow's names have letters, digits and _ - . / and blanks alone."""
    return "".join(c if c.isalnum() or c in "_-./ " else "_" for c in name)


_TRACKERS: Mapping[str, Callable[[Any, RunConfig, Path], Tracker]] = {
    "tensorboard": _TensorBoard,
    "mlflow": _MLflow,
    "wandb": _WandB,
}
