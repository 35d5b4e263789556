"""Finished runs on the Hugging Face Hub: pushed, and downloaded again."""

from __future__ import annotations

import re
from pathlib import Path

from uxla.errors import ArtifactError, ConfigError
from uxla.hub_id import has_hub_form
from uxla.phrases import first_line

SHARED = (
    *("README.md", "results.json", "environment.json", "table.md", "ensemble/*", "models/*"),
    *("config.json", "model*.safetensors*", "tokenizer*", "special_tokens_map.json", "added_tokens.json"),
    *("vocab.*", "merges.txt", "sentencepiece*", "spiece.model"),
)
"""What of a run folder is pushed: not its text (`predictions/`, `trace/`), and not `config.yaml`, which has paths.

Each pattern is of the path from the run folder on, so that none but the two with `/` reaches into a folder.
"""


def push_run(folder: Path, repo_id: str, *, private: bool | None, token: str | None, license: str | None) -> str:
    """Push the run in `folder` to a model repository, made if need be; its address.

    `license` takes the place of the card's. ArtifactError where the Hub refuses or cannot be reached, or a
    text names a place of this machine.
    """
    import huggingface_hub as hub

    if not has_hub_form(repo_id):
        raise ConfigError(f"repo_id: got {repo_id!r}, expected user/name")
    _refuse_private(folder)
    card = hub.ModelCard.load(folder / "README.md")
    if license is not None:
        card.data.license, card.data.license_name = license, None
    try:
        api = hub.HfApi(token=token)
        address = api.create_repo(repo_id, private=private, exist_ok=True)
        patterns = [pattern for pattern in SHARED if pattern != "README.md"]
        api.upload_folder(
            repo_id=repo_id, folder_path=folder, allow_patterns=patterns, commit_message="Add models made by uxla"
        )
        readme = str(card).encode()
        api.upload_file(
            repo_id=repo_id, path_or_fileobj=readme, path_in_repo="README.md", commit_message="Add the model card"
        )
    except Exception as error:  # whatever a network and its libraries can raise
        raise ArtifactError(f"{repo_id}: cannot be pushed ({first_line(error)}); {_LOG_IN}") from error
    return str(address)


def _refuse_private(folder: Path) -> None:
    """ArtifactError where a text that would be pushed names a place of this machine, such as the home folder."""
    places = {str(place) for place in (Path.home(), Path.cwd(), folder.absolute()) if place != place.parent}
    private = re.compile(rf"(?<![\w.])(?:{'|'.join(map(re.escape, sorted(places)))})(?![\w.-])")
    for name in ("README.md", "results.json", "environment.json", "table.md", "ensemble/ensemble.json"):
        if found := private.search((folder / name).read_text(encoding="utf-8")):
            raise ArtifactError(
                f"{folder / name}: names {found[0]}, nothing was pushed; remove it there, and push again"
            )


def folder_of_run(run: str | Path, revision: str | None = None) -> Path:
    """The folder of a run: one that is here, or `user/name` on the Hub, downloaded. ArtifactError where neither is.

    A name whose first part is a folder here is a wrong path; the Hub is not asked.
    """
    place, name = Path(run), re.sub("^hf:/+", "", str(run))  # of hf://user/name a path keeps one slash
    if place.is_dir():
        return place
    if has_hub_form(name) and not place.parent.exists():
        return _downloaded(name, revision)
    found = "is a file, expected a folder" if place.exists() else "no such folder, expected one"
    raise ArtifactError(f"{run}: {found} written by `uxla run`; check the path")


def _downloaded(repo_id: str, revision: str | None) -> Path:
    import huggingface_hub as hub

    try:
        return Path(hub.snapshot_download(repo_id, revision=revision, allow_patterns=list(SHARED)))
    except Exception as error:  # whatever a network, a disk and their libraries can raise
        fault = f"no such folder, and not available from the Hub ({first_line(error)})"
        raise ArtifactError(f"{repo_id}: {fault}; check the name, or {_LOG_IN}") from error


_LOG_IN = "log in by `hf auth login`, or set HF_TOKEN"
