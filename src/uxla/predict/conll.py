"""CoNLL files that come back with other labels; everything else stays as it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import BinaryIO

from uxla.data.conll.cells import BRACKETS, labels_in
from uxla.data.conll.file import ConllFile
from uxla.data.conll.relabeller import Relabeller
from uxla.data.files import BOM, Encoder, marks, text_lines
from uxla.data.labels.names import missing
from uxla.data.labels.schemes import are_labels, detect
from uxla.errors import EmptyError, setting
from uxla.models.entities import tags_of
from uxla.models.mentions import Answer
from uxla.predict.row import Raw, Row, Write
from uxla.predict.sinks import WORDS, Object, labelled_words, open_objects, open_text
from uxla.predict.standard_input import called
from uxla.progress import note


@dataclass(frozen=True)
class AnsweredConll:
    """A CoNLL file; `replaces` says that the user named the column for the labels."""

    file: ConllFile
    replaces: bool

    def batches(self) -> Iterator[list[Row]]:
        """The sentences in order, in bounded memory; of a stream those that are there. DataError for what is wrong."""
        numbered = enumerate(text_lines(self.file.path, self.file.options.encoding), start=1)
        lines = ((Raw(line, "", text, ""), 0) for line, text in numbered)
        last = 0
        with suppress(EmptyError):
            for sentence in self.file.streamed():
                around = list(islice(lines, sentence.numbers[-1] - last))
                last = sentence.numbers[-1]
                yield [Row(sentence.words, sentence.numbers[0], sentence, around)]
        if rest := list(lines):
            yield [Row((), last, None, rest)]

    def open_writer(self, form: str, sink: BinaryIO) -> AbstractContextManager[Write]:
        """Inside the block rows can be written into `sink` in the format `form`."""
        if form != "conll":
            return open_objects(sink, form, _objects, WORDS)
        path, encoding = self.file.path, self.file.options.encoding
        return open_text(sink, self._beside, Encoder(encoding, path), head=BOM * min(1, marks(path, encoding)))

    def _beside(self, row: Row, answer: Answer) -> str:
        lines = [part.body for part, _ in row.raw]
        if row.parts:
            self._relabel(tags_of(answer, len(row.parts)), row.record.numbers, lines, row.raw[0][0].line)
        return "".join(lines)

    @cached_property
    def _relabel(self) -> Relabeller:
        """What writes labels: over those that are there, else into a new column, which a note says."""
        file, found = self.file, set[str]()

        def labels() -> Iterator[list[str]]:
            for sentence in file.streamed():
                row = labels_in(sentence.cells, file.layout.style)
                found.update(row)
                yield row

        settled = file.options.scheme != "auto" or file.layout.style == BRACKETS
        scheme = detect(labels())
        is_free = self.replaces or are_labels(found) or all(map(missing, found))
        if settled or not is_free:
            scheme = "IOB2" if file.options.scheme == "auto" else file.options.scheme
        if is_free:
            return file.relabeller(scheme)
        note(
            f"{called(file.path)}: column {file.layout.label} holds no labels; the answers stand in a new one at the "
            f"end; {setting('label_column', 'N')} writes over column N"
        )
        return file.relabeller(scheme, "new")


def _objects(row: Row, answer: Answer) -> list[Object]:
    return labelled_words(row, answer) if row.parts else []  # a row without words is what ends the file
