"""Nothing of a stranger's runs, nothing is written outside the run folder, and no network that was not asked for."""

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import uxla
from uxla.config.run import load_config
from uxla.errors import ArtifactError, ConfigError, ModelError
from uxla.models.ensemble import Ensemble
from uxla.testbed import asset

SOURCES = sorted(Path(uxla.__file__).parent.rglob("*.py"))

FORBIDDEN_IMPORTS = {
    *("pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "subprocess", "pty", "ctypes", "code"),
    *("tarfile", "zipfile", "importlib", "runpy", "socket", "urllib", "http", "requests", "httpx"),
}
ALLOWED_IMPORTS = {"importlib.metadata", "importlib.resources", "joblib.cpu_count"}
ALLOWED_IMPORTS |= {
    "importlib.metadata.EntryPoint",
    "importlib.metadata.entry_points",
}
BY_TABLE = {"__init__.py", "cli/app.py", "study/tracking.py"}
"""Files that import modules by a table of their own: public names, commands, trackers."""
WORKERS = {
    "executors/cluster.py": ["pickle"],
    "executors/cluster_job.py": ["pickle"],
    "executors/connection.py": ["socket"],
    "executors/executor.py": ["pickle"],
    "executors/forking.py": ["socket", "subprocess", "importlib.import_module"],
    "executors/pool.py": ["pickle", "socket"],
    "executors/side_by_side.py": ["pickle"],
    "executors/worker.py": ["pickle", "socket", "importlib.import_module"],
    "store/locks.py": ["subprocess"],
}
"""A run and its own worker processes send pickled calls over pairs of sockets, which no other process can open, or
where a cluster is asked for, over Ray. A shared store has a process of its own ask whether its locks hold."""
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__", "breakpoint"}
FORBIDDEN_METHODS = {
    *("yaml.load", "yaml.load_all", "yaml.full_load", "yaml.unsafe_load", "shutil.unpack_archive"),
    *("os.system", "os.popen", "os.execv", "os.spawnv", "pd.read_pickle", "np.load", "numpy.load", "torch.hub.load"),
}

GUARD = """
import os, socket, sys

def refuse(*arguments, **options):
    os.write(2, f"NETWORK {arguments[1:]}\\n".encode())  # where no runner that captures can keep it
    raise OSError("no network in this test")

socket.socket.connect = socket.socket.connect_ex = socket.socket.sendto = refuse
socket.getaddrinfo = socket.gethostbyname = socket.create_connection = lambda *a, **o: refuse(None, *a)

from typer.testing import CliRunner
from uxla.cli.app import app

for arguments in COMMANDS:
    result = CliRunner().invoke(app, arguments)
    print(result.exit_code, result.stdout[:60].replace("\\n", " "))
    if result.exit_code:
        print(result.stderr, result.exception, file=sys.stderr)
"""


def online(commands, folder):
    """`uxla` commands in a process that may use the network as far as Hugging Face is told, and cannot."""
    kept = {name: value for name, value in os.environ.items() if "OFFLINE" not in name and "PROXY" not in name.upper()}
    settings = kept | {"UXLA_CACHE": str(folder / "store"), "HF_HOME": str(folder / "hf")}
    code = f"COMMANDS = {commands!r}\n{GUARD}"
    options = {"cwd": folder, "env": settings, "capture_output": True, "text": True, "check": True}
    return subprocess.run([sys.executable, "-c", code], **options)


@pytest.fixture
def files(tmp_path):
    """Overrides of the preset `testbed` that name a few sentences on this disk, and the model as a folder."""
    lines = "Ada\tB-PER\nwalks\tO\n\nthe\tO\nriver\tO\n\n"
    for name in ("source-train", "source-dev", "far-test"):
        (tmp_path / f"{name}.conll").write_text(lines * 4)
    (tmp_path / "far.txt").write_text("Ada walks\nthe river\n" * 3)
    shutil.copytree(asset(), tmp_path / "lm")
    return [
        *("testbed=null", "model=lm", "vicinity.model=lm", "methods=[uxla]", "warmup.epochs=1", "vicinity.copies=1"),
        *("source.train=source-train.conll", "source.dev=source-dev.conll", "source.test=null"),
        *("target_data.train=far.txt", "target_data.test=far-test.conll"),
        *("target_data.dev=null", "target_data.labelled=null"),
    ]


@pytest.mark.slow
def test_a_run_on_files_and_folders_opens_no_connection(files, tmp_path):
    run = ["run", "testbed", *files, "--out", "out"]
    predict = ["predict", "out", "far.txt", "--out", "labels.conll"]
    done = online([run, predict, ["data", "check", "source-train.conll"]], tmp_path)
    assert [line.split(" ")[0] for line in done.stdout.splitlines()] == ["0", "0", "0"], done.stdout + done.stderr
    assert "NETWORK" not in done.stderr


@pytest.mark.slow
def test_a_name_of_the_hub_asks_the_hub_and_nobody_else(files, tmp_path):
    """And so the test above could fail."""
    done = online([["run", "testbed", *files, "model=nobody/no-such-model", "--out", "out"]], tmp_path)
    asked = [line for line in done.stderr.splitlines() if line.startswith("NETWORK")]
    assert asked
    assert all("huggingface.co" in line for line in asked)
    assert "the Hub cannot be reached" in done.stderr


def dotted(node):
    """`a.b.c` of an attribute chain, or the name."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def dangers(source):
    """What in a module's text can run foreign code, start a process, unpack an archive or open a connection."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] in FORBIDDEN_IMPORTS)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in FORBIDDEN_IMPORTS:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name for name in names if name not in ALLOWED_IMPORTS)
        elif isinstance(node, ast.Call):
            name, given = dotted(node.func), {keyword.arg: keyword.value for keyword in node.keywords}
            if name in FORBIDDEN_CALLS | FORBIDDEN_METHODS or (name == "yaml.dump" and "Dumper" not in given):
                yield name
            if name == "torch.load" and not _is_true(given.get("weights_only")):
                yield name
            yield from (word for word in ("allow_pickle", "shell") if word in given)
        elif isinstance(node, ast.ClassDef):
            yield from (base for base in map(dotted, node.bases) if base in ("yaml.Loader", "yaml.UnsafeLoader"))


def _is_true(node):
    return isinstance(node, ast.Constant) and node.value is True


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: str(file.relative_to(SOURCES[0].parent)))
def test_no_module_can_run_foreign_code(file):
    name = file.relative_to(SOURCES[0].parent).as_posix()
    allowed = ["importlib.import_module"] if name in BY_TABLE else WORKERS.get(name, [])
    assert list(dangers(file.read_text(encoding="utf-8"))) == allowed


@pytest.mark.parametrize(
    "text",
    [
        "import pickle",
        "from subprocess import run",
        "def f():\n    import zipfile",
        "import os\nos.system('x')",
        "import yaml\nyaml.load(x)",
        "class L(yaml.UnsafeLoader): pass",
        "torch.load(x)",
        "torch.load(x, weights_only=False)",
        "eval('1')",
        "x = [exec(y) for y in z]",
        "f(x, allow_pickle=True)",
        "f(x, shell=True)",
        "import importlib",
        "from importlib import import_module",
        "import urllib.request",
    ],
)
def test_the_walk_sees_what_is_dangerous(text):
    assert list(dangers(text))


@pytest.mark.parametrize(
    "text", ["model.eval()", "re.compile('x')", "torch.load(x, weights_only=True)", "yaml.safe_load(x)"]
)
def test_the_walk_lets_pass_what_is_not(text):
    assert list(dangers(text)) == []


ODD_NAMES = ["..", ".", "../x", "/etc/x", "a/b", "a\\b", "x\x00", "~", "-rf", "con\n", "a b", "", "\ud800", "x" * 300]
NAMES = st.sampled_from(ODD_NAMES) | st.text(max_size=60) | st.from_regex(r"[\w.+-]{1,60}", fullmatch=True)


@given(NAMES)
def test_a_target_s_files_stay_in_the_run_folder_or_its_name_is_refused(tmp_path_factory, name):
    """What `run.write` makes of a name: a folder and a file of predictions, both written under other names first."""
    out = tmp_path_factory.getbasetemp() / "out"
    out.mkdir(exist_ok=True)
    try:
        config = load_config("testbed", [f"target=[near, {json.dumps(name)}]"])
    except ConfigError:
        return
    assert config.target == ("near", name)
    for file in (name, f".{name}.conll.01234567.unfinished"):
        place = out / file
        assert Path(os.path.normpath(place)) == place
        assert place.parent == out
        place.touch()
        place.unlink()


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_name_that_is_no_file_s_is_refused(name):
    with pytest.raises(ConfigError):
        load_config("testbed", [f"target={json.dumps(name)}"])


@pytest.fixture
def stranger(synchronous, tmp_path):
    """A copy of a finished run, to be spoilt."""
    return shutil.copytree(synchronous.out, tmp_path / "run")


def test_a_run_that_came_from_elsewhere_runs_no_code(stranger, invoke, tmp_path):
    ran, file = tmp_path / "ran", stranger / "models/1/config.json"
    (file.parent / "evil.py").write_text(f"open({str(ran)!r}, 'w').close()\n")
    config = json.loads(file.read_text(encoding="utf-8")) | {
        "model_type": "evil",
        "auto_map": {"AutoConfig": "evil.Evil", "AutoModelForTokenClassification": "evil.Evil"},
    }
    file.write_text(json.dumps(config), encoding="utf-8")
    result = invoke("predict", "run", "-", input=b"a b\n")
    assert result.exit_code == 2
    assert "trust-remote-code" in result.stderr
    assert not ran.exists()
    with pytest.raises(ModelError):  # Evil is no class of it
        Ensemble.load(stranger, trust_remote_code=True)
    assert ran.exists()


@pytest.mark.parametrize("member", ["../../other/models/1", "/etc", "../models/../../x"])
def test_a_run_names_no_model_outside_its_folder(member, stranger):
    file = stranger / "ensemble/ensemble.json"
    card = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**card, "members": [member] * 3}), encoding="utf-8")
    with pytest.raises(ArtifactError, match="lies outside the run folder"):
        Ensemble.load(stranger)


PLACES = {
    "inside": (".", "."),
    "inside its ensemble": ("ensemble", "."),
    "its ensemble": ("..", "run/ensemble"),
    "through ..": ("models/1", "../.."),
    "through .. from elsewhere": ("../elsewhere", "../run"),
    "through .. behind a folder": ("..", "elsewhere/../run"),
    "through .. behind a link": ("..", "far-away/../run"),
    "its ensemble through ..": ("../elsewhere", "../run/models/../ensemble"),
    "a link": ("..", "link"),
    "a link through ..": ("../elsewhere", "../link"),
    "a link's ensemble": ("../elsewhere", "../link/ensemble"),
    "a link to its ensemble": ("..", "link-to-ensemble"),
}


@pytest.mark.parametrize("place", PLACES)
def test_an_ensemble_is_found_by_every_name_of_its_folder(place, stranger, monkeypatch):
    above = stranger.parent
    (above / "elsewhere/deep").mkdir(parents=True)
    (above / "link").symlink_to(stranger)
    (above / "link-to-ensemble").symlink_to(stranger / "ensemble")
    (above / "far-away").symlink_to(stranger / "models")  # the system's `..` leads from where it points to
    (stranger / "run").symlink_to(".")
    at, path = PLACES[place]
    monkeypatch.chdir(stranger / at)
    assert len(Ensemble.load(path).members) == 3


def test_a_run_folder_may_be_moved_and_its_parts_be_links_of_its_owner(stranger, monkeypatch):
    disk = stranger.parent / "disk"
    disk.mkdir()
    moved = stranger.rename(stranger.parent / "moved")
    for part in ("models", "ensemble"):
        (moved / part).rename(disk / part)
        (moved / part).symlink_to(disk / part)
    monkeypatch.chdir(disk)
    for path in (moved, "../moved", "../moved/ensemble", moved / "ensemble"):
        assert len(Ensemble.load(path).members) == 3


def test_of_several_targets_the_folders_are_named(tmp_path):
    for target in ("sw", "es"):
        (tmp_path / target / "ensemble").mkdir(parents=True)
        (tmp_path / target / "ensemble/ensemble.json").write_text("{}")
    with pytest.raises(ArtifactError, match=rf"expected one of them: {tmp_path}/es, {tmp_path}/sw$"):
        uxla.Ensemble.load(tmp_path)


def test_a_folder_that_holds_no_run_is_named_with_what_was_expected(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path, tmp_path / "none", tmp_path / "file"):
        with pytest.raises(ArtifactError, match=r"no ensemble.json here .* expected the folder of a finished run"):
            Ensemble.load(path)
