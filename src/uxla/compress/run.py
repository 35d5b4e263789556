"""`uxla compress`: a student in place of the three models of a run, in the run folder or in a folder of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from math import inf, prod
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from uxla.compress.student import student
from uxla.config.documents import read_document
from uxla.config.run import RunConfig, given_in_memory, load_config
from uxla.config.training import Adaptation, Training
from uxla.errors import ArtifactError, ConfigError, setting
from uxla.files import atomic_folder, check_new, write_file
from uxla.models import ensemble_folder
from uxla.models.ensemble_folder import read_card
from uxla.models.hub import resolve, weights_digest
from uxla.models.loading import load_tokenizer
from uxla.models.model_safety import tensor_shapes
from uxla.models.saving import folders_length
from uxla.raw_text import Splitter
from uxla.records import ModelHandle
from uxla.report.folder import RunFolder
from uxla.report.table import run_table
from uxla.save_tokenizer import save_tokenizer
from uxla.store.store import Store
from uxla.study.arguments import arguments_of, request_of
from uxla.study.finished_run import FinishedRun
from uxla.study.inputs import load_inputs
from uxla.study.labelling import Triple
from uxla.study.pipeline import Models, study_of
from uxla.study.run_folder import locked_folder, remove_reports
from uxla.study.study import Study
from uxla.study.write import write_single
from uxla.targets import Target
from uxla.testbed import model_name

_PASSES = {"averaged": 1.0, "backbone": 3.0}
"""How often a student reads the texts: of one that begins with the mean of the three, once is enough."""


@dataclass(frozen=True)
class Length:
    """How a student is trained: None is the default, which depends on what it begins with."""

    epochs: float | None = None
    learning_rate: float | None = None

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if value is not None and not (isinstance(value, int | float) and 0 < value < inf):
                raise ConfigError(f"{setting(name)}: got {value!r}, expected a number above 0")


class Teachers(NamedTuple):
    """What a run has that a student learns from: its texts and settings, and by target the final three models."""

    study: Study
    config: RunConfig
    final: Mapping[str, Triple]
    split: Splitter
    """How raw text is cut into words."""

    @classmethod
    def of(cls, run: FinishedRun) -> Teachers:
        """Those of a run in memory."""
        return cls(run.study, run.config, run.final, run.split)


class Student(NamedTuple):
    """A trained student, and what its entry among the scores is; empty where there is no test set."""

    model: ModelHandle
    entry: dict[str, Any]


def teachers(run: Path, store: Store) -> Teachers:
    """Those of a run folder. ArtifactError where it is none; DataError where the texts that it read are gone."""
    results = RunFolder.read(run).results
    file = str(run / "config.yaml")
    if any(given_in_memory(read_document(file).values)):
        why = "its data or its model was given in memory, so it cannot be read again"
        raise ArtifactError(f"{run}: {why}; call compress on the result of uxla.adapt")
    config = load_config(file)
    request = request_of(**arguments_of(config, load_inputs(config, store)))
    study = study_of(request, Models.of(config), store)
    places = {name: _place(run, name, results["targets"]) for name in config.target}
    split = read_card(places[config.target[0]]).split
    return Teachers(study, config, {name: _members(place) for name, place in places.items()}, split)


def compress(
    taught_by: Teachers, out: Path, *, backbone: str | None = None, length: Length = Length()
) -> dict[str, dict[str, Any]]:
    """Write to the new folder `out` a model that learned what the three models of a run say together.

    It begins with the mean of their weights, or with the weights of `backbone`, a folder or Hub id, which may be
    smaller. transformers loads the folder, and so do `Ensemble.load` and `uxla predict`; with several targets there is
    a folder for each. The value has by target the scores of `ensemble` and `compressed`, where there is a test set.
    ConfigError where `out` is there already.
    """
    check_new(out)
    study, config, start = taught_by.study, taught_by.config, _start(taught_by, backbone)
    trained = _students(taught_by, start, length)
    with atomic_folder(out) as into:
        for name, found in trained.items():
            place = _place(into, name, trained)
            place.mkdir(exist_ok=True)
            _write(found.model, place, taught_by, start)
            ensemble_folder.save(
                place / "ensemble",
                task=config.task,
                label_names=study.source.label_names,
                members=[".."],
                max_length=config.max_length,
                split=taught_by.split,
                precision=study.labelling.runtime.precision,
            )
    return {name: found.entry for name, found in trained.items()}


def compress_in_place(
    run: Path, store: Store, *, backbone: str | None = None, length: Length = Length()
) -> dict[str, Any]:
    """Make the student the one model of the run folder, and give it its row; the value is what `results.json` holds.

    To run the run again restores the averaged model.
    """
    taught_by = teachers(run, store)
    start = _start(taught_by, backbone)
    trained = _students(taught_by, start, length)
    with locked_folder(run):
        results = json.loads((run / "results.json").read_text(encoding="utf-8"))
        for name, found in trained.items():
            _write(found.model, _place(run, name, trained), taught_by, start)
            if found.entry:
                results["targets"][name]["single"] |= found.entry
        remove_reports(run)
        write_file(run / "table.md", run_table(results).markdown())
        write_file(run / "results.json", json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    return dict(results)


def _start(taught_by: Teachers, backbone: str | None) -> ModelHandle | None:
    return None if backbone is None else resolve(model_name(backbone), safety=taught_by.config.safety)


def _students(taught_by: Teachers, start: ModelHandle | None, length: Length) -> dict[str, Student]:
    study, config = taught_by.study, taught_by.config
    with config.process():
        return {
            target.name: _student(study, target, taught_by.final[target.name], start, _training(config, start, length))
            for target in study.targets
        }


def _student(study: Study, target: Target, models: Triple, backbone: ModelHandle | None, training: Training) -> Student:
    labelling = study.labelling
    begun = backbone or study.averaged(models)
    trained = student(study, target, models, begun, backbone or labelling.backbone, training)
    if target.test is None:
        return Student(trained, {})
    score = replace(labelling, backbone=backbone or labelling.backbone).score([trained], target.test)
    cost = _size(trained.path) / sum(_size(model.path) for model in models)
    together = labelling.score_ensemble(models, target.test)
    return Student(trained, {"ensemble": together, "compressed": score, "cost": cost})


def _training(config: RunConfig, backbone: ModelHandle | None, length: Length) -> Training:
    """That of the adaptation at half its rate from the averaged weights, that of the warm-up from a backbone's."""
    given = config.adaptation if backbone is None else config.warmup
    rate = given.learning_rate / 2 if backbone is None else given.learning_rate
    passes = _PASSES["averaged" if backbone is None else "backbone"]
    epochs = passes if length.epochs is None else length.epochs
    learning_rate = rate if length.learning_rate is None else length.learning_rate
    values = {"epochs": epochs, "learning_rate": learning_rate, "max_steps": None}
    return Adaptation(**given.model_dump() | values | {"selection": "last", "penalty": 0.0})


def _write(model: ModelHandle, place: Path, taught_by: Teachers, start: ModelHandle | None) -> None:
    """The student's files in `place`, with its tokenizer."""
    safety = taught_by.config.safety
    folder = (start or taught_by.study.labelling.backbone).path
    with TemporaryDirectory(prefix="uxla-") as temporary:
        tokenizer = Path(temporary)
        save_tokenizer(load_tokenizer(folder, safety=safety), tokenizer, length=folders_length(folder, safety))
        write_single(place, model.path, tokenizer=tokenizer)


def _members(place: Path) -> Triple:
    """The final models of a run, as they stand in its folder."""
    first, second, third = (ModelHandle(path, weights_digest(path)) for path in read_card(place).models)
    return first, second, third


def _place(folder: Path, target: str, targets: Mapping[str, Any]) -> Path:
    return folder if len(targets) == 1 else folder / target


def _size(model: Path) -> int:
    """How many weights take part in the work on a piece: all but the tables of embeddings."""
    return sum(prod(shape) for name, shape in tensor_shapes(model).items() if "embeddings" not in name)
