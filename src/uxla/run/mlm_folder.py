"""What `uxla mlm` reads and writes: sentences from files; a model's folder with its card, whole or not at all."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from uxla import __version__, progress
from uxla.data.kept import Kept
from uxla.errors import ConfigError
from uxla.records import Corpus, Example
from uxla.run.artifacts import META, Facts, flush
from uxla.run.card import inline
from uxla.run.locks import vacant

HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
_TOLD = "mlm.json"
"""What the folder's model was made from, by which the same command knows it again."""
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


def read_texts(sources: Sequence[Kept]) -> Read:
    """Every sentence of the files, of a pair each on its own. DataError, with the line, for what is wrong in one."""
    counts = [source.count() for source in sources]

    def examples() -> Iterator[Example]:
        for number, (source, count) in enumerate(zip(sources, counts, strict=True)):
            with progress.bar(f"read {source.path.name}", count) as bar:
                for place, row in enumerate(source.rows()):
                    yield from (Example(f"{number}:{place}", "", (text,)) for text in row.texts)
                    bar.advance()

    texts = Corpus.from_examples("texts", (), examples())
    return Read(texts, [(source.path.name, count) for source, count in zip(sources, counts, strict=True)])


@dataclass(frozen=True)
class Delivery:
    """The folder `out`, where a trained model is to go."""

    out: Path

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep the folder to this process. ConfigError where it cannot be written, or holds something else."""
        out = self.out
        if not out.absolute().parent.is_dir():
            raise ConfigError(f"--out {out}: no such folder {out.absolute().parent}; make it, or give another one")
        if out.exists() and not self._told() and (not out.is_dir() or any(out.iterdir())):
            raise ConfigError(f"--out {out}: is there already and was not made by `uxla mlm`; give another folder")
        lock = out.with_name(f".{out.name}.lock")
        with ExitStack() as held:
            try:
                ours = held.enter_context(vacant(lock))
            except OSError as error:
                fault = f"cannot be written ({error.strerror or error}); give another folder"
                raise ConfigError(f"--out {out}: {fault}") from None
            if not ours:
                raise ConfigError(f"--out {out}: another process is writing it; wait for it, or give another folder")
            held.callback(_removed, lock)
            yield

    def check(self, inputs: Mapping[str, Any]) -> None:
        """ConfigError where the folder has the model of another command: said before a long training."""
        told = self._told()
        if told and told != json.loads(json.dumps(inputs)):
            raise ConfigError(f"--out {self.out}: has a model made from other text or settings; give another folder")

    def write(self, model: Path, inputs: Mapping[str, Any], card: str) -> None:
        """Bring the model of the folder `model` to `out`, with the card as README.md, all of it or nothing.

        ConfigError where it cannot be written.
        """
        if self._told():
            return
        unfinished = self.out.with_name(f".{self.out.name}.unfinished")
        try:
            shutil.rmtree(unfinished, ignore_errors=True)
            shutil.copytree(model, unfinished, ignore=shutil.ignore_patterns(META))
            (unfinished / "README.md").write_text(card, encoding="utf-8")
            (unfinished / _TOLD).write_text(json.dumps(inputs, indent=1) + "\n", encoding="utf-8")
            for path in [*unfinished.iterdir(), unfinished]:
                flush(path)
            os.replace(unfinished, self.out)
        except OSError as error:
            fault = f"cannot be written ({error.strerror or error}); free space there, or give another folder"
            raise ConfigError(f"--out {self.out}: {fault}: the trained model is kept") from error
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)

    def _told(self) -> Any:
        with suppress(OSError, ValueError):
            return json.loads((self.out / _TOLD).read_text(encoding="utf-8"))
        return None


def table(facts: Facts) -> str:
    """The held-out figures before and after the training, in Markdown; empty where nothing was held out."""
    if "held_out_loss" not in facts:
        return ""
    rows = [f"| {name} | {shown(facts[f'{key}_before'])} | {shown(facts[key])} |\n" for name, key, shown in _HELD_OUT]
    return "".join(["| held-out text | before | after |\n", "|---|---:|---:|\n", *rows])


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
    settings = {**inputs["recipe"], **{key: inputs[key] for key in ("seed", "max_length", "precision")}}
    del settings["max_steps" if settings["max_steps"] is None else "epochs"]
    parts = [
        f"---\n{yaml.safe_dump(front, sort_keys=False)}---",
        "# A masked language model",
        f"{began}; made by uxla {__version__}.",
        "## Text",
        "\n".join(f"- {inline(name)}: {count:,} sentences or pairs" for name, count in read.files),
        f"{summary(facts)}. Held out are distinct sentences that were not learned from, always with the same masks.",
        "## Figures",
        table(facts).strip() or "No text was held out.",
        "## Training",
        "\n".join(f"- {name}: {value}" for name, value in settings.items()),
        "## Use",
        "`AutoModelForMaskedLM` and `AutoTokenizer` of transformers load this folder; so do `model:` and "
        "`vicinity.model:` of a uxla configuration, and `uxla augment --model`.",
        "The licences of the text, and of the model it began with, hold for this model too.",
    ]
    return "\n\n".join(parts) + "\n"


def _removed(path: Path) -> None:
    with suppress(OSError):
        path.unlink()
