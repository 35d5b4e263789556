"""Labels for new text, by the ensemble of a finished run."""

from __future__ import annotations

import codecs
import json
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Unpack

from uxla import signals
from uxla.choices import Precision
from uxla.data.columns import SHAPES
from uxla.data.conll.file import ConllFile, conll_text
from uxla.data.files import BOM, decode, encode, read_bytes
from uxla.data.formats.json_places import with_entries
from uxla.data.formats.table import Table
from uxla.data.load import open_data, stream_format
from uxla.data.options import ReadKeywords, ReadOptions
from uxla.data.spans.document import spans_of
from uxla.data.spans.file import SpanFile
from uxla.data.spans.records import PREDICTED
from uxla.data.writing.predictions import NAMES, PredictedTable, as_table, read_rows
from uxla.errors import ConfigError, UxlaError, setting
from uxla.files import write_file
from uxla.models.ensemble import Ensemble
from uxla.models.model_safety import SAFE, ModelSafety
from uxla.process_settings import process_settings
from uxla.progress import note

_FORMS = {f".{form}": form for form in ("tsv", "csv", "jsonl", "parquet")} | {".ndjson": "jsonl", ".json": "jsonl"}
"""What the suffix of `--out` asks for."""
_WORDS = (".conll", ".bio", ".iob", ".iob2", ".txt", ".tsv")
"""Suffixes that, for words, ask for one word a line."""
_JSON, _ARRAY = ".jsonl", re.compile(rb"\[\s*\{")
_STDIN, _COPY = Path("-"), "standard-input"


def predict(
    run: Path,
    source: Path | BinaryIO,
    out: Path | None,
    *,
    safety: ModelSafety = SAFE,
    precision: Precision = "fp32",
    **how: Unpack[ReadKeywords],
) -> None:
    """Write what the ensemble of `run` says of `source`, a file or a stream, to `out`, or to standard output.

    `how` are the fields of `ReadOptions`: files are read as a run reads them. Row n answers row n. CoNLL comes back as
    it came, the labels in the label column (in a new one where that is not named and the last column holds something
    else), a table with the answers as new columns at its end, text with character spans with the spans found beside
    its own. The suffix of `out` can ask for another format. DataError for input that cannot be read or written so.
    """
    with process_settings(), signals.with_message("nothing was written; repeat the command to start again"):
        ensemble = Ensemble.load(run, trust_remote_code=safety.remote_code, precision=precision)
        replaces = "label_column" in how
        layout = ReadOptions(**how)
        with _at_hand(source) as path:
            if not isinstance(source, Path) and path.suffix != _JSON:
                layout = _with_format(ensemble, path, layout)
            raw = _answer(ensemble, path, out, layout, replaces=replaces)
    if out is None:
        sys.stdout.buffer.write(raw)
    else:
        with signals.postponed():
            write_file(out, raw)


def _with_format(ensemble: Ensemble, path: Path, layout: ReadOptions) -> ReadOptions:
    """The layout of a stream of words, which has no name to go by, with its format."""
    if ensemble.task != "ner" or layout.columns is not None or layout.format not in ("auto", "conll", "text"):
        return layout
    return layout.model_copy(update={"format": stream_format(path.read_bytes(), path=path, options=layout)})


def _answer(ensemble: Ensemble, path: Path, out: Path | None, layout: ReadOptions, *, replaces: bool) -> bytes:
    shape = SHAPES[ensemble.task]
    content = open_data(path, shape, layout)
    if isinstance(content, SpanFile):
        return _with_spans(ensemble, content, out)
    if isinstance(content, Table):
        return _table(ensemble, content, out)
    return _conll(ensemble, content, out, replaces=replaces)


def _conll(ensemble: Ensemble, file: ConllFile, out: Path | None, *, replaces: bool) -> bytes:
    """The file with other labels, or a row a sentence; `replaces` says that the label column was named."""
    tags = ensemble.tag(file.sentences)
    form = _FORMS.get(_suffix(out))
    if form in ("csv", "jsonl", "parquet"):
        rows = [{"tokens": words, "tags": row} for words, row in zip(file.sentences, tags, strict=True)]
        return as_table(rows, form, file.path)
    if replaces or file.holds != "other":
        return file.with_tags(tags).raw
    note(
        f"{_called(file.path)}: column {file.layout.label} holds no labels; the answers stand in a new one at the "
        f"end; {setting('label_column', 'N')} writes over column N"
    )
    return file.with_tags(tags, column="new").raw


def _with_spans(ensemble: Ensemble, file: SpanFile, out: Path | None) -> bytes:
    """Each record as it stands, and the spans that were found in it; or words and labels."""
    if _suffix(out) == ".ann":
        raise ConfigError(f"--out {out}: brat's .ann cannot be written; give FILE.jsonl, or FILE.conll")
    entries = list(file.entries(labelled=file.is_brat))
    if not entries:
        next(file.batches(labelled=False))  # which says what is missing
    words = [entry.document.cut() for entry in entries]
    tags = ensemble.tag(words)
    if _suffix(out) in _WORDS:
        return conll_text(words, tags).encode()
    form = _FORMS.get(_suffix(out))
    if form in ("csv", "parquet"):
        rows = [{"tokens": row, "tags": found} for row, found in zip(words, tags, strict=True)]
        return as_table(rows, form, file.path)
    name = PREDICTED
    while any(name in entry.record.value for entry in entries):
        name = f"predicted_{name}"
    written = []
    for (record, _, document), row in zip(entries, tags, strict=True):
        found = [{"start": s.start, "end": s.end, "label": s.label} for s in spans_of(row, document.words)]
        written.append(f"{record.before}{with_entries(record.raw, {name: found})}{record.after}")
    marked = not file.is_brat and decode(read_bytes(file.path), file.encoding, file=file.path).startswith(BOM)
    return encode(BOM * marked + "".join(written), file.encoding, file=file.path)


def _table(ensemble: Ensemble, table: Table, out: Path | None) -> bytes:
    rows = read_rows(table)
    texts = [row.texts for row in rows if row.record is not None]
    answers: list[Any] = []
    if table.shape == "tagging":
        answers += ((row,) for row in ensemble.tag(texts))
    else:
        answers += ensemble.classify([text[0] if len(text) == 1 else text for text in texts])
    answered = PredictedTable(table, rows, answers)
    if answered.names != NAMES[table.shape]:
        note(f"{_called(table.path)}: has labels, which stay; the answers are called {' and '.join(answered.names)}")
    return answered.written(_form(table, out))


def _form(table: Table, out: Path | None) -> str:
    """The format that the name of `out` asks for, else the table's own: of raw text TSV, or words; of Parquet on the
    screen JSON lines."""
    suffix, words = _suffix(out), table.shape == "tagging"
    if words and suffix in _WORDS and suffix != f".{table.format}":
        return "conll"
    if suffix in _FORMS:
        return _FORMS[suffix]
    if table.format == "text":
        return "conll" if words else "tsv"
    return "jsonl" if table.format == "parquet" and out is None else table.format


def _called(path: Path) -> Path:
    return _STDIN if path.stem == _COPY else path


def _is_json(raw: bytes) -> bool:
    """Whether a stream begins with an array of objects, or its first line is an object."""
    text = raw.removeprefix(codecs.BOM_UTF8).lstrip()
    try:
        return _ARRAY.match(text) is not None or isinstance(json.loads(text.partition(b"\n")[0]), dict)
    except (ValueError, RecursionError):
        return False


def _suffix(out: Path | None) -> str:
    return out.suffix.lower() if out else ""


@contextmanager
def _at_hand(source: Path | BinaryIO) -> Iterator[Path]:
    """The source as a file: a stream as a copy, in whose errors it is called `-`."""
    if isinstance(source, Path):
        yield source
        return
    raw = source.read()
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / f"{_COPY}{_JSON if _is_json(raw) else '.txt'}"
        copy.write_bytes(raw)
        try:
            yield copy
        except UxlaError as error:
            raise type(error)(str(error).replace(str(copy), str(_STDIN))) from None
