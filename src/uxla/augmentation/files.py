"""`uxla augment`: a whole file through Gen-LM, part by part; finished parts are kept, the file is written whole."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial
from itertools import groupby, islice
from pathlib import Path
from typing import Any

from uxla import progress
from uxla.algorithm.vicinity import Vicinity
from uxla.augmentation.settings import LateFiller, changed, gen_lm, origin, parents, remark_on_unspaced
from uxla.config.compute import LMSource
from uxla.config.method import MaskedLMVicinity
from uxla.data.batch import Row
from uxla.data.columns import TEXTS
from uxla.data.corpus import DataSource
from uxla.data.writing.samples import Rewritten, column_of_text, open_writer, refuse_offsets, written_as
from uxla.files import atomic_file, check_file
from uxla.raw_text import AT_SPACES
from uxla.records import Corpus
from uxla.shards import Shard, Unit, shared
from uxla.store.artifacts import Facts, reading
from uxla.store.store import Store
from uxla.store.versions import mixture

_COUNTS = ("drawn", "unchanged", "duplicates", "without_units")


@dataclass(frozen=True)
class Report:
    """What became of a file's rows."""

    read: int
    written: int
    drawn: int
    unchanged: int
    duplicates: int
    without_units: int
    seconds: float

    def line(self, *, keep_unchanged: bool) -> str:
        """All of it, for a person."""
        fate = "kept" if keep_unchanged else "dropped"
        return (
            f"{self.read} sentences read, {self.written} samples written; {self.unchanged} unchanged and "
            f"{self.duplicates} duplicates {fate}, {self.without_units} sentences without a word to replace; "
            f"{self.seconds:.1f} s"
        )


@dataclass(frozen=True)
class FileAugmentation:
    """Gen-LM over one file: `originals` writes each row before its samples."""

    source: DataSource
    out: Path
    settings: MaskedLMVicinity
    lm: LMSource
    store: Store
    seed: int = 0
    originals: bool = False
    together: int = 4096
    """Rows in one artifact of the store: what a kill can cost, and a unit of a shard."""

    def run(self, shard: Shard | None = None) -> Report:
        """Write the file `out`, of a shard when all parts are done. Faults of arguments, file or model are raised
        before anything is written."""
        form, vicinity = self._checked()
        total, inputs = self.source.count(), self._inputs(vicinity)
        return shared(
            shard,
            lambda shard: shard.do(self._units(vicinity, inputs, total), partial(self.store.finished, "augment")),
            partial(self._written, form, vicinity, inputs, total),
        )

    def _units(self, vicinity: Vicinity, inputs: Mapping[str, Any], total: int) -> Iterator[Unit]:
        with progress.bar(f"a shard of {self.source.path.name}", total) as bar:
            for first, rows in self._parts():
                part = self._parents(first, rows)
                yield Unit(partial(self._stored, vicinity, inputs, part), {**inputs, "texts": part.digest})
                bar.advance(len(rows))

    def _written(self, form: str, vicinity: Vicinity, inputs: Mapping[str, Any], total: int) -> Report:
        began, tally = time.monotonic(), Counter[str]()
        with (
            atomic_file(self.out) as file,
            file.open("wb") as stream,
            open_writer(self.source, form, stream) as write,
            progress.bar(f"augmenting {self.source.path.name}", total) as bar,
        ):
            for first, rows in self._parts():
                samples, counts = self._made(vicinity, inputs, first, rows)
                tally.update(read=len(rows), written=len(samples), **counts)
                write(self._rewritten(first, rows, samples))
                bar.advance(len(rows))
        self._remark(form, tally)
        counted = {field.name: tally[field.name] for field in fields(Report) if field.name != "seconds"}
        return Report(**counted, seconds=time.monotonic() - began)

    def _checked(self) -> tuple[str, Vicinity]:
        """The output's format and Gen-LM, its model not loaded yet."""
        check_file(self.out, source=self.source.path)
        vicinity = gen_lm(
            self.settings, LateFiller(lambda: self.lm.load(self.settings)), len(TEXTS[self.source.shape]), self.seed
        )
        return written_as(self.source, self.out), vicinity

    def _inputs(self, vicinity: Vicinity) -> dict[str, Any]:
        """All that decides what comes of a text: neither device nor batches do."""
        settings = self.settings.model_dump(exclude={"kind", "model", "revision", "fresh"})
        settings |= {"copies": list(vicinity.copies), "seed": self.seed}
        lm = {"model": self.lm.digest(), "max_length": self.lm.max_length, "precision": self.lm.settled_precision}
        return settings | lm

    def _parts(self) -> Iterator[tuple[int, list[Row]]]:
        rows, first = self.source.rows(), 0
        told = self.settings.unit != "word"
        stale = "" if written_as(self.source, self.out) == "text" else None  # which has the texts alone
        while part := list(islice(rows, self.together)):
            told = told or remark_on_unspaced(row.texts for row in part)
            for row in part:
                refuse_offsets(self.source, row)
            if stale is None and (stale := next(filter(None, map(partial(column_of_text, self.source), part)), None)):
                message = f"column {stale!r} was derived from the text and will not fit the new words; leave it out"
                progress.note(f"{self.source.path}: {message}")
            yield first, part
            first += len(part)

    def _made(
        self, vicinity: Vicinity, inputs: Mapping[str, Any], first: int, rows: Sequence[Row]
    ) -> tuple[Corpus, dict[str, int]]:
        """The samples of some rows, and what became of all that were drawn; found in the store, or made."""
        folder, facts = self._stored(vicinity, inputs, self._parents(first, rows))
        with reading(folder):
            return Corpus.read(folder / "samples.arrow"), {name: int(facts[name]) for name in _COUNTS}

    def _parents(self, first: int, rows: Sequence[Row]) -> Corpus:
        return parents(self.source.path.name, first, [row.texts for row in rows])

    def _stored(self, vicinity: Vicinity, inputs: Mapping[str, Any], part: Corpus) -> tuple[Path, Facts]:
        return self.store.folder("augment", {**inputs, "texts": part.digest}, partial(self._make, vicinity, part))

    def _make(self, vicinity: Vicinity, part: Corpus, into: Path, scratch: Path) -> Mapping[str, Any]:
        with self.lm.process():  # late: it loads torch, and refusals come before
            result = vicinity(part)
        result.corpus.write(into / "samples.arrow")
        return {name: getattr(result, name) for name in _COUNTS}

    def _rewritten(self, first: int, rows: Sequence[Row], samples: Corpus) -> Iterator[Rewritten]:
        words = _tagged_words if self.source.shape == "tagging" else str.split
        made = groupby(samples, lambda sample: origin(sample)[0])
        parent, group = next(made, (-1, iter(())))
        for number, row in enumerate(rows, first):
            if self.originals:
                yield Rewritten(row, row.texts, number, [()] * len(row.texts))
            if number != parent:
                continue
            for sample in group:
                texts = zip(row.texts, sample.segments, strict=True)
                yield Rewritten(row, sample.segments, number, [changed(words(a), words(b)) for a, b in texts])
            parent, group = next(made, (-1, iter(())))

    def _remark(self, form: str, tally: Mapping[str, int]) -> None:
        if form == "text":
            progress.note(f"{self.out}: the sentences alone; --out FILE.tsv also has their parents and changed words")
        if tally["without_units"] == tally["read"]:
            progress.note(f"{self.source.path}: no sentence has a word that could be replaced; nothing was written")
        if (mixed := mixture(self.store.made_with)) is not None:
            progress.note(f"{self.out}: {mixed}")


def _tagged_words(text: str) -> list[str]:
    return AT_SPACES.findall(text)
