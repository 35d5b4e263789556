"""What a user can get wrong. Each error is one line: what, where, what was expected, what to do."""

from __future__ import annotations

from pathlib import Path

_KEPT = 500


def printable(text: str) -> str:
    """`text` on one line that a terminal can show, whatever file it comes from: line ends as spaces, characters that do
    not print (control and direction marks, halves of surrogate pairs) as Python writes them, the middle of more than
    1000 left out."""
    if len(text) > 2 * _KEPT:
        text = f"{text[:_KEPT]} … {text[-_KEPT:]}"
    flat = " ".join(part.strip() for part in text.split("\n"))
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in flat)


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
    """A file of a run or of the store that is missing, damaged or of another version."""
