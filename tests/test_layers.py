"""Imports go downwards only and in no circle, and what needs no torch does not load it."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import uxla

ROOT = Path(uxla.__file__).parent
SIBLINGS = {"algorithm", "models", "data", "testbed", "store"}
"""They never import each other: they meet in `augmentation`, `lm`, `predict` and `study`."""

LEVELS = [
    {"cli"},
    {"api"},
    {"adapted"},
    {"compress"},
    {"plan"},
    {"study"},
    {"annotation"},
    {"predict"},
    {"lm"},
    {"augmentation"},
    {"report"},
    {"config"},
    {"corpora"},
    {"methods"},
    {"executors"},
    SIBLINGS,
]
"""From the top down. What stands in no level is at the bottom: files that serve everywhere."""

ROOMS = set().union(*LEVELS)

BOTTOM = {file.stem for file in ROOT.glob("*.py")} - ROOMS - {"__init__"}


def below(room):
    """The rooms that a file of `room` may import from."""
    if room in BOTTOM:
        return BOTTOM
    if room == "":
        return ROOMS | BOTTOM
    level = next(i for i, rooms in enumerate(LEVELS) if room in rooms)
    return {room}.union(BOTTOM, *LEVELS[level + 1 :])


def imported(file):
    """The modules of `uxla` that a file names in an import, at its top, in a function or for types only."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: a relative import hides what it crosses"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (name for name in names if name.split(".")[0] == "uxla")


def part(name):
    """The layer's part that `uxla.part.module` belongs to; "" for the package itself."""
    parts = name.split(".")
    return parts[1] if len(parts) > 1 and (ROOT / parts[1]).exists() | (ROOT / f"{parts[1]}.py").exists() else ""


FILES = sorted(ROOT.rglob("*.py"))


MODULES = {".".join(["uxla", *file.relative_to(ROOT).with_suffix("").parts]): file for file in FILES}


def test_files_import_only_from_below():
    arrows = {(own.removesuffix(".__init__"), name) for own, file in MODULES.items() for name in imported(file)}
    assert len(arrows) > 500
    upwards = {(own, name) for own, name in arrows if part(name) not in below(part(own)) | {""}}  # "": `__version__`
    assert upwards == set()


def test_one_place_alone_makes_labels_of_probabilities():
    """Pseudo labels are `Predictions.pseudo_labels`; what a person gets is of `decode`. The other files look at masked
    LMs, at how often pseudo labels are right, and for the text that is worth most."""
    own = {"records.py", "decoding.py", "models/gen_lm/masked_lm.py", "models/lm/model.py", "report/paper/warmup.py"}
    own.add("annotation/suggest.py")
    assert {str(file.relative_to(ROOT)) for file in FILES if "argmax" in file.read_text(encoding="utf-8")} == own


def test_every_folder_of_the_package_has_a_level_and_every_level_its_rooms():
    folders = {path.name for path in ROOT.iterdir() if path.is_dir() and path.name[0] != "_"}
    assert folders <= ROOMS
    assert {room for room in ROOMS if not list(ROOT.glob(f"{room}*"))} == set()


def test_no_module_imports_itself_by_way_of_others():
    """Wherever the imports stand: one in a function, or for types only, hides a circle and does not open it."""
    graph = {module(own): {module(name) for name in imported(file)} for own, file in MODULES.items()}
    del graph["uxla"]  # it gives the public names of all rooms, when they are asked for
    assert {name for name in graph if name in reached(name, graph)} == set()


def module(name):
    """The module that an imported name is, or lies in."""
    place = ROOT.joinpath(*name.split(".")[1:])
    if place.name == "__init__" or not (place.is_dir() or place.with_suffix(".py").exists()):
        return name.rpartition(".")[0]
    return name


def reached(start, graph):
    """What a module imports, directly and by way of others."""
    found, new = set(), graph[start]
    while new:
        found |= new
        new = set().union(*(graph.get(name, set()) for name in new)) - found
    return found


def test_the_walk_sees_imports_inside_functions_and_follows_them():
    assert "uxla.predict.files.predict" in set(imported(ROOT / "cli/predict.py"))
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}
    assert {name for name in graph if name in reached(name, graph)} == {"a", "b", "c"}
    assert module("uxla.data.load.load_corpus") == "uxla.data.load"
    assert module("uxla.data.__init__") == module("uxla.data") == "uxla.data"


def _loads(modules, heavy, then="json"):
    """Which of `heavy` a fresh process has loaded after importing `modules`, and after importing `then` as well."""
    look = f"print(json.dumps([m for m in {heavy!r} if m in sys.modules]))"
    code = f"import json, sys, {', '.join(modules)}; {look}; import {then}; {look}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def _modules(package):
    files = [file.relative_to(ROOT.parent).with_suffix("") for file in sorted((ROOT / package).rglob("*.py"))]
    return [".".join(file.parts).removesuffix(".__init__") for file in files]


def test_the_paper_the_reports_and_the_readers_load_no_torch():
    modules = [*_modules("algorithm"), *_modules("report"), *_modules("data"), "uxla.config.run", "uxla.console"]
    assert len(modules) > 10
    heavy = ["torch", "transformers", "tokenizers", "safetensors"]
    before, after = _loads(modules, heavy, then="uxla.study.pipeline")
    assert before == []
    assert after == heavy, "the pipeline does load them, so that this test can fail"


def test_the_package_and_its_command_line_load_neither_torch_nor_numpy():
    heavy = ["torch", "transformers", "numpy", "pyarrow", "sklearn", "pydantic"]
    assert _loads(["uxla", "uxla.cli.app"], heavy)[0] == []
