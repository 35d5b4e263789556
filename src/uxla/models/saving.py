"""Models and tokenizers as folders that other programs load, too."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModel, PreTrainedModel, PreTrainedTokenizerBase

from uxla.errors import ModelError
from uxla.models.loading import usable_length
from uxla.models.model_safety import SAFE, ModelSafety, offline, reason
from uxla.write_errors import writing

_LOADING_KEYS = ("is_local", "local_files_only", "trust_remote_code", "backend")
"""How the tokenizer was loaded here; others would take these keys for settings."""


def save_tokenizer(tokenizer: Any, folder: Path, *, length: int) -> None:
    """Write a fast tokenizer beside a model that takes `length` pieces; transformers 4 and 5 load it.

    The saved tokenizer neither cuts nor pads by itself: pipelines cut when they are told to, at `length`.
    """
    tokenizer.backend_tokenizer.no_truncation()
    tokenizer.backend_tokenizer.no_padding()
    tokenizer.model_max_length = length
    with writing(folder):
        tokenizer.save_pretrained(folder)
    file = folder / "tokenizer_config.json"
    settings = json.loads(file.read_text(encoding="utf-8"))
    for key in _LOADING_KEYS:
        settings.pop(key, None)
    if settings.get("tokenizer_class") == "TokenizersBackend":  # unknown to transformers 4
        settings["tokenizer_class"] = "PreTrainedTokenizerFast"
    if isinstance(settings.get("extra_special_tokens"), list):
        settings["additional_special_tokens"] = settings.pop("extra_special_tokens")
    file.write_text(json.dumps(settings, indent=2, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")


def folders_length(folder: Path, safety: ModelSafety = SAFE) -> int:
    """`usable_length` of a folder's model, without reading its weights. ModelError where it cannot be built."""
    try:
        config = AutoConfig.from_pretrained(str(folder), **offline(safety))
        with torch.device("meta"):
            return usable_length(AutoModel.from_config(config, trust_remote_code=safety.remote_code))
    except Exception as error:
        raise ModelError(f"{folder}: cannot be built ({reason(error)})") from error


def check_objects(given: Any) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """A program's model and tokenizer. ModelError for anything but such a pair of transformers."""
    pair = given if isinstance(given, tuple | list) else (given,)
    if len(pair) != 2 or not isinstance(pair[0], PreTrainedModel) or not isinstance(pair[1], PreTrainedTokenizerBase):
        got = ", ".join(type(each).__name__ for each in pair)
        expected = "a folder, a Hub id, or (model, tokenizer) of transformers"
        raise ModelError(f"model: got {got}, expected {expected}")
    if not pair[1].is_fast:
        name = type(pair[1]).__name__
        raise ModelError(f"model: {name} is no fast tokenizer, which word alignment needs; load it with use_fast=True")
    return pair[0], pair[1]


def objects_digest(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> str:
    """SHA-256 over configuration, weights and tokenizer: equal models, equal digest."""
    sha = hashlib.sha256(model.config.to_json_string().encode())
    for name, tensor in sorted(model.state_dict().items()):
        sha.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        sha.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    sha.update(tokenizer.backend_tokenizer.to_str().encode())
    return sha.hexdigest()


def write_objects(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """Write both into a folder by `save_pretrained`; the objects do not change."""
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
