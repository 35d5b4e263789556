"""From a name to a model's folder on this disk: a local folder, or a model of the Hub, downloaded once."""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from uxla.errors import ModelError
from uxla.files import HASHED, files_digest
from uxla.models.model_safety import PICKLES, SAFE, ModelSafety, reason, weight_files
from uxla.phrases import first_line
from uxla.records import ModelHandle

_TEXTS = ["*.json", "*.model", "*.txt"]
_CODE = "*.py"
_REMEDY = "give a folder written by save_pretrained, or a Hub id such as FacebookAI/xlm-roberta-large"


def resolve(name: str, *, revision: str | None = None, safety: ModelSafety = SAFE) -> ModelHandle:
    """A pretrained model as a folder on this disk: `name` is a folder, or a Hub id that is downloaded (once).

    Its digest covers all that decides what it computes: weights, configuration, tokenizer, and code where that is run.
    """
    folder = local_folder(name, revision=revision, safety=safety)
    patterns = [*_TEXTS, _CODE] if safety.remote_code else _TEXTS
    files = {file for pattern in patterns for file in folder.glob(pattern)}
    return ModelHandle(folder, files_digest([*files, *weight_files(folder, safety)]))


def local_folder(name: str, *, revision: str | None = None, safety: ModelSafety = SAFE) -> Path:
    """The folder `name`, else that of the Hub's model `name`, downloaded if need be. ModelError where neither is."""
    folder = Path(name).expanduser()
    if folder.is_dir():
        return folder
    files = [*_TEXTS, "*.safetensors", *([_CODE] if safety.remote_code else [])]
    folder = _download(name, revision, files)
    if safety.pickle and not any(folder.glob("*.safetensors")):
        folder = _download(name, revision, [*files, *PICKLES])
    return folder


def is_here(name: str, revision: str | None = None) -> bool:
    """Whether the model `name` need not be downloaded. ModelError for a name that is neither a folder nor a Hub id."""
    if Path(name).expanduser().is_dir():
        return True
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    _expect_no_path(name)
    try:
        return isinstance(try_to_load_from_cache(name, "config.json", revision=revision), str)
    except HFValidationError as error:
        raise _not_available(name, error) from error


def download_size(name: str, revision: str | None = None) -> int | None:
    """How many bytes of the Hub's model `name` would be downloaded; None where the Hub does not say."""
    from huggingface_hub import HfApi

    try:
        files = HfApi().model_info(name, revision=revision, files_metadata=True).siblings or []
    except Exception:  # whatever a network and a foreign library can raise: it is not known then
        return None
    wanted = [*_TEXTS, "*.safetensors"]
    return sum(file.size or 0 for file in files if any(fnmatch(file.rfilename, pattern) for pattern in wanted))


def hub_commit(folder: Path) -> str | None:
    """The commit of a model that was downloaded from the Hub; None for any other folder."""
    return folder.name if folder.parent.name == "snapshots" else None


def _expect_no_path(name: str) -> None:
    if name.count("/") > 1 or name.startswith((".", "/", "~")):
        raise ModelError(f"model {name!r}: there is no such folder; {_REMEDY}")


def _not_available(name: str, error: Exception) -> ModelError:
    fault = f"no such folder, and not available from the Hub ({first_line(error)})"
    return ModelError(f"model {name!r}: {fault}; {_REMEDY}")


def _download(name: str, revision: str | None, files: list[str]) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    _expect_no_path(name)
    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=files))
    except LocalEntryNotFoundError as error:
        raise ModelError(f"model {name!r}: not on this disk and the Hub cannot be reached; {_REMEDY}") from error
    except (HfHubHTTPError, HFValidationError, ValueError) as error:
        raise _not_available(name, error) from error
    except Exception as error:  # whatever a network, a disk and foreign libraries can raise, whatever the name
        message = f"the Hub's copy cannot be downloaded ({reason(error)}); check network and disk, and run again"
        raise ModelError(f"model {name!r}: {message}") from error


def weights_facts(folder: Path) -> dict[str, Any]:
    """The digest of a new artifact's weights, and which files the store need not read again for it."""
    return {"weights": weights_digest(folder), HASHED: [file.name for file in weight_files(folder)]}


def weights_digest(folder: Path) -> str:
    """SHA-256 over the names and bytes of a folder's safetensors and configuration; equal folders, equal digest."""
    return files_digest([*weight_files(folder), folder / "config.json"])
