"""What a user can get wrong. Each error is one line: what, where, what was expected, what to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

_KEPT = 500
_NO_MEMORY = ("can't allocate memory", "CUDA out of memory", "CUDA error: out of memory", "_STATUS_ALLOC_FAILED")
_ON_COMMAND_LINE = ContextVar("on_command_line", default=False)


@contextmanager
def on_command_line(options: bool = True) -> Iterator[None]:
    """Inside, remedies name options of the command line, else keys of a configuration; afterwards as before."""
    token = _ON_COMMAND_LINE.set(options)
    try:
        yield
    finally:
        _ON_COMMAND_LINE.reset(token)


def name_options() -> None:
    """From here on remedies name options of the command line."""
    _ON_COMMAND_LINE.set(True)


def setting(key: str, value: str | bool = "") -> str:
    """How a user sets `key`: `encoding: cp1252`, or `--encoding cp1252`; without a value the bare name."""
    option = key.replace("_", "-")
    if not _ON_COMMAND_LINE.get():
        return f"{key}: {str(value).lower() if isinstance(value, bool) else value}" if value != "" else key
    if isinstance(value, bool):
        return f"--{option}" if value else f"--no-{option}"
    return f"--{option} {value}".rstrip()


def assignment(key: str, value: str | bool) -> str:
    """How a user sets `key` of a model: `precision=fp32`, or where a command has options `--precision fp32`."""
    if _ON_COMMAND_LINE.get():
        return setting(key, value)
    return f"{key}={str(value).lower() if isinstance(value, bool) else value}"


def list_setting(key: str, values: Sequence[str]) -> str:
    """How a user sets `key` to several values: `tag_names: [O, B-PER]`, or `--tag-names O,B-PER`."""
    return setting(key, ",".join(values) if _ON_COMMAND_LINE.get() else f"[{', '.join(values)}]")


def columns_setting(role: str, column: str | int) -> str:
    """How a user says which column has a role: `columns: {text: NAME}`, or `--columns text=NAME`."""
    return entry_setting("columns", role, column)


def entry_setting(key: str, name: str, value: str | int) -> str:
    """How a user sets one entry of `key`: `where: {language: es}`, or `--where language=es`."""
    inline = _ON_COMMAND_LINE.get()
    return setting(key, f"{name}={value}" if inline else f"{{{name}: {value}}}")


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
    """A fault the user can mend. The command line prints it on one line and exits with 2, without a traceback."""

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))


class ConfigError(UxlaError):
    """A configuration that cannot be run: an unknown key, a value out of range, settings that exclude each other."""


class DataError(UxlaError):
    """Input data that cannot be read, with the place: `data/es.conll:812: 3 columns, expected 2; …`."""

    def __init__(self, message: str, *, file: str | Path | None = None, line: int | None = None) -> None:
        self.file = None if file is None else str(file)
        self.line = line
        place = ":".join(str(part) for part in (self.file, line) if part is not None)
        super().__init__(f"{place}: {message}" if place else message)


class ModelError(UxlaError):
    """A model that cannot be found, loaded or used for what it was asked to do."""


class ArtifactError(UxlaError):
    """A file of a run or of the store that is missing, damaged, of another version, or cannot be written."""


class WriteError(ArtifactError):
    """A file or folder that cannot be written: `strerror` says why, as in an OSError."""

    def __init__(self, place: str | Path, cause: str, remedy: str) -> None:
        self.filename, self.strerror = str(place), cause
        super().__init__(f"{place}: cannot be written ({cause}); {remedy}")
