"""The table of `bench/pitfalls.py`, as far as it can be checked without taking anything out."""

from collections import Counter
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
ROWS = yaml.safe_load((ROOT / "bench/pitfalls.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("row", ROWS, ids=[f"{number}-{row['file']}" for number, row in enumerate(ROWS)])
def test_each_handling_stands_once_where_the_table_says_and_its_tests_are_there(row):
    assert (ROOT / "src/uxla" / row["file"]).read_text(encoding="utf-8").count(row["old"]) == 1
    assert row["new"] != row["old"]
    for test in row["tests"]:
        file, _, name = test.partition("::")
        text = (ROOT / "tests" / file).read_text(encoding="utf-8")
        assert not name or f"def {name.partition('[')[0]}(" in text


def test_no_pitfall_stands_there_twice():
    assert max(Counter((row["file"], row["pitfall"]) for row in ROWS).values()) == 1
