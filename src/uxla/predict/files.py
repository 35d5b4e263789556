"""Labels for new text, by the ensemble of a finished run: a file or a stream goes through it block by block."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import BinaryIO, Unpack

import pyarrow.parquet as pq

from uxla import progress, signals
from uxla.choices import BATCH_SIZE
from uxla.confidence import FITTED_ON
from uxla.config.compute import DeviceSettings
from uxla.data.columns import SHAPES
from uxla.data.conll.file import ConllFile
from uxla.data.formats.json import is_array
from uxla.data.formats.table import SUFFIXES, Table
from uxla.data.load import open_data
from uxla.data.options import ReadKeywords, ReadOptions
from uxla.data.raw_words import split_as, splitter
from uxla.data.spans.file import SpanFile
from uxla.errors import ConfigError
from uxla.files import atomic_file
from uxla.models.ensemble import Ensemble
from uxla.models.mentions import Answer
from uxla.predict.answers import Label, StoredAnswers, blocks_of
from uxla.predict.conll import AnsweredConll
from uxla.predict.load import load_ensemble
from uxla.predict.row import Row, Write
from uxla.predict.running_text import running_text
from uxla.predict.spans import AnsweredSpans
from uxla.predict.standard_input import Input, called, standard_input
from uxla.predict.table_writers import open_writer
from uxla.predict.tables import AnsweredTable
from uxla.progress import note
from uxla.shards import Shard, Unit, shared
from uxla.store.opening import open_store

Source = AnsweredTable | AnsweredConll | AnsweredSpans
_FORMS = SUFFIXES | {".json": "json"}
"""What the suffix of `--out` asks for; `json` is an array."""
_WORDS = (".conll", ".bio", ".iob", ".iob2", ".txt", ".tsv")
"""Suffixes that, for words, ask for one word a line."""
_CHUNK = 1 << 22
_DEVICE = DeviceSettings(precision="auto")


def predict(
    run: Path,
    source: Path | BinaryIO,
    out: Path | None,
    *,
    device: DeviceSettings = _DEVICE,
    batch_size: int = BATCH_SIZE,
    threshold: float = 0.0,
    second: bool = False,
    shard: Shard | None = None,
    **how: Unpack[ReadKeywords],
) -> None:
    """Write what the ensemble of `run` says of `source`, a file or a stream, to `out`, or to standard output.

    Rows go through all models block by block, of at most `batch_size` rows, and are written as they are ready. `out`
    is written whole or not at all: what was labelled is in the store, with which the same call goes on. A `shard`
    labels its blocks, and writes where all blocks are labelled. Entities that are less sure than `threshold` are
    dropped, and texts have no label then; `second` adds the label that would be next.

    `how` are the fields of `ReadOptions`: files are read as a run reads them. Row n answers row n: CoNLL comes back as
    it came, the labels in the label column (in a new one where that is not named and the last column holds something
    else), a table with the answers as new columns at its end, raw text as JSON lines, text with character spans with
    the spans found beside its own. The suffix of `out` can ask for another format. DataError for input that cannot be
    read or written so.
    """
    options = ReadOptions(**how)
    with device.process(), signals.with_message(_left(out)), ExitStack() as stack:
        ensemble = load_ensemble(run, device)
        options = split_as(options, ensemble.split)
        given = (
            Input(source, options)
            if isinstance(source, Path)
            else stack.enter_context(standard_input(source, SHAPES[ensemble.task], options, as_it_comes=out is None))
        )
        answered = _opened(ensemble, given, replaces="label_column" in how, second=second)
        form = _form(answered, out, given.path)
        if ensemble.scaling is None and form != "conll":
            note(f"{run}: confidences are not calibrated; {_calibrated(ensemble)}")
        write = partial(_write, answered, form, given, batch_size)
        if out is None:
            write(_above(threshold, ensemble.answers), sys.stdout.buffer)
            return
        stored = StoredAnswers(open_store(), ensemble.fingerprint, ensemble.answers)
        write_out = partial(_write_file, out, partial(write, _above(threshold, stored)))
        finished = partial(stored.store.finished, "answers")
        shared(shard, lambda shard: shard.do(_units(answered, stored, given, batch_size), finished), write_out)


def _opened(ensemble: Ensemble, given: Input, *, replaces: bool, second: bool) -> Source:
    """The input; `replaces` says that the user named CoNLL's column of labels."""
    path, shape = given.path, SHAPES[ensemble.task]
    if _is_empty(path):
        return AnsweredTable(Table(path, "text", shape), "label", second=second)
    content = open_data(path, shape, given.options)
    if isinstance(content, SpanFile):
        return AnsweredSpans(content, second)
    if isinstance(content, ConllFile):
        return AnsweredConll(content, replaces)
    content = replace(content, empty=True)
    text = running_text(content) if shape == "tagging" else None
    answer = "label" if shape != "tagging" else "tags" if text is None else "entities"
    table = AnsweredTable(text or content, answer, given.grows, splitter(given.options), second)
    if why := table.why_renamed():
        note(f"{called(path)}: {why}; the answers are called {', '.join(table.names)}")
    return table


def _is_empty(path: Path) -> bool:
    return path.is_file() and path.stat().st_size == 0 and path.suffix not in (".parquet", ".ann")


def _form(source: Source, out: Path | None, given: Path) -> str:
    """The format that the name of `out` asks for, else the input's own: of raw text, and of Parquet on the screen, JSON
    lines. ConfigError for a suffix that is neither known nor that of the input, `given`."""
    suffix = out.suffix.lower() if out else ""
    own: str = "spans" if isinstance(source, AnsweredSpans) else "conll"
    words = True
    if isinstance(source, AnsweredTable):
        own, words = source.table.format, source.answer != "label"
    if own == "spans" and suffix == ".ann":
        raise ConfigError(f"--out {out}: brat's .ann cannot be written; give FILE.jsonl, or FILE.conll")
    if words and suffix in _WORDS and suffix != f".{own}":
        return "conll"
    if suffix == ".json" and not _is_json_array(source):
        raise ConfigError(f"--out {out}: a JSON array is written only of one that is read; give FILE.jsonl")
    if suffix in _FORMS:
        return _FORMS[suffix]
    if suffix not in ("", given.suffix.lower()):
        known = [".tsv", ".csv", ".jsonl", ".parquet", *(_WORDS if words else ())]
        raise ConfigError(f"--out {out}: no format known by the suffix {suffix!r}; give one of {', '.join(known)}")
    if _is_json_array(source):
        return "json"
    return "jsonl" if own in ("text", "spans") or (own == "parquet" and out is None) else own


def _calibrated(ensemble: Ensemble) -> str:
    """Where there are calibrated confidences."""
    if len(ensemble.members) == 1:
        return "this is one model in place of three, and those of the run it learned from may be"
    return f"a run whose source has a dev set with at least {FITTED_ON} answers calibrates them"


def _is_json_array(source: Source) -> bool:
    """Whether what is read, and so comes back, is a JSON array."""
    if isinstance(source, AnsweredTable):
        return source.table.format == "jsonl" and is_array(source.table.path, source.table.options.encoding)
    return (
        isinstance(source, AnsweredSpans)
        and not source.file.is_brat
        and is_array(source.file.path, source.file.encoding)
    )


def _units(source: Source, stored: StoredAnswers, given: Input, batch_size: int) -> Iterator[Unit]:
    with _bar(given) as advance:
        for rows in _blocks(source, given, batch_size):
            parts = [row.parts for row in rows]
            yield Unit(partial(stored, parts), stored.inputs(parts))
            advance(rows)


def _blocks(source: Source, given: Input, batch_size: int) -> Iterator[list[Row]]:
    empty = _is_empty(given.path)
    return iter(()) if empty else blocks_of(source.batches(), batch_size=batch_size, at_once=given.grows)


def _write_file(out: Path, write: Callable[[BinaryIO], None]) -> None:
    with atomic_file(out) as file, file.open("wb") as stream:
        write(stream)


def _write(source: Source, form: str, given: Input, batch_size: int, label: Label, sink: BinaryIO) -> None:
    if _is_empty(given.path) and form != "parquet":
        return
    with _bar(given) as advance, _open_writer(source, form, sink) as write:
        for rows in _blocks(source, given, batch_size):
            answers = label([row.parts for row in rows])
            with signals.postponed():
                write(rows, answers)
                sink.flush()
            advance(rows)


def _above(threshold: float, label: Label) -> Label:
    """`label` without the entities that are less sure, and with no label for texts whose label is."""

    def sure(answer: Answer) -> Answer:
        known = [one for one in answer if one.confidence >= threshold]
        return known or [one._replace(label=None) for one in answer if one.stop == 0]

    return (lambda rows: list(map(sure, label(rows)))) if threshold else label


def _open_writer(source: Source, form: str, sink: BinaryIO) -> AbstractContextManager[Write]:
    """Inside the block rows can be written into `sink`. DataError, with the line, for what the format cannot hold."""
    return open_writer(source, form, sink) if isinstance(source, AnsweredTable) else source.open_writer(form, sink)


@contextmanager
def _bar(given: Input) -> Iterator[Callable[[Sequence[Row]], None]]:
    """One bar over all lines, or rows of Parquet; of a stream, or where the answers go to a terminal, none."""
    if given.grows or sys.stdout.isatty():
        yield lambda rows: None
        return
    with progress.bar(f"labelling {given.path.name}", _size(given.path)) as bar:
        yield lambda rows: bar.advance(sum(map(_lines, rows)))


def _lines(row: Row) -> int:
    """How many lines of the file a row has, with those around it."""
    text = (part.before + part.body + part.after for part, _ in row.raw)
    return sum(each.count("\n") for each in text) if row.raw else 1


def _size(path: Path) -> int:
    """The lines of a file, or the rows of Parquet; of a folder those of its texts."""
    if path.is_dir():
        return sum(map(_size, path.glob("*.txt")))
    if path.suffix == ".parquet":
        return int(pq.read_metadata(path).num_rows)
    with path.open("rb") as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(_CHUNK), b""))


def _left(out: Path | None) -> str:
    """What a signal leaves, and what to do."""
    if out is None:
        return "repeat the command to start again"
    return "what was labelled is in the store; repeat the command to resume"
