"""Parts of another package: installed, they are listed, run, and stand in the table and on the card."""

import re
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from uxla import api, plugins
from uxla.algorithm.cotraining import PAPER_SCHEDULE
from uxla.cli.app import app
from uxla.config.run import load_config
from uxla.errors import ConfigError
from uxla.executors.choice import executor_of
from uxla.methods.method import Method
from uxla.methods.registry import METHODS, method, names, title
from uxla.study.pipeline import asks_vicinity
from uxla.study.settings import UXLA

PACKAGE = """
from dataclasses import dataclass
import numpy as np
from uxla import Corpus, Epoch, Example, Method, MostConfident

@dataclass(frozen=True)
class Longest:
    share: float = 0.5
    def __call__(self, predictions, corpus):
        sizes = np.array([len(example.segments[0]) for example in corpus])
        return sizes >= np.quantile(sizes, 1 - self.share)

@dataclass(frozen=True)
class Reversed:
    times: int = 1
    def __call__(self, corpus):
        turned = (Example(e.id + "~1", e.lang, (" ".join(e.words[::-1]),)) for e in corpus)
        return Corpus.from_examples("turned", corpus.label_names, turned)

SURE = Epoch(MostConfident(0.5), source=True, target=True)
HALF = Method("half", "the surer half", schedule=lambda epochs: [SURE] * len(epochs))
"""
ENTRY_POINTS = """
[uxla.methods]
half = uxla_half:HALF
broken = uxla_half:NOWHERE
[uxla.selectors]
longest = uxla_half:Longest
[uxla.vicinities]
reversed = uxla_half:Reversed
"""
TINY = (
    *("testbed.train=40", "testbed.unlabelled=20", "testbed.dev=10", "testbed.test=10", "warmup.epochs=2"),
    "schedule=[{data: [target, target_vicinity], select: {kind: longest, share: 1.0}}]",
    *("vicinity={kind: reversed}", "methods=[penalty, half]", "agree=none"),
)


def install(folder: Path, name: str, code: str, entry_points: str) -> None:
    """Lay a package down as pip does."""
    (folder / f"{name}.py").write_text(code, encoding="utf-8")
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(entry_points, encoding="utf-8")


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A package with a method, a selector, a vicinity, and a method that is not there."""
    install(tmp_path, "uxla_half", PACKAGE, ENTRY_POINTS)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    sys.modules.pop("uxla_half", None)


def test_a_package_is_small():
    assert len([line for line in PACKAGE.splitlines() if line.strip()]) <= 20


def test_the_methods_and_parts_of_a_package_are_listed_and_a_broken_one_is_named(installed):
    shown = CliRunner().invoke(app, ["methods"], env={"COLUMNS": "200"})
    assert shown.exit_code == 0
    assert "| half | the surer half |  |  | uxla-half |" in shown.stdout
    assert "| longest | selectors | uxla-half |" in shown.stdout
    assert "| reversed | vicinities | uxla-half |" in shown.stdout
    assert "broken of the package uxla-half" in shown.stdout
    assert "| uxla | UXLA |" in shown.stdout


@pytest.mark.parametrize(
    "part", ["methods]\nuxla", "selectors]\nconfidence", "agreements]\nexact", "vicinities]\nmasked_lm"]
)
def test_a_part_with_the_name_of_one_of_uxla_is_told_to_be_hidden(part, tmp_path, monkeypatch):
    install(tmp_path, "uxla_same", "HERE = 1", f"[uxla.{part} = uxla_same:HERE\n")
    monkeypatch.syspath_prepend(tmp_path)
    shown = CliRunner().invoke(app, ["methods"], env={"COLUMNS": "200"})
    group, name = part.split("]\n")
    assert f"uxla.{group}: {name} of the package uxla-same has the name of a part of uxla, which is the" in shown.stdout
    assert f"| {name} | {group} |" not in shown.stdout
    assert shown.exit_code == 0


def test_a_run_uses_the_parts_of_a_package_and_its_table_and_card_name_the_method(installed, tmp_path, monkeypatch):
    monkeypatch.setenv("UXLA_CACHE", str(tmp_path / "store"))
    out = tmp_path / "run"
    results = api.run(load_config("testbed", TINY), out)
    assert set(results["targets"]["far"]) >= {"penalty", "half"}
    assert "| the surer half |" in (out / "table.md").read_text(encoding="utf-8")
    assert "by the surer half" in (out / "README.md").read_text(encoding="utf-8").replace("`", "")
    kept = [found["kept"] for made in results["trainings"] for found in made["learned_from"] or () if found["kept"]]
    assert kept == [[10, 10]] * 3, "the method's own epochs select the surer half of twenty"


def test_a_selector_and_a_vicinity_of_a_package_are_what_uxla_selects_and_learns_by(installed, tmp_path, monkeypatch):
    monkeypatch.setenv("UXLA_CACHE", str(tmp_path / "store"))
    results = api.run(load_config("testbed", [*TINY, "methods=[uxla]"]), tmp_path / "run")
    data = [found for made in results["trainings"] for found in made["learned_from"] or ()]
    assert [(found["kind"], found["of"], found["kept"]) for found in data] == [
        ("target", 20, [20, 20]),
        ("virtual_target", 20, [20, 20]),
    ] * 3
    assert load_config(str(tmp_path / "run/config.yaml")).vicinity.kind == "reversed"


def test_a_broken_part_is_an_error_where_it_is_asked_for_and_only_there(installed):
    assert method("half").title == "the surer half"
    with pytest.raises(ConfigError, match=r"broken of the package uxla-half .*AttributeError.*; fix or remove"):
        load_config("testbed", ["methods=[penalty, broken]"])
    assert title("broken") == "broken"
    assert names() == [*METHODS, "broken", "half"]


def test_a_name_that_no_package_has_is_an_error(installed):
    with pytest.raises(ConfigError, match=r"got 'hlf'; did you mean half\?"):
        load_config("testbed", ["methods=[penalty, hlf]"])
    with pytest.raises(ConfigError, match=r"no installed package has one of the name 'nowhere'"):
        plugins.load("uxla.executors", "nowhere")


def test_a_name_that_two_packages_have_is_an_error(installed, tmp_path, monkeypatch):
    other = tmp_path / "other"
    other.mkdir()
    install(other, "uxla_other", "HALF = 1", "[uxla.methods]\nhalf = uxla_other:HALF\n")
    monkeypatch.syspath_prepend(other)
    with pytest.raises(ConfigError, match="half is in the packages uxla-half and uxla-other; remove one of them"):
        method("half")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("HALF = 1", "half is a int, expected a uxla.Method"),
        ("from uxla import Method\nHALF = Method('third', 't')", "half names itself 'third', expected 'half'"),
        ("import nowhere", "ModuleNotFoundError: No module named 'nowhere'"),
    ],
)
def test_what_is_no_method_is_an_error_that_names_it(code, said, tmp_path, monkeypatch):
    install(tmp_path, "uxla_odd", code, "[uxla.methods]\nhalf = uxla_odd:HALF\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigError, match=said):
        method("half")
    sys.modules.pop("uxla_odd", None)


PARTS = """
import numpy as np
from uxla import Agreed

def all_of_them(predictions, corpus):
    return np.ones(len(corpus), dtype=bool)

class Needs:
    def __init__(self, least: int):
        self.least = least
    def __call__(self, predictions, corpus):
        return np.diff(predictions.offsets) >= self.least

NUMBER = 3
"""


@pytest.mark.parametrize(
    ("select", "said"),
    [
        ("{kind: all, x: 1}", "no key schedule.0.select.x with kind all; this kind takes no other key"),
        ("{kind: needs}", "needs schedule.0.select.least; for example: uxla run testbed schedule.0.select.least=…"),
        ("{kind: needs, least: a}", "schedule.0.select.least: got 'a', expected a whole number"),
        ("{kind: number}", "number is a int, expected a class or a function; fix its package"),
    ],
)
def test_a_selector_is_a_function_or_a_class_with_keys_and_anything_else_is_refused(
    select, said, tmp_path, monkeypatch
):
    points = "[uxla.selectors]\nall = uxla_parts:all_of_them\nneeds = uxla_parts:Needs\nnumber = uxla_parts:NUMBER\n"
    install(tmp_path, "uxla_parts", PARTS, points)
    monkeypatch.syspath_prepend(tmp_path)
    config = load_config("testbed", ["schedule=[{data: [target], select: all}]"])
    assert config.schedule[0].select.part is sys.modules["uxla_parts"].all_of_them
    with pytest.raises(ConfigError, match=re.escape(said)):
        load_config("testbed", [f"schedule=[{{data: [target], select: {select}}}]"])
    sys.modules.pop("uxla_parts", None)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"steps": lambda lab, target, models: []}, r"method m: steps gave \[\], expected the three models of each"),
        ({"steps": lambda lab, target, models: None}, "steps gave None, expected the three models"),
        ({"steps": lambda lab, target, models: [models[:2]]}, "steps gave .*, expected the three models"),
        ({"schedule": lambda epochs: []}, r"schedule gave \[\], expected a list of uxla.Epoch"),
        ({"schedule": lambda epochs: ["x"]}, r"schedule gave \['x'\], expected a list"),
        ({"schedule": list, "agreement": "tokens"}, "agreement is 'tokens', expected one of exact, token, none, union"),
        ({"schedule": list, "order": "sideways"}, "order is 'sideways', expected one of synchronous, in_place, alone"),
        ({"start": None}, "method m: has neither start nor steps"),
        ({"together": "probability"}, "together is 'probability', expected None or one of probabilities, weights"),
    ],
)
def test_a_method_of_no_use_is_an_error_that_names_it(settings, said):
    class Lab:
        epochs = PAPER_SCHEDULE

    with pytest.raises(ConfigError, match=said):
        Method("m", "t", **settings).run(Lab(), None, ("a", "b", "c"))


def test_an_executor_of_a_package_is_a_class_or_an_instance_with_a_map(tmp_path, monkeypatch):
    code = "from uxla import Serial\nONE = Serial()\nclass Bad: pass\n"
    points = "[uxla.executors]\nmade = uxla_do:Serial\none = uxla_do:ONE\nbad = uxla_do:Bad\n"
    install(tmp_path, "uxla_do", code, points)
    monkeypatch.syspath_prepend(tmp_path)
    assert [list(executor_of(name).map(len, ["ab"])) for name in ("made", "one")] == [[2], [2]]
    with pytest.raises(ConfigError, match=r"bad has no method map\(function, items\); fix its package"):
        executor_of("bad")
    sys.modules.pop("uxla_do", None)


def test_a_schedule_of_no_use_is_an_error_also_where_a_run_first_asks_for_it():
    with pytest.raises(ConfigError, match=r"method m: schedule gave \['x'\], expected a list of uxla.Epoch"):
        asks_vicinity([Method("m", "t", schedule=lambda epochs: ["x"])], UXLA())
