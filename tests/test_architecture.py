"""A newcomer's walk: what docs/architecture.md says to touch is there, and the changes it promises work, in a copy."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
TASKS = dict(re.findall(r"^\| (\d+)\. .+? \| (.+) \|$", PAGE, flags=re.MULTILINE))


def files(task):
    """The files of this number to touch; those that are to be made are in capitals."""
    return re.findall(r"`(src/[\w/.]+)`", TASKS[task])


def rooms():
    spec = importlib.util.spec_from_file_location("rooms", ROOT / "docs" / "rooms.py")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@pytest.fixture
def copy(tmp_path):
    """Makes changes in a copy of the sources: by task, what replaces what in which file, or a whole new file."""
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__", "assets"))

    def change(task, file, *edits, new=None):
        assert file in [name.replace("NAME", Path(file).stem) for name in files(task)], "the page names it"
        path = tmp_path / file
        text = path.read_text(encoding="utf-8") if new is None else new
        for before, after in edits:
            assert text.count(before) == 1, before
            text = text.replace(before, after)
        path.write_text(text, encoding="utf-8")

    return change


@pytest.fixture
def ran(tmp_path):
    """What a fresh process prints that has the copy, and whatever else lies in the folder `site`, to import."""

    def run(code):
        path = os.pathsep.join(map(str, (tmp_path / "src", tmp_path / "site")))
        environment = {**os.environ, "PYTHONPATH": path, "COLUMNS": "200"}
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


COMMAND = "from uxla.cli.app import app; app({!r}, standalone_mode=False)"


def test_ten_tasks_name_one_or_two_files_that_exist():
    assert list(TASKS) == [str(number) for number in range(1, 11)]
    for task in TASKS:
        for file in files(task):
            place = ROOT / file
            assert place.exists() or (re.search("[A-Z]{4}", place.name) and place.parent.is_dir()), file
        assert len(files(task)) <= 2


def test_the_page_shows_the_rooms_as_they_are():
    made = rooms()
    assert made.picture() == made.PICTURE.read_text(encoding="utf-8"), "draw it again: python docs/rooms.py"
    assert made.with_table(PAGE) == PAGE, "make it again: python docs/rooms.py"
    named = set(re.findall(r"^\| `([\w.]+)` \|", PAGE, flags=re.MULTILINE))
    folders = {path.parent.name for path in (ROOT / "src" / "uxla").glob("*/__init__.py")}
    assert named - {f"{name}.py" for name in made.ON_TOP} == folders


def test_a_file_format_is_a_reader_and_a_line_in_the_table_of_formats(copy, ran, tmp_path):
    reader = """\"\"\"Feather, as pandas and polars write it.\"\"\"

from pyarrow import feather


def table(path):
    return feather.read_table(path)
"""
    copy("1", "src/uxla/data/formats/feather.py", new=reader)
    copy(
        "1",
        "src/uxla/data/formats/table.py",
        ('"jsonl", "parquet"]', '"jsonl", "parquet", "feather"]'),
        ('    ".parquet": "parquet",\n', '    ".parquet": "parquet",\n    ".feather": "feather",\n'),
        ("import csv, json, parquet", "import csv, feather, json, parquet"),
        (
            "        return split_rows(",
            "        if self.format == 'feather':\n"
            "            return feather.table(self.path)\n"
            "        return split_rows(",
        ),
    )
    code = """
import pyarrow as pa, uxla
from pyarrow import feather
feather.write_feather(pa.table({"text": ["koru", "mira sen"], "label": ["a", "b"]}), "x.feather")
print(*uxla.read("x.feather", lang="en"), sep="\\n")
"""
    first, second = ran(code).splitlines()
    assert "segments=('koru',), labels=(0,)" in first
    assert "segments=('mira sen',), labels=(1,)" in second


def test_a_baseline_is_one_value(copy, ran):
    value = """    Method(
        name="half",
        title="the surer half",
        group="baseline",
        schedule=lambda epochs: [replace(epoch, source_vicinity=False) for epoch in epochs],
    ),
)
"""
    file = "src/uxla/methods/builtin.py"
    text = (ROOT / file).read_text(encoding="utf-8")
    assert text.endswith(")\n")
    copy("3", file, new=text[: -len(")\n")] + value)
    assert "the surer half" in ran(COMMAND.format(["methods"]))
    settings = ["methods=[half]"]
    code = f"from uxla.config.run import load_config; print(load_config('testbed', {settings}).methods)"
    assert ran(code) == "('half',)\n"


def test_a_selector_is_a_package_with_an_entry_point(ran, tmp_path):
    """The one that the page shows."""
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__", "assets"))
    [module] = re.findall(r"^```python\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)
    [(group, entry)] = re.findall(r'^\[project\.entry-points\."(.+)"\]\n(.+)$', PAGE, flags=re.MULTILINE)
    site = tmp_path / "site"
    (site / "mine-1.0.dist-info").mkdir(parents=True)
    (site / "mine-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
    (site / "mine-1.0.dist-info" / "entry_points.txt").write_text(f"[{group}]\n{entry}\n".replace('"', ""))
    (site / "my_package.py").write_text(module, encoding="utf-8")
    assert re.search(r"longest +selectors? +mine", ran(COMMAND.format(["methods"])).replace("|", " "))
    select = re.search(r"`select: (\{.+?\})`", PAGE)[1]
    code = f"""
import json, numpy as np
from uxla.config.run import load_config
from uxla.records import Predictions
from uxla.study.settings import method_of
epoch = method_of(load_config("testbed", ["schedule.0.select={select}"])).epochs[0]
found = Predictions(np.ones((6, 2), np.float32), np.array([0, 1, 6]))
print(json.dumps([epoch.select.share, epoch.select(found, None).tolist()]))
"""
    assert json.loads(ran(code)) == [0.3, [False, True]]


def test_a_preset_is_a_file(copy, ran):
    new = (ROOT / "src/uxla/config/presets/testbed.yaml").read_text(encoding="utf-8") + "seed: 7\n"
    copy("5", "src/uxla/config/presets/mine.yaml", new=new)
    assert ran("from uxla.config.run import load_config; print(load_config('mine').seed)") == "7\n"
    known = "from uxla.config.documents import preset_names; print('mine' in preset_names())"
    assert ran(known) == "True\n"


def test_a_language_of_the_testbed_is_a_value(copy, ran):
    copy(
        "10",
        "src/uxla/testbed/languages.py",
        (
            "LANGUAGES = {",
            'MIXED = Language("mixed", cognates=0.2, names_shared=0.2, text_share=0.2)\n\nLANGUAGES = {',
        ),
        ("LOW, JOINED)}", "LOW, JOINED, MIXED)}"),
        ('"low", "joined")', '"low", "joined", "mixed")'),
    )
    code = """
from uxla.testbed.world import World
[(words, tags)] = World(0).sentences("mixed", "train", 1)
print(len(words) == len(tags) > 5)
"""
    assert ran(code) == "True\n"


def test_the_columns_of_the_result_table_are_made_in_one_file(copy, ran):
    copy(
        "7",
        "src/uxla/report/table.py",
        ('names=("method",)', 'names=("row", "method")'),
        ("Row((name,)", "Row((name[:4], name)"),
    )
    score = {"mean": 41.0, "sd": 1.0, "models": [40.0, 42.0]}
    results = {"version": 2, "task": "nli", "metric": "accuracy", "source": {"name": "en"}}
    results |= {"targets": {"es": {"zero_shot": score}}}
    table = ran(f"from uxla.report.table import run_table; print(run_table({results}).markdown())")
    assert table.splitlines()[0] == "| row | method | es |"
    assert table.splitlines()[2] == "| zero | zero-shot | 41.00 ± 1.00 |"
