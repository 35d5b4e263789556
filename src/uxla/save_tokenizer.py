"""A tokenizer as files that transformers 4 and 5 and other programs load."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from uxla.write_errors import writing

_LOADING_KEYS = ("is_local", "local_files_only", "trust_remote_code", "backend")
"""How the tokenizer was loaded here; others would take these keys for settings."""


def save_tokenizer(tokenizer: Any, folder: Path, *, length: int) -> None:
    """Write a fast tokenizer beside a model that takes `length` pieces.

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
