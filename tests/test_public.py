"""The public interface: its names and signatures stand in `golden/public.txt`, and nothing else is public.

After a change that is meant, write the file anew: `python tests/test_public.py`.
"""

import ast
import doctest
import inspect
import json
import re
import subprocess
import sys
from dataclasses import is_dataclass
from pathlib import Path

import numpy as np
import pytest

import uxla

NAMES = sorted(set(uxla.__all__) - {"__version__"})
SNAPSHOT = Path(__file__).parent / "golden" / "public.txt"
API_PAGE = Path(__file__).parents[1] / "docs" / "api.md"


def members(value):
    """The public methods and properties that a class defines itself."""
    for name, member in sorted(vars(value).items()):
        if name[0] != "_" and (callable(member) or isinstance(member, (property, classmethod, staticmethod))):
            yield name, getattr(value, name) if isinstance(member, (classmethod, staticmethod)) else member
        elif name[0] != "_" and type(member).__name__ == "cached_property":
            yield name, member.func


def plain(signature):
    """The signature without the addresses and modules of its defaults."""
    return re.sub(r" at 0x[0-9a-f]+", "", re.sub(r"uxla\.[\w.]+\.(\w+)", r"\1", str(signature)))


def described(name):
    """A name, its signature, and if it is a class its members."""
    value = getattr(uxla, name)
    if not inspect.isclass(value):
        yield f"{name}{plain(inspect.signature(value))}"
        return
    yield f"class {name}{plain(inspect.signature(value))}"
    for member, found in members(value):
        shown = "" if isinstance(found, property) or not callable(found) else plain(inspect.signature(found))
        yield f"    {member}{shown if type(vars(value)[member]).__name__ != 'cached_property' else ''}"


def snapshot():
    return "".join(f"{line}\n" for name in NAMES for line in described(name))


def test_names_and_signatures_are_those_of_the_snapshot():
    assert snapshot() == SNAPSHOT.read_text(encoding="utf-8"), "if this is meant: python tests/test_public.py"


def test_dir_and_star_show_the_public_names_alone():
    assert dir(uxla) == sorted(uxla.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        uxla.nonsense  # noqa: B018


def test_no_module_of_the_package_hides_a_public_name():
    modules = {path.stem for path in Path(uxla.__file__).parent.iterdir()}
    assert not modules & set(NAMES)


def test_types_are_seen_by_a_type_checker():
    """`__all__`, the table of places and the imports that a checker reads name the same things."""
    tree = ast.parse(Path(uxla.__file__).read_text(encoding="utf-8"))
    imported = {
        alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("uxla.")
        for alias in node.names
    }
    assert {name: place.removeprefix("uxla.") for name, place in imported.items()} == uxla._PLACES
    assert sorted(imported) == NAMES


def test_importing_the_package_loads_nothing_heavy():
    heavy = ["torch", "transformers", "numpy", "pyarrow", "pandas", "polars", "pydantic"]
    code = f"import json, sys, uxla; print(json.dumps([m for m in {heavy!r} if m in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_is_documented(name):
    value = getattr(uxla, name)
    assert (inspect.getdoc(value) or "").split("\n\n")[0].endswith((".", ":"))
    if inspect.isclass(value):
        undocumented = [member for member, found in members(value) if not inspect.getdoc(found)]
        assert undocumented == []


@pytest.mark.parametrize("name", [name for name in NAMES if name != "UxlaError"])
def test_every_public_name_has_an_example(name):
    assert ">>> " in inspect.getdoc(getattr(uxla, name))


@pytest.mark.parametrize("name", NAMES)
def test_examples_are_right(name):
    value = getattr(uxla, name)
    for test in doctest.DocTestFinder(recurse=True).find(value, name, globs={"uxla": uxla, **_module_of(value)}):
        assert doctest.DocTestRunner().run(test).failed == 0


def _module_of(value):
    return vars(sys.modules[value.__module__])


@pytest.mark.parametrize("name", NAMES)
def test_every_class_of_the_package_that_is_returned_is_public(name):
    value = getattr(uxla, name)
    callables = [found for _, found in members(value)] if inspect.isclass(value) else [value]
    for one in callables:
        function = one.fget if isinstance(one, property) else inspect.unwrap(one)
        returned = re.findall(r"\w+", str(inspect.signature(function).return_annotation))
        known = (getattr(sys.modules[function.__module__], word, None) for word in returned)
        own = {one.__name__ for one in known if inspect.isclass(one) and one.__module__.startswith("uxla.")}
        assert own <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_the_api_page_names_it(name):
    assert f"`{name}`" in API_PAGE.read_text(encoding="utf-8") or f"`uxla.{name}" in API_PAGE.read_text("utf-8")


def test_values_are_frozen():
    values = {name: getattr(uxla, name) for name in NAMES}
    assert [name for name, one in values.items() if is_dataclass(one) and not one.__dataclass_params__.frozen] == []


def test_values_show_themselves_on_one_line():
    corpus = uxla.read("testbed:far/dev", take=3)
    probabilities = uxla.Predictions(np.zeros((5000, 3), dtype=np.float32), np.arange(5001))
    method = uxla.Method("half", "the surer half", schedule=list)
    values = [corpus, corpus[0], probabilities, uxla.Target(corpus), uxla.UXLA(), uxla.MostConfident(0.5), method]
    values += [uxla.Token(), uxla.MaskedLMVicinity(), uxla.Store("x"), uxla.Event(), uxla.FineTuning("testbed")]
    assert [repr(value) for value in values if "\n" in repr(value)] == []
    assert (
        repr(corpus) == "Corpus('far': 3 examples; labels O, B-LOC, I-LOC, B-MISC, I-MISC, B-ORG, I-ORG, B-PER, I-PER)"
    )


if __name__ == "__main__":
    SNAPSHOT.write_text(snapshot(), encoding="utf-8")
