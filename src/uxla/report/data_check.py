"""What `uxla data check` prints: the report on one data file as a table."""

from __future__ import annotations

from collections.abc import Iterator

from uxla.data.checks.check import LONG, CheckReport
from uxla.markup import Row, Table
from uxla.phrases import counted, seen


def check_table(report: CheckReport) -> Table:
    """One row for each fact: first the counts, then possible faults with their lines in the file."""
    return Table(("", ""), (), tuple(map(Row, (*_facts(report), *_doubts(report)))), title=report.path)


def _facts(report: CheckReport) -> Iterator[tuple[str, str]]:
    columns = "" if report.columns is None else f", {counted(report.columns, 'column')}"
    yield "format", f"{report.format}{columns}, {report.encoding}"
    if report.left_out:
        kinds = report.left_out.items()
        yield "no words", ", ".join(counted(n, what, f"{what.replace(' or ', 's and ')}s") for what, n in kinds)
    longest = report.longest if report.length_unit == "words" else counted(report.longest, "character")
    yield "sentences", f"{report.sentences}, {counted(report.words, 'word')}, the longest has {longest}"
    most = counted(report.length_95, report.length_unit.removesuffix("s"))
    yield "lengths", f"mean {report.mean_length:g}, 95 % have at most {most}"
    if report.labels:
        yield "labels", _counts(report.labels)
    if report.scheme is not None:
        yield "labels", f"{report.scheme}, {_counts(report.entities) or 'no entity'}"
    elif report.format != "text" and not report.labels:
        yield "labels", "none"


def _doubts(report: CheckReport) -> Iterator[tuple[str, str]]:
    if report.duplicates:
        yield "duplicates", f"{counted(report.duplicates, 'sentence equals', 'sentences equal')} an earlier one"
    if report.overlap is not None:
        overlap, share = report.overlap, report.overlap.examples / report.sentences
        shared = f"{counted(overlap.examples, 'sentence')} ({share:.1%}), {overlap.long} of {LONG} characters or more"
        stand = "stands" if overlap.examples == 1 else "stand"
        yield "overlap", f"{shared}, also {stand} in {overlap.path}"
    for found in report.suspicious_words:
        yield found.kind, f"in {counted(found.words, 'word')}, first in line {found.line}"
    for doubt in report.doubts:
        yield doubt.about, doubt.text
    if report.violation_total:
        broken = counted(report.violation_total, "label breaks", "labels break")
        yield "violations", f"{broken} {report.scheme}" + (f"; {report.remedy}" if report.remedy else "")
    for finding in report.violations:
        yield f"line {finding.line}", finding.message


def _counts(kinds: dict[str, int]) -> str:
    return ", ".join(f"{count} {seen(kind)}" for kind, count in kinds.items())
