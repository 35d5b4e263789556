"""The model card: a README.md as the Hub expects it. Text of a user is never read as markup."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, ModelCardData

from uxla import __version__
from uxla.config.consistency import data_paths
from uxla.config.files import ELSEWHERE
from uxla.config.run import RunConfig
from uxla.data.hub import HUB, SOURCES, parse_uri
from uxla.hub_id import is_hub_id
from uxla.markup import code_span, escaped
from uxla.methods.method import Method
from uxla.methods.registry import METHODS
from uxla.report.table import run_table
from uxla.report.trainings import taught_nothing
from uxla.report.verdict import warnings_of

_CODE = re.compile(r"[a-z]{2,3}")
_UNTAUGHT = "labelled text in {s} alone, since no sentence of the raw text in {t} taught it"
_WHAT = {
    "ner": "tags words with named entities",
    "nli": "says what a text means for another (inference)",
    "paraphrase": "says whether two texts mean the same",
    "classification": "gives a text one of several labels",
}
_TEXT = {
    "ner": '"A sentence."',
    "nli": '("A text.", "Another text.")',
    "paraphrase": '("A text.", "Another text.")',
    "classification": '"A text."',
}
_PIPELINES = {
    "ner": """pipeline("token-classification", model=".", aggregation_strategy="first", stride=32)
label("A sentence.")""",
    "pairs": """pipeline("text-classification", model=".")
label({"text": "A text.", "text_pair": "Another text."}, truncation=True)""",
    "classification": """pipeline("text-classification", model=".")
label("A text.", truncation=True)""",
}
_PIECES = """
Only the first piece of each word was trained, so any other `aggregation_strategy` gives wrong entities; without
`stride`, the end of a long text is not read. The pipeline takes the most probable label of each word, uxla the most
probable valid sequence of labels: a few entities differ."""
_METRICS = {"f1": "F1", "accuracy": "Accuracy"}
_CITATION = """```bibtex
@inproceedings{bari-etal-2021-uxla,
  title = {UXLA: A Robust Unsupervised Data Augmentation Framework for Zero-Resource Cross-Lingual NLP},
  author = {Bari, M Saiful and Mohiuddin, Tasnim and Joty, Shafiq},
  booktitle = {Proceedings of ACL-IJCNLP 2021 (Volume 1: Long Papers)},
  pages = {1978--1992},
  year = {2021},
  url = {https://aclanthology.org/2021.acl-long.154}
}
```"""


def model_card(
    config: RunConfig,
    results: Mapping[str, Any],
    *,
    target: str,
    label_names: Sequence[str],
    counts: Mapping[str, int],
    final: Method,
) -> str:
    """README.md for the folder of `target`: itself one model, with the three in `models/`.

    `results` is what `results.json` holds, `counts` the examples of each data set by what is shown as its name, `final`
    the method that the run is for.
    """
    names = {"s": code_span(config.source.name), "t": code_span(target)}
    made_by = METHODS["penalty"] if results.get("kept_epoch", {}).get(target) == 0 else final
    nothing = taught_nothing(results.get("trainings", ()), target, made_by.name)
    learned = (_UNTAUGHT if nothing else made_by.learned_from).format(**names, method=code_span(made_by.title))
    used = _target_labels(config, final)
    warnings = _warnings(results, target)
    parts = [
        f"---\n{_front(config, results, target, zero_resource=not used).to_yaml()}\n---",
        "# {s} → {t}".format(**names),
        f"This model {_WHAT[config.task]}. It learned from {learned}, beginning with "
        f"{code_span(_base(config))}; made by uxla {__version__}.",
        *(["## Warnings", warnings] if warnings else []),
        "## Labels",
        ", ".join(map(code_span, label_names)),
        "## Data",
        "\n".join(_data(config, target, counts)),
        "## Scores",
        run_table({**results, "warnings": []}).markdown().strip(),
        "## Use",
        _use(config),
        "## Limits",
        _limits(config, target, results["precision"], used),
        "## Citation",
        _CITATION,
    ]
    return "\n\n".join(parts) + "\n"


def _front(config: RunConfig, results: Mapping[str, Any], target: str, *, zero_resource: bool) -> ModelCardData:
    """What the Hub's index reads. A value that the Hub does not know, as a path, is left out."""
    languages = [name for name in (config.source.name, target) if _CODE.fullmatch(name)]
    sets = dict.fromkeys(parse_uri(path)[0] for _, path in _paths(config, target) if path.startswith(HUB))
    ner = config.task == "ner"
    kind = "token-classification" if ner else "text-classification"
    return ModelCardData(
        language=languages or None if config.testbed is None else None,
        license="other",  # those of the backbone and of the data apply
        license_name="backbone-and-data",
        base_model=config.model if is_hub_id(config.model) else None,
        datasets=list(sets) or None,
        metrics=["f1"] if ner else ["accuracy", "f1"],
        library_name="transformers",
        pipeline_tag=kind,
        tags=["uxla", "cross-lingual", *(("zero-resource",) if zero_resource else ())],
        inference={"parameters": {"aggregation_strategy": "first"}} if ner else None,
        model_name=f"uxla-{config.task}-{config.source.name}-{target}",
        eval_results=_evaluations(config, results, target, kind),
    )


def _evaluations(config: RunConfig, results: Mapping[str, Any], target: str, kind: str) -> list[EvalResult] | None:
    """The scores of the one model and of the three together on the target's test set, if it has one."""
    single = results["targets"].get(target, {}).get("single")
    if not single:
        return None
    test = dict(_paths(config, target)).get("target_data.test", "")
    known = test.startswith(HUB)
    id_, part, split, revision = parse_uri(test) if known else ("local", None, "test", None)
    data_name = f"{id_}, {target}" if known else f"test set of {target}"
    metric = results["metric"]
    return [
        EvalResult(
            task_type=kind,
            dataset_type=id_,
            dataset_name=data_name,
            metric_type=metric,
            metric_name=f"{_METRICS[metric]} of {what}",
            metric_value=round(single[which]["mean"], 2),
            dataset_config=part,
            dataset_split=split,
            dataset_revision=revision,
        )
        for which, what in (("averaged", "the one model"), ("ensemble", "three models together"))
    ]


def _warnings(results: Mapping[str, Any], target: str) -> str:
    """The run's warnings about `target` and about all of it, as a list; nothing in them is markup."""
    return "\n".join(f"- {escaped(warning)}." for warning in warnings_of(results, target))


def _target_labels(config: RunConfig, final: Method) -> str:
    """What the target's own labels were used for; empty where they were not."""
    if "labelled" in final.needs or any("labelled" in plan.data for plan in config.schedule):
        return "trained the models"
    return "chose the checkpoints" if final.reads_target and config.adaptation.selection == "target_dev" else ""


def _base(config: RunConfig) -> str:
    """The backbone's name; of a folder only the last part, since paths are private."""
    return config.model if is_hub_id(config.model) else Path(config.model).name


def _data(config: RunConfig, target: str, counts: Mapping[str, int]) -> list[str]:
    lines = [f"- {code_span(name)}: {count:,} examples" for name, count in counts.items()]
    for key, path in _paths(config, target):
        known = SOURCES.get(parse_uri(path)[0]) if path.startswith(HUB) else None
        shown = path if path.startswith(ELSEWHERE) else Path(path).name
        lines.append(f"- {code_span(key)}: {code_span(shown)}{f', licence: {known.licence}' if known else ''}")
    return lines


def _paths(config: RunConfig, target: str) -> list[tuple[str, str]]:
    return [(".".join(map(str, key)), path.replace("{target}", target)) for key, path in data_paths(config)]


def _use(config: RunConfig) -> str:
    call = 'uxla.load(".").ensemble' if len(config.target) == 1 else 'uxla.Ensemble.load(".")'
    kind = "pairs" if config.task in ("nli", "paraphrase") else config.task
    return f"""The three models together, the ensemble of the scores (`.` is this folder, or its id on the Hub):

```python
import uxla

ensemble = {call}
ensemble.predict({_TEXT[config.task]})
```

The folder itself is one model, the mean of the three models' weights, for transformers and what builds on it:

```python
from transformers import pipeline

label = {_PIPELINES[kind]}
```
{_PIECES if config.task == "ner" else ""}"""


def _limits(config: RunConfig, target: str, precision: str, used: str) -> str:
    labels = (
        f"Labels of {code_span(target)} {used}: this is not zero-resource"
        if used
        else f"No label of {code_span(target)} was used"
    )
    return "\n".join(
        (
            f"- {labels}. Names, topics and kinds of text that its training data lacks may be labelled badly.",
            f"- Texts longer than {config.max_length} pieces are read in windows or cut.",
            *([f"- Trained and scored in {precision}."] if precision != "fp32" else []),
            "- The licences of the backbone and of the data apply to this model.",
        )
    )
