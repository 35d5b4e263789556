"""Experiment trackers (TensorBoard, MLflow, W&B) behind the same two calls, imported only when asked for.

A tracker gets the configuration, the loss of every training step, the share that each co-labelling selected, each
model's score on source dev, and the scores on test sets.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from uxla import progress
from uxla.algorithm.events import CoLabelled
from uxla.config.run import RunConfig
from uxla.errors import ConfigError
from uxla.events import Event, Measured, Scored, TrainingEnded
from uxla.phrases import first_line

FOLDER = "tracking"
"""Where in the run folder a tracker that writes files writes them."""


@dataclass(frozen=True)
class Tracker:
    """One open tracker."""

    log: Callable[[str, float, int], object]
    """Takes a curve's name, its next value, and which step of this curve that is."""
    close: Callable[[bool], object]
    """Ends the run; the argument says whether it failed."""


class Tracking:
    """The trackers of one run. One that fails during the run gives one message and is left out."""

    def __init__(self) -> None:
        self._trackers: dict[str, Tracker] = {}
        self._steps: Counter[str] = Counter()

    def add(self, name: str, tracker: Tracker) -> None:
        """Use this one too."""
        self._trackers[name] = tracker

    def __call__(self, event: Event) -> None:
        """Log the numbers of an event, where it has some to plot."""
        match event:
            case CoLabelled():
                if len(event.corpus):
                    share = int(event.chosen.sum()) / len(event.corpus)
                    self._log(f"{event.method}/{event.target}/{event.corpus.name}: kept", share)
            case TrainingEnded():
                if event.dev is not None:
                    self._log(f"{event.method}/{event.target or 'source'}: source dev", event.dev)
            case Measured():
                for name, value in event.values.items():
                    self._log(f"{event.label}: {name}", value)
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
                        self._log(f"score/{target}/{method}", score["mean"])

    def close(self, *, failed: bool = False) -> None:
        """End the run in every tracker, as failed or not."""
        self._each(lambda tracker: tracker.close(failed))

    def _log(self, name: str, value: float) -> None:
        self._steps[name] += 1
        self._each(lambda tracker: tracker.log(name, float(value), self._steps[name]))

    def _each(self, call: Callable[[Tracker], object]) -> None:
        for name, tracker in list(self._trackers.items()):
            try:
                call(tracker)
            except Exception as error:  # whatever foreign code and a network can raise: no run is lost for it
                del self._trackers[name]
                progress.note(f"tracking: {name} failed and is left out ({type(error).__name__}: {error})")


@contextmanager
def tracking(config: RunConfig, out: Path, found: Tracking) -> Iterator[Tracking]:
    """The trackers that `config.tracking` names, closed at the end; ConfigError where one cannot be opened."""
    failed = True
    try:
        for name in config.tracking:
            found.add(name, _opened(name, config, out))
        yield found
        failed = False
    finally:
        found.close(failed=failed)


def require(config: RunConfig) -> None:
    """ConfigError, before any work, for a tracker that is not installed."""
    for name in config.tracking:
        _module(name)


def _module(name: str) -> Any:
    try:
        return import_module(_TRACKERS[name][0])
    except ImportError:
        raise ConfigError(f"tracking: {name} is not installed; pip install {name}, or leave it out") from None


def _opened(name: str, config: RunConfig, out: Path) -> Tracker:
    module = _module(name)
    try:
        return _TRACKERS[name][1](module, config, out)
    except Exception as error:
        raise ConfigError(f"tracking: {name} cannot begin ({first_line(error)}); fix that, or leave it out") from error


def _tensorboard(module: Any, config: RunConfig, out: Path) -> Tracker:
    writer = module.SummaryWriter(str(out / FOLDER))
    writer.add_text("config", "    " + config.to_yaml().replace("\n", "\n    "))
    return Tracker(writer.add_scalar, lambda failed: writer.close())


def _mlflow(module: Any, config: RunConfig, out: Path) -> Tracker:
    module.start_run(run_name=out.name)
    module.log_text(config.to_yaml(), "config.yaml")

    def log(name: str, value: float, step: int) -> None:
        shown = "".join(c if c.isalnum() or c in "_-./ " else "_" for c in name)  # no other letters in MLflow's names
        module.log_metrics({shown: value}, step=step)

    return Tracker(log, lambda failed: module.end_run("FAILED" if failed else "FINISHED"))


def _wandb(module: Any, config: RunConfig, out: Path) -> Tracker:
    run = module.init(project="uxla", name=out.name, config=config.model_dump(), dir=str(out))
    run.define_metric("*", step_metric="step")  # W&B's own step counts the calls of all curves together
    return Tracker(
        lambda name, value, step: run.log({name: value, "step": step}),
        lambda failed: run.finish(exit_code=int(failed)),
    )


_TRACKERS: Mapping[str, tuple[str, Callable[[Any, RunConfig, Path], Tracker]]] = {
    "tensorboard": ("torch.utils.tensorboard", _tensorboard),
    "mlflow": ("mlflow", _mlflow),
    "wandb": ("wandb", _wandb),
}
"""By name the module to import, and what opens the tracker with it."""
