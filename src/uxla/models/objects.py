"""A model and a tokenizer that a program has in memory, as a folder: from there on they are like any other."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from uxla.errors import ModelError


def check_objects(given: Any) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """The model and its tokenizer. ModelError for anything else than such a pair of transformers."""
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
    """Write both into a folder, as `save_pretrained` does. The objects stay as they are."""
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
