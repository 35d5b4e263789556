"""Labels for new text, by the ensemble of a finished run."""

from __future__ import annotations

import csv
import io
import json
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Unpack

import transformers

from uxla.data.conll import ConllFile, conll_text, parse_conll
from uxla.data.files import encode, read_bytes, write_bytes
from uxla.data.layout import How, Layout
from uxla.data.load import load_corpus, open_sentences, open_table
from uxla.errors import ArtifactError, DataError, UxlaError
from uxla.models.ensemble import Ensemble
from uxla.models.trust import SAFE, Trust
from uxla.run.inputs import SHAPES

Answer = tuple[Sequence[str], str, float]
_STDIN = Path("-")
_SHOWN = 8


def predict(run: Path, source: Path | BinaryIO, out: Path | None, *, trust: Trust = SAFE, **how: Unpack[How]) -> None:
    """Write what the ensemble of `run` says of `source`, a file or a stream, to `out`, or to standard output.

    `how` are the fields of `Layout`: files are read as a run reads them. Tagging: CoNLL comes back as it came, every
    column and blank line kept, the label column replaced (or added, where a file has words only); raw text and tables
    become one word a line. Sentence tasks: the texts, label and confidence as TSV. Where `out` ends in .csv or .jsonl,
    one row a sentence, text or pair, in the order of the input. DataError for input that cannot be read.
    """
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    _refuse_several(run)
    ensemble = Ensemble.load(run, trust=trust)
    raw = _tagged(ensemble, source, out, how) if ensemble.task == "ner" else _classified(ensemble, source, out, how)
    if out is None:
        sys.stdout.buffer.write(raw)
    else:
        write_bytes(out, raw)


def _refuse_several(run: Path) -> None:
    """ArtifactError for a folder that has no ensemble of its own but others in it, one a target."""
    card = Path("ensemble") / "ensemble.json"
    if (run / card).exists() or (run / card.name).exists():
        return
    folders = sorted(str(file.parents[1]) for file in run.glob(f"*/{card}"))
    if folders:
        shown = ", ".join(folders[:_SHOWN]) + (", ..." if len(folders) > _SHOWN else "")
        raise ArtifactError(f"{run}: a folder of several runs or targets; expected one of them: {shown}")


def _tagged(ensemble: Ensemble, source: Path | BinaryIO, out: Path | None, how: How) -> bytes:
    content = _sentences(ensemble, source, how)
    sentences = content.sentences if isinstance(content, ConllFile) else content
    tags = ensemble.tag(sentences)
    form = out.suffix.lower() if out else ""
    if form == ".csv":
        text = _csv((" ".join(words), " ".join(row)) for words, row in zip(sentences, tags, strict=True))
    elif form == ".jsonl":
        text = _jsonl({"tokens": words, "tags": row} for words, row in zip(sentences, tags, strict=True))
    elif isinstance(content, ConllFile):
        return content.with_tags(tags).raw
    else:
        text = conll_text(sentences, tags)
    return encode(text, "utf-8", file=out or _STDIN)


def _sentences(ensemble: Ensemble, source: Path | BinaryIO, how: How) -> ConllFile | list[list[str]]:
    layout = Layout(**how)
    if isinstance(source, Path):
        if open_table(source, "tagging", layout) is None:
            return parse_conll(read_bytes(source), path=source, layout=layout)
        return [text.split(" ") for [text] in _texts(ensemble, source, how)]
    if layout.columns is None and (layout.format == "auto" or layout.word_format != "auto"):
        return open_sentences(source.read(), path=_STDIN, layout=layout)
    with _on_disk(source) as copy:
        return [text.split(" ") for [text] in _texts(ensemble, copy, how)]


def _classified(ensemble: Ensemble, source: Path | BinaryIO, out: Path | None, how: How) -> bytes:
    if isinstance(source, Path):
        texts = _texts(ensemble, source, how)
    else:
        with _on_disk(source) as copy:
            texts = _texts(ensemble, copy, how)
    found = ensemble.classify([text if len(text) > 1 else text[0] for text in texts])
    answers = [(text, label, confidence) for text, (label, confidence) in zip(texts, found, strict=True)]
    form = out.suffix.lower() if out else ""
    if form == ".jsonl":
        rows = ({"text": list(text), "label": label, "confidence": round(c, 4)} for text, label, c in answers)
        return _jsonl(rows).encode()
    if form == ".csv":
        return _csv([*text, label, f"{confidence:.4f}"] for text, label, confidence in answers).encode()
    return _tsv(answers, out or _STDIN).encode()


def _texts(ensemble: Ensemble, path: Path, how: How) -> list[tuple[str, ...]]:
    names = ensemble.label_names
    corpus = load_corpus(path, shape=SHAPES[ensemble.task], name="", lang="", label_names=names, labelled=False, **how)
    return [example.segments for example in corpus]


@contextmanager
def _on_disk(stream: BinaryIO) -> Iterator[Path]:
    """All of the stream as a file, which some formats have to be; what is wrong in it is said of `-`."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "standard-input.txt"
        copy.write_bytes(stream.read())
        try:
            yield copy
        except UxlaError as error:
            raise type(error)(str(error).replace(str(copy), str(_STDIN))) from None


def _tsv(answers: Sequence[Answer], out: Path) -> str:
    for number, (text, _, _) in enumerate(answers, start=1):
        if any(char in part for part in text for char in "\t\n\r"):
            raise DataError(
                f"text {number} has a TAB or line break, which TSV cannot hold; use --out FILE.csv", file=out
            )
    return "".join("\t".join([*text, label, f"{confidence:.4f}"]) + "\n" for text, label, confidence in answers)


def _csv(rows: Iterable[Sequence[str]]) -> str:
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue()


def _jsonl(rows: Iterable[Mapping[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
