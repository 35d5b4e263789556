"""The run folder: everything written whole, `results.json` last."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from uxla.models import ensemble
from uxla.models.loading import load_tokenizer
from uxla.records import Corpus
from uxla.report.table import markdown
from uxla.run.inputs import Target
from uxla.run.methods import Study, Triple


def write_run(out: Path, results: Mapping[str, Any], study: Study, final: Mapping[str, Triple]) -> None:
    """Write models, ensemble, predictions, configuration, table and results under `out`.

    `final` has the three models of each target. With one target they stand in `out` itself; with several, in a folder
    of each target's name.
    """
    out.mkdir(parents=True, exist_ok=True)
    for target in study.inputs.targets:
        folder = out if len(study.inputs.targets) == 1 else out / target.name
        _write_models(folder, final[target.name], study)
        if target.test is not None:
            _write_predictions(out / "predictions" / f"{target.name}.conll", target, final[target.name], study)
    _write_text(out / "config.yaml", study.config.to_yaml())
    _write_text(out / "table.md", markdown(results))
    _write_text(out / "results.json", json.dumps(results, indent=1, ensure_ascii=False) + "\n")


def _write_models(folder: Path, models: Triple, study: Study) -> None:
    fresh = folder / "models.unfinished"
    shutil.rmtree(fresh, ignore_errors=True)
    tokenizer = load_tokenizer(study.model.path)
    for i, model in enumerate(models, start=1):
        shutil.copytree(model.path, fresh / str(i), ignore=shutil.ignore_patterns("meta.json"))
        tokenizer.save_pretrained(fresh / str(i))
    shutil.rmtree(folder / "models", ignore_errors=True)
    os.replace(fresh, folder / "models")
    ensemble.save(
        folder / "ensemble",
        task=study.config.task,
        label_names=study.inputs.train.label_names,
        members=[f"../models/{i}" for i in (1, 2, 3)],
        max_length=study.config.max_length,
    )


def _write_predictions(file: Path, target: Target, models: Triple, study: Study) -> None:
    """Word, gold and predicted label, TAB between: the columns conlleval reads."""
    test = target.test
    assert test is not None
    found = ensemble.tags(study.ensemble(models, test), test.label_names)
    file.parent.mkdir(parents=True, exist_ok=True)
    _write_text(file, "".join(_sentence_block(test, found)))


def _sentence_block(test: Corpus, found: Sequence[Sequence[str]]) -> list[str]:
    blocks = []
    for example, tags in zip(test, found, strict=True):
        gold = [test.label_names[label] for label in example.labels or ()]
        lines = ("\t".join(columns) for columns in zip(example.words, gold, tags, strict=True))
        blocks.append("\n".join(lines) + "\n\n")
    return blocks


def _write_text(path: Path, text: str) -> None:
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.write_text(text, encoding="utf-8")
    os.replace(unfinished, path)
