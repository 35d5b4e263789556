"""Loading a model's folder: weights, configuration and tokenizer."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import torch
from tokenizers.pre_tokenizers import ByteLevel
from transformers import AutoConfig, AutoModelForMaskedLM, AutoTokenizer

from uxla.errors import ModelError
from uxla.models.classifier import LayerDescription, layer_tensors, reuse_or_draw
from uxla.models.linear import use_faster_products
from uxla.models.model_safety import SAFE, ModelSafety, offline, reason, weight_files
from uxla.phrases import counted
from uxla.process_settings import process_settings, seeded

_HEAD_OF_MICROSOFT = {
    r"^lm_predictions\.lm_head\.(dense|LayerNorm)\.": r"cls.predictions.transform.\1.",
    r"^lm_predictions\.lm_head\.bias$": "cls.predictions.bias",
}
"""DeBERTa's masked-LM head as its authors' checkpoints call it, and as transformers does."""


class MaskedLanguageModel:
    """`AutoModelForMaskedLM` for `read_model` and `load_model`, but weights without a head are refused: a new one needs
    a corpus. The head of DeBERTa is found under both of its names."""

    @staticmethod
    def from_pretrained(folder: str, *, config: Any, **keywords: Any) -> Any:
        """The model and what transformers says of its weights; ModelError for weights without a masked-LM head."""
        if hasattr(config, "legacy"):
            config.legacy = True  # DeBERTa's head as a linear layer of its own; False computes the same without one
        model, info = AutoModelForMaskedLM.from_pretrained(
            folder, config=config, key_mapping=_HEAD_OF_MICROSOFT, **keywords
        )
        if missing := sorted(info["missing_keys"]):
            raise ModelError(f"{folder}: it has no masked-LM head: {missing[0]} is not among its weights")
        return model, info


def read_model(auto_class: Any, folder: Path, safety: ModelSafety, **values: Any) -> tuple[Any, dict[str, Any]]:
    """The model of a folder in float32, and what transformers reports about missing and mismatched tensors.

    `check_weights` judges that report. ModelError where the folder has no weights that may be read. Any other error
    that foreign files can raise passes through.
    """
    safe = weight_files(folder, safety)[0].suffix == ".safetensors"
    given = {"dtype": torch.float32, "use_safetensors": safe, "ignore_mismatched_sizes": True}
    with process_settings():
        model, info = auto_class.from_pretrained(
            str(folder), output_loading_info=True, **given, **offline(safety), **values
        )
    use_faster_products(model)
    return model, info


def load_tokenizer(folder: Path, *, safety: ModelSafety = SAFE) -> Any:
    """The fast tokenizer of a model folder, set up for pre-split words."""
    tokenizer = original_tokenizer(folder, safety=safety, add_prefix_space=True)
    step = tokenizer.backend_tokenizer.pre_tokenizer
    if isinstance(step, ByteLevel):  # transformers does so for RoBERTa's own class only
        step.add_prefix_space = True
    return tokenizer


def original_tokenizer(folder: Path, *, safety: ModelSafety = SAFE, **values: Any) -> Any:
    """The fast tokenizer of a model folder as transformers loads it. ModelError where there is none."""
    try:
        tokenizer = AutoTokenizer.from_pretrained(str(folder), **offline(safety), **values)
    except Exception as error:
        raise ModelError(f"{folder}: no tokenizer could be loaded ({reason(error)})") from error
    require_fast(tokenizer, str(folder))
    return tokenizer


def require_fast(tokenizer: Any, name: str) -> None:
    """ModelError for a tokenizer in Python, which does not say where in a text its pieces stand."""
    if not tokenizer.is_fast:
        found = f"{type(tokenizer).__name__} is no fast tokenizer, which uxla needs"
        raise ModelError(f"{name}: {found}; take one that AutoTokenizer loads from a tokenizer.json")


def load_model(
    auto_class: Any,
    folder: Path,
    *,
    dropout: float | None = None,
    head_seed: int = 0,
    safety: ModelSafety = SAFE,
    id2label: Mapping[int, str] | None = None,
    **config_values: Any,
) -> tuple[torch.nn.Module, str]:
    """A model in fp32, and a remark about its classification layer (see `reuse_or_draw`), or an empty string.

    `id2label` names the columns of that layer: where the folder has none for such labels, `head_seed` draws it.
    `dropout` sets every dropout the model's configuration knows; `config_values` go into the configuration as they are.
    ModelError for weights that do not belong to the configuration, or lack a part of the encoder.
    """
    weight_files(folder, safety)  # before anything else of the folder is read
    try:
        config = AutoConfig.from_pretrained(str(folder), **offline(safety), **config_values)
        own = LayerDescription.of(config)
        _set_values(config, dropout, id2label)
        with seeded(head_seed):
            model, info = read_model(auto_class, folder, safety, config=config)
    except ModelError:
        raise
    except Exception as error:
        raise ModelError(f"{folder}: cannot be loaded as {auto_class.__name__} ({reason(error)})") from error
    renewable = frozenset() if id2label is None else layer_tensors(model)
    check_weights(folder, model, info, renewable)
    if id2label is None:
        return model, ""
    names = [id2label[i] for i in sorted(id2label)]
    return model, reuse_or_draw(model, folder, own, names, info, seed=head_seed)


def _set_values(config: Any, dropout: float | None, id2label: Mapping[int, str] | None) -> None:
    if dropout is not None:
        for key, value in config.to_dict().items():
            if ("dropout" in key or key.endswith("pdrop")) and not isinstance(value, bool):  # a rate, or null
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


def usable_length(model: Any) -> int:
    """How many pieces, special tokens included, one input of the model may have.

    Position tables of the RoBERTa family begin after the padding's position, so that their first rows are never used.
    """
    table = getattr(getattr(model.base_model, "embeddings", None), "position_embeddings", None)
    padding = getattr(table, "padding_idx", None)
    return int(getattr(model.config, "max_position_embeddings", 512)) - (0 if padding is None else padding + 1)
