"""A result on the Hub and back, against a Hub that is a folder; and the card's calls on what was pushed."""

import json
import shutil
from pathlib import Path

import huggingface_hub
import pytest
from huggingface_hub.utils import filter_repo_objects
from typer.testing import CliRunner

import uxla
from uxla.cli.app import app
from uxla.errors import ArtifactError, ConfigError


@pytest.fixture(scope="module")
def adapted(corpora):
    [target] = corpora.targets
    given = {"dev": corpora.dev, "model": "testbed", "threads": 1}
    return uxla.adapt(corpora.train, {"near": target}, test=corpora.test, **given)


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """The folder that stands for the Hub; a repository is a folder in it."""
    root = tmp_path / "hub"

    class Api:
        def __init__(self, token=None):
            self.token = token

        def create_repo(self, repo_id, *, private, exist_ok):
            if self.token == "bad":
                raise ConnectionError("401 Client Error.\nInvalid username or password.")
            (root / repo_id).mkdir(parents=True, exist_ok=exist_ok)
            (root / repo_id / ".private").write_text(str(private))
            return f"https://huggingface.co/{repo_id}"

        def upload_folder(self, *, repo_id, folder_path, allow_patterns, commit_message):
            files = [str(file.relative_to(folder_path)) for file in Path(folder_path).rglob("*") if file.is_file()]
            for name in filter_repo_objects(files, allow_patterns=allow_patterns):
                (root / repo_id / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(Path(folder_path) / name, root / repo_id / name)

        def upload_file(self, *, repo_id, path_or_fileobj, path_in_repo, commit_message):
            (root / repo_id / path_in_repo).write_bytes(path_or_fileobj)

    def snapshot_download(repo_id, *, revision, allow_patterns):
        if not (root / repo_id).is_dir():
            raise huggingface_hub.errors.LocalEntryNotFoundError("An error happened while trying to locate the files.")
        return str(root / repo_id)

    monkeypatch.setattr("huggingface_hub.HfApi", Api)
    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot_download)
    return root


def test_what_is_pushed_is_loaded_by_its_id_and_says_the_same(adapted, hub):
    assert adapted.push_to_hub("me/ner-near", private=True) == "https://huggingface.co/me/ner-near"
    assert (hub / "me/ner-near/.private").read_text() == "True"
    for again in (uxla.load("me/ner-near"), uxla.load("hf://me/ner-near"), uxla.Adapted.from_pretrained("me/ner-near")):
        assert again.scores == adapted.scores
        text = "ko mira sen Lima ."
        assert again.ensemble.predict(text) == adapted.ensemble.predict(text)


def test_neither_text_nor_paths_are_pushed(adapted, hub, tmp_path):
    adapted.save(tmp_path / "run")
    for name in ("tokens.txt", "model.safetensors", "vocab.txt"):  # as if a target had such a name
        (tmp_path / "run/predictions" / name).write_text("a secret")
    uxla.load(tmp_path / "run").push_to_hub("me/ner-near")
    pushed = {str(file.relative_to(hub / "me/ner-near")) for file in (hub / "me/ner-near").rglob("*") if file.is_file()}
    assert {"README.md", "config.json", "model.safetensors", "tokenizer.json", "models/3/model.safetensors"} <= pushed
    assert {"ensemble/ensemble.json", "results.json", "environment.json"} <= pushed
    assert not {
        name for name in pushed if name.startswith(("predictions", "trace", "warmup", "config.yaml", "journal"))
    }


def test_a_pushed_run_labels_a_file_by_its_id(adapted, hub, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    adapted.push_to_hub("me/ner-near")
    (tmp_path / "new.txt").write_text("ko mira sen Lima .\n", encoding="utf-8")
    done = [CliRunner().invoke(app, ["predict", run, "new.txt", "-q"]) for run in ("me/ner-near", "hf://me/ner-near")]
    own = CliRunner().invoke(app, ["predict", str(adapted.save(tmp_path / "run")), "new.txt", "-q"])
    assert [(one.exit_code, one.stdout, one.stderr) for one in done] == [(0, own.stdout, "")] * 2


def test_a_wrong_path_is_not_looked_up_on_the_hub(hub, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "new.txt").write_text("ko\n")
    (hub / "runs/es").mkdir(parents=True)
    (tmp_path / "runs").mkdir()
    done = CliRunner().invoke(app, ["predict", "runs/es", "new.txt"])
    message = "runs/es: no such folder, expected one written by `uxla run`; check the path"
    assert done.stderr == f"uxla: error: {message}\n"
    with pytest.raises(ArtifactError, match=f"^{message}$"):
        uxla.load("runs/es")


def test_a_warning_with_a_path_of_this_machine_is_refused_before_anything_is_pushed(adapted, hub, tmp_path):
    adapted.save(tmp_path / "run")
    results = json.loads((tmp_path / "run/results.json").read_text())
    results["warnings"] = [f"source.dev: {Path.home() / 'secret' / 'dev.conll'} is short"]
    (tmp_path / "run/results.json").write_text(json.dumps(results))
    with pytest.raises(
        ArtifactError, match=rf"results\.json: names {Path.home()}, nothing was pushed; remove it there"
    ):
        uxla.load(tmp_path / "run").push_to_hub("me/ner-near")
    assert not (hub / "me").exists()


def test_the_licence_that_the_person_gives_is_the_cards(adapted, hub):
    adapted.push_to_hub("me/ner-near")
    before = huggingface_hub.ModelCard.load(hub / "me/ner-near/README.md")
    assert (before.data.license, before.data.license_name) == ("other", "backbone-and-data")
    adapted.push_to_hub("me/ner-near", license="mit")
    after = huggingface_hub.ModelCard.load(hub / "me/ner-near/README.md")
    assert (after.data.license, after.data.license_name) == ("mit", None)
    assert after.text == before.text
    assert after.data.eval_results == before.data.eval_results


@pytest.mark.parametrize(
    ("call", "fault", "said"),
    [
        (lambda it: it.push_to_hub("ner-near"), ConfigError, r"^repo_id: got 'ner-near', expected user/name$"),
        (
            lambda it: it.push_to_hub("me/ner", token="bad"),
            ArtifactError,
            r"^me/ner: cannot be pushed \(401 Client Error\); log in by `hf auth login`, or set HF_TOKEN$",
        ),
        (
            lambda _: uxla.load("me/nothing"),
            ArtifactError,
            r"^me/nothing: no such folder, and not available from the Hub \(An error .*\); check the name, or log in",
        ),
        (lambda _: uxla.load("/me/nothing"), ArtifactError, r"^/me/nothing: no such folder, expected"),
    ],
)
def test_what_fails_is_one_line_with_the_remedy(adapted, hub, call, fault, said):
    with pytest.raises(fault, match=said) as raised:
        call(adapted)
    assert "\n" not in str(raised.value)
