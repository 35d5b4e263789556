"""Saving a tokenizer beside its model: it says how long an input may be, and cuts nothing without being asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModel

from uxla.errors import ModelError
from uxla.models.loading import usable_length
from uxla.models.model_safety import SAFE, ModelSafety, offline, reason
from uxla.write_errors import writing

_OF_THE_LOADING = ("is_local", "local_files_only", "trust_remote_code", "backend")
"""Keys about how the tokenizer was loaded here; elsewhere they would be taken for settings."""


def save_tokenizer(tokenizer: Any, folder: Path, *, length: int) -> None:
    """Write a fast tokenizer beside a model that takes `length` pieces: transformers 4 and 5 load it.

    Neither truncation nor padding is left in its settings: what cuts a text is asked for, as pipelines do with the
    length written here.
    """
    tokenizer.backend_tokenizer.no_truncation()
    tokenizer.backend_tokenizer.no_padding()
    tokenizer.model_max_length = length
    with writing(folder):
        tokenizer.save_pretrained(folder)
    file = folder / "tokenizer_config.json"
    settings = json.loads(file.read_text(encoding="utf-8"))
    for key in _OF_THE_LOADING:
        settings.pop(key, None)
    if settings.get("tokenizer_class") == "TokenizersBackend":  # what transformers 4 calls otherwise
        settings["tokenizer_class"] = "PreTrainedTokenizerFast"
    if isinstance(settings.get("extra_special_tokens"), list):
        settings["additional_special_tokens"] = settings.pop("extra_special_tokens")
    file.write_text(json.dumps(settings, indent=2, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")


def folders_length(folder: Path, safety: ModelSafety = SAFE) -> int:
    """`usable_length` of the model in a folder, whose weights are not read. ModelError where it cannot be built."""
    try:
        config = AutoConfig.from_pretrained(str(folder), **offline(safety))
        with torch.device("meta"):
            return usable_length(AutoModel.from_config(config, trust_remote_code=safety.remote_code))
    except Exception as error:
        raise ModelError(f"{folder}: cannot be built ({reason(error)})") from error
