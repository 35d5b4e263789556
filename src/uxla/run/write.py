"""The run folder: everything written whole, `results.json` last."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from uxla.errors import ArtifactError
from uxla.models import ensemble
from uxla.models.loading import load_tokenizer
from uxla.records import Corpus, Predictions
from uxla.report.table import markdown
from uxla.run.inputs import Target
from uxla.run.methods import Study, Triple


def write_run(out: Path, results: Mapping[str, Any], study: Study, final: Mapping[str, Triple]) -> None:
    """Write models, ensemble, predictions, configuration, table and results under `out`.

    `final` has the three models of each target. With one target they stand in `out` itself; with several, in a folder
    of each target's name. ArtifactError where the folder cannot be written.
    """
    try:
        _write(out, results, study, final)
    except OSError as error:
        message = (
            f"the run folder cannot be written ({error.strerror or error}); free space there, or give another --out"
        )
        raise ArtifactError(f"{out}: {message}, and run again: finished work is kept") from error


def _write(out: Path, results: Mapping[str, Any], study: Study, final: Mapping[str, Triple]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for target in study.inputs.targets:
        folder = out if len(study.inputs.targets) == 1 else out / target.name
        _write_models(folder, final[target.name], study)
        if target.test is not None:
            _write_predictions(out / "predictions", target, final[target.name], study)
    _write_text(out / "config.yaml", study.config.to_yaml())
    _write_text(out / "table.md", markdown(results))
    _write_text(out / "results.json", json.dumps(results, indent=1, ensure_ascii=False) + "\n")


def _write_models(folder: Path, models: Triple, study: Study) -> None:
    fresh = folder / "models.unfinished"
    shutil.rmtree(fresh, ignore_errors=True)
    tokenizer = load_tokenizer(study.model.path)
    for i, model in enumerate(models, start=1):
        # copyfile: others may read the weights as they may the rest, although safetensors writes for the owner alone
        ignored = shutil.ignore_patterns("meta.json")
        shutil.copytree(model.path, fresh / str(i), ignore=ignored, copy_function=shutil.copyfile)
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


def _write_predictions(folder: Path, target: Target, models: Triple, study: Study) -> None:
    """The ensemble's labels on the test set beside the gold ones, so that any scorer gives the table's figures."""
    test = target.test
    assert test is not None
    found = study.ensemble(models, test)
    folder.mkdir(parents=True, exist_ok=True)
    if study.config.task == "ner":
        _write_text(folder / f"{target.name}.conll", "".join(_tagged(test, found)))
    else:
        _write_text(folder / f"{target.name}.tsv", "".join(_labelled(test, found)))


def _tagged(test: Corpus, found: Predictions) -> Iterator[str]:
    """Word, gold and predicted label, TAB between and a blank line after each sentence: what conlleval reads."""
    for example, start in zip(test, found.offsets[:-1], strict=True):
        assert example.labels is not None
        predicted = found.labels[start : start + len(example.labels)]
        for word, gold, label in zip(example.words, example.labels, predicted, strict=True):
            yield f"{word}\t{test.label_names[gold]}\t{test.label_names[label]}\n"
        yield "\n"


def _labelled(test: Corpus, found: Predictions) -> Iterator[str]:
    """Example, gold and predicted label and its probability, TAB between."""
    yield "id\tgold\tpredicted\tconfidence\n"
    for example, label, confidence in zip(test, found.labels, found.best, strict=True):
        assert example.labels is not None
        names = f"{test.label_names[example.labels[0]]}\t{test.label_names[label]}"
        yield f"{example.id}\t{names}\t{confidence:.4f}\n"


def _write_text(path: Path, text: str) -> None:
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.write_text(text, encoding="utf-8")
    os.replace(unfinished, path)
