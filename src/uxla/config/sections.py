"""The sections of a configuration: each key with its type, range, default, meaning and place in the paper."""

from __future__ import annotations

import codecs
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

T = TypeVar("T")

DataSet = Literal["source", "target", "source_vicinity", "target_vicinity"]
Selection = Literal["last", "source_dev", "target_dev", "average", "estimated"]

TESTBED = "testbed:"
"""A data path that begins so is a file of the synthetic world, not of the disk."""

ELSEWHERE = (TESTBED, "hub:")
"""Data paths that begin so are no files of the disk: the synthetic world, data sets of the Hub."""


def key(meaning: str, default: Any = ..., *, paper: str = "", **bounds: Any) -> Any:
    """A field whose meaning and place in the paper travel with it, for messages and docs/configuration.md."""
    return Field(default, description=meaning, json_schema_extra={"paper": paper}, **bounds)


def refusal(field: str, text: str) -> PydanticCustomError:
    """An error about `field`, a key of the model at hand, for faults that are not about one value's type or range."""
    return PydanticCustomError("refused", "{text}", {"field": field, "text": text})


def _frozen(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _one_or_several(value: object) -> object:
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def _steps_or_share(value: object) -> object:
    whole = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    if whole or (isinstance(value, float) and 0 <= value <= 1):
        return value
    expected = "a whole number of steps (200) or a share of the training from 0.0 to 1.0 (0.1)"
    raise refusal("", f"got {value!r}, expected {expected}")


def _one_or_two(value: object) -> object:
    counts = value if isinstance(value, list | tuple) else [value]
    if all(type(count) is int and count >= 1 for count in counts) and len(counts) in (1, 2):
        return tuple(counts) if len(counts) == 2 else counts[0]
    raise refusal("", f"got {value!r}, expected a number of at least 1 (3), or for pairs two of them ([2, 2])")


Files = Annotated[str | Annotated[tuple[str, ...], Field(min_length=1)], BeforeValidator(_frozen)]
"""One data file, or several that are read one after the other."""
Copies = Annotated[int | tuple[int, int], BeforeValidator(_one_or_two)]
Several = Annotated[tuple[T, ...], BeforeValidator(_frozen)]
OneOrSeveral = Annotated[tuple[T, ...], BeforeValidator(_one_or_several)]
Name = Annotated[str, Field(pattern=r"^\w[\w.+-]*$", max_length=50)]
"""A name that is also safe as a part of a file name (of at most 255 bytes) and in a table."""


class Section(BaseModel):
    """Immutable, typed without conversions, and without unknown keys."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", allow_inf_nan=False)


class Reading(Section):
    """How data files are read, and how much of the training file is used."""

    format: Literal["auto", "conll", "text", "tsv", "csv", "jsonl", "parquet", "spans"] = key(
        "the files' format; `conll`: a word a line, `text`: a sentence or pair a line, `spans`: text with character "
        "spans; `auto`: decided for each file",
        "auto",
    )
    columns: dict[str, str | int] | None = key(
        "a table's columns, by name or number: `tokens` and `tags` (with a row a word also `sentence`), `text` and "
        "`label`, or `first`, `second` and `label`; null: the usual names",
        None,
    )
    header: bool = key("whether a TSV or CSV file begins with the columns' names", True)
    encoding: str = key("the files' text encoding", "utf-8")
    delimiter: str | None = key(
        "what stands between the columns of a CSV or TSV file: one character, or `tab`; null: commas in CSV (or "
        "semicolons, where that is unmistakable), TABs in TSV",
        None,
    )
    quote: str | None = key(
        'what quotes cells of a CSV or TSV file: one character, or `none`; null: `"` in CSV, and in TSV that a CSV '
        "writer wrote",
        None,
    )
    where: dict[str, OneOrSeveral[str | int | bool]] | None = key(
        "only the rows of a table with this value (or one of these) in a column: `{language: es}`, `{split: [a, b]}`; "
        "`{target}` in a value stands for the target's name",
        None,
    )
    tag_names: Several[str] | None = key(
        "what the numbers in a table's column of labels stand for, in their order: `[O, B-PER, I-PER]`; null: the "
        "names that the file has",
        None,
    )
    token_column: int = key("CoNLL column of the word, from 0; negative counts from the end", 0)
    label_column: int = key("CoNLL column of the label", -1)
    scheme: Literal["auto", "IOB1", "IOB2", "BIOES", "BILOU"] = key("how CoNLL labels mark entities", "auto")
    comment: str | None = key(
        "how CoNLL's comments begin; `auto`: by their look; `none` or null: it has none", "auto", min_length=1
    )
    labels: dict[str, str | None] | None = key(
        "label or entity type in the files: the one to use instead; an entity type may be null: no entity",
        None,
    )
    take: int | None = key("at most so many training sentences, drawn by the seed; null: all", None, ge=1)
    share: float = key("this share of the training sentences, drawn by the seed", 1.0, paper="§3.1", gt=0, le=1)

    @field_validator("encoding")
    @classmethod
    def _is_an_encoding(cls, name: str) -> str:
        try:
            codecs.lookup(name)
        except (LookupError, ValueError):  # ValueError: a NUL in it
            raise refusal("", f"got {name!r}, expected an encoding Python knows, as utf-8 or latin-1") from None
        return name

    @field_validator("delimiter", "quote")
    @classmethod
    def _is_a_sign(cls, text: str | None, info: ValidationInfo) -> str | None:
        named = {"delimiter": "tab", "quote": "none"}[info.field_name or ""]
        if text is not None and text != named and (len(text) != 1 or text in "\r\n"):
            raise refusal("", f"got {text!r}, expected one character, or {named}")
        return text


class Source(Reading):
    """The labelled language."""

    name: Name = key("the source language's name in tables", "source")
    train: Files = key(
        "labelled training file; several: `[a.conll, b.conll]`, here and in all keys of files", paper="D_s"
    )
    dev: Files | None = key("labelled development file, for `selection: source_dev`", None, paper="App. D")
    test: Files | None = key("labelled test file, for the scores on the source before and after", None)


class TargetData(Reading):
    """The target languages' files; `{target}` in a path stands for the target's name."""

    train: Files = key("unlabelled training file, raw text or CoNLL; labels in it are never read", paper="X_t")
    dev: Files | None = key(
        "labelled development file, read for `target_dev`, by `supervised`, and to score each epoch on it",
        None,
        paper="App. D",
    )
    test: Files | None = key("labelled test file, scored once at the end; null: no scores", None)
    labelled: Files | None = key(
        "labelled training file, read only by the method `supervised`", None, paper="Tables 1–2"
    )
    translated: Files | None = key(
        "labelled sentences translated into the target language, read only by `translate_train`", None, paper="Table 3"
    )
    labelled_take: int | None = key(
        "at most so many labelled, and translated, sentences; null: as `take` has it for the raw ones", None, ge=1
    )

    def of(self, target: str) -> TargetData:
        """The same with `{target}` in every path, and every value of `where`, replaced by `target`."""
        filled = {name: _filled(getattr(self, name), target) for name in TARGET_PATHS}
        if self.where is not None:
            filled["where"] = {column: _filled(values, target) for column, values in self.where.items()}
        return self.model_copy(update=filled)


def _filled(value: Any, target: str) -> Any:
    if isinstance(value, tuple):
        return tuple(_filled(each, target) for each in value)
    return value.replace("{target}", target) if isinstance(value, str) else value


SOURCE_PATHS = ("train", "dev", "test")
TARGET_PATHS = ("train", "dev", "test", "labelled", "translated")


class World(Section):
    """The size of the synthetic world, for data paths that begin with `testbed:`."""

    world: int = key("which world; 0 is the one the shipped model knows", 0, ge=0)
    seed: int = key("which of its sentences are drawn", 0, ge=0)
    train: int = key("labelled sentences of the source", 1000, ge=1)
    unlabelled: int = key("raw training sentences of each target", 1000, ge=1)
    labelled: int | None = key("labelled ones, for `supervised`; null: as many, the raw ones", None, ge=1)
    dev: int = key("development sentences of each language", 300, ge=1)
    test: int = key("test sentences of each language", 500, ge=1)


class Training(Section):
    """One training: optimiser, length, and which checkpoint is kept."""

    batch_size: int = key("sentences in one forward pass", paper="Table 8", ge=1)
    accumulation: int = key("forward passes in one optimizer step", 1, paper="Table 8", ge=1)
    learning_rate: float = key("AdamW's peak learning rate", paper="Table 8", gt=0)
    lr_warmup: Annotated[int | float, BeforeValidator(_steps_or_share)] = key(
        "linear learning-rate warm-up: optimizer steps (200) or a share of the training (0.1)",
        0.1,
        paper="Table 8",
    )
    weight_decay: float = key("AdamW's weight decay; never on biases and LayerNorm", 0.01, paper="Table 8", ge=0)
    adam_epsilon: float = key("AdamW's epsilon", 1e-8, paper="Table 8", gt=0)
    max_grad_norm: float = key("gradients are clipped to this norm", 1.0, paper="Table 8", gt=0)
    dropout: float = key("dropout before the classification layer and in the encoder", 0.1, paper="Table 8", ge=0, lt=1)
    epochs: float | None = key("passes over the training data; or give `max_steps`", None, paper="Table 8", gt=0)
    max_steps: int | None = key("optimizer steps; or give `epochs`", None, paper="Table 8", ge=1)
    evaluate_every: int = key(
        "optimizer steps between checkpoints, where `selection` compares or averages them",
        50,
        paper="Table 8",
        ge=1,
    )
    gradient_checkpointing: bool = key("compute activations twice instead of keeping them: less memory, slower", False)
    freeze_embeddings: bool = key("leave the piece embeddings as they are: faster, less memory", False)
    selection: Selection
    penalty: float

    @model_validator(mode="after")
    def _one_length(self) -> Training:
        if self.epochs is None and self.max_steps is None:
            raise refusal("epochs", "neither epochs nor max_steps is given, expected one of them; add epochs")
        if self.epochs is not None and self.max_steps is not None:
            both = f"epochs={self.epochs:g} and max_steps={self.max_steps} exclude each other"
            raise refusal("epochs", f"{both}; give one and set the other to null")
        return self


class WarmUp(Training):
    """The three task models' training on the labelled source (§2.1)."""

    selection: Literal["last", "source_dev", "average"] = key(
        "the checkpoint kept: `last`, the best on the source's dev set, or the `average` of all",
        "source_dev",
        paper="App. D",
    )
    penalty: float = key("weight of the confidence penalty; 0 turns it off", 1.0, paper="Eq. 1", ge=0)


class Adaptation(Training):
    """Each training inside Algorithm 1 (line 21)."""

    selection: Selection = key(
        "as in warm-up; `estimated`: the epoch, or the warm-up, with the best estimate (needs source.dev); "
        "`target_dev` uses target labels, as the paper does, and every report says so",
        "last",
        paper="App. D",
    )
    penalty: float = key("weight of the confidence penalty; 0 turns it off", 0.0, paper="Table 8", ge=0)


class EpochPlan(Section):
    """What one epoch of Algorithm 1 trains on, and how pseudo-labelled sentences are selected (§2.3)."""

    data: Several[DataSet] = key(
        "what is mixed: `source`, `target`, `source_vicinity`, `target_vicinity`", paper="line 22", min_length=1
    )
    confidence: float | None = key(
        "share of the sentences kept, the most confident first; or give `clustering`",
        None,
        paper="§2.3, η",
        gt=0,
        le=1,
    )
    clustering: float | None = key(
        "keep sentences whose posterior of the low-loss component exceeds this; or give `confidence`",
        None,
        paper="§2.3, App. C",
        ge=0,
        lt=1,
    )
    per_class: bool = key("apply `confidence` within each predicted class instead of over all", False)
    features: Several[Literal["length", "fluency"]] = key(
        "what `clustering` looks at beside the loss: `length` in characters, `fluency` under the vicinity model",
        (),
        paper="App. C",
    )

    @model_validator(mode="after")
    def _one_selection(self) -> EpochPlan:
        if len(set(self.data)) != len(self.data):
            raise refusal("data", f"got {list(self.data)}, expected each data set once; remove the repeated one")
        if (self.confidence is None) == (self.clustering is None):
            got = f"confidence={self.confidence} and clustering={self.clustering}"
            raise refusal("confidence", f"got {got}, expected exactly one; set the other to null")
        if self.per_class and self.confidence is None:
            raise refusal("per_class", "goes with confidence, got clustering; set per_class to false")
        if self.features and self.clustering is None:
            raise refusal("features", f"got {list(self.features)} with confidence; set features to [], or clustering")
        if len(set(self.features)) != len(self.features):
            raise refusal("features", f"got {list(self.features)}, expected each once; remove the repeated one")
        return self


class Vicinity(Section):
    """How virtual sentences are generated by a masked language model (§2.2, successive max)."""

    model: str | None = key("masked LM (Hub id or folder), never fine-tuned; null: the backbone", None, paper="§2.2")
    revision: str | None = key("its revision on the Hub", None)
    unit: Literal["word", "piece", "auto"] = key(
        "what is masked: whole words, single pieces, or pieces where the script has no spaces", "auto", paper="§2.2"
    )
    share: float = key("share of a sentence's words that are replaced (P)", 0.3, paper="Table 8", gt=0, le=1)
    copies: Copies | None = key(
        "virtual sentences of each sentence (δ); of a pair, of each part (δ₁ × δ₂); null: 3, for pairs [2, 2]",
        None,
        paper="Table 8",
    )
    top: int = key("a replacement is drawn from this many best candidates (S); 1: the best", 1, paper="§2.2", ge=1)
    min_word_chars: int = key("shorter words are never replaced", 1, ge=1)
    keep_unchanged: bool = key("keep generated sentences that equal their original", False)
    fresh: bool = key("generate anew in each epoch instead of once", False)
    precision: Literal["fp32", "bf16", "fp16"] = key(
        "of the masked LM: `fp32`, or `bf16` and `fp16`, faster and half the memory, which change some replacements",
        "fp32",
    )


class MaskedLMTuning(Section):
    """How the method `mlm_tuned` trains the backbone as a masked LM on the task's sentences (Table 7)."""

    batch_size: int = key("sentences in one forward pass", 16, ge=1)
    accumulation: int = key("forward passes in one optimizer step", 1, ge=1)
    learning_rate: float = key("AdamW's peak learning rate", 5e-5, gt=0)
    epochs: float = key("passes over the sentences of source and targets", 1.0, gt=0)
    masked: float = key("share of the pieces that are masked, 80/10/10", 0.15, gt=0, lt=1)
    held_out: float = key("share of the sentences, up to 1,000, that are only scored", 0.05, ge=0, lt=1)
