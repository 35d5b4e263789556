"""Settings that have a few values each, under one name wherever they are asked for."""

from __future__ import annotations

from typing import Any, Literal, get_args

from uxla.errors import ConfigError, setting

Task = Literal["ner", "nli", "paraphrase", "classification"]
_OTHER_NAMES = {"text-classification": "classification", "token-classification": "ner"}
"""What transformers calls tasks, and what they are called here."""

Format = Literal["auto", "conll", "text", "tsv", "csv", "jsonl", "parquet", "spans"]
"""What a data file is; `auto` goes by its suffix and its first lines."""

Device = Literal["auto", "cpu", "cuda"]
"""Where models compute; `auto` is a GPU where there is one."""

Precision = Literal["fp32", "tf32", "bf16", "fp16"]
"""What matrix products are computed in. Weights, sums and probabilities of task models are float32 in all of them."""

AskedPrecision = Literal["auto", "fp32", "tf32", "bf16", "fp16"]
"""A precision, or `auto`: bf16 on a GPU that has it, fp32 elsewhere; to label with the models of a run, what the run
computed in on a GPU that has it, fp32 elsewhere."""

Attention = Literal["auto", "eager", "sdpa", "flash_attention_2"]
"""What attention is computed by: what transformers chooses, its formula, torch's fused one, the package flash-attn.
Results are equal but for rounding."""

KeepWeights = Literal["last", "warmup", "all"]
"""Which weights stay in the store: those of the final models, also those that methods begin with, or all."""

Unit = Literal["word", "piece", "auto"]
"""What Gen-LM masks at once; `auto` is pieces in scripts without spaces, elsewhere words."""

Match = Literal["none", "kind", "case", "length"]
"""In what a replacement must be like the unit: nothing; letters or digits; also capitals; also its length."""

Words = Literal["all", "names", "others"]
"""Which units Gen-LM may draw: `names` have a capital letter or a digit."""

Order = Literal["synchronous", "in_place", "alone"]
"""In what order models teach: all frozen for an epoch, each replaced at once, or each itself."""

Selection = Literal["last", "source_dev", "target_dev", "average"]
"""Which weights of a training are kept."""

BATCH_SIZE = 8192
"""So many examples are labelled together where nobody says otherwise."""


def check_choice(name: str, value: object, choices: Any) -> None:
    """ConfigError where the setting `name` has a value that is none of its `choices`, one of the types above."""
    known = get_args(choices)
    if value not in known:
        raise ConfigError(f"{setting(name)}: got {value!r}, expected one of {', '.join(known)}")


def check_task(task: object) -> None:
    """ConfigError for what is neither a task nor None; a task of transformers is told by its name here."""
    if task is not None and task not in get_args(Task):
        meant = _OTHER_NAMES.get(task) if isinstance(task, str) else None
        remedy = f"; did you mean {meant}?" if meant else ""
        raise ConfigError(f"{setting('task')}: got {task!r}, expected one of {', '.join(get_args(Task))}{remedy}")
