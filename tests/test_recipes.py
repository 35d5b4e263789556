"""The recipes: every configuration loads and is planned with a small model and small data in place of the Hub's."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from uxla import api
from uxla.config.run import load_config
from uxla.methods.registry import METHODS
from uxla.report.paper.published import published
from uxla.testbed import asset

PAPER = Path(__file__).parents[1] / "recipes" / "paper"
PAGE = (PAPER / "README.md").read_text(encoding="utf-8")
RECIPES = sorted(PAPER.glob("*.yaml"))
QUICK = ("table-1.yaml", "table-4-5.yaml")
TAGGED = "Ana\tB-PER\nlee\tO\nLima\tB-LOC\nONU\tB-ORG\nInti\tB-MISC\n\n"
LABELS = {"nli": ("entailment", "neutral", "contradiction"), "paraphrase": ("0", "1")}


def cells(line):
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def planned():
    """What the page says about each configuration."""
    head, _, *lines = PAGE[PAGE.index("| configuration") :].split("\n\n")[0].splitlines()
    found = [dict(zip(cells(head), cells(line), strict=True)) for line in lines]
    return {row["configuration"].strip("`"): row for row in found}


def write(file, task):
    """Four hundred small examples of a task, of which 5 % are some too, in a layout of files by hand."""
    labels = LABELS.get(task, ())
    texts = [f"{i} {file.stem} {file.parent.name}" for i in range(400)]
    if task == "ner":
        lines = [f"{word}\tO\n" for word in texts]
        text = "".join(line.replace(" ", "_") + TAGGED for line in lines)
    else:
        pairs = (f"{text}\tits pair {text}\t{labels[i % len(labels)]}\n" for i, text in enumerate(texts))
        text = "sentence1\tsentence2\tlabel\n" + "".join(pairs)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    """The shipped model with a tensor that makes its weights larger than all else in a store: it is never loaded."""
    folder = shutil.copytree(asset(), tmp_path_factory.mktemp("model"), dirs_exist_ok=True)
    tensors = load_file(folder / "model.safetensors")
    save_file({**tensors, "large": np.zeros(2**24, np.uint8)}, folder / "model.safetensors", {"format": "pt"})
    return folder


@pytest.mark.parametrize(
    "recipe",
    [pytest.param(file, id=file.stem, marks=[pytest.mark.slow] * (file.name not in QUICK)) for file in RECIPES],
)
def test_a_recipe_is_planned_as_the_page_says(recipe, model, tmp_path, monkeypatch):
    monkeypatch.setenv("UXLA_CACHE", str(tmp_path / "cache"))
    text = recipe.read_text("utf-8")
    task = load_config(re.search(r"preset: (\S+)", text)[1], ["target=xx"]).task
    suffix = "conll" if task == "ner" else "tsv"
    targets = re.search(r"target: \[(.+)\]", text)[1].split(", ")
    for language in ("en", *targets):
        for split in ("train", "dev", "test"):
            write(tmp_path / "ner" / language / f"{split}.{suffix}", task)
    copy = shutil.copy(recipe, tmp_path)
    asked = load_config(copy)  # as it stands: the Hub is asked when data is read, not before
    assert asked.target == tuple(targets)
    overrides = [f"model={model}", "max_length=64"]
    for section, language in (("source", "en"), ("target_data", "{target}")):
        folder = tmp_path / "ner" / language
        overrides += [f"{section}.{split}={folder}/{split}.{suffix}" for split in ("train", "dev", "test")]
    if "supervised" in asked.methods:
        overrides.append(f"target_data.labelled={tmp_path}/ner/{{target}}/train.{suffix}")
    plan = api.plan(load_config(copy, overrides), probed=False)
    said = planned()[recipe.name]
    assert plan.trainings == int(said["trainings"])
    assert plan.peak // plan.model == int(said["models at once"])  # beside them predictions and samples
    assert said["targets"] == ", ".join(targets)


def test_the_page_has_every_recipe():
    assert set(planned()) == {file.name for file in RECIPES}
    assert set(re.findall(r"recipes/paper/(\S+\.yaml)", PAGE)) <= set(planned())


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_the_page_has_the_papers_figures_row_by_row(number):
    blocks = published(number).blocks.values()
    part = PAGE.split(f"## Table {number}")[1].split("\n## ")[0]
    lines = [cells(line) for line in part.splitlines() if line.startswith("| ")][1:]
    assert [[line[0], *line[3:]] for line in lines] == [
        [row, *found.values()] for b in blocks for row, found in b.items()
    ]
    for _, configuration, method, *_ in lines:
        assert method == "–" or method.strip("`").removesuffix("_ensemble") in METHODS
        assert configuration == "–" or configuration.strip("`") in planned()
