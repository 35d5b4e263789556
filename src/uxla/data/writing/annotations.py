"""Texts with entities in the forms that annotation tools import: JSON lines, doccano, Label Studio, brat, CoNLL."""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice, pairwise
from pathlib import Path
from statistics import fmean
from typing import Any, Literal

from uxla.data.conll.file import conll_lines
from uxla.data.corpus import DataSource, iob2_rows
from uxla.data.formats.json_places import value_at
from uxla.data.spans.document import OFFSETS, UTF_16, Document, Span, in_units, spans_of
from uxla.data.spans.file import Entry, SpanFile
from uxla.data.spans.records import KEYS, PREDICTED, document_of
from uxla.errors import WriteError
from uxla.files import atomic_file, atomic_folder
from uxla.raw_text import Place, places_of, split_words

Form = Literal["jsonl", "doccano", "label-studio", "brat", "conll"]
_TEXTS_A_FILE = 50
"""So many texts a person still finds his way through in one document of brat."""
_ONE_LINE = re.compile("[\t\r\n]|\\A\ufeff")


@dataclass(frozen=True)
class AnnotatedText:
    """A text and its entities, None if nobody has looked for any.

    `id` and the `more` keys of its record go where a form has room for them. `words` are the places of its words;
    without them the text is cut as raw text is. `file` and `line` are for messages.
    """

    text: str
    spans: tuple[Span, ...] | None
    id: str | int | None = None
    more: Mapping[str, Any] = field(default_factory=dict)
    words: list[Place] | None = None
    file: Path = Path("text")
    line: int = 1


def annotated_texts(source: DataSource) -> Iterator[AnnotatedText]:
    """The texts of a file with their entities; words without a text are joined by spaces.

    Of records with both, the entities that a model found are taken, not those of people. DataError, with the line, for
    whatever cannot be read.
    """
    if isinstance(source, SpanFile):
        yield from map(_of_record, source.entries(labelled=True))
        return
    for batch in source.batches(labelled=True):
        tags = iob2_rows(batch, source.scheme)
        for words, row, line in zip(batch.columns["tokens"].to_pylist(), tags, batch.lines.tolist(), strict=True):
            places = places_of(words)
            yield AnnotatedText(" ".join(words), tuple(spans_of(row, places)), words=places, file=batch.path, line=line)


def write_annotations(texts: Iterable[AnnotatedText], form: Form, out: Path) -> None:
    """Write the texts to `out`, a file, or for brat a new folder; whole or not at all.

    Offsets count what the tool counts: UTF-16 units for doccano, code points for the others. DataError where CoNLL
    cannot hold entities, which cross each other or have no word in them; WriteError where `out` cannot be written.
    """
    if form == "brat":
        _write_brat(iter(texts), out)
        return
    with atomic_file(out) as file, file.open("w", encoding="utf-8", newline="") as stream:
        stream.writelines(_WRITTEN[form](iter(texts)))


def _of_record(entry: Entry) -> AnnotatedText:
    record, document = entry
    value = record.value
    if isinstance(value.get(PREDICTED), list):
        own = {key: cell for key, cell in value.items() if key not in KEYS or key == PREDICTED}
        document = document_of(replace(record, value=own), document.file, labelled=True)
    holder = value_at(value, document.text_at[:-1])
    left_out = {"id", document.text_at[-1], *KEYS}
    more = {key: cell for key, cell in holder.items() if key not in left_out and (key, cell) != (OFFSETS, UTF_16)}
    words = document.words if document.cut_by_tool else None
    id_ = holder.get("id", value.get("id", record.number))
    return AnnotatedText(document.text, document.spans, id_, more, words, document.file, document.line)


def _json_lines(texts: Iterator[AnnotatedText]) -> Iterator[str]:
    for each in texts:
        found = [_entity(each.text, span) for span in each.spans or ()]
        entities = {} if each.spans is None else {"entities": found}
        yield _line(_with_id(each) | {"text": each.text} | entities)


def _doccano(texts: Iterator[AnnotatedText]) -> Iterator[str]:
    for each in texts:
        spans = in_units(each.text, each.spans or ())
        label = {} if each.spans is None else {"label": [[span.start, span.end, span.label] for span in spans]}
        wide = max(each.text, default="") > "\uffff"
        yield _line(_with_id(each) | {"text": each.text} | label | ({OFFSETS: UTF_16} if wide else {}))


def _label_studio(texts: Iterator[AnnotatedText]) -> Iterator[str]:
    yield "["
    for number, each in enumerate(texts):
        task: dict[str, Any] = {"data": _with_id(each) | {"text": each.text}}
        if each.spans is not None:
            task["predictions"] = [_prediction(each.text, each.spans)]
        yield f"{',' if number else ''}\n{_line(task).rstrip()}"
    yield "\n]\n"


def _prediction(text: str, spans: tuple[Span, ...]) -> dict[str, Any]:
    regions: list[dict[str, Any]] = []
    for span in spans:
        place = {"start": span.start, "end": span.end, "text": text[span.start : span.end], "labels": [span.label]}
        score = {} if span.confidence is None else {"score": span.confidence}
        regions.append({"from_name": "label", "to_name": "text", "type": "labels", "value": place, **score})
    known = [span.confidence for span in spans if span.confidence is not None]
    return {"model_version": "uxla", "result": regions} | ({"score": round(fmean(known), 4)} if known else {})


def _conll(texts: Iterator[AnnotatedText]) -> Iterator[str]:
    for number, each in enumerate(texts):
        spans = each.spans or ()
        places = each.words or _words_around(each.text, spans)
        document = Document(each.text, places, spans, each.file, each.line)
        comment = "" if each.id is None else f"# id = {' '.join(str(each.id).split())}\n"
        yield "\n" * bool(number) + comment + conll_lines()(document.cut(), document.tags())


def _words_around(text: str, spans: Iterable[Span]) -> list[Place]:
    """The words of a text, cut also where an entity begins or ends."""
    edges = sorted({edge for span in spans for edge in (span.start, span.end)})
    places: list[Place] = []
    for start, end in split_words(text):
        inner = edges[bisect_left(edges, start + 1) : bisect_left(edges, end)]
        places += pairwise([start, *inner, end])
    return places


def _write_brat(texts: Iterator[AnnotatedText], out: Path) -> None:
    if out.exists():
        raise WriteError(out, "it exists already", "give the name of a new folder")
    types: set[str] = set()
    with atomic_folder(out) as folder:
        number = 0
        while part := list(islice(texts, _TEXTS_A_FILE)):
            number += 1
            lines: list[str] = []
            notes: list[str] = []
            begins = 0
            for each in part:
                text = _ONE_LINE.sub(" ", each.text)
                for span in each.spans or ():
                    place = f"{begins + span.start} {begins + span.end}"
                    notes.append(f"T{len(notes) + 1}\t{span.label} {place}\t{text[span.start : span.end]}\n")
                    types.add(span.label)
                lines.append(f"{text}\n")
                begins += len(lines[-1])
            for suffix, content in ((".txt", lines), (".ann", notes)):
                (folder / f"{number:04}{suffix}").write_text("".join(content), encoding="utf-8", newline="")
        settings = ("[entities]", *sorted(types), "[relations]", "[events]", "[attributes]", "")
        (folder / "annotation.conf").write_text("\n".join(settings), encoding="utf-8")


def _entity(text: str, span: Span) -> dict[str, Any]:
    place = {"start": span.start, "end": span.end, "text": text[span.start : span.end], "label": span.label}
    return place if span.confidence is None else {**place, "confidence": span.confidence}


def _with_id(each: AnnotatedText) -> dict[str, Any]:
    return ({} if each.id is None else {"id": each.id}) | dict(each.more)


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) + "\n"


_WRITTEN: Mapping[str, Callable[[Iterator[AnnotatedText]], Iterator[str]]] = {
    "jsonl": _json_lines,
    "doccano": _doccano,
    "label-studio": _label_studio,
    "conll": _conll,
}
"""How the forms of one file are written."""
