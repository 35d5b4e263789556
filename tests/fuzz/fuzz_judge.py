"""What must hold of every input: it is read as the oracle reads it, or refused in one line; within seconds."""

import faulthandler
import io
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import fuzz_tables
from fuzz_formats import LABELS, Case
from fuzz_oracles import ORACLES, all_accounted_for, has_label, is_plain_conll
from rich.console import Console

from uxla.data.checks.check import check
from uxla.data.conll.file import parse_conll
from uxla.data.load import load_corpus, stream_format
from uxla.data.options import ReadOptions
from uxla.errors import UxlaError
from uxla.report.data_check import check_table

LIMIT = 20
"""Seconds after which an input hangs."""
LONGEST = 12_000
"""Characters of the longest refusal: 1000, each written as up to ten."""


T = TypeVar("T")


@dataclass(frozen=True)
class Verdict:
    """How many rows of an input were read, 0 if it was refused, and the CPU seconds of the slowest call on it."""

    rows: int
    seconds: float


class HangError(Exception):
    """An input took longer than LIMIT."""


@contextmanager
def watchdog() -> Iterator[None]:
    """`HangError` after LIMIT seconds; in a library that never comes back to Python the process ends with its stack."""
    before = signal.signal(signal.SIGALRM, _bark)
    signal.alarm(LIMIT)
    faulthandler.dump_traceback_later(3 * LIMIT, exit=True)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
        faulthandler.cancel_dump_traceback_later()


def timed(call: Callable[..., T], *arguments: object) -> tuple[T, float]:
    """The result and the CPU seconds it took."""
    start = time.process_time()
    with watchdog():
        result = call(*arguments)
    return result, time.process_time() - start


def judge(case: Case, folder: Path) -> Verdict:
    """AssertionError for a file that is neither read whole nor refused in one line."""
    path = folder / f"x.{case.format}"
    path.write_bytes(case.raw)
    read, loading = timed(_load, case, path)
    counted, checking = timed(_check, path, case.options())
    _, first_try = timed(_check, path, {"shape": case.shape})
    labelling = timed(_label_anew, case)[1] if case.format in ("conll", "text") else 0.0
    return Verdict(_compared(case, read, counted), max(loading, checking, first_try, labelling))


def _compared(case: Case, read: list | str, counted: int | None) -> int:
    if isinstance(read, str):
        assert case.told is None or "field limit" in read, f"a sound file is refused: {read}"
        # labels are faults for a corpus only, so the check may still have counted the rows
        assert counted is None or case.labelled, f"refused, yet checked: {read}"
        return 0
    if case.format == "conll" and not is_plain_conll(case):
        return _accounted_for(case, read)
    total = (ORACLES | fuzz_tables.ORACLES)[case.kind or case.format](case)
    rows = [row for row in total if has_label(row)]
    assert len(read) == len(rows), f"{len(read)} rows read, {len(rows)} in the file"
    # unlabelled, the corpus leaves labels aside that the check finds at fault
    assert counted == len(total) or (counted is None and not case.labelled), f"{counted} of {len(total)} rows checked"
    if rows[0] is not None:
        assert read == rows, "other rows than in the file"
        assert case.told is None or read == case.told, "other rows than written"
    return len(rows)


def _accounted_for(case: Case, read: list) -> int:
    """CoNLL that a simple reader could take for something else: every line is looked at."""
    assert case.told is None or read == case.told, "other rows than written"
    file = parse_conll(case.raw, path=Path("x"), options=ReadOptions(encoding=case.encoding))
    numbers = [[file.line_of(i, word) for word in range(len(row))] for i, row in enumerate(file.sentences)]
    all_accounted_for(case, file.sentences, numbers)
    assert [texts for texts, _ in read] == [(" ".join(row),) for row in file.sentences], "other words"
    return len(read)


def refusal(error: UxlaError) -> str:
    """The error's text, which must be one line that a terminal can show."""
    said = str(error)
    assert said.isprintable(), f"not one printable line: {said!r}"
    assert 0 < len(said) <= LONGEST, f"{len(said)} characters"
    return said


def _load(case: Case, path: Path) -> list | str:
    names = LABELS[case.shape]
    try:
        corpus = load_corpus(path, name="t", lang="x", label_names=names, labelled=case.labelled, **case.options())
    except UxlaError as error:
        return refusal(error)
    return [
        (example.segments, None if example.labels is None else tuple(names[label] for label in example.labels))
        for example in corpus
    ]


def _check(path: Path, options: dict) -> int | None:
    try:
        report = check(path, **options)
    except UxlaError as error:
        refusal(error)
        return None
    shown = io.StringIO()
    Console(file=shown, width=200).print(check_table(report))
    assert all(char.isprintable() for char in shown.getvalue() if char != "\n"), "the report has control characters"
    return report.sentences


def _label_anew(case: Case) -> None:
    """What `uxla predict` does: read as standard input, and a CoNLL file's labels replaced."""
    try:
        options = ReadOptions(encoding=case.encoding)
        if stream_format(case.raw, path=Path("-"), options=options) == "conll":
            content = parse_conll(case.raw, path=Path("-"), options=options)
            tags = [["O"] * len(words) for words in content.sentences]
            again = content.with_tags(tags)
            assert (again.sentences, again.tags) == (content.sentences, tags), "other words after labelling"
    except UxlaError as error:
        refusal(error)


def _bark(number: int, frame: object) -> None:
    raise HangError(f"no answer after {LIMIT} seconds")
