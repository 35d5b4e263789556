"""Suggestions from a file of raw text to a file that an annotation tool imports."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from uxla.annotation.suggest import Suggestion, suggest
from uxla.data.columns import SHAPES, TEXTS
from uxla.data.discover import discover_shape
from uxla.data.formats.table import Table
from uxla.data.load import load_corpus, open_data
from uxla.data.options import ReadOptions
from uxla.data.spans.document import Span
from uxla.data.writing.annotations import AnnotatedText, Form, write_annotations
from uxla.errors import ConfigError
from uxla.files import write_file
from uxla.models.ensemble import Ensemble


def suggest_from(ensemble: Ensemble, file: Path, options: ReadOptions, *, n: int, form: Form, out: Path) -> int:
    """Write the texts of `file` to label next to `out`, with what the ensemble finds in them; how many they are.

    ConfigError for a form that the task's labels do not fit in; DataError for what cannot be read.
    """
    if ensemble.task != "ner" and form != "jsonl":
        raise ConfigError(f"--to {form}: is for entities, and these models label whole texts; give --to jsonl")
    texts, ids = _texts(file, ensemble.task, options)
    found = suggest(ensemble, texts, n)
    if ensemble.task == "ner":
        write_annotations((_annotated(one, ids[one.row]) for one in found), form, out)
    else:
        write_file(out, "".join(_line(one, ids[one.row]) for one in found))
    return len(found)


def _texts(file: Path, task: str, options: ReadOptions) -> tuple[list[Any], Sequence[str | int]]:
    """The texts, or pairs, or sentences as lists of words, that stand in a file, and their ids: by default numbers,
    those of the lines of raw text."""
    shape = discover_shape(file, options) if task == "ner" else SHAPES[task]
    source = open_data(file, shape, options)
    if not isinstance(source, Table):
        asked: dict[str, Any] = {"name": file.name, "lang": "", "label_names": (), "labelled": False}
        corpus = load_corpus(file, shape=shape, **asked, **options.keywords)
        return [example.words for example in corpus], [example.id.removeprefix(":") for example in corpus]
    texts: list[Any] = []
    ids: list[str | int] = []
    for batch in source.batches(labelled=False, whole=True):
        columns = [batch.columns[role].to_pylist() for role in TEXTS[shape]]
        texts += columns[0] if len(columns) == 1 else zip(*columns, strict=True)
        numbers = batch.lines.tolist() if source.format == "text" else range(len(ids) + 1, len(ids) + len(batch) + 1)
        records = batch.records or [None] * len(batch)
        ids += [r.get("id", n) if isinstance(r, Mapping) else n for n, r in zip(numbers, records, strict=True)]
    return texts, ids


def _annotated(one: Suggestion, id_: str | int) -> AnnotatedText:
    text = one.text if isinstance(one.text, str) else " ".join(one.text)
    found: Any = one.found
    spans = tuple(
        Span(entity.start, entity.end, entity.label, confidence=round(entity.confidence, 4)) for entity in found
    )
    return AnnotatedText(text, spans, id_, {"disagreement": round(one.disagreement, 4)})


def _line(one: Suggestion, id_: str | int) -> str:
    texts = {"text": one.text} if isinstance(one.text, str) else dict(zip(("first", "second"), one.text, strict=True))
    found: Any = one.found
    answer = {"label": found.label, "confidence": found.confidence, "disagreement": round(one.disagreement, 4)}
    return json.dumps({"id": id_} | texts | answer, ensure_ascii=False) + "\n"
