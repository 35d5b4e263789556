"""Table 8: the hyper-parameters of runs and of the paper, with differences marked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from uxla.config.method import MaskedLMVicinity
from uxla.markup import Table
from uxla.report.paper.published import published_settings
from uxla.report.paper.runs import Line, PaperRun, figure_table, warnings

Pair = tuple[Any, Any]
"""A value in warm-up and one in adaptation: `OFF` where there is none, None where the setting does not apply."""

OFF = "-"
DIFFERS = "≠"
_STAGES = ("warm-up", "adaptation")
_NOTES = (
    f"{DIFFERS}: differs from the paper's column for the task; - is no value, an empty cell has no counterpart",
    "The paper: Bari et al. (2021), XLM-R large",
)


def settings_table(runs: Sequence[PaperRun]) -> Table:
    """Each run's values in two columns, warm-up and adaptation, after those of the paper for its task."""
    theirs = published_settings()
    tasks = [task for task in theirs.tasks if any(run.task == task for run in runs)]
    own = [settings(run.config) for run in runs]
    lines = []
    for block, rows in theirs.blocks.items():
        for name, of_task in rows.items():
            cells = [_text(value) for task in tasks for value in of_task[task]]
            for run, found in zip(runs, own, strict=True):
                cells += _marked(found[name], of_task.get(run.task))
            lines.append(Line((name,), tuple(cells), block))
    heads = [f"paper, {theirs.tasks[task]}" for task in tasks] + [run.title for run in runs]
    return figure_table(
        f"Table 8: {theirs.title}",
        ("setting",),
        [f"{head}: {stage}" for head in heads for stage in _STAGES],
        lines,
        notes=(*_NOTES, *(f"The paper: {note}" for note in theirs.notes)),
        warnings=warnings(runs),
    )


def settings(config: Mapping[str, Any]) -> dict[str, Pair]:
    """What a run's configuration holds, under the names and in the units of Table 8."""
    warmup, adaptation = config["warmup"], config["adaptation"]
    length = config["max_length"]

    def both(key: str) -> Pair:
        return warmup[key], adaptation[key]

    return {
        "model-type": (_model(config["model"]), "warm-up-ckpt"),
        "sampling-factor α": (OFF, config["alpha"]),
        "drop-out": both("dropout"),
        "max-seq-length": (length, length),
        "per-gpu-train-batch-size": both("batch_size"),
        "grad-accumulation-steps": both("accumulation"),
        "logging-step": both("evaluate_every"),
        "learning-rate": both("learning_rate"),
        "lr-warm-up-steps": (_steps(warmup["lr_warmup"]), _steps(adaptation["lr_warmup"])),
        "weight-decay": both("weight_decay"),
        "adam-epsilon": both("adam_epsilon"),
        "max-grad-norm": both("max_grad_norm"),
        "num-of-train-epochs": (OFF, _or_off(adaptation["epochs"])),
        "UXLA-epochs": (_or_off(warmup["epochs"]), len(config["schedule"])),
        "max-steps": (_or_off(warmup["max_steps"]), _or_off(adaptation["max_steps"])),
        "train-data-percentage": (100 * config["source"]["share"], 100 * config["target_data"]["share"]),
        "conf-penalty": (_penalty(warmup["penalty"]), _penalty(adaptation["penalty"])),
        **_distillation(config["schedule"]),
        **_augmentation(config),
    }


def _distillation(schedule: Sequence[Mapping[str, Any]]) -> dict[str, Pair]:
    selects = [plan["select"] for plan in schedule]
    clustered = [select for select in selects if select["kind"] == "clustering"]
    confident = [select for select in selects if select["kind"] == "confidence"]
    thresholds = ", ".join(dict.fromkeys(f"{select['threshold']:g}" for select in clustered))
    types = sorted({select["kind"] for select in selects}, reverse=True)
    return {
        # the mixture's settings mean nothing to distillation by confidence, whatever Table 8 has there
        "#mixture-component": (OFF, 2 if clustered else None),
        "posterior-threshold": (OFF, thresholds if clustered else None),
        "covariance-type": (OFF, "Full" if clustered else None),
        "distilation-factor η": (OFF, ", ".join(f"{100 * select['share']:g}" for select in confident) or OFF),
        "distillation-type": (OFF, ", ".join(types)),
    }


def _augmentation(config: Mapping[str, Any]) -> dict[str, Pair]:
    vicinity, pairs = config["vicinity"], config["task"] in ("nli", "paraphrase")
    kind, share, delta = vicinity["kind"], None, None
    if kind == "masked_lm":
        kind, share = "successive-cross" if pairs else "successive-max", 100 * vicinity["share"]
        delta = " × ".join(map(str, MaskedLMVicinity(copies=vicinity["copies"]).copies_of(2 if pairs else 1)))
    return {
        "do-lower-case": (None, None),  # the backbone's tokenizer decides
        "aug-type": (OFF, kind),
        "aug-percentage P": (OFF, share),
        "diversification-factor δ": (OFF, delta),
    }


def _marked(values: Pair, theirs: Pair | None) -> Iterator[str]:
    for place, value in enumerate(values):
        alike = theirs is None or value is None or _text(value, off=True) == _text(theirs[place], off=True)
        yield _text(value) if alike else f"{_text(value)} {DIFFERS}"


def _text(value: Any, *, off: bool = False) -> str:
    """The value as a table shows it. With `off` all values that switch a setting off have the same text."""
    if value is None:
        return ""
    if off and value in (OFF, 0, False):
        return OFF
    if isinstance(value, float):
        return f"{value:g}".replace("e-0", "e-")
    return str(value)


def _model(name: str) -> str:
    return "xlm-r L" if name.rpartition("/")[2] == "xlm-roberta-large" else name


def _steps(value: float) -> Any:
    return f"{100 * value:g} % of train" if isinstance(value, float) else value


def _penalty(weight: float) -> Any:
    return bool(weight) if weight in (0, 1) else weight


def _or_off(value: Any) -> Any:
    return OFF if value is None else value
