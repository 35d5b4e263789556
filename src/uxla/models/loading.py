"""From a name to a model on disk, and from there into memory: the Hub, folders, safetensors."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import torch
from tokenizers.pre_tokenizers import ByteLevel
from transformers import AutoConfig, AutoTokenizer

from uxla.errors import ModelError
from uxla.models.classifier import LayerDescription, layer_tensors, settle
from uxla.models.model_safety import SAFE, ModelSafety, weight_files
from uxla.phrases import counted
from uxla.records import ModelHandle

_TEXTS = ["*.json", "*.model", "*.txt"]
_CODE = "*.py"
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
_ATTENTIONS = ("scaled_dot_product_attention", "FlashAttention", "Flash Attention")
"""What transformers calls kinds of attention that a model or a machine does not have."""
INFORMED = {"ignore_mismatched_sizes": True, "output_loading_info": True}
"""Have `from_pretrained` tell of tensors that are missing or of another size; `check_weights` judges them."""


def resolve(name: str, *, revision: str | None = None, safety: ModelSafety = SAFE) -> ModelHandle:
    """A pretrained model as a folder on this disk: `name` is a folder, or a Hub id that is downloaded (once).

    Its digest covers all that decides what it computes: weights, configuration, tokenizer, and code where that is run.
    """
    folder = local_folder(name, revision=revision, safety=safety)
    patterns = [*_TEXTS, _CODE] if safety.remote_code else _TEXTS
    files = {file for pattern in patterns for file in folder.glob(pattern)}
    return ModelHandle(folder, _digest([*files, *weight_files(folder, safety)]))


def local_folder(name: str, *, revision: str | None = None, safety: ModelSafety = SAFE) -> Path:
    """The folder `name`, else that of the Hub's model `name`, downloaded if need be. ModelError where neither is."""
    folder = Path(name).expanduser()
    if folder.is_dir():
        return folder
    files = [*_TEXTS, "*.safetensors", *([_CODE] if safety.remote_code else [])]
    folder = _download(name, revision, files)
    if safety.pickle and not any(folder.glob("*.safetensors")):
        folder = _download(name, revision, [*files, "pytorch_model*.bin"])
    return folder


def hub_commit(folder: Path) -> str | None:
    """The commit of a model that was downloaded from the Hub; None for any other folder."""
    return folder.name if folder.parent.name == "snapshots" else None


def _download(name: str, revision: str | None, files: list[str]) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    remedy = "give a folder written by save_pretrained, or a Hub id such as FacebookAI/xlm-roberta-large"
    if name.count("/") > 1 or name.startswith((".", "/", "~")):
        raise ModelError(f"model {name!r}: there is no such folder; {remedy}")
    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=files))
    except LocalEntryNotFoundError as error:
        raise ModelError(f"model {name!r}: not on this disk and the Hub cannot be reached; {remedy}") from error
    except (HfHubHTTPError, HFValidationError, ValueError) as error:
        said = str(error).strip().split("\n")[0]
        raise ModelError(
            f"model {name!r}: no such folder, and not to be had from the Hub ({said}); {remedy}"
        ) from error
    except Exception as error:  # whatever a network, a disk and foreign libraries can raise, whatever the name
        message = f"the Hub's copy cannot be brought here ({reason(error)}); see to network and disk, and run again"
        raise ModelError(f"model {name!r}: {message}") from error


def weights_digest(folder: Path) -> str:
    """SHA-256 over the names and bytes of a folder's safetensors and configuration; equal folders, equal digest."""
    return _digest([*weight_files(folder), folder / "config.json"])


def _digest(files: list[Path]) -> str:
    sha = hashlib.sha256()
    for file in sorted(files):
        sha.update(file.name.encode())
        with file.open("rb") as stream:
            while block := stream.read(1 << 22):
                sha.update(block)
    return sha.hexdigest()


def load_tokenizer(folder: Path, *, safety: ModelSafety = SAFE) -> Any:
    """The fast tokenizer of a model folder, set up for words that were split beforehand."""
    try:
        tokenizer = AutoTokenizer.from_pretrained(str(folder), add_prefix_space=True, **offline(safety))
    except Exception as error:
        raise ModelError(f"{folder}: no tokenizer could be loaded ({reason(error)})") from error
    if not tokenizer.is_fast:
        raise ModelError(f"{folder}: its tokenizer has no fast version (tokenizer.json), which word alignment needs")
    step = tokenizer.backend_tokenizer.pre_tokenizer
    if isinstance(step, ByteLevel):  # transformers does so for RoBERTa's own class only
        step.add_prefix_space = True
    return tokenizer


def load_model(auto_class: Any, folder: Path, **values: Any) -> torch.nn.Module:
    """The model of `load_for_labels`, without what is told of it."""
    return load_for_labels(auto_class, folder, **values)[0]


def load_for_labels(
    auto_class: Any,
    folder: Path,
    *,
    dropout: float | None = None,
    head_seed: int = 0,
    safety: ModelSafety = SAFE,
    id2label: Mapping[int, str] | None = None,
    **config_values: Any,
) -> tuple[torch.nn.Module, str]:
    """A model in fp32, and what a person should know of its classification layer (see `settle`), if anything.

    `id2label` names the columns of that layer: where the folder has none for such labels, `head_seed` draws it.
    `dropout` sets every dropout the model's configuration knows; `config_values` go into the configuration as they are.
    ModelError for weights that do not belong to the configuration, or lack a part of the encoder.
    """
    safe = use_safetensors(folder, safety)
    try:
        config = AutoConfig.from_pretrained(str(folder), **offline(safety), **config_values)
        own = LayerDescription.of(config)
        _set_values(config, dropout, id2label)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(head_seed)
            model, info = auto_class.from_pretrained(
                str(folder), config=config, dtype=torch.float32, use_safetensors=safe, **offline(safety), **INFORMED
            )
    except Exception as error:
        raise ModelError(f"{folder}: cannot be loaded as {auto_class.__name__} ({reason(error)})") from error
    renewable = frozenset() if id2label is None else layer_tensors(model)
    check_weights(folder, model, info, renewable)
    if id2label is None:
        return model, ""
    missing, fits = frozenset(info["missing_keys"]), not info["mismatched_keys"]
    names = [id2label[i] for i in sorted(id2label)]
    return model, settle(model, folder, own, names, missing=missing, fits=fits, seed=head_seed)


def _set_values(config: Any, dropout: float | None, id2label: Mapping[int, str] | None) -> None:
    if dropout is not None:
        for key in _DROPOUTS:
            if hasattr(config, key):
                setattr(config, key, dropout)
    if id2label is not None:
        config.id2label = dict(id2label)
        config.label2id = {name: i for i, name in id2label.items()}
        config.problem_type = None  # one label of several; a model for several at once would say otherwise


def check_weights(folder: Path | str, model: Any, info: Mapping[str, Any], renewable: Collection[str] = ()) -> None:
    """ModelError where tensors other than the `renewable` ones are of another size than the model's configuration has
    it, or tensors of the encoder are not there: transformers would draw them, and the model know nothing."""
    sizes = {name: (tuple(found), tuple(asked)) for name, found, asked in info["mismatched_keys"]}
    wrong = sorted(sizes.keys() - set(renewable))
    if wrong:
        found, asked = sizes[wrong[0]]
        more = f", and so {counted(len(wrong) - 1, 'other tensor')}" if len(wrong) > 1 else ""
        fault = f"{wrong[0]} is {_size(found)} in its weights, {_size(asked)} by its config.json{more}"
        raise ModelError(f"{folder}: {fault}; take weights and configuration of one model")
    encoder = f"{model.base_model_prefix}."
    lacking = sorted(n for n in info["missing_keys"] if n.startswith(encoder) and "pooler" not in n)
    if lacking:
        fault = f"its weights lack {counted(len(lacking), 'tensor')} of the encoder, the first is {lacking[0]}"
        raise ModelError(f"{folder}: {fault}; take weights and configuration of one model")


def _size(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape))


def offline(safety: ModelSafety) -> dict[str, bool]:
    """What every call of transformers is told: all is on this disk already, and whether code on it may run."""
    return {"local_files_only": True, "trust_remote_code": safety.remote_code}


def use_safetensors(folder: Path, safety: ModelSafety) -> bool:
    """Whether the folder's weights are safetensors, not pickles that `safety` allows. ModelError where neither."""
    return weight_files(folder, safety)[0].suffix == ".safetensors"


def reason(error: Exception) -> str:
    """A foreign error in one line, with the key to set where it is about a model's own code or its attention."""
    if "trust_remote_code" in str(error):
        return "it needs Python code that comes with it; if you have read that and trust it, set trust_remote_code=true"
    if any(name in str(error) for name in _ATTENTIONS):
        return f"{str(error).split('. ')[0].rstrip('.')}; set attention=auto"
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


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
