"""Three models used as one: the mean of their probabilities (§3.2), in memory or loaded from a folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

import numpy as np

from uxla import given, progress
from uxla.choices import BATCH_SIZE, AskedPrecision
from uxla.confidence import Scaling
from uxla.decoding import are_tags
from uxla.errors import ArtifactError, ConfigError, ModelError, printable
from uxla.models.batches import blocks
from uxla.models.classifier import LayerDescription
from uxla.models.corpus_input import check_corpus, entries_of
from uxla.models.device import settled_precision
from uxla.models.ensemble_folder import read_card
from uxla.models.entities import Entity, Label, entities, tags_of
from uxla.models.mentions import Answer, mentions
from uxla.models.model_safety import ModelSafety
from uxla.models.runtime import Runtime
from uxla.models.saving import module_digest
from uxla.models.task_model import TaskModel, predict_each
from uxla.models.tasks import TASKS
from uxla.phrases import listed
from uxla.process_settings import process_settings
from uxla.raw_text import DEFAULT_SPLITTER, Place, Splitter, places_of
from uxla.records import Corpus, Example, Predictions

Found = list[Entity] | Label
"""The entities of a text, or its label."""


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
    split: Splitter = DEFAULT_SPLITTER
    """How a text is cut into words, as the text was that the models have read."""
    scaling: Scaling | None = None
    """What makes calibrated confidences of probabilities; None where the run had no dev set of the source."""

    @classmethod
    def load(
        cls,
        folder: str | Path,
        *,
        device: str = "auto",
        precision: AskedPrecision = "auto",
        trust_remote_code: bool = False,
    ) -> Ensemble:
        """The ensemble of a run folder, of a target's folder inside one, or of `ensemble/` in either.

        `device` (`auto`, `cpu`, `cuda`, or `cuda:1`) and `precision` say where and how exactly it computes; `auto` is
        what the run computed in, on a GPU that has it, else `fp32`. `trust_remote_code` runs Python code that the
        backbone brought along. ArtifactError where there is none, ModelError for models that cannot be used.
        """
        card, safety = read_card(Path(folder).expanduser()), ModelSafety(remote_code=trust_remote_code)
        settled = settled_precision(precision, device, card.precision)
        runtime = Runtime(device, card.max_length, safety=safety, precision=settled)
        found = cls.of(card.task, card.label_names, card.models, card.models[0], runtime, card.split, card.scaling)
        for model, member in zip(card.models, found.members, strict=True):
            _check_labels(model, member, card.label_names)
        return found

    @classmethod
    def of(
        cls,
        task: str,
        label_names: tuple[str, ...],
        models: Sequence[Path],
        tokenizer: Path,
        runtime: Runtime,
        split: Splitter = DEFAULT_SPLITTER,
        scaling: Scaling | None = None,
    ) -> Ensemble:
        """The models of some folders, with the tokenizer of one. ModelError where one of them cannot be used."""
        with process_settings():
            members = tuple(TaskModel.open(TASKS[task](), model, tokenizer, runtime) for model in models)
        return cls(task, label_names, members, split, scaling)

    @overload
    def predict(self, texts: str, *, batch_size: int = ...) -> Found: ...

    @overload
    def predict(self, texts: Iterable[Any], *, batch_size: int = ...) -> list[Found]: ...

    def predict(self, texts: str | Iterable[Any], *, batch_size: int = BATCH_SIZE) -> Any:
        """What the models find in a text: a tagger the entities, in order; others the label.

        `texts` is one text, or a list of them, which gives a list. A tagger also takes sentences as lists of words; a
        text is split as the target's raw text was. Tasks with pairs take pairs of texts, and a list of pairs. Any
        iterable is walked once. Of a corpus with labels of words a tagger reads these words. A blank text has no
        entities, and the label that the models give it, where `uxla predict` gives none. DataError, with the place, for
        what is no text.
        """
        if isinstance(texts, str) or (isinstance(texts, tuple) and self._segments == 2):
            return self.predict([texts])[0]
        return list(self.stream(texts, batch_size=batch_size))

    def stream(self, texts: Iterable[Any], *, batch_size: int = BATCH_SIZE) -> Iterator[Found]:
        """What `predict` finds in each text, as soon as it is known: an endless iterable is walked in bounded memory.

        At most `batch_size` texts are labelled together, of the first ones fewer. Errors as of `predict`.

        >>> for found in ensemble.stream(open("new.txt")): print(found)   # doctest: +SKIP
        """
        if not isinstance(batch_size, int) or batch_size < 1:
            raise ConfigError(f"batch_size: got {batch_size!r}, expected a whole number of at least 1")
        for block in blocks(self._read(texts), batch_size):
            answers = self.answers([words for _, _, words in block])
            yield from (
                self._found(text, places, answer) for (text, places, _), answer in zip(block, answers, strict=True)
            )

    def answers(self, rows: Sequence[Sequence[str]]) -> list[Answer]:
        """What is found in each row, all labelled together: a row is the words of a sentence for a tagger, else the
        one or two parts of a text. A row of nothing has no answer."""
        filled = [(" ".join(row),) if self.task == "ner" else tuple(row) for row in rows if row]
        if not filled:
            return [[] for _ in rows]
        with progress.without_bars():
            found = self.probabilities(self._corpus(filled))
        answers = iter(mentions(found, self.label_names, words=self.task == "ner", scaling=self.scaling or Scaling()))
        return [next(answers) if row else [] for row in rows]

    def probabilities(self, texts: Corpus | Iterable[Any]) -> Predictions:
        """The mean of the members' class probabilities: (R, C) in the order of `label_names`, a row a word for a
        tagger, else a row a text.

        `texts` is a corpus, or a list as for `tag` (of sentences with a word at least) or `classify`. DataError for
        examples of another kind than the models read.

        >>> learner = uxla.FineTuning("testbed")
        >>> corpus = uxla.read("testbed:source/train", take=8)
        >>> model = learner.fit(learner.start, corpus, seed=0)
        >>> learner.ensemble([model], corpus.label_names).probabilities([["ko", "mira"], ["sen"]])
        Predictions(2 examples, 3 rows, 7 classes)
        """
        tags = self.task == "ner"
        if not isinstance(texts, Corpus):
            segments = ((" ".join(row),) for row in given.sentences(texts)) if tags else self._texts(texts)
            texts = self._corpus(segments)
        check_corpus(texts, self._segments, words=tags)
        corpus = Corpus(texts.name, self.label_names, texts.table)  # raw text has no label names of its own
        return average(predict_each(self.members, corpus, "labelling"))

    def tag(self, sentences: Iterable[Iterable[str]]) -> list[list[str]]:
        """One label a word, in valid IOB2, for sentences given as words (each non-empty, without spaces), or a corpus.

        Any iterable is walked once: a list, a generator, a column of a table. DataError for what is no such sentence,
        ModelError where the task has labels of whole texts.
        """
        if self.task != "ner":
            raise ModelError(f"tag: these models label whole texts (task {self.task}), not words; call classify")
        if isinstance(sentences, Corpus):
            check_corpus(sentences, self._segments, words=True)
            sentences = entries_of(sentences, words=True)
        rows = blocks(given.sentences(sentences), BATCH_SIZE)
        return [
            tags_of(answer, len(row)) for block in rows for row, answer in zip(block, self.answers(block), strict=True)
        ]

    def classify(self, texts: Iterable[str | Iterable[str]]) -> list[tuple[str, float]]:
        """The label of each text or pair of texts, and its probability; for the tasks with a label a sentence.

        Any iterable is walked once. DataError for what is no text, or no pair where the task asks for pairs; ModelError
        for a tagger.
        """
        if self.task == "ner":
            raise ModelError("classify: these models label words (task ner), not whole texts; call tag")
        found: Iterator[Any] = self.stream(texts)
        return [(one.label, one.confidence) for one in found]

    def _read(self, texts: Iterable[Any]) -> Iterator[tuple[str, Sequence[Place], Sequence[str]]]:
        """Each text with the places of its words, and what is to be labelled: its words, or its parts."""
        if isinstance(texts, Corpus):
            words = self.task == "ner" and are_tags(texts.label_names)
            check_corpus(texts, self._segments, words=words)
            texts = entries_of(texts, words=words)
        if self.task != "ner":
            yield from (("", (), parts) for parts in self._texts(texts))
            return
        for i, entry in enumerate(given.each(texts, "texts", "texts")):
            text, places = _located(entry, f"text {i}", self.split)
            yield text, places, [text[start:end] for start, end in places]

    def _found(self, text: str, places: Sequence[Place], answer: Answer) -> Found:
        if self.task == "ner":
            return entities(text, places, answer)
        [one] = answer
        return Label(str(one.label), one.confidence, one.second)

    @property
    def fingerprint(self) -> str:
        """What tells these models, where they compute, from all others: their weights and tokenizers, and what they say
        of one example, which is rounded as the device does it."""
        with ThreadPoolExecutor() as pool:  # a second for 1 GB
            weights = list(pool.map(module_digest, [member.module for member in self.members]))
        read = [(one.max_length, one.precision, one.tokenizer.digest) for one in self.members]
        probs = self.probabilities([["a"] if self.task == "ner" else ["a"] * self._segments]).probs
        return f"{self.task} {self.label_names} {self.scaling} {weights} {read} {probs.tobytes().hex()}"

    @property
    def _segments(self) -> int:
        return TASKS[self.task]().segments

    def _texts(self, texts: Iterable[Any]) -> Iterator[tuple[str, ...]]:
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


def _located(text: str | Iterable[str], where: str, split: Splitter) -> tuple[str, Sequence[Place]]:
    """A text and the places of its words."""
    given.check_text_or_words(text, where)
    if not isinstance(text, str):
        words = given.words(text, where)
        return " ".join(words), places_of(words)
    given.check_text(text, where)
    return text, split(text)
