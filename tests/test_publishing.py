"""What the public sees of the project beside its documents: package metadata, workflows, forms for issues, the site."""

import importlib.util
import json
import re
import shlex
import tomllib
from pathlib import Path

import pytest
import typer
import yaml

import uxla
from uxla.cli.app import app

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
JOBS = yaml.safe_load((ROOT / ".github/workflows/tests.yml").read_text(encoding="utf-8"))["jobs"]
RUNS = [(job, step["run"]) for job, found in JOBS.items() for step in found["steps"] if "run" in step]
README = (ROOT / "README.md").read_text(encoding="utf-8")
LINK = re.compile(r"\]\(([^)\s]+)\)")


def module(path):
    spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / path)
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@pytest.mark.parametrize(("job", "line"), RUNS)
def test_every_command_of_a_workflow_exists(job, line):
    words = shlex.split(line)
    if words[0] == "make":
        targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
        assert words[1] in targets
    elif words[0] == "uxla":
        assert words[1] in typer.main.get_command(app).commands
    else:
        assert words[0] in {"python", "pip", "twine", "grep"}
        assert all((ROOT / name).is_file() for name in words if name == "constraints.txt")


def test_the_workflow_runs_each_python_and_both_ends_of_transformers():
    named = re.findall(r"Python :: (3\.\d+)\'", str(PROJECT["project"]["classifiers"]))
    assert JOBS["tests"]["strategy"]["matrix"]["python"] == named
    assert PROJECT["project"]["requires-python"] == f">={named[0]}"
    [asked] = [name for name in PROJECT["project"]["dependencies"] if name.startswith("transformers")]
    low, all_of_it = JOBS["transformers"]["strategy"]["matrix"]["transformers"]
    assert asked == all_of_it == f"transformers>={low.removeprefix('transformers==').removesuffix('.*')},<6"


def test_every_form_for_an_issue_asks_for_something():
    forms = [yaml.safe_load(path.read_text("utf-8")) for path in (ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml")]
    asked = {form["name"]: [part["id"] for part in form["body"]] for form in forms if "body" in form}
    assert len(asked) == 2
    assert all(asked.values())


def test_a_readme_away_from_the_repository_has_no_relative_link():
    hook = module("hatch_build.py")
    for address in ("", "https://code.example/us/uxla"):
        links = LINK.findall(hook.published(README, address))
        assert all(link.startswith("https://") for link in links)
        assert any(link.startswith(address) for link in links if address) == bool(address)
    shown = hook.published("![a](docs/a.svg) [b](docs/b.md#c) [d](https://e)", "https://x")
    assert shown == "![a](https://x/raw/main/docs/a.svg) [b](https://x/blob/main/docs/b.md#c) [d](https://e)"
    assert hook.published("![a](docs/a.svg)[b](docs/b.md)", "") == "b"


def test_the_project_has_no_address_that_is_made_up():
    hook = module("hatch_build.py")
    address = PROJECT["tool"]["hatch"]["metadata"]["hooks"]["custom"]["repository"]
    assert hook.addresses("") == {}
    assert all(place.startswith("https://x/") or place == "https://x" for place in hook.addresses("https://x").values())
    assert address == "" or re.fullmatch(r"https://[\w.-]+/[\w./-]+", address)


def test_the_reference_has_every_public_name():
    page = (ROOT / "docs/reference.md").read_text(encoding="utf-8")
    assert set(re.findall(r"auto\w+:: (\w+)", page)) == {*uxla.__all__} - {"__version__"}


def test_the_site_s_navigation_has_every_page():
    text = (ROOT / "docs/site/navigation.md").read_text(encoding="utf-8")
    listed = [line.strip("/") for line in text.splitlines() if line.startswith("/")]
    made = {
        "contributing",
        "changelog",
        "security",
        *(f"notebooks/{path.stem}" for path in (ROOT / "examples").glob("*.ipynb")),
    }
    pages = {path.relative_to(ROOT / "docs").with_suffix("").as_posix() for path in (ROOT / "docs").rglob("*.md")}
    folders = {name.removesuffix("*") for name in listed if name.endswith("*")}
    single = {page for page in pages if not page.startswith((*folders, "site/"))}
    assert sorted(name for name in listed if not name.endswith("*")) == sorted(single | made)


@pytest.fixture(scope="module")
def site():
    pytest.importorskip("sphinx")
    return module("docs/site/build.py")


def test_links_of_a_page_lead_to_pages_of_the_site_or_are_plain_text(site):
    text = "[a](data.md#b) ![c](../epoch.svg) [d](../../README.md) [e](../../src/uxla/api.py) [f](https://g) [h](#i)"
    linked = site.linked(text.replace("data.md", "../data.md"), ROOT / "docs" / "howto")
    assert linked == "[a](/data.md#b) ![c](/epoch.svg) [d](/index.md) e [f](https://g) [h](#i)"


def test_a_dead_link_is_found(site, tmp_path, monkeypatch):
    monkeypatch.setattr(site, "SITE", tmp_path)
    (tmp_path / "a.html").write_text('<p id="x"><a href="b.html#y"><a href="#x"><a href="https://z"><img src="c.png">')
    (tmp_path / "b.html").write_text('<p id="y"><a href="a.html#z">')
    assert sorted(site.dead_links()) == ["a.html: c.png", "b.html: a.html#z"]


def test_a_notebook_is_a_page_with_what_it_printed_and_drew(site, tmp_path):
    output = [{"text": ["1\n"]}, {"data": {"image/png": "iVBORw0KGgo=", "text/plain": ["a plot"]}}]
    cells = [{"cell_type": "markdown", "source": ["# T"]}, {"cell_type": "code", "source": ["x"], "outputs": output}]
    site.write_notebook(json.loads(json.dumps({"cells": cells})), tmp_path / "n.md")
    assert (tmp_path / "n.md").read_text() == "# T\n\n```python\nx\n```\n\n```text\n1\n```\n\n![a plot](n-3.png)\n"
    assert (tmp_path / "n-3.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning", "ignore::DeprecationWarning")  # between packages
def test_the_site_builds_without_a_warning_or_a_dead_link(site, tmp_path, monkeypatch):
    monkeypatch.setattr(site, "PAGES", tmp_path / "pages")
    monkeypatch.setattr(site, "SITE", tmp_path / "site")
    assert site.build() == 0
    for page in ("index", "tutorial", "howto/topics", "reference", "notebooks/algorithm"):
        assert (tmp_path / "site" / f"{page}.html").is_file()
