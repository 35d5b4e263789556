"""One target language: its raw text, and what is known of its labels."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from uxla.errors import printable
from uxla.records import Corpus


@dataclass(frozen=True)
class Target:
    """One target language: `train` is raw text, whose labels nothing reads; the others are labelled, where there are
    such.

    `dev` and `test` are held out; `labelled` is what the methods `supervised` and `few_shot` learn from, and epochs
    with `labelled`; `translated`, labelled text that was translated into the target, is that of `translate_train`.
    To `uxla.adapt` all of them may also be what `uxla.read` takes.

    >>> Target(uxla.read("testbed:far/unlabelled", take=9), test=uxla.read("testbed:far/test", take=5)).dev is None
    True
    """

    train: Corpus
    dev: Corpus | None = None
    test: Corpus | None = None
    labelled: Corpus | None = None
    translated: Corpus | None = None
    name: str = "target"

    if TYPE_CHECKING:  # whoever calls `adapt` may give what `read` takes, and reads corpora

        def __init__(
            self,
            train: Any,
            dev: Any = None,
            test: Any = None,
            labelled: Any = None,
            translated: Any = None,
            name: str = "target",
        ) -> None: ...

    def __repr__(self) -> str:
        given = [field.name for field in fields(self)[:-1] if getattr(self, field.name) is not None]
        return printable(f"Target({self.name!r}: {', '.join(given)})")
