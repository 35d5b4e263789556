"""The documents against the code: names that exist, links that lead somewhere, commands and examples that are taken."""

import ast
import doctest
import re
import shlex
import subprocess
from functools import cache
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

from uxla import __version__
from uxla.cli import app
from uxla.run.config import load_config
from uxla.run.documents import preset_names

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
README = (ROOT / "README.md").read_text(encoding="utf-8")
ALGORITHM = (ROOT / "docs" / "algorithm.md").read_text(encoding="utf-8")
TOUR = (ROOT / "docs" / "tour.md").read_text(encoding="utf-8")

REFERENCE = re.compile(r"`(src/[\w/]+\.py):([\w.]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
BINARY = {".safetensors", ".arrow", ".png"}
MACHINE = [f"/{name}" for name in ("work/", "root/", "opt/wheels", "home/")]
SHARED = "../" + "shared"


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)


def readme_commands() -> list[list[str]]:
    """The arguments of every `uxla …` of the README: in its shell blocks, and of `uxla run X` in running text."""
    lines = "\n".join(blocks(README, "sh")).splitlines()
    inline = re.findall(r"`(uxla run [^`]+)`", README)
    asked = [part.strip() for line in [*lines, *inline] for part in line.split("|")]
    return [shlex.split(part, comments=True)[1:] for part in asked if part.startswith("uxla ")]


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@cache
def names_of(file: Path) -> frozenset[str]:
    """Functions and classes of a module, members as `Class.member`."""
    found = set()
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{inner.name}" for inner in node.body if isinstance(inner, ast.FunctionDef)}
    return frozenset(found)


def own_files() -> list[Path]:
    """The project's text files: what git tracks or would track; without git, what does not look made or installed."""
    command = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        listed = subprocess.run(command, capture_output=True, check=True).stdout.decode().split("\0")
        files = [ROOT / name for name in listed if name]
    except (OSError, subprocess.CalledProcessError):
        files = [file for part in ("src", "tests", "docs", "bench") for file in (ROOT / part).rglob("*")]
        files = [*files, *ROOT.glob("*.*"), ROOT / "Makefile"]
    return [file for file in files if file.is_file() and file.suffix not in BINARY and "__pycache__" not in file.parts]


@pytest.mark.parametrize(("file", "name"), sorted(set(REFERENCE.findall(ALGORITHM))))
def test_every_function_that_the_algorithm_page_names_exists(file, name):
    assert (ROOT / file).is_file()
    assert name in names_of(ROOT / file)


def test_every_line_of_algorithm_1_has_a_place():
    table = ALGORITHM.split("## Algorithm 1, line by line")[1].split("\n## ")[0]
    named = set()
    for cell in re.findall(r"^\| ([\d, –]+) \|", table, flags=re.MULTILINE):
        for part in cell.split(", "):
            first, _, last = part.partition("–")
            named |= set(range(int(first), int(last or first) + 1))
    assert named == set(range(1, 24))


def test_every_equation_of_the_method_has_a_place():
    assert all(f"Eq. {number}" in ALGORITHM for number in (1, 2, 3))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_relative_link_leads_somewhere(page):
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        if link.startswith(("http://", "https://")):
            continue
        path, _, anchor = link.partition("#")
        goal = (page.parent / path).resolve() if path else page
        assert goal.exists(), link
        assert not anchor or anchor in anchors(goal), link


def test_the_readme_shows_every_command():
    words = {tuple(arguments[:1]) for arguments in readme_commands()}
    assert {("run",), ("predict",), ("data",)} <= words


@pytest.mark.parametrize("arguments", readme_commands(), ids=" ".join)
def test_the_command_line_takes_every_command_of_the_readme(arguments):
    command, name, rest = get_command(app), "uxla", arguments
    while hasattr(command, "commands"):
        assert rest[0] in command.commands
        name, command, rest = rest[0], command.commands[rest[0]], rest[1:]
    command.make_context(name, list(rest))  # raises for an option or a value that is not taken


@pytest.mark.parametrize("arguments", [a for a in readme_commands() if a[0] == "run"], ids=" ".join)
def test_every_run_of_the_readme_has_a_valid_configuration(arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = [argument for argument in arguments[2:] if "=" in argument]
    lay_out(tmp_path, [value for _, _, value in (setting.partition("=") for setting in settings)])
    if arguments[1] not in preset_names():
        write_example(tmp_path, arguments[1])
    load_config(arguments[1], settings)


def lay_out(folder: Path, paths: list[str]) -> None:
    for path in paths:
        if re.fullmatch(r"[\w/]+\.(conll|txt)", path):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text("word\tO\n\n" if path.endswith("conll") else "word\n")


def write_example(folder: Path, name: str) -> None:
    [example] = blocks(README, "yaml")
    (folder / name).write_text(example, encoding="utf-8")
    values = yaml.safe_load(example)
    targets = [path.replace("{target}", t) for path in values["target_data"].values() for t in values["target"]]
    lay_out(folder, [values["source"]["train"], values["source"]["dev"], *targets])


def test_the_readme_s_yaml_example_says_what_the_text_says(tmp_path):
    write_example(tmp_path, "mine.yaml")
    config = load_config(str(tmp_path / "mine.yaml"))
    assert config.target == ("es", "de")
    assert config.agreement == "token"
    assert config.target_data.of("de").train == str(tmp_path / "de" / "train.txt")
    assert config.adaptation.selection == "last"


def test_the_tour_shows_what_the_code_does_up_to_the_first_prediction(tmp_path, monkeypatch, capsys):
    # After it come probabilities, whose last digits depend on the processor.
    monkeypatch.chdir(tmp_path)
    exact = blocks(TOUR.split("\n## 1.")[1].split("import numpy")[0] + "```\n", "python")
    examples = doctest.DocTestParser().get_doctest("".join(exact), {}, "docs/tour.md", None, None)
    assert len(examples.examples) > 15
    failed = doctest.DocTestRunner().run(examples).failed
    assert failed == 0, capsys.readouterr().out


def test_the_tour_s_line_of_a_file_is_its_row_of_a_corpus():
    [(number, line)] = re.findall(r"sed -n (\d+)p runs/world/far/train.txt\n(.+)\n", TOUR)
    assert f"Example(id='far:far:{int(number) - 1}', lang='far', segments=('{line}',), labels=None)" in TOUR


def test_the_readme_s_make_commands_are_in_the_makefile():
    asked = set(re.findall(r"^\s*make (\w+)", README, flags=re.MULTILINE))
    made = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    assert {"demo", "test"} <= asked <= made


def test_ci_calls_the_readme_s_test_command():
    assert "make test" in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()


def test_the_readme_s_file_map_names_only_what_exists():
    chart = README.split("## How the code is laid out")[1].split("\n## ")[0]
    for name in re.findall(r"^      (\w+/|\w+\.py)", chart, flags=re.MULTILINE):
        assert (ROOT / "src" / "uxla" / name).exists(), name
    for name in re.findall(r"(\w+\.py) ", chart):
        assert list((ROOT / "src" / "uxla").rglob(name)), name


def test_the_citation_is_of_this_version_and_of_the_paper():
    card = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert card["version"] == __version__
    assert card["preferred-citation"]["doi"] == "10.18653/v1/2021.acl-long.154"
    assert [author["family-names"] for author in card["preferred-citation"]["authors"]] == ["Bari", "Mohiuddin", "Joty"]


def test_no_file_names_a_path_of_the_machine_it_was_written_on():
    found = [
        f"{file.relative_to(ROOT)}: {place}"
        for file in own_files()
        for place in MACHINE
        if re.search(rf"(?<![\w.~}}]){place}", file.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_only_benchmarks_and_tests_know_the_shared_folder():
    found = [
        str(file.relative_to(ROOT))
        for file in own_files()
        if file.relative_to(ROOT).parts[0] not in ("bench", "tests") and SHARED in file.read_text(encoding="utf-8")
    ]
    assert found == []
