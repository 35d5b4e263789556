"""The options of reading a data file or data set, with the same names wherever one is opened."""

from __future__ import annotations

import codecs
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Literal, TypedDict, cast

from pydantic import ValidationInfo, field_validator

from uxla.choices import Format
from uxla.data.labels.schemes import Scheme
from uxla.raw_text import Together
from uxla.schema import OneOrSeveral, Section, Several, key, refusal

WordFormat = Literal["auto", "conll", "text"]
Split = Literal["auto", "spaces", "words", "pythainlp", "jieba", "fugashi"]


class ReadKeywords(TypedDict, total=False):
    """The fields of `ReadOptions`, as keywords."""

    format: Format
    columns: Mapping[str, str | int] | None
    header: bool
    encoding: str
    delimiter: str | None
    quote: str | None
    where: Mapping[str, Sequence[str | int]] | None
    tag_names: Sequence[str] | None
    token_column: int
    label_column: int
    scheme: Scheme | Literal["auto"]
    comment: str | None
    split: Split
    together: Sequence[Together] | None


class ReadOptions(Section):
    """How a file is read."""

    format: Format = key(
        "the files' format; `conll`: one word per line, `text`: one sentence or pair per line, `spans`: text with "
        "character spans; `auto`: decided for each file",
        "auto",
    )
    columns: dict[str, str | int] | None = key(
        "a table's columns, by name or number: `tokens` and `tags` (with one row per word also `sentence`), `text` and "
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
        "only the rows of a table with this value (or one of these) in a column; in a "
        "configuration `{target}` in a value stands for the target's name",
        None,
    )
    token_column: int = key("CoNLL column of the word, from 0; negative counts from the end", 0)
    comment: str | None = key(
        "how comment lines in CoNLL begin; `auto`: they are recognised; `none`: there are none",
        "auto",
        min_length=1,
    )
    tag_names: Several[str] | None = key(
        "what the numbers in a table's column of labels stand for, in their order: `[O, B-PER, I-PER]`; null: the "
        "names that the file has",
        None,
    )
    label_column: int = key("CoNLL column of the label", -1)
    scheme: Scheme | Literal["auto"] = key("how CoNLL labels mark entities", "auto")
    split: Split = key(
        "where raw text of `ner` is cut into words; `spaces`: at blanks; `words`: also around punctuation, and in "
        "scripts without spaces at each character; `pythainlp`, `jieba`, `fugashi`: the same, Thai, Chinese or "
        "Japanese by that package; `auto`: `words` for texts whose punctuation is not apart, else `spaces`",
        "auto",
    )
    together: Several[Together] | None = key(
        "what stays in one word where raw text is cut around punctuation; null: what the source does, else all but "
        "`elisions` and `clitics`",
        None,
    )

    @field_validator("encoding")
    @classmethod
    def _is_an_encoding(cls, name: str) -> str:
        try:
            with suppress(UnicodeDecodeError):  # one byte is half a character of UTF-16
                b" ".decode(codecs.lookup(name).name)
            codecs.getincrementaldecoder(name)("replace").decode(b" ")  # idna, which is for host names, cannot
        except (LookupError, ValueError):  # an unknown name, one with a NUL, a codec that is not for text (hex)
            raise refusal("", f"got {name!r}, expected an encoding Python knows, as utf-8 or latin-1") from None
        return name

    @field_validator("delimiter", "quote")
    @classmethod
    def _is_a_sign(cls, text: str | None, info: ValidationInfo) -> str | None:
        named = {"delimiter": "tab", "quote": "none"}[info.field_name or ""]
        if text is not None and text != named and (len(text) != 1 or text in "\r\n"):
            raise refusal("", f"got {text!r}, expected one character, or {named}")
        return text

    @property
    def keywords(self) -> ReadKeywords:
        """These options as keywords."""
        found: Any = {name: getattr(self, name) for name in ReadOptions.model_fields}
        return cast(ReadKeywords, found)

    @property
    def comment_prefix(self) -> str | None:
        """`comment`, or None if the file has no comments."""
        return None if self.comment == "none" else self.comment

    @property
    def word_format(self) -> WordFormat:
        """`format` if it is one for words (CoNLL or raw text), else `auto`."""
        return self.format if self.format in ("conll", "text") else "auto"


DEFAULTS = ReadOptions()
"""The default options: the suffix and the first lines decide."""
