"""Labels for new text, by the ensemble of a finished run."""

from __future__ import annotations

import csv
import io
import json
import sys
import tempfile
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path

import transformers

from uxla.data.conll import ConllFile, conll_text
from uxla.data.files import encode, read_bytes, write_bytes
from uxla.data.load import load_corpus, open_sentences
from uxla.errors import DataError
from uxla.models.ensemble import Ensemble
from uxla.models.trust import SAFE, Trust
from uxla.run.inputs import SHAPES

Answer = tuple[Sequence[str], str, float]


def predict(run: Path, source: Path | TextIOWrapper, out: Path | None, *, trust: Trust = SAFE) -> None:
    """Write what the ensemble of `run` says of `source` to `out`, or to standard output.

    Tagging: CoNLL comes back as it came, every column and blank line kept, the label column replaced (or added, where
    a file has words only); raw text becomes one word a line. Sentence tasks: the texts, label and confidence as TSV,
    or as CSV or JSON lines by the suffix of `out`. DataError for input that cannot be read.
    """
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    ensemble = Ensemble.load(run, trust=trust)
    raw = _tagged(ensemble, source, out) if ensemble.task == "ner" else _classified(ensemble, source, out)
    if out is None:
        sys.stdout.buffer.write(raw)
    else:
        write_bytes(out, raw)


def _tagged(ensemble: Ensemble, source: Path | TextIOWrapper, out: Path | None) -> bytes:
    if isinstance(source, Path):
        content = open_sentences(read_bytes(source), path=source)
    else:
        content = open_sentences(bytes(source.buffer.read()), path=Path("-"))
    if isinstance(content, ConllFile):
        return content.with_tags(ensemble.tag(content.sentences)).raw
    return encode(conll_text(content, ensemble.tag(content)), "utf-8", file=out or Path("-"))


def _classified(ensemble: Ensemble, source: Path | TextIOWrapper, out: Path | None) -> bytes:
    if isinstance(source, Path):
        texts = _texts(ensemble, source)
    else:
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "standard-input.txt"
            copy.write_bytes(source.buffer.read())
            texts = _texts(ensemble, copy)
    found = ensemble.classify([text if len(text) > 1 else text[0] for text in texts])
    answers = [(text, label, confidence) for text, (label, confidence) in zip(texts, found, strict=True)]
    write = {".csv": _csv, ".jsonl": _jsonl}.get(out.suffix if out else "", _tsv)
    return write(answers, out or Path("-")).encode()


def _texts(ensemble: Ensemble, path: Path) -> list[tuple[str, ...]]:
    names = ensemble.label_names
    corpus = load_corpus(path, shape=SHAPES[ensemble.task], name="", lang="", label_names=names, labelled=False)
    return [example.segments for example in corpus]


def _tsv(answers: Sequence[Answer], out: Path) -> str:
    for number, (text, _, _) in enumerate(answers, start=1):
        if any(char in part for part in text for char in "\t\n\r"):
            raise DataError(
                f"text {number} has a TAB or line break, which TSV cannot hold; use --out FILE.csv", file=out
            )
    return "".join("\t".join([*text, label, f"{confidence:.4f}"]) + "\n" for text, label, confidence in answers)


def _csv(answers: Sequence[Answer], out: Path) -> str:
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows([*text, label, f"{confidence:.4f}"] for text, label, confidence in answers)
    return buffer.getvalue()


def _jsonl(answers: Sequence[Answer], out: Path) -> str:
    rows = ({"text": list(text), "label": label, "confidence": round(c, 4)} for text, label, c in answers)
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
