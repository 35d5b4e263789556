"""Models of programs as folders, and the usable length of a folder's model."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from transformers import AutoConfig, AutoModel, PreTrainedTokenizerBase

from uxla.errors import ModelError
from uxla.models.loading import require_fast, usable_length
from uxla.models.model_safety import SAFE, ModelSafety, offline, reason

if TYPE_CHECKING:  # with it comes all that models of transformers are made with, a second's work
    from transformers import PreTrainedModel


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
    from transformers import PreTrainedModel

    pair = given if isinstance(given, tuple | list) else (given,)
    if len(pair) != 2 or not isinstance(pair[0], PreTrainedModel) or not isinstance(pair[1], PreTrainedTokenizerBase):
        got = ", ".join(type(each).__name__ for each in pair)
        expected = "a folder, a Hub id, or (model, tokenizer) of transformers"
        raise ModelError(f"model: got {got}, expected {expected}")
    require_fast(pair[1], "model")
    return pair[0], pair[1]


def objects_digest(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> str:
    """SHA-256 over configuration, weights and tokenizer: equal models, equal digest."""
    sha = hashlib.sha256(model.config.to_json_string().encode())
    _add_weights(sha, model)
    sha.update(tokenizer.backend_tokenizer.to_str().encode())
    return sha.hexdigest()


def module_digest(module: torch.nn.Module) -> str:
    """SHA-256 over a module's weights."""
    sha = hashlib.sha256()
    _add_weights(sha, module)
    return sha.hexdigest()


def _add_weights(sha: Any, module: torch.nn.Module) -> None:
    for name, tensor in sorted(module.state_dict().items()):
        sha.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        sha.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())


def write_objects(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """Write both into a folder by `save_pretrained`; the objects do not change."""
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
