"""The arithmetic of each recipe in recipes/paper, and its hours on a device that keeps up 10 TFLOP/s.

    python bench/recipe_hours.py --data DIR --model DIR --mbert DIR [--recipes table-2.yaml …]

Each recipe is planned as it stands. In place of the Hub's data it reads files of the published sizes, with the
sentences of `--data` again and again. That folder has conll, panx, nli_en, xnli and pawsx as bench/languages.py reads
them; a language that it lacks has the sentences of another one. `--model` is a model of XLM-R large's shape with its
tokenizer, `--mbert` one of mBERT's; their numbers may be random.
"""

import argparse
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path

from common import table

from uxla import api
from uxla.config.run import load_config
from uxla.plan import plan
from uxla.plan.probe import Probe, arithmetic

PAPER = Path(__file__).parents[1] / "recipes" / "paper"
TERA, KEPT_UP = 1e12, 10
SIZES = {
    "conll-en": (14_041, 3_250, 3_453),
    "conll-es": (8_323, 1_915, 1_517),
    "conll-nl": (15_806, 2_895, 5_195),
    "conll-de": (12_152, 2_867, 3_005),
    "panx-en": (20_000, 10_000, 10_000),
    "panx-bn": (10_000, 1_000, 1_000),
    "panx-ur": (20_000, 1_000, 1_000),
    "panx-my": (100, 100, 100),
    "xnli": (392_702, 2_490, 5_010),
    "pawsx": (49_401, 2_000, 2_000),
}
"""Sentences or pairs to train on, for development and for the test, as the corpora say. Of the Arabic and Finnish of
Table 1 the size of the German is assumed."""
SPLITS = ("train", "dev", "test")


@contextmanager
def counting_only() -> Iterator[None]:
    """Inside the block a plan counts arithmetic and takes no time."""
    own = plan.probe
    plan.probe = lambda study, generates: Probe({}, None, arithmetic=arithmetic(study, generates=generates))
    try:
        yield
    finally:
        plan.probe = own


def source_of(data: Path, corpus: str, language: str) -> list[Path]:
    """The files whose sentences stand for those of a language."""
    if corpus in ("conll", "panx"):
        folder = data / corpus / language
        return sorted((folder if folder.is_dir() else data / corpus / {"bn": "hi"}.get(language, "es")).glob("*.conll"))
    if corpus == "xnli" and language == "en":
        return sorted((data / "nli_en").glob("*.tsv"))
    folder = data / corpus / language
    return sorted((folder if folder.is_dir() else data / corpus / "es").glob("*.tsv"))


def write(folder: Path, data: Path, corpus: str, language: str) -> None:
    """The three splits of a language, as long as the published ones."""
    folder.mkdir(parents=True, exist_ok=True)
    files = source_of(data, corpus, language)
    sizes = SIZES.get(f"{corpus}-{language}", SIZES.get(corpus, SIZES["conll-de"]))
    tagged = corpus in ("conll", "panx")
    if tagged:
        pieces = [piece for file in files for piece in file.read_text("utf-8").strip().split("\n\n")]
        head, suffix, between = "", "conll", "\n\n"
    else:
        rows = [line.split("\t") for file in files for line in file.read_text("utf-8").splitlines()[1:]]
        pieces = ["\t".join(row[-3:] if corpus == "pawsx" else row[:3]) for row in rows]
        head, suffix, between = "sentence1\tsentence2\tlabel\n", "tsv", "\n"
    for split, size in zip(SPLITS, sizes, strict=True):
        text = head + between.join(islice(cycle(pieces), size)) + between
        (folder / f"{split}.{suffix}").write_text(text, encoding="utf-8")


def planned(recipe: Path, data: Path, model: Path) -> tuple[int, float, float]:
    """Trainings, TFLOP, and the share of them that scores checkpoints."""
    text = recipe.read_text("utf-8")
    corpus = {"xner": "conll", "panx": "panx", "xnli": "xnli", "pawsx": "pawsx"}[
        re.search(r"preset: ([a-z]+)", text)[1]
    ]
    with tempfile.TemporaryDirectory() as place:
        suffix = "conll" if corpus in ("conll", "panx") else "tsv"
        for language in ("en", *re.search(r"target: \[(.+)\]", text)[1].split(", ")):
            write(Path(place) / language, data, corpus, language)
        overrides = [f"model={model}", "threads=1"]
        for section, language in (("source", "en"), ("target_data", "{target}")):
            overrides += [f"{section}.{split}={place}/{language}/{split}.{suffix}" for split in SPLITS]
        if "supervised" in text:
            overrides.append(f"target_data.labelled={place}/{{target}}/train.{suffix}")
        with counting_only():
            found = api.plan(load_config(recipe, overrides), fresh=True)
    scoring = sum(found.probe.arithmetic["labelling"] * work.labelled for work in found.work)
    return found.trainings, found.operations / TERA, scoring / found.operations


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("data", "model", "mbert"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--recipes", nargs="+", default=[file.name for file in sorted(PAPER.glob("*.yaml"))])
    given = parser.parse_args()
    rows = []
    for name in given.recipes:
        trainings, tera, scoring = planned(PAPER / name, given.data, given.mbert if "mbert" in name else given.model)
        hours = tera / KEPT_UP / 3600
        rows.append((name, f"{trainings}", f"{tera:,.0f}", f"{hours:.1f}", f"{100 * scoring:.0f} %"))
        print(*rows[-1], sep="  ", flush=True)
    table(("configuration", "trainings", "TFLOP", f"hours at {KEPT_UP} TFLOP/s", "of it scoring checkpoints"), rows)


if __name__ == "__main__":
    main()
