"""Settings and cost of a run, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from uxla.methods.registry import title
from uxla.phrases import counted, duration, enumerated
from uxla.report.folder import RunFolder
from uxla.report.scores import own_methods
from uxla.report.trainings import NOUNS

Fact = tuple[str, str]

_TASKS = {"ner": "named entity recognition", "nli": "natural language inference", "paraphrase": "paraphrase detection"}
_STAGES = {"fit": "training", "predict": "labelling", "vicinity": "generating virtual sentences", "mlm": "masked LM"}
_PACKAGES = ("uxla", "python", "torch", "transformers")


def facts(run: RunFolder) -> list[Fact]:
    """Names and texts: what the run was made from, how, when, and what it cost. What the folder lacks is left out."""
    config = run.config if run.config_text else {}
    return [*_settings(run, config), *_cost(run.results, run.environment)]


def _settings(run: RunFolder, config: Mapping[str, Any]) -> Iterator[Fact]:
    results = run.results
    yield "task", _TASKS.get(results["task"], results["task"])
    if config:
        yield "model", f"{config['model']}, {results.get('precision', 'fp32')}"
        yield "seed", str(config["seed"])
        yield "methods", ", ".join(title(name, own_methods(results)) for name in config["methods"])
        yield "data", "; ".join(_sizes(run)) or ", ".join([results["source"]["name"], *run.targets])
        yield "epochs of Algorithm 1", str(len(config["schedule"]))
        yield "agreement", str(config["agree"]["kind"])
        vicinity = config["vicinity"]
        replaced = f", {100 * vicinity['share']:g} % of the words replaced" if "share" in vicinity else ""
        yield "virtual sentences", f"{vicinity['kind']}{replaced}"
        yield "configuration", f"SHA-256 {sha256(run.config_text.encode()).hexdigest()[:12]}"


def _sizes(run: RunFolder) -> Iterator[str]:
    """The size of each data set, as far as trainings and test sets show it."""
    noun = NOUNS[run.results["task"]]
    learned = [
        (one["target"], found) for one in run.results.get("trainings", ()) for found in one["learned_from"] or ()
    ]
    source = next((found["of"] for _, found in learned if found["kind"] == "source"), None)
    if source is not None:
        yield f"{source:,} labelled {noun} of {run.results['source']['name']}"
    for target in run.targets:
        raw = next((found["of"] for name, found in learned if name == target and found["kind"] == "target"), None)
        test = run.test_set(target)
        sizes = [f"{raw:,} raw {noun}"] if raw is not None else []
        sizes += [f"{len(test):,} test {noun}"] if test is not None else []
        if sizes:
            yield f"{enumerated(sizes)} of {target}"


def _cost(results: Mapping[str, Any], environment: Mapping[str, Any]) -> Iterator[Fact]:
    trainings = results.get("trainings", ())
    steps = sum(one.get("steps", 0) for one in trainings)
    if steps:
        yield "trainings", f"{len(trainings)}, {steps:,} steps in all"
    if seconds := environment.get("seconds"):
        parts = [f"{name} {duration(seconds[stage])}" for stage, name in _STAGES.items() if seconds.get(stage)]
        yield "compute time", f"{duration(sum(seconds.values()))} ({', '.join(parts)})"
    if (hardware := environment.get("hardware")) and "threads" in environment:
        yield (
            "hardware",
            ", ".join([*(hardware["gpus"] or [hardware["cpu"]]), counted(environment["threads"], "thread")]),
        )
    if finished := environment.get("finished"):
        yield "finished", finished
    if versions := environment.get("versions"):
        yield "versions", ", ".join(f"{name} {versions[name]}" for name in _PACKAGES if name in versions)
