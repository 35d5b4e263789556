"""What a user can get wrong. Each error is one line: what, where, what was expected, what to do."""

from __future__ import annotations

from pathlib import Path


class UxlaError(Exception):
    """A fault the user can mend. The command line prints it on one line and exits with 2, without a traceback."""


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
