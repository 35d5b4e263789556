"""The documents against the code: names that exist, links that lead somewhere, figures that hold. What they say to type
is run by integration/test_documents.py."""

import ast
import doctest
import importlib.util
import lzma
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest
import yaml

from uxla import __version__

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
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


def anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def anchors(page: Path) -> set[str]:
    return {anchor(heading) for heading in re.findall(r"^#+ (.+)$", page.read_text("utf-8"), flags=re.MULTILINE)}


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


def text_of(file):
    """Also of the records of benchmarks, which are compressed."""
    content = file.read_bytes()
    return (lzma.decompress(content) if file.suffix == ".xz" else content).decode()


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


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(page):
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        if link.startswith(("http://", "https://")):
            continue
        path, _, anchor = link.partition("#")
        goal = (page.parent / path).resolve() if path else page
        assert goal.exists(), link
        assert not anchor or anchor in anchors(goal), link


def test_the_index_of_the_log_has_every_entry():
    log = ROOT / "docs" / "log"
    entries = [
        f"{page.name}#{anchor(title)}"
        for page in log.glob("*.md")
        if page.name != "README.md"
        for title in re.findall(r"^## (\d{4}-.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    ]
    assert sorted(LINK.findall((log / "README.md").read_text(encoding="utf-8"))) == sorted(entries)


@pytest.mark.slow
def test_the_tour_shows_what_the_code_does_up_to_the_first_prediction(tmp_path, monkeypatch, capsys):
    # After it come probabilities, whose last digits depend on the processor.
    monkeypatch.chdir(tmp_path)
    exact = blocks(TOUR.split("\n## 1.")[1].split("\n## 3.")[0], "python")
    examples = doctest.DocTestParser().get_doctest("".join(exact), {}, "docs/tour.md", None, None)
    assert len(examples.examples) > 9
    failed = doctest.DocTestRunner().run(examples).failed
    assert failed == 0, capsys.readouterr().out


def test_the_tour_s_line_of_a_file_is_its_row_of_a_corpus():
    [(number, line)] = re.findall(r"sed -n (\d+)p runs/world/far/train.txt\n(.+)\n", TOUR)
    assert f"Example(id='far:far:{int(number) - 1}', lang='far', segments=('{line}',), labels=None)" in TOUR


@pytest.fixture(scope="module")
def gains():
    spec = importlib.util.spec_from_file_location("gains", ROOT / "docs" / "gains.py")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def test_the_picture_of_the_readme_shows_the_table_of_the_results(gains):
    found = gains.gains(gains.RESULTS.read_text(encoding="utf-8"))
    assert list(found) == list(gains.TASKS)
    assert gains.picture(found) == gains.PICTURE.read_text(encoding="utf-8"), "draw it again: python docs/gains.py"


def test_the_table_of_the_readme_has_the_means_of_the_results(gains):
    results = gains.RESULTS.read_text(encoding="utf-8")
    assert gains.filled(README, results) == README, "fill it again: python docs/gains.py"
    row = "| UXLA − zero-shot | - | - |"
    entities, topics = re.findall(
        r"^\| UXLA − zero-shot \|.*\| (.+) \|$", results.split("#### The claims")[0], re.MULTILINE
    )
    assert gains.filled(f"a\n{row}\nb", results) == f"a\n| UXLA − zero-shot | {entities} | {topics} |\nb"


def test_the_gains_are_those_of_the_test_languages(gains):
    head = "#### NER\n| method | ar\N{DAGGER} (PAN-X) |\n| seeds | 3 |\n"
    table = "| UXLA − zero-shot | {} | {} |\n| tri-training − zero-shot | +2.0 [1.0, 3.0] * | |\n#### Topics\n"
    text = "### Test languages\n" + head + table.format("−1.5 [−2.5, 0.5]", "−1.5 [−2.5, 0.5]")
    assert gains.gains("### Development languages\n" + head + table.format("", "") + text) == {
        "NER": {"Arabic": gains.Gain(-1.5, -2.5, 0.5, 2.0, 3)}
    }
    assert gains._axis(-2.5, 21.0) == (-5, 25)
    assert gains._axis(0.5, 20.0) == (0, 20)


def test_the_readme_s_make_commands_are_in_the_makefile():
    asked = set(re.findall(r"(?:^ *|`)make (\w+)", README, flags=re.MULTILINE))
    made = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    assert {"demo", "test"} <= asked <= made


def test_ci_calls_the_readme_s_test_command():
    assert "make test" in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()


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
        if re.search(rf"(?<![\w.~}}]){place}", text_of(file))
    ]
    assert found == []


def test_only_benchmarks_and_tests_know_the_shared_folder():
    found = [
        str(file.relative_to(ROOT))
        for file in own_files()
        if file.relative_to(ROOT).parts[0] not in ("bench", "tests") and SHARED in text_of(file)
    ]
    assert found == []
