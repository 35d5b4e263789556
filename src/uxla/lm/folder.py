"""What `uxla mlm` reads and writes: sentences from files; a model's folder with its card, whole or not at all."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from uxla import __version__, progress
from uxla.config.yaml_text import dump
from uxla.data.corpus import DataSource
from uxla.errors import ConfigError
from uxla.files import alone, atomic_folder, file_digest, restore_folder
from uxla.markup import Figure, Row, Table, code_span
from uxla.models.lm.training import OPTIMISER
from uxla.records import Corpus, Example
from uxla.store.artifacts import Facts, copy_content, read_manifest
from uxla.write_errors import writing

_CARD = "README.md"
_RECORD = "mlm.json"
"""What the folder's model was made from, by which the same command knows it again; the `facts` of its training, and the
digests of its `files`."""
_HELD_OUT: tuple[tuple[str, str, Callable[[float], str]], ...] = (
    ("loss, nats a masked piece", "held_out_loss", lambda loss: f"{loss:.3f}"),
    ("perplexity", "held_out_loss", lambda loss: f"{math.exp(loss):,.1f}"),
    ("masked pieces guessed right", "held_out_accuracy", lambda share: f"{share:.1f} %"),
)


@dataclass(frozen=True)
class Read:
    """The sentences of some files, and of each its name and how many rows it has."""

    texts: Corpus
    files: Sequence[tuple[str, int]]


def read_texts(sources: Sequence[DataSource]) -> Read:
    """Every sentence of the files, of a pair each on its own. DataError, with the line, for what is wrong in one."""
    counts = [source.count() for source in sources]

    def examples() -> Iterator[Example]:
        for number, (source, count) in enumerate(zip(sources, counts, strict=True)):
            with progress.bar(f"reading {source.path.name}", count) as bar:
                for place, row in enumerate(source.rows()):
                    yield from (Example(f"{number}:{place}", "", (text,)) for text in row.texts)
                    bar.advance()

    texts = Corpus.from_examples("texts", (), examples())
    return Read(texts, [(source.path.name, count) for source, count in zip(sources, counts, strict=True)])


@dataclass(frozen=True)
class OutputFolder:
    """The folder `out`, where a trained model is to go."""

    out: Path

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep the folder to this process. ConfigError where it cannot be written, or holds something else."""
        out = self.out
        if out.name in ("", ".."):
            raise ConfigError(f"--out {out}: has no name to write a folder under; give its name")
        if not out.absolute().parent.is_dir():
            raise ConfigError(f"--out {out}: no such folder {out.absolute().parent}; create it, or give another one")
        if out.exists() and not self._record() and (not out.is_dir() or any(out.iterdir())):
            raise ConfigError(f"--out {out}: exists and was not made by `uxla mlm`; give another folder")
        with alone(out):
            with writing(out):
                restore_folder(out)
            yield

    def check(self, inputs: Mapping[str, Any], *, fresh: bool) -> Facts | None:
        """The facts of the folder's model, where it is there and whole: with a note, as nothing is trained then.

        None where it is to be made: there is none, files of it are missing, or `fresh` asks for it anew. ConfigError,
        before a long training, where the folder has the model of another command, or files that would be lost.
        """
        record = self._record()
        if not record:
            return None
        facts, files = (record.pop(name, {}) if isinstance(record, dict) else {} for name in ("facts", "files"))
        if record != json.loads(json.dumps(inputs)):
            raise ConfigError(f"--out {self.out}: has a model made from other text or settings; give another folder")
        there = {path.relative_to(self.out).as_posix() for path in self.out.rglob("*") if not path.is_dir()}
        missing, foreign = sorted(files.keys() - there), sorted(there - files.keys() - {_CARD, _RECORD})
        changed = [name for name in sorted(files.keys() & there) if not _is(self.out / name, files[name])]
        if files and not (missing or changed or fresh):
            progress.note(f"--out {self.out}: already has this model, so nothing is trained; --fresh trains it again")
            return dict(facts)
        if changed and not fresh:
            remedy = "give another folder, or --fresh to train it again"
            raise ConfigError(f"--out {self.out}: {changed[0]} was changed since `uxla mlm` wrote it; {remedy}")
        if foreign:
            fault = f"{foreign[0]} is not known to be from `uxla mlm` and would be lost"
            raise ConfigError(f"--out {self.out}: {fault}; move it away, or give another folder")
        if missing:
            progress.note(f"--out {self.out}: {missing[0]} is missing; the folder is written again")
        return None

    def write(self, model: Path, inputs: Mapping[str, Any], facts: Facts, card: str) -> None:
        """Bring the model of the folder `model` to `out`, with the card as README.md, all of it or nothing.

        What `check` found to be replaced goes when the new folder is on the disk. WriteError where it cannot be
        written.
        """
        record = {
            **inputs,
            "facts": facts,
            "files": {name: sha for name, (_, sha) in read_manifest(model).files.items()},
        }
        with atomic_folder(self.out, "free space there, or give another folder: the trained model is kept") as into:
            copy_content(model, into)
            (into / _CARD).write_text(card, encoding="utf-8")
            (into / _RECORD).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")

    def _record(self) -> Any:
        with suppress(OSError, ValueError):
            return json.loads((self.out / _RECORD).read_text(encoding="utf-8"))
        return None


def table(facts: Facts) -> str:
    """The held-out figures before and after the training, in Markdown; empty where nothing was held out."""
    if "held_out_loss" not in facts:
        return ""
    figures = [
        (name, [Figure(shown(facts[place])) for place in (f"{key}_before", key)]) for name, key, shown in _HELD_OUT
    ]
    rows = tuple(Row((name,), tuple(cells)) for name, cells in figures)
    return Table(("held-out text",), ("before", "after"), rows).markdown()


def summary(facts: Facts) -> str:
    """How much was learned from, in one sentence."""
    return (
        f"{facts['steps']:,} steps over {facts['learned']:,} sentences ({facts['examples']:,} drawn); "
        f"{facts['held_out']:,} held out; training loss at the end {facts['loss']:.3f}"
    )


def card(began: str, base: str | None, read: Read, inputs: Mapping[str, Any], facts: Facts) -> str:
    """README.md of the model: `began` says what it was before, `base` its name on the Hub, where it has one."""
    front = {"library_name": "transformers", "pipeline_tag": "fill-mask", "tags": ["uxla"]}
    front |= {"base_model": base} if base else {}
    settings = {**inputs["recipe"], **OPTIMISER, **{key: inputs[key] for key in ("seed", "max_length", "precision")}}
    del settings["max_steps" if settings["max_steps"] is None else "epochs"]
    parts = [
        f"---\n{dump(front)}---",
        "# A masked language model",
        f"{began}; made by uxla {__version__}.",
        "## Text",
        "\n".join(f"- {code_span(name)}: {count:,} sentences or pairs" for name, count in read.files),
        f"{summary(facts)}. Held out are distinct sentences that were not learned from, always with the same masks.",
        "## Figures",
        table(facts).strip() or "No text was held out.",
        "## Training",
        "\n".join(f"- {name}: {value}" for name, value in settings.items()),
        "## Use",
        "`AutoModelForMaskedLM` and `AutoTokenizer` of transformers load this folder; so do `model:` and "
        "`vicinity.model:` of a uxla configuration, and `uxla augment --model`.",
        "The licences of the text, and of the model it started from, apply to this model.",
    ]
    return "\n\n".join(parts) + "\n"


def _is(file: Path, sha: str) -> bool:
    with suppress(OSError):
        return file_digest(file) == sha
    return False
