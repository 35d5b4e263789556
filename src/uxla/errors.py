"""What a user can get wrong. Each error is one line: what, where, what was expected, what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Literal

_KEPT = 500
_NO_MEMORY = ("can't allocate memory", "CUDA out of memory", "CUDA error: out of memory", "_STATUS_ALLOC_FAILED")
Spelling = Literal["python", "yaml", "options"]
"""How a remedy writes a setting: as an argument of a call, as a key of a configuration, as an option of a command."""

_SPELLING: ContextVar[Spelling] = ContextVar("spelling", default="python")


@contextmanager
def spelled_as(spelling: Spelling) -> Iterator[None]:
    """Inside, remedies write settings as a user of this kind does; afterwards as before."""
    token = _SPELLING.set(spelling)
    try:
        yield
    finally:
        _SPELLING.reset(token)


def spelling() -> Spelling:
    """How remedies write settings here."""
    return _SPELLING.get()


def in_python() -> bool:
    """Whether messages are for somebody who calls the library."""
    return _SPELLING.get() == "python"


def setting(key: str, value: Any = "") -> str:
    """How a user sets `key`: `encoding='cp1252'`, `encoding: cp1252`, or `--encoding cp1252`.

    Without a value the bare name. A list or a mapping is written as each of them writes it.
    """
    spelling = _SPELLING.get()
    if spelling == "options":
        option = key.replace("_", "-")
        return f"--{'no-' * (value is False)}{option} {'' if isinstance(value, bool) else _inline(value)}".rstrip()
    if value == "":
        return key
    return f"{key}={value!r}" if spelling == "python" else f"{key}: {_flow(value)}"


def assignment(key: str, value: str | bool) -> str:
    """How a user sets `key` of a model: as `setting`, but a key of YAML as a command takes it, `key=value`."""
    return f"{key}={_flow(value)}" if _SPELLING.get() == "yaml" else setting(key, value)


def _inline(value: Any) -> str:
    """A value of an option: `a,b`, `name=value`."""
    if isinstance(value, Mapping):
        return ",".join(f"{name}={one}" for name, one in value.items())
    return ",".join(value) if isinstance(value, list) else _quoted(str(value))


def _flow(value: Any) -> str:
    """A value in YAML, on one line."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{name}: {one}' for name, one in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(value)}]"
    return str(value).lower() if isinstance(value, bool) else _quoted(str(value))


def _quoted(text: str) -> str:
    """A sign such as # in quotation marks, which shells and YAML need."""
    return text if any(char.isalnum() for char in text) or text == "" else f'"{text}"'


def printable(text: str) -> str:
    """`text` on one line that a terminal can show, whatever file it comes from: line ends as spaces, characters that do
    not print (control and direction marks, halves of surrogate pairs) as Python writes them, the middle of more than
    1000 left out."""
    if len(text) > 2 * _KEPT:
        text = f"{text[:_KEPT]} … {text[-_KEPT:]}"
    flat = " ".join(part.strip() for part in text.split("\n"))
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in flat)


def out_of_memory_text(said: str) -> bool:
    """Whether a bare RuntimeError tells of memory: of the CPU's allocator, torch's on a GPU, CUDA's, cuBLAS's."""
    return any(text in said for text in _NO_MEMORY)


class UxlaError(Exception):
    """A fault the user can mend. The command line prints it on one line and exits with 2, without a traceback.

    >>> try:
    ...     uxla.read([("Ana", 3.5)])
    ... except uxla.UxlaError as error:
    ...     print(error)
    data:1, label: got 3.5 (float), expected a str; write str(value) where that is what you mean
    """

    mistakes: Sequence[str]
    """A line for each mistake."""

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))
        self.mistakes = (str(self),)


class ConfigError(UxlaError):
    """A configuration that cannot be run: unknown keys, values out of range, settings that exclude each other.

    It has a line for each mistake.
    """

    def __init__(self, *mistakes: str) -> None:
        super().__init__(" | ".join(mistakes))
        self.mistakes = tuple(map(printable, mistakes))


class DataError(UxlaError):
    """Input data that cannot be read, with the place: `data/es.conll:812: 3 columns, expected 2; …`."""

    def __init__(self, message: str, *, file: str | Path | None = None, line: int | None = None) -> None:
        self.file = None if file is None else str(file)
        self.line = line
        place = ":".join(str(part) for part in (self.file, line) if part is not None)
        super().__init__(f"{place}: {message}" if place else message)


class EmptyError(DataError):
    """Input data without a single example in it."""


class ModelError(UxlaError):
    """A model that cannot be found, loaded or used for what it was asked to do."""


class ArtifactError(UxlaError):
    """A file of a run or of the store that is missing, damaged, of another version, or cannot be written."""


class UnreachableError(UxlaError):
    """A shared store or a cluster that cannot be reached now. The command exits with 75: repeated later, it goes on."""


class WriteError(ArtifactError):
    """A file or folder that cannot be written: `strerror` says why, as in an OSError."""

    def __init__(self, place: str | Path, cause: str, remedy: str) -> None:
        self.filename, self.strerror = str(place), cause
        super().__init__(f"{place}: cannot be written ({cause}); {remedy}")


class BeingWrittenError(WriteError):
    """A file or folder that another process is writing."""

    def __init__(self, place: str | Path) -> None:
        super().__init__(place, "another process is writing it", "wait for it to end, or name another place")
