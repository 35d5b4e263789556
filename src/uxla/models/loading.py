"""From a name to a model on disk, and from there into memory: the Hub, folders, safetensors."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoTokenizer

from uxla.errors import ModelError
from uxla.records import ModelHandle

_FILES = ["*.json", "*.safetensors", "*.model", "*.txt"]
_DROPOUTS = (
    "hidden_dropout_prob",
    "attention_probs_dropout_prob",
    "classifier_dropout",
    "embedding_dropout",
    "mlp_dropout",
    "attention_dropout",
    "cls_dropout",
    "pooler_dropout",
)


def resolve(name: str, *, revision: str | None = None) -> ModelHandle:
    """A pretrained model as a folder on this disk: `name` is a folder, or a Hub id that is downloaded (once)."""
    folder = Path(name).expanduser()
    if not folder.is_dir():
        folder = _download(name, revision)
    return ModelHandle(folder, weights_digest(folder))


def _download(name: str, revision: str | None) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    remedy = "give a folder written by save_pretrained, or a Hub id such as FacebookAI/xlm-roberta-large"
    if name.count("/") > 1 or name.startswith((".", "/", "~")):
        raise ModelError(f"model {name!r}: there is no such folder; {remedy}")
    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=_FILES))
    except LocalEntryNotFoundError as error:
        raise ModelError(f"model {name!r}: not on this disk and the Hub cannot be reached; {remedy}") from error
    except (HfHubHTTPError, HFValidationError, OSError, ValueError) as error:
        reason = str(error).strip().split("\n")[0]
        raise ModelError(
            f"model {name!r}: no such folder, and not to be had from the Hub ({reason}); {remedy}"
        ) from error


def weights_digest(folder: Path) -> str:
    """SHA-256 over the names and bytes of a folder's weights and configuration; equal folders, equal digest."""
    weights = sorted(folder.glob("*.safetensors"))
    if not weights:
        raise ModelError(f"{folder}: no *.safetensors file; only safetensors weights are loaded")
    sha = hashlib.sha256()
    for file in [folder / "config.json", *weights]:
        if not file.is_file():
            raise ModelError(f"{folder}: no {file.name}; expected a folder written by save_pretrained")
        sha.update(file.name.encode())
        with file.open("rb") as stream:
            while block := stream.read(1 << 22):
                sha.update(block)
    return sha.hexdigest()


def load_tokenizer(folder: Path) -> Any:
    """The fast tokenizer of a model folder, set up for words that were split beforehand."""
    try:
        tokenizer = AutoTokenizer.from_pretrained(str(folder), add_prefix_space=True)
    except Exception as error:
        raise ModelError(f"{folder}: no tokenizer could be loaded ({_first_line(error)})") from error
    if not tokenizer.is_fast:
        raise ModelError(f"{folder}: its tokenizer has no fast version (tokenizer.json), which word alignment needs")
    return tokenizer


def load_model(
    auto_class: Any, folder: Path, *, dropout: float | None = None, head_seed: int = 0, **config_values: Any
) -> torch.nn.Module:
    """A model in fp32; weights that the folder lacks (a new classification layer) are drawn by `head_seed`.

    `dropout` sets every dropout the model's configuration knows; `config_values` go into the configuration as they are.
    """
    try:
        config = AutoConfig.from_pretrained(str(folder), **config_values)
        if dropout is not None:
            for key in _DROPOUTS:
                if hasattr(config, key):
                    setattr(config, key, dropout)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(head_seed)
            model: torch.nn.Module = auto_class.from_pretrained(
                str(folder), config=config, dtype=torch.float32, use_safetensors=True
            )
    except Exception as error:
        raise ModelError(f"{folder}: cannot be loaded as {auto_class.__name__} ({_first_line(error)})") from error
    return model


def usable_length(model: Any) -> int:
    """How many pieces, special tokens included, one input of the model may have.

    Position tables of the RoBERTa family begin after the padding's position, so that their first rows are never used.
    """
    table = getattr(getattr(model.base_model, "embeddings", None), "position_embeddings", None)
    padding = getattr(table, "padding_idx", None)
    return int(getattr(model.config, "max_position_embeddings", 512)) - (0 if padding is None else padding + 1)


def pick_device(name: str) -> torch.device:
    """`auto` is CUDA where there is one, else the CPU."""
    if name == "cuda" and not torch.cuda.is_available():
        raise ModelError("device cuda: this machine has no CUDA device that torch can use; set device=cpu")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
