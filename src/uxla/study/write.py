"""Writing the run folder: each file whole or absent, `results.json` last."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from uxla.confidence import Scaling
from uxla.corpus_table import names_metadata
from uxla.errors import in_python
from uxla.files import atomic_file, atomic_folder, link_or_copy, write_file, write_table
from uxla.models import ensemble_folder
from uxla.models.loading import load_tokenizer
from uxla.models.saving import folders_length
from uxla.records import Corpus, Ints, ModelHandle, Predictions
from uxla.report.scores import every_score
from uxla.report.table import run_table
from uxla.save_tokenizer import save_tokenizer
from uxla.store.artifacts import OWN, copy_content, is_weights
from uxla.study.card import model_card
from uxla.study.finished_run import FinishedRun
from uxla.study.labelling import Labelling, Triple
from uxla.study.run_folder import remove_reports
from uxla.study.trace import write_trace
from uxla.targets import Target
from uxla.write_errors import writing

Models = Sequence[ModelHandle]

_SCORED = pa.schema(
    [("method", pa.string()), ("epoch", pa.int16()), ("model", pa.int16()), ("labels", pa.large_list(pa.int16()))]
)
_DRAWN = 2000  # test examples that figures of the warm-up show


def write_run(run: FinishedRun, out: Path, *, models: bool = True) -> None:
    """Write models, ensemble, predictions, trace, configuration, environment, table and results under `out`.

    Without `models` all but these and their cards, which is what reports read.

    With one target its models stand in `out` itself; with several, in a folder of each target's name. That folder is
    also the one model in place of the three: transformers loads it. All methods have their labels of the test set
    beside those of the final models. WriteError where the folder cannot be written.
    """
    other = "another folder" if in_python() else "another --out, and run again: finished work is kept"
    remedy = f"free space there, or give {other}"
    with writing(out, remedy):
        out.mkdir(parents=True, exist_ok=True)
    with writing(out, remedy, out):
        _write(run, out, with_models=models)


def _write(run: FinishedRun, out: Path, *, with_models: bool) -> None:
    study, results, final = run.study, run.results, run.study.final.name
    earlier = (out / "results.json").read_bytes() if (out / "results.json").is_file() else None
    (out / "results.json").unlink(missing_ok=True)  # of an earlier run: where it stands, all else is this run's too
    for target in study.targets:
        models = run.final[target.name]
        if with_models:
            folder = out if len(study.targets) == 1 else out / target.name
            _write_models(folder, models, run.scaling[target.name], study.labelling, run)
            write_single(folder, run.single[target.name].path, tokenizer=folder / "models/1")
            write_file(folder / "README.md", _card(run, target))
        if target.test is not None:
            _write_predictions(out / "predictions", target, models, study.labelling)
            methods = {**_last(run, target, final), final: models}
            _write_labels(out / "predictions" / f"{target.name}.parquet", target.test, methods, final, study.labelling)
            _write_scored(out / "predictions/models" / f"{target.name}.parquet", run, target, target.test)
            _write_warm_up(out / "warmup" / f"{target.name}.parquet", target.test, methods, study.labelling)
    _write_traces(out, run)
    write_file(out / "config.yaml", run.config.to_yaml())
    write_file(out / "environment.json", _json(run.environment))
    write_file(out / "table.md", run_table(results).markdown())
    if earlier not in (None, _json(results).encode()):
        remove_reports(out)  # they tell of results that are no more
    write_file(out / "results.json", _json(results))


def _last(run: FinishedRun, target: Target, final: str) -> dict[str, Models]:
    """Each method's final models. Those of `ensemble` are zero-shot's, and go by that name beside other methods."""
    last = {method: epochs[-1] for method, epochs in run.models[target.name].items()}
    own = {method: run.study.as_one(method, one) or one for method, one in last.items() if method != "ensemble"}
    return {"zero_shot": last["ensemble"], **own} if "ensemble" in last and final != "ensemble" else own


def _write_models(
    folder: Path, models: Triple, scaling: Scaling | None, labelling: Labelling, run: FinishedRun
) -> None:
    backbone, runtime = labelling.backbone.path, labelling.runtime
    tokenizer = load_tokenizer(backbone, safety=runtime.safety)
    length = folders_length(backbone, runtime.safety)
    with atomic_folder(folder / "models") as into:
        for i, model in enumerate(models, start=1):
            copy_content(model.path, into / str(i), weights=link_or_copy)
            save_tokenizer(tokenizer, into / str(i), length=length)
    ensemble_folder.save(
        folder / "ensemble",
        task=labelling.task_name,
        label_names=run.label_names,
        members=[f"../models/{i}" for i in (1, 2, 3)],
        max_length=run.config.max_length,
        split=run.split,
        scaling=scaling,
        precision=labelling.runtime.precision,
    )


def write_single(folder: Path, model: Path, *, tokenizer: Path) -> None:
    """Make `folder` itself the folder of a model of the store, with the tokenizer of another folder.

    Without its configuration, which is written last, the folder is no model: none is ever made of files of two.
    """
    (folder / "config.json").unlink(missing_ok=True)
    files = {file.name: file for source in (tokenizer, model) for file in source.iterdir() if file.name not in OWN}
    for name in sorted(files, key=lambda name: name == "config.json"):
        with atomic_file(folder / name) as file:
            file.unlink(missing_ok=True)  # what a killed process left is not to be written in place: it may be a link
            (link_or_copy if is_weights(name) else shutil.copyfile)(files[name], file)


def _write_predictions(folder: Path, target: Target, models: Triple, labelling: Labelling) -> None:
    """The ensemble's labels on the test set beside the gold ones, so that any scorer gives the table's figures."""
    test = target.test
    assert test is not None
    found = labelling.ensemble(models, test)
    labels = labelling.task.decode(found, test.label_names)
    folder.mkdir(parents=True, exist_ok=True)
    if labelling.task_name == "ner":
        write_file(folder / f"{target.name}.conll", "".join(_tagged(test, found.offsets, labels)))
    else:
        write_file(folder / f"{target.name}.tsv", "".join(_labelled(test, labels, found)))


def _write_labels(path: Path, test: Corpus, methods: Mapping[str, Models], final: str, labelling: Labelling) -> None:
    """The labels that each method's three models together give to the test set, so that methods can be compared
    sentence by sentence, and how sure the final models are of theirs."""
    columns = {name: test.table[name] for name in ("id", "segments")}
    columns["gold"] = test.table["labels"].cast(pa.large_list(pa.int16()))
    for method, models in methods.items():
        found = labelling.ensemble(models, test)
        labels = labelling.task.decode(found, test.label_names)
        columns[method] = _lists(found, labels.astype("int16"))
        if method == final:
            columns["confidence"] = _lists(found, found.probs[np.arange(len(labels)), labels])
    metadata = {**names_metadata(test.label_names), "final": final}
    write_table(path, pa.table(columns, metadata=metadata))


def _write_scored(path: Path, run: FinishedRun, target: Target, test: Corpus) -> None:
    """The labels behind each score on the test set, model by model, to compare scores sentence by sentence.

    Method and epoch are those of `every_score`.
    """
    rows = list[dict[str, Any]]()
    for name, method, epoch, _ in every_score(run.results):
        if name == target.name and not method.startswith("source:"):
            for number, table in enumerate(_behind(run, target, test, method, epoch), start=1):
                labels = run.study.labelling.task.decode(table, test.label_names)
                rows.append({"method": method, "epoch": epoch, "model": number, "labels": labels})
    path.parent.mkdir(exist_ok=True)
    write_table(path, pa.Table.from_pylist(rows, schema=_SCORED))


def _behind(run: FinishedRun, target: Target, test: Corpus, row: str, epoch: int | None) -> list[Predictions]:
    """The class probabilities behind a score: of each model that has a score of its own, or of several as one."""
    study, trained = run.study, run.models[target.name]
    if row in trained:
        models = trained[row][(epoch or 0) - 1]
        one = study.as_one(row, models)
        return study.labelling.predictions(models, test) if one is None else [study.labelling.ensemble(one, test)]
    if row == "averaged":
        return study.labelling.predictions([run.single[target.name]], test)
    method = row.removesuffix("_ensemble")
    final = run.final[target.name] if method == study.final.name else trained[method][-1]
    return [study.labelling.ensemble(final, test)]


def _write_warm_up(path: Path, test: Corpus, methods: Mapping[str, Models], labelling: Labelling) -> None:
    """What Figures 3 and 4 are drawn from: how one model sees test examples without and with confidence penalty."""
    if not {"zero_shot", "penalty"} <= methods.keys():
        path.unlink(missing_ok=True)  # of an earlier configuration
        return
    shown = test.part(0, _DRAWN)
    columns = {"id": shown.table["id"], "gold": shown.table["labels"].cast(pa.large_list(pa.int16()))}
    columns["words"] = pa.array([sum(len(text.split()) for text in example.segments) for example in shown], pa.int32())
    for method in ("zero_shot", "penalty"):
        found = labelling.predict(methods[method][0], test)
        stop = found.offsets[len(shown)]
        values = np.log(np.maximum(found.probs[:stop], np.finfo(np.float32).tiny)).ravel()
        ends = found.offsets[: len(shown) + 1] * found.probs.shape[1]
        columns[method] = pa.LargeListArray.from_arrays(pa.array(ends), pa.array(values))
    path.parent.mkdir(exist_ok=True)
    write_table(path, pa.table(columns, metadata=names_metadata(test.label_names)))


def _lists(found: Predictions, values: Any) -> pa.Array:
    return pa.LargeListArray.from_arrays(pa.array(found.offsets), pa.array(values))


def _write_traces(out: Path, run: FinishedRun) -> None:
    """Write what Algorithm 1 did with each example, in place of what an earlier configuration left."""
    shutil.rmtree(out / "trace", ignore_errors=True)
    if run.traces:
        with atomic_folder(out / "trace") as into:
            for target in run.study.targets:
                if target.name in run.traces:
                    write_trace(into, run.traces[target.name], target, run.study.source)


def _tagged(test: Corpus, offsets: Ints, labels: Ints) -> Iterator[str]:
    """Word, gold and predicted label, TAB between and a blank line after each sentence: what conlleval reads."""
    names = ["_".join(name.split()) for name in test.label_names]
    for example, start in zip(test, offsets[:-1], strict=True):
        assert example.labels is not None
        predicted = labels[start : start + len(example.labels)]
        for word, gold, label in zip(example.words, example.labels, predicted, strict=True):
            yield f"{word}\t{names[gold]}\t{names[label]}\n"
        yield "\n"


def _labelled(test: Corpus, labels: Ints, found: Predictions) -> Iterator[str]:
    """Example, gold and predicted label and its probability, TAB between; what holds a TAB or line end is quoted."""
    yield "id\tgold\tpredicted\tconfidence\n"
    for example, label, confidence in zip(test, labels, found.best, strict=True):
        assert example.labels is not None
        row = io.StringIO()
        names = test.label_names[example.labels[0]], test.label_names[label]
        csv.writer(row, "excel-tab", lineterminator="\n").writerow([example.id, *names, f"{confidence:.4f}"])
        yield row.getvalue()


def _card(run: FinishedRun, target: Target) -> str:
    source = run.study.source
    counts = {f"{source.name}, labelled": len(source), f"{target.name}, raw": len(target.train)}
    names = source.label_names
    return model_card(
        run.config, run.results, target=target.name, label_names=names, counts=counts, final=run.study.final
    )


def _json(values: Mapping[str, Any]) -> str:
    return json.dumps(values, indent=1, ensure_ascii=False) + "\n"
