"""Three models used as one: the mean of their probabilities (§3.2), saved and loaded as a folder."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

import numpy as np

from uxla import given
from uxla.choices import Device, Precision
from uxla.decoding import decode
from uxla.errors import ArtifactError, ModelError, printable
from uxla.models.classifier import LayerDescription
from uxla.models.entities import Entity, Span, entities, spans_of, word_spans
from uxla.models.model_safety import ModelSafety
from uxla.models.runtime import Runtime
from uxla.models.task_model import TaskModel
from uxla.models.tasks import TASKS
from uxla.phrases import listed
from uxla.process_settings import process_settings
from uxla.records import Corpus, Example, Floats, Predictions

Found = list[Entity] | tuple[str, float]
"""The entities of a text, or its label and the label's probability."""

_FILE = "ensemble.json"
_SHOWN = 8


@dataclass(frozen=True)
class Ensemble:
    """The three models of a run as one, in memory: the mean of their probabilities (§3.2).

    `task` is that of a configuration, `label_names` are the labels in the order of the probabilities' columns.

    >>> ensemble = Ensemble.load("runs/es")                # doctest: +SKIP
    >>> ensemble.predict("Ana viajó a Lima .")             # doctest: +SKIP
    [Entity(text='Ana', label='PER', start=0, end=3, confidence=0.98), ...]
    >>> ensemble.tag([["Ana", "viajó", "a", "Lima"]])      # doctest: +SKIP
    [['B-PER', 'O', 'O', 'B-LOC']]
    """

    task: str
    label_names: tuple[str, ...]
    members: tuple[TaskModel, ...]

    @classmethod
    def load(
        cls,
        folder: str | Path,
        *,
        device: Device = "auto",
        precision: Precision = "fp32",
        trust_remote_code: bool = False,
    ) -> Ensemble:
        """The ensemble of a run folder, of a target's folder inside one, or of `ensemble/` in either.

        `device` and `precision` say where and how exactly it computes. `trust_remote_code` runs Python code that the
        backbone brought along. ArtifactError where there is none, ModelError for models that cannot be used.
        """
        folder, safety = Path(folder).expanduser(), ModelSafety(remote_code=trust_remote_code)
        home = _home(folder)
        file = home / _FILE
        try:
            card = json.loads(file.read_text(encoding="utf-8"))
            models = [_inside(home, member) for member in card["members"]]
            runtime = Runtime(device, card["max_length"], safety=safety, precision=precision)
            task, label_names, tokenizer = card["task"], tuple(card["label_names"]), models[0]
            TASKS[task]  # KeyError for a task there is not
        except (FileNotFoundError, NotADirectoryError) as error:
            raise ArtifactError(f"{folder}: {_not_here(folder)}") from error
        except OSError as error:
            raise ArtifactError(f"{file}: cannot be read ({error.strerror}); check its rights") from error
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise ArtifactError(f"{file}: damaged ({error}); run the same `uxla run` again to restore it") from error
        found = cls.of(task, label_names, models, tokenizer, runtime)
        for model, member in zip(models, found.members, strict=True):
            _check_labels(model, member, label_names)
        return found

    @classmethod
    def of(
        cls, task: str, label_names: tuple[str, ...], models: Sequence[Path], tokenizer: Path, runtime: Runtime
    ) -> Ensemble:
        """The models of some folders, with the tokenizer of one. ModelError where one of them cannot be used."""
        with process_settings():
            members = tuple(TaskModel.open(TASKS[task](), model, tokenizer, runtime) for model in models)
        return cls(task, label_names, members)

    @overload
    def predict(self, texts: str) -> Found: ...

    @overload
    def predict(self, texts: Iterable[Any]) -> list[Found]: ...

    def predict(self, texts: str | Iterable[Any]) -> Any:
        """What the models find in a text: a tagger the entities, in order; others the label and its probability.

        `texts` is one text, or a list of them, which gives a list. A tagger also takes sentences as lists of words; the
        words of a text are what stands between blanks, and the signs around it. Tasks with pairs take pairs of texts,
        and a list of pairs. Any iterable is walked once. DataError, with the place, for what is no text.
        """
        if isinstance(texts, str) or (isinstance(texts, tuple) and self._segments == 2):
            return self.predict([texts])[0]
        return self._entities(texts) if self.task == "ner" else self.classify(texts)

    def probabilities(self, texts: Corpus | Iterable[Any]) -> Predictions:
        """The mean of the members' class probabilities: (R, C) in the order of `label_names`, a row a word for a
        tagger, else a row a text.

        `texts` is a corpus, or a list as for `tag` (of sentences with a word at least) or `classify`.
        """
        if not isinstance(texts, Corpus):
            tags = self.task == "ner"
            segments = ((" ".join(row),) for row in given.sentences(texts)) if tags else self._texts(texts)
            texts = self._corpus(segments)
        corpus = Corpus(texts.name, self.label_names, texts.table)  # raw text has no label names of its own
        return average([member.predict(corpus, f"model {i}") for i, member in enumerate(self.members, start=1)])

    def tag(self, sentences: Iterable[Iterable[str]]) -> list[list[str]]:
        """One label a word, in valid IOB2, for sentences given as words (each non-empty, without spaces).

        Any iterable is walked once: a list, a generator, a column of a table. DataError for what is no such sentence,
        ModelError where the task has labels of whole texts.
        """
        if self.task != "ner":
            raise ModelError(f"tag: these models label whole texts (task {self.task}), not words; call classify")
        return [tags for tags, _ in self._tagged(given.sentences(sentences))]

    def classify(self, texts: Iterable[str | Iterable[str]]) -> list[tuple[str, float]]:
        """The label of each text or pair of texts, and its probability; for the tasks with a label a sentence.

        Any iterable is walked once. DataError for what is no text, or no pair where the task asks for pairs; ModelError
        for a tagger.
        """
        if self.task == "ner":
            raise ModelError("classify: these models label words (task ner), not whole texts; call tag")
        corpus = self._corpus(self._texts(texts))
        if len(corpus) == 0:
            return []
        found = self.probabilities(corpus)
        return [(self.label_names[i], float(p)) for i, p in zip(decode(found, None), found.best, strict=True)]

    def _entities(self, texts: Iterable[str | Iterable[str]]) -> list[list[Entity]]:
        read = [_located(text, f"text {i}") for i, text in enumerate(given.items(texts, "texts", "texts"))]
        tagged = self._tagged([[text[start:end] for start, end in places] for text, places in read])
        return [entities(*sentence, *found) for sentence, found in zip(read, tagged, strict=True)]

    def _tagged(self, sentences: Sequence[Sequence[str]]) -> list[tuple[list[str], Floats]]:
        """The label of each word, valid in IOB2, and its probability; for a sentence without words nothing."""
        corpus = self._corpus((" ".join(row),) for row in sentences if row)
        if len(corpus) == 0:
            return [([], np.zeros(0, dtype=np.float32)) for _ in sentences]
        found = self.probabilities(corpus)
        labels = decode(found, self.label_names)
        sure = found.probs[np.arange(len(labels)), labels]
        names, stops = [self.label_names[label] for label in labels], np.cumsum([len(row) for row in sentences])
        ends = zip(sentences, stops.tolist(), strict=True)
        return [(names[stop - len(row) : stop], sure[stop - len(row) : stop]) for row, stop in ends]

    @property
    def _segments(self) -> int:
        return TASKS[self.task]().segments

    def _texts(self, texts: Iterable[Any]) -> list[tuple[str, ...]]:
        return given.texts(texts, self._segments)

    def _corpus(self, segments: Iterable[tuple[str, ...]]) -> Corpus:
        examples = (Example(str(i), "", parts) for i, parts in enumerate(segments))
        return Corpus.from_examples("input", self.label_names, examples)

    def __repr__(self) -> str:
        """One line, where the fields would be pages of layers."""
        return printable(f"Ensemble({self.task}: {len(self.members)} models; labels {', '.join(self.label_names)})")


def _check_labels(folder: Path, member: TaskModel, label_names: Sequence[str]) -> None:
    """ArtifactError for a model whose columns are other labels than the ensemble's: it came from elsewhere."""
    own = LayerDescription.of(member.module.config).names
    if own != tuple(label_names):
        fault = f"its labels are {listed(own)}, the ensemble's {listed(label_names)}"
        raise ArtifactError(f"{folder}: {fault}; run the same `uxla run` again to restore it")


def average(tables: Sequence[Predictions]) -> Predictions:
    """The mean of probability tables of the same corpus."""
    probs = np.mean(np.stack([table.probs for table in tables]), axis=0, dtype=np.float64)
    return Predictions(np.asarray(probs, dtype=np.float32), tables[0].offsets)


def _located(text: str | Iterable[str], where: str) -> tuple[str, list[Span]]:
    """A text and the places of its words."""
    if not isinstance(text, str):
        words = given.words(text, where)
        return " ".join(words), spans_of(words)
    given.check_text(text, where)
    return text, word_spans(text)


def save(folder: Path, *, task: str, label_names: Sequence[str], members: Sequence[str], max_length: int) -> None:
    """Write `ensemble.json`; `members` are model folders relative to `folder`."""
    card = {
        "version": 1,
        "task": task,
        "label_names": list(label_names),
        "members": list(members),
        "max_length": max_length,
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _FILE).write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _not_here(folder: Path) -> str:
    """What a folder without an ensemble of its own is."""
    found = sorted(str(file.parents[1]) for file in folder.glob(f"*/ensemble/{_FILE}"))
    if found:
        shown = ", ".join(found[:_SHOWN]) + (", ..." if len(found) > _SHOWN else "")
        return f"a folder of several runs or targets; expected one of them: {shown}"
    return f"no {_FILE} here or in ensemble/; expected the folder of a finished run"


def _home(folder: Path) -> Path:
    """The folder of `ensemble.json`, without `..` and links on the way to it.

    A run folder's own entries may be links, as a person set them: its `ensemble` stays under the run folder's name.
    """
    if not (folder / _FILE).is_file():
        return folder.resolve() / "ensemble"
    named = folder.parent.resolve() / folder.name
    return named if folder.name != ".." and (named.parent / "models").is_dir() else folder.resolve()


def _inside(home: Path, member: str) -> Path:
    """The model's folder. A run may come from anywhere: it names no file but its own."""
    place = Path(os.path.normpath(home / member))  # not `resolve`: links inside the run folder stay as they are
    if not place.is_relative_to(home.parent):
        raise ValueError(f"member {member!r} lies outside the run folder")
    return place
