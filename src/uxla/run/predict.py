"""Labels for new text, by the ensemble of a finished run."""

from __future__ import annotations

import sys
from io import TextIOWrapper
from pathlib import Path

import transformers

from uxla.data.conll import ConllFile, conll_text
from uxla.data.files import encode, write_bytes
from uxla.data.load import open_sentences
from uxla.models.ensemble import Ensemble


def predict(run: Path, source: Path | TextIOWrapper, out: Path | None) -> None:
    """Write the sentences of `source` with the ensemble's labels to `out`, or to standard output: CoNLL, UTF-8.

    CoNLL comes back as it came, every column and blank line kept, the label column replaced (or added, where a file
    has words only); raw text becomes one word a line. DataError for input that cannot be read.
    """
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    if isinstance(source, Path):
        content = open_sentences(source.read_bytes(), path=source)
    else:
        content = open_sentences(bytes(source.buffer.read()), path=Path("-"))
    sentences = content.sentences if isinstance(content, ConllFile) else content
    tags = Ensemble.load(run).tag(sentences)
    if isinstance(content, ConllFile):
        raw = content.with_tags(tags).raw
    else:
        raw = encode(conll_text(sentences, tags), "utf-8", file=out or Path("-"))
    if out is None:
        sys.stdout.buffer.write(raw)
    else:
        write_bytes(out, raw)
