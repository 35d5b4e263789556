"""What of a stranger's model folder may be read: code and pickles run only for those who ask for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from uxla.errors import ModelError, assignment
from uxla.phrases import first_line

_ATTENTIONS = ("scaled_dot_product_attention", "FlashAttention", "Flash Attention")
"""What transformers calls kinds of attention that a model or a machine does not have."""
PICKLES = ("pytorch_model.bin", "pytorch_model-*.bin")
"""Weights as pickles: in one file, or in parts. Others, as the generator beside mDeBERTa, are of another model."""
_READERS = ("sentencepiece", "tiktoken")
"""Packages that transformers names where one of them is missing for a tokenizer without tokenizer.json."""
_KERNELS = ("attn_implementation", "experts_implementation")


@dataclass(frozen=True)
class ModelSafety:
    """What a model may bring along.

    `remote_code`: Python files of its own, which are run. `pickle`: weights as `pytorch_model*.bin` where it has no
    safetensors; torch reads only tensors from them.
    """

    remote_code: bool = False
    pickle: bool = False


SAFE = ModelSafety()
"""Safetensors only, and no code."""


def offline(safety: ModelSafety) -> dict[str, bool]:
    """Arguments of every `from_pretrained`: all files are on this disk already, and whether code among them may run."""
    return {"local_files_only": True, "trust_remote_code": safety.remote_code}


def reason(error: Exception) -> str:
    """Another library's error in one line, with the remedy where it is about a model's code, attention or tokenizer."""
    if "trust_remote_code" in str(error):
        allow = assignment("trust_remote_code", True)
        return f"it needs Python code that comes with it; if you have read that and trust it, set {allow}"
    if any(name in str(error) for name in _ATTENTIONS):
        return f"{str(error).split('. ')[0].rstrip('.')}; set {assignment('attention', 'auto')}"
    if any(name in str(error).lower() for name in _READERS):
        return "it has a SentencePiece file and no tokenizer.json; run: pip install 'uxla[sentencepiece]'"
    return f"{type(error).__name__}: {first_line(error)}" if str(error).strip() else type(error).__name__


def weight_files(folder: Path, safety: ModelSafety = SAFE) -> list[Path]:
    """The folder's weights, sorted by name: safetensors or, where there are none and `safety.pickle` is set, pickles.

    ModelError where there are none that may be read, and for a folder whose files name weights or code elsewhere.
    """
    _check_configuration(folder, safety)
    found, suffix = sorted(folder.glob("*.safetensors")), ".safetensors"
    if not found and (pickled := sorted(file for name in PICKLES for file in folder.glob(name))):
        if not safety.pickle:
            only = f"no *.safetensors file; only safetensors weights are loaded, and {pickled[0].name} is a pickle"
            allow = assignment("allow_pickle_weights", True)
            raise ModelError(f"{folder}: {only}; convert it, or if you trust its author set {allow}")
        found, suffix = pickled, ".bin"
    if not found:
        raise ModelError(f"{folder}: no *.safetensors file; only safetensors weights are loaded")
    for index in sorted(folder.glob(f"*{suffix}.index.json")):
        for name in _shards(index):
            _check_name(index, name, suffix)
    return found


def tensor_shapes(folder: Path, safety: ModelSafety = SAFE) -> dict[str, list[int]]:
    """The shape of each tensor in the folder's safetensors, by its name; the weights are not read.

    ModelError as from `weight_files`, and for a file that cannot be read.
    """
    from safetensors import SafetensorError, safe_open  # late: configurations are read without it

    shapes: dict[str, list[int]] = {}
    for file in weight_files(folder, safety):
        try:
            with safe_open(file, framework="np") as tensors:
                for name in tensors.keys():  # noqa: SIM118 (it is no mapping)
                    shapes[name] = tensors.get_slice(name).get_shape()
        except SafetensorError as error:
            raise ModelError(f"{file}: cannot be read ({error}); copy or download the model again") from None
    return shapes


def _check_configuration(folder: Path, safety: ModelSafety) -> None:
    """transformers would load weights, and compiled code of the Hub, that a configuration names."""
    file = folder / "config.json"
    if not file.is_file():
        raise ModelError(f"{folder}: no config.json; expected a folder written by save_pretrained")
    values = _read(file)
    named = values.get("transformers_weights")
    if named is not None:
        _check_name(file, named, ".safetensors", ".safetensors.index.json")
    for key in _KERNELS:
        if "/" in json.dumps(values.get(key)) and not safety.remote_code:
            what = f"{key} names code on the Hub ({values[key]!r}), which is not run"
            raise ModelError(f"{file}: {what}; remove that line, or set {assignment('trust_remote_code', True)}")


def _check_name(file: Path, name: object, *suffixes: str) -> None:
    if not isinstance(name, str) or Path(name).name != name or not name.endswith(suffixes):
        expected = f"expected a file beside it ending in {' or '.join(suffixes)}"
        raise ModelError(f"{file}: names {name!r} as weights, {expected}; download the model again")


def _shards(index: Path) -> Iterator[object]:
    weights = _read(index).get("weight_map")
    if not isinstance(weights, dict):
        raise ModelError(f"{index}: has no weight_map; download the model again")
    yield from dict.fromkeys(map(str, weights.values()))


def _read(file: Path) -> dict[str, Any]:
    try:
        values = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{file}: cannot be read as JSON ({error}); download the model again") from error
    if not isinstance(values, dict):
        raise ModelError(f"{file}: holds no JSON object; download the model again")
    return values
