"""Small functions and files, no room that holds most of the house, and nearly as many lines of tests as of code."""

import ast
import re
from collections import Counter
from itertools import chain
from pathlib import Path
from statistics import median, quantiles

import uxla

ROOT = Path(uxla.__file__).parent
TESTS = Path(__file__).parent
FILES = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in sorted(ROOT.rglob("*.py"))}

COINED_PARTS = {
    *("told", "kept", "keeper", "odd", "sealed", "spill", "computing", "sheet", "lookup", "trust", "pools"),
    *("lesson", "delivery", "course", "unchecked"),
}
"""Words of nobody else's that no file, class or function has in its name."""

COINED_NAMES = {"rows", "pieces", "blank", "place", "reading", "drawing", "decisions"}
"""Words that say too little to be the whole name of a file or a class."""


def lines_of(text):
    return len(text.splitlines())


def functions():
    """The name and the lines of every function, from `def` to its end, without the docstring."""
    for node in chain.from_iterable(map(ast.walk, map(ast.parse, FILES.values()))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            said = node.body[0] if ast.get_docstring(node) is not None else None
            documented = said.end_lineno - said.lineno + 1 if said else 0
            yield node.name, node.end_lineno - node.lineno + 1 - documented


def test_functions_are_short():
    lengths = [lines for _, lines in functions()]
    assert median(lengths) <= 8
    assert quantiles(lengths, n=10)[-1] <= 20
    assert {name for name, lines in functions() if lines > 45} == set()


def test_files_are_short():
    assert {Path(file).name for file, text in FILES.items() if lines_of(text) > 260} == set()


def test_no_folder_holds_more_than_a_sixth_of_the_lines():
    held = Counter()
    for file, text in FILES.items():
        held[str(Path(file).parent)] += lines_of(text)
    assert {folder for folder, lines in held.items() if lines > 0.16 * held.total()} == set()


def test_there_are_four_lines_of_tests_for_five_of_code():
    tests = sum(lines_of(path.read_text(encoding="utf-8")) for path in TESTS.rglob("*.py"))
    assert tests >= 0.8 * sum(map(lines_of, FILES.values()))


def words_of(name):
    """The words of a name: `KeptTable` and `_kept_table` are `kept` and `table`."""
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)}


def test_names_are_words_of_the_field():
    trees = [node for text in FILES.values() for node in ast.walk(ast.parse(text))]
    classes = {node.name for node in trees if isinstance(node, ast.ClassDef)} | {Path(file).stem for file in FILES}
    names = classes | {name for name, _ in functions()}
    found = COINED_PARTS & set().union(*map(words_of, names)) | COINED_NAMES & {name.lower() for name in classes}
    assert found == set()


def test_a_verdict_is_the_reports():
    assert {file for file, text in FILES.items() if re.search(r"^class Verdict\b", text, re.M)} == {"report/verdict.py"}


def test_words_of_a_name():
    assert words_of("KeptTable") == words_of("_kept_table") == {"kept", "table"}
    assert words_of("to_kept_by_k") == {"to", "kept", "by", "k"}
