"""Labelling against `transformers.pipeline`: the same model, sentences and labels, one thread, interleaved rounds.

    python bench/labelling.py [--short] [--json FILE]

The pipeline runs in batches of 32 and joins the pieces of a word by its first one (`aggregation_strategy="first"`), as
UXLA does. Both begin with texts and end with the names of labels. A ratio is the median over the rounds; "equal" is
the share of labels that are the pipeline's. bf16 is an option; its columns are how much faster than UXLA in fp32 it
is, and the share of labels it changes.
"""

import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from common import arguments, ratio, rounds, table, write_json
from material import models, opened, plain, quiet, tagged, topics
from transformers import AutoTokenizer, pipeline

from uxla.models.task_model import TaskModel
from uxla.models.tasks import SentenceTask, Tagging
from uxla.records import Corpus

HEADER = (
    "task, model",
    "sentences",
    "pieces",
    "pipeline, s",
    "uxla, s",
    "ratio",
    "equal",
    "bf16 ratio",
    "bf16 changes",
)


def pipe(kind: str, loaded: TaskModel, folder: Path) -> Callable[[Corpus], list[str]]:
    """The pipeline as a function from a corpus to the name of each row's label."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    more = {"aggregation_strategy": "first", "ignore_labels": []} if kind == "ner" else {}
    run = pipeline(
        "token-classification" if kind == "ner" else "text-classification",
        model=plain(loaded.module),
        tokenizer=tokenizer,
        batch_size=32,
        device="cpu",
        **more,
    )

    def label(corpus: Corpus) -> list[str]:
        texts = [example.segments[0] for example in corpus]
        if kind != "ner":
            return [answer["label"] for answer in run(texts, truncation=True, max_length=loaded.max_length)]
        return [name for text, spans in zip(texts, run(texts), strict=True) for name in of_words(text, spans)]

    return label


def of_words(text: str, spans: list[dict]) -> list[str]:
    """The label of the first span that each word's first character lies in: two pieces may claim the same one."""
    names = [""] * len(text)
    for span in reversed(spans):
        names[span["start"] : span["end"]] = [span["entity_group"]] * (span["end"] - span["start"])
    return [names[at] for at in range(len(text)) if at == 0 or text[at - 1] == " "]


def plainly_named(corpus: Corpus) -> Corpus:
    """Labels without B- and I-, which the pipeline takes off: B_PER."""
    return replace(corpus, label_names=tuple(name.replace("-", "_") for name in corpus.label_names))


def uxla(loaded: TaskModel) -> Callable[[Corpus], list[str]]:
    def label(corpus: Corpus) -> list[str]:
        loaded.tokenizer.forget()  # each round reads its words anew
        return [corpus.label_names[label] for label in loaded.predict(corpus, "label").pseudo_labels]

    return label


def measure(kind: str, corpus: Corpus, folder: Path, count: int) -> dict[str, float]:
    task = Tagging() if kind == "ner" else SentenceTask(1)
    loaded = opened(task, folder, corpus.label_names)
    half = replace(loaded, precision="bf16")
    ways = {"pipeline": pipe(kind, loaded, folder), "uxla": uxla(loaded), "bf16": uxla(half)}
    pieces = int(loaded.encode(corpus).lengths.sum())
    labels: dict[str, np.ndarray] = {}

    def work(name: str) -> Callable[[], float]:
        def run() -> float:
            labels[name] = np.array(ways[name](corpus))
            return 1.0

        return run

    for label in ways.values():  # the first call of each warms up
        label(corpus.part(0, 64))
    seconds = rounds({name: work(name) for name in ways}, count)
    return {
        "sentences": len(corpus),
        "pieces": pieces,
        **{name: float(np.median(found)) for name, found in seconds.items()},
        "ratio": ratio(seconds["pipeline"], seconds["uxla"]),
        "equal": float((labels["pipeline"] == labels["uxla"]).mean()),
        "bf16_ratio": ratio(seconds["uxla"], seconds["bf16"]),
        "bf16_changes": float((labels["uxla"] != labels["bf16"]).mean()),
    }


def main() -> None:
    given = arguments(__doc__)
    torch.set_num_threads(1)
    quiet()
    warnings.filterwarnings("ignore", message="Tokenizer does not support real words")
    corpora = {"ner": plainly_named(tagged(512)), "classification": topics(512)}
    found = {}
    with models() as folders:
        for kind, corpus in corpora.items():
            for name, folder in folders.items():
                found[f"{kind}, {name}"] = measure(kind, corpus, folder, 1 if given.short else 3)
    figures = ("pipeline", "uxla", "ratio", "equal", "bf16_ratio", "bf16_changes")
    table(
        HEADER,
        [(name, f["sentences"], f["pieces"], *(f"{f[key]:.3f}" for key in figures)) for name, f in found.items()],
    )
    write_json(
        given.json,
        {
            "ratio_labelling_to_pipeline": min(f["ratio"] for f in found.values()),
            "labels_equal": all(f["equal"] == 1.0 for f in found.values()),
            "ratios": {name: f["ratio"] for name, f in found.items()},
        },
    )


if __name__ == "__main__":
    main()
