"""Three models used as one: the mean of their probabilities (§3.2), saved and loaded as a folder."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from uxla.errors import ArtifactError, DataError, ModelError
from uxla.models.loaded import Loaded, Runtime
from uxla.models.tasks import TASKS
from uxla.models.trust import SAFE, Trust
from uxla.records import Corpus, Example, Predictions

_FILE = "ensemble.json"


@dataclass(frozen=True)
class Ensemble:
    """The models of one run, in memory.

    >>> import uxla
    >>> ensemble = uxla.load("runs/testbed-far")          # doctest: +SKIP
    >>> ensemble.tag([["words", "of", "a", "sentence"]])   # doctest: +SKIP
    [['O', 'O', 'O', 'O']]
    """

    task: str
    label_names: tuple[str, ...]
    members: tuple[Loaded, ...]

    @classmethod
    def load(cls, folder: str | Path, runtime: Runtime | None = None, *, trust: Trust = SAFE) -> Ensemble:
        """The ensemble of a run folder, or of the `ensemble/` folder inside one; all of it lies in the run folder."""
        folder = Path(folder)
        file = folder / _FILE if (folder / _FILE).is_file() else folder / "ensemble" / _FILE
        try:
            card = json.loads(file.read_text(encoding="utf-8"))
            models = [_inside(file.absolute().parent, member) for member in card["members"]]
            task, label_names = TASKS[card["task"]](), tuple(card["label_names"])
            tokenizer = models[0]
            runtime = runtime or Runtime(max_length=card["max_length"], trust=trust)
        except FileNotFoundError as error:
            raise ArtifactError(
                f"{folder}: no {_FILE} here or in ensemble/; expected the folder of a finished run"
            ) from error
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise ArtifactError(f"{file}: damaged ({error}); run the same `uxla run` again to write it anew") from error
        members = tuple(Loaded.open(task, model, tokenizer, runtime) for model in models)
        return cls(card["task"], label_names, members)

    def probabilities(self, corpus: Corpus) -> Predictions:
        """The mean of the members' class probabilities: (R, C), a row a word."""
        return average([member.predict(corpus, f"model {i}") for i, member in enumerate(self.members, start=1)])

    def tag(self, sentences: Sequence[Sequence[str]]) -> list[list[str]]:
        """One label a word, in valid IOB2, for sentences given as words (each non-empty, without spaces).

        DataError for what is no such sentence, ModelError where the task has labels of whole texts.
        """
        if self.task != "ner":
            raise ModelError(f"tag: these models label whole texts (task {self.task}), not words; call classify")
        for number, words in enumerate(sentences):
            _refuse(f"sentence {number}", _fault_of_words(words) or _fault_of_characters(words))
        examples = (Example(str(i), "", (" ".join(words),)) for i, words in enumerate(sentences) if len(words))
        corpus = Corpus.from_examples("input", self.label_names, examples)
        found = iter(tags(self.probabilities(corpus), self.label_names) if len(corpus) else [])
        return [next(found) if len(words) else [] for words in sentences]

    def classify(self, texts: Sequence[str | Sequence[str]]) -> list[tuple[str, float]]:
        """The label of each text or pair of texts, and its probability; for the tasks with a label a sentence.

        DataError for what is no text, or no pair where the task asks for pairs; ModelError for a tagger.
        """
        if self.task == "ner":
            raise ModelError("classify: these models label words (task ner), not whole texts; call tag")
        if isinstance(texts, str):
            raise DataError("texts is one str, expected a list of texts; write [text]")
        expected = TASKS[self.task]().segments
        segments = [(text,) if isinstance(text, str) else tuple(text) for text in texts]
        for number, parts in enumerate(segments):
            _refuse(f"text {number}", _fault_of_texts(parts, expected) or _fault_of_characters(parts))
        examples = (Example(str(i), "", parts) for i, parts in enumerate(segments))
        corpus = Corpus.from_examples("input", self.label_names, examples)
        if len(corpus) == 0:
            return []
        found = self.probabilities(corpus)
        return [(self.label_names[i], float(p)) for i, p in zip(found.labels, found.best, strict=True)]


def average(tables: Sequence[Predictions]) -> Predictions:
    """The mean of probability tables of the same corpus."""
    probs = np.mean(np.stack([table.probs for table in tables]), axis=0, dtype=np.float64)
    return Predictions(np.asarray(probs, dtype=np.float32), tables[0].offsets)


def tags(predictions: Predictions, label_names: Sequence[str]) -> list[list[str]]:
    """The label names of each example, an `I-` that begins an entity written `B-`, as valid IOB2 wants it."""
    names = [label_names[label] for label in predictions.labels]
    ends = predictions.offsets
    return [_valid(names[start:stop]) for start, stop in pairwise(ends)]


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


def _inside(folder: Path, member: str) -> Path:
    """The model's folder. A run may come from anywhere: it names no file but its own."""
    place = Path(os.path.abspath(folder / member))  # links stay as they are: a person may have set them
    if not place.is_relative_to(folder.parent):
        raise ValueError(f"member {member!r} lies outside the run folder")
    return place


def _valid(sequence: list[str]) -> list[str]:
    valid: list[str] = []
    for tag in sequence:
        kind = tag[2:]
        continues = bool(valid) and valid[-1] in (f"B-{kind}", f"I-{kind}")
        valid.append(f"B-{kind}" if tag.startswith("I-") and not continues else tag)
    return valid


def _refuse(where: str, fault: str | None) -> None:
    if fault is not None:
        raise DataError(f"{where}: {fault}")


def _fault_of_words(words: Sequence[str]) -> str | None:
    if isinstance(words, str):
        return "got one str, expected a list of words; give text.split()"
    if not all(isinstance(word, str) for word in words):
        return "got something else than str among its words; write words as str"
    odd = [word for word in words if not word or " " in word]
    return f"got {odd[0]!r}, expected words with something in them and no space; cut it in two" if odd else None


def _fault_of_texts(parts: tuple[str, ...], expected: int) -> str | None:
    if not all(isinstance(part, str) for part in parts):
        return "got something else than str; write texts as str"
    if len(parts) != expected:
        remedy = "a pair; give (first, second)" if expected == 2 else "one; give it as a str"
        return f"got {len(parts)} text{'s' if len(parts) != 1 else ''}, expected {remedy}"
    return None


def _fault_of_characters(parts: Sequence[str]) -> str | None:
    try:
        "".join(parts).encode()
    except UnicodeEncodeError:
        return "half a surrogate pair (\\ud800 to \\udfff); write the character itself"
    return None
